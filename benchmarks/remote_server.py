"""Does what a license server's shell does with the apply script, in one process instead of about 40 for each product.

Twenty license servers are twenty machines. On the cores that also run the API server and the operator they would
measure those cores: the script takes about one second for 25 products. So the benchmarks of scale use this program as
the nodes' "shell". It reads the same payload, keeps the same fence, list and journal, and prints the same answer.
`tests/unit/benchmarks` compares it with the script. It does not check what the operator cannot send.

It is started for each command, twenty at once. So it imports only what starts fast. The json, gzip and hashlib of the
standard library would take longer than all the rest.
"""

import binascii
import fcntl
import os
import sys
import time
import zlib
from _json import encode_basestring_ascii

try:
    from _sha2 import sha256
except ImportError:
    from _sha256 import sha256  # before Python 3.12

OUTPUT_LIMIT = 23_500
GZIP = 31
"""zlib's value for a stream with gzip's header and trailer."""


class Block:
    """One product of a payload."""

    def __init__(self, product: str) -> None:
        self.product = product
        self.fields: dict[str, str] = {}
        self.users: list[str] = []


class Server:
    """Disk of one license server while it handles one payload."""

    def __init__(self, home: str, header: dict[str, str]) -> None:
        self._home = home
        self._state = header["state"]
        os.makedirs(self._state, exist_ok=True)
        self._header = header
        self._revision, self._owner = int(header["revision"]), header["owner"]
        self._chunks: list[tuple[str, int]] = []

    def work(self, blocks: list[Block]) -> str:
        """Handles the payload and returns the output."""
        with open(f"{self._state}/.lock", "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            results = [getattr(self, f"_{self._header['action']}")(block) for block in blocks]
            summary = _json({"v": 1, "revision": self._revision, "results": results})
            return "\n".join([summary, *self._printed(OUTPUT_LIMIT - len(summary))]) + "\n"

    def _apply(self, block: Block) -> dict[str, object]:
        owner, fence, digest = self._fence(block.product)
        result = "applied"
        if owner and owner not in (self._owner, self._header.get("takeover", "")):
            result = "owner"
        elif owner == self._owner and (
            self._revision < fence or (self._revision == fence and block.fields["hash"] != digest)
        ):
            result = "stale"
        else:
            owner, fence = self._owner, self._revision
            self._write(f"{self._state}/{block.product}.revision", f"{owner} {fence} {block.fields['hash']}\n")
            text = "".join(f"{user}\n" for user in block.users)
            self._write(f"{self._state}/{block.product}.list", text)
            if not self._give(block.product, block.users, text):
                result = "failed"
        return self._entry(block.product, result, fence, owner) | {"listed": self._read_back(block.product)}

    def _list(self, block: Block) -> dict[str, object]:
        owner, fence, _ = self._fence(block.product)
        return self._entry(block.product, "listed", fence, owner) | {"listed": self._read_back(block.product)}

    def _read(self, block: Block) -> dict[str, object]:
        owner, fence, _ = self._fence(block.product)
        packed = _text(f"{self._state}/{block.product}.listed")
        self._chunks.append((block.product, int(block.fields["offset"])))
        listed = {"length": len(packed), "sha": sha256(packed.encode()).hexdigest()}
        return self._entry(block.product, "listed", fence, owner) | {"listed": listed}

    def _give(self, product: str, users: list[str], text: str) -> bool:
        """Does what the vendor's client does."""
        limit = _text(f"{self._home}/products/{product}.seats")
        accepted = not limit or len(users) <= int(limit)
        if accepted:
            self._write(f"{self._home}/products/{product}.list", text)
        entry = {"at": time.time(), "product": product, "users": users, "count": len(users), "accepted": accepted}
        with open(f"{self._home}/journal.jsonl", "a") as journal:
            fcntl.flock(journal, fcntl.LOCK_EX)
            journal.write(_json(entry) + "\n")
        return accepted

    def _read_back(self, product: str) -> dict[str, object]:
        text = _text(f"{self._home}/products/{product}.list").encode()
        packer = zlib.compressobj(wbits=GZIP)
        packed = binascii.b2a_base64(packer.compress(text) + packer.flush(), newline=False).decode()
        self._write(f"{self._state}/{product}.listed", packed)
        self._chunks.append((product, 0))
        lines = sorted(set(text.splitlines(keepends=True)))
        return {
            "length": len(packed),
            "sha": sha256(packed.encode()).hexdigest(),
            "sorted": sha256(b"".join(lines)).hexdigest(),
        }

    def _fence(self, product: str) -> tuple[str, int, str]:
        written = _text(f"{self._state}/{product}.revision").split()
        return (written[0], int(written[1]), written[2]) if written else ("", 0, "")

    def _printed(self, left: int) -> list[str]:
        lines = []
        for number, (product, offset) in enumerate(self._chunks):
            size = left // (len(self._chunks) - number) - len(product) - len(str(offset)) - 5
            if size <= 0:
                continue
            chunk = _text(f"{self._state}/{product}.listed")[offset : offset + size]
            lines.append(f"= {product} {offset} {chunk}")
            left -= len(lines[-1]) + 1
        return lines

    def _entry(self, product: str, result: str, fence: int, owner: str) -> dict[str, object]:
        return {"product": product, "result": result, "fence": fence, "owner": owner, "code": 0, "detail": ""}

    def _write(self, path: str, text: str) -> None:
        with open(f"{path}.new", "w") as fresh:
            fresh.write(text)
        os.replace(f"{path}.new", path)


def _json(value: object) -> str:
    """Formats these values as `json.dumps` does."""
    if isinstance(value, str):
        return str(encode_basestring_ascii(value))
    if isinstance(value, dict):
        return f"{{{','.join(f'{_json(key)}:{_json(inner)}' for key, inner in value.items())}}}"
    if isinstance(value, list):
        return f"[{','.join(map(_json, value))}]"
    return str(value).lower()  # numbers, and true and false


def _text(path: str) -> str:
    """Returns the content of a file. Empty: there is none."""
    try:
        with open(path) as file:
            return file.read()
    except FileNotFoundError:
        return ""


def read(payload: str) -> tuple[dict[str, str], list[Block]]:
    """Parses header and products of a payload."""
    header: dict[str, str] = {}
    blocks: list[Block] = []
    for line in zlib.decompress(binascii.a2b_base64(payload), wbits=GZIP).decode().splitlines()[1:-1]:
        name, _, value = line.partition(" ")
        if name == "product":
            blocks.append(Block(value))
        elif not blocks:
            header[name] = value
        elif name == "u":
            blocks[-1].users.append(value)
        elif name != "end":
            blocks[-1].fields[name] = value
    return header, blocks


if __name__ == "__main__":
    given, products = read(os.environ["SSM_Payload"])
    sys.stdout.write(Server(os.environ["XLC_HOME"], given).work(products))
