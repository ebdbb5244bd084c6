"""Lists in files of a node that SSM reaches: the stand-in of SSM really runs the script, on real files."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from tests.integration.backends.site import LIST, OTHER_LIST, TIMEOUT, UNDISTURBED, Disturbance, Site, Stopped

from seatpool.api.licenseserver import LicenseServerSpec
from seatpool.api.list_names import ListNames
from seatpool.domain.identity import PLACEHOLDER
from seatpool.servers.commands import SentCommand
from seatpool.servers.ssm.backend import SsmBackend
from seatpool.servers.ssm.nodes import Node
from seatpool.servers.ssm.payload import named, pack, unpack
from seatpool.servers.ssm.transport import SsmTransport
from seatpool.sim.site import LicenseServerNode
from seatpool.sim.site import Site as SsmSite

# Reads the file again, as a daemon does. It can be slow, hang, or put an old file back, as a configuration management does.
DAEMON = """#!/bin/sh
home=$(dirname "$0")/..
[ ! -e "$home/restore" ] || cp "$home/restore" "$1"
[ ! -e "$home/slow" ] || sleep "$(cat "$home/slow")"
"""


class DisturbedTransport:
    """A real transport, and what happens to it. A request is a command that is sent."""

    def __init__(self, transport: SsmTransport, disturbance: Disturbance) -> None:
        self._transport = transport
        self._disturbance = disturbance
        self._requests = 0
        self._changes = 0

    async def send(self, node: Node, parameters: Mapping[str, Sequence[str]], **options: Any) -> SentCommand:
        if self._requests == self._disturbance.stop_after:
            raise Stopped
        self._requests += 1
        lines = unpack(parameters["Payload"][0])
        if "action apply" in lines:
            if self._changes == self._disturbance.changes_before and self._disturbance.before_change is not None:
                await self._disturbance.before_change()
            self._changes += 1
            if self._disturbance.has_no_effect:
                kept = [("action list" if line == "action apply" else line) for line in lines if line != "done"]
                parameters = {**parameters, **named(pack(kept))}
        return await self._transport.send(node, parameters, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class FileSite(Site):
    """What all kinds of files share."""

    can_repeat = True

    def __init__(self, site: SsmSite, node: LicenseServerNode) -> None:
        self._node = node
        self._transport = SsmTransport(endpoint_url=site.endpoint, session_factory=site.access.session)
        self._region = site.region
        self.home = node.host.home
        self.folder = self.home / "etc"
        self.folder.mkdir()
        daemon = self.home / "bin" / "reread"
        daemon.write_text(DAEMON)
        daemon.chmod(0o755)
        self.reload = [str(daemon), "{file}"]
        for product in (LIST, OTHER_LIST):
            self.path(product).write_bytes(self.empty(product))
            self.path(product).chmod(0o640)

    def path(self, product: str) -> Path:
        """The file that has the list."""
        raise NotImplementedError

    def empty(self, product: str) -> bytes:
        """The file with an empty list, and something around it."""
        raise NotImplementedError

    def section(self) -> dict[str, Any]:
        """The section of the LicenseServer."""
        raise NotImplementedError

    def backend(
        self, *, timeout: timedelta = TIMEOUT, names: ListNames | None = None, disturbance: Disturbance = UNDISTURBED
    ) -> SsmBackend:
        spec = LicenseServerSpec.model_validate(
            {
                "target": {"instanceId": self._node.instance_id},
                "region": self._region,
                "timeout": f"{round(timeout.total_seconds())}s",
                "names": (names or ListNames()).model_dump(by_alias=True, mode="json"),
            }
            | self.section()
        )
        transport: Any = DisturbedTransport(self._transport, disturbance)
        return SsmBackend(spec, transport, name="default/main")

    def server(self) -> tuple[dict[str, Any], Mapping[str, Mapping[str, str]]]:
        return {"target": {"instanceId": self._node.instance_id}, "region": self._region} | self.section(), {}

    def add_users(self, names: Any) -> None:
        pass

    def close(self) -> None:
        self._transport.close()

    @contextmanager
    def _with_file(self, name: str, content: bytes) -> Iterator[None]:
        path = self.home / name
        path.write_bytes(content)
        try:
            yield
        finally:
            path.unlink()

    def slow(self, seconds: float) -> AbstractContextManager[None]:
        return self._with_file("slow", str(seconds).encode())

    def hanging(self) -> AbstractContextManager[None]:
        return self._with_file("slow", b"60")

    def lying(self) -> AbstractContextManager[None]:
        return self._with_file("restore", self.path(LIST).read_bytes())

    def make_unreadable(self, product: str) -> None:
        self.path(product).write_bytes("names".encode("utf-16"))

    def surroundings(self) -> Any:
        found = {}
        for product in (LIST, OTHER_LIST):
            stat = self.path(product).stat()
            around = self.around(product, self.path(product).read_bytes())
            found[product] = (around, stat.st_mode, stat.st_uid, stat.st_gid)
        return found, sorted(path.name for path in self.folder.iterdir())

    def around(self, product: str, content: bytes) -> Any:
        """What of a file is not the list."""
        raise NotImplementedError

    def entries(self, product: str) -> Sequence[str]:
        return [name for name in self.names(product) if name != PLACEHOLDER]

    def names(self, product: str) -> list[str]:
        raise NotImplementedError

    def set_by_hand(self, product: str, names: Sequence[str]) -> None:
        raise NotImplementedError

    def add_by_hand(self, product: str, names: Sequence[str]) -> None:
        self.set_by_hand(product, [*self.entries(product), *names])

    def remove_by_hand(self, product: str, names: Sequence[str]) -> None:
        self.set_by_hand(product, [name for name in self.entries(product) if name not in names])


class OptionsSite(FileSite):
    """Both lists are blocks of one options file."""

    hostile_entries = ("DOM\\eve", "\x1b[31m", "ém")

    def path(self, product: str) -> Path:
        return self.folder / "vendor.opt"

    def empty(self, product: str) -> bytes:
        return b"GROUPCASEINSENSITIVE OFF\r\n# caf\xe9\r\nGROUP team eve\r\nINCLUDE other GROUP team\r\n"

    def section(self) -> dict[str, Any]:
        return {
            "flexnet": {
                "optionsFile": str(self.path(LIST)),
                "reread": [part.replace("{file}", str(self.path(LIST))) for part in self.reload],
                "stateDir": self._node.host.state_dir,
            }
        }

    def _blocks(self) -> tuple[list[str], dict[str, list[str]]]:
        outside, blocks, inside = [], {}, None
        for line in self.path(LIST).read_bytes().decode("latin-1").split("\r\n"):
            if line.startswith("# BEGIN seatpool "):
                inside = line.rpartition(" ")[2]
                blocks[inside] = []
            elif line.startswith("# END seatpool "):
                inside = None
            elif inside is None:
                outside.append(line)
            else:
                blocks[inside].append(line)
        return outside, blocks

    def around(self, product: str, content: bytes) -> Any:
        return self._blocks()[0]

    def names(self, product: str) -> list[str]:
        lines = self._blocks()[1].get(product, [])
        assert sum(line == f"INCLUDE {product} GROUP seatpool_{product}" for line in lines) == bool(lines)
        words = (line.split() for line in lines if line.startswith("GROUP "))
        return [name.encode("latin-1").decode() for line in words for name in line[2:]]

    def set_by_hand(self, product: str, names: Sequence[str]) -> None:
        outside, blocks = self._blocks()
        group = f"GROUP seatpool_{product} "
        members = " ".join(name.encode().decode("latin-1") for name in names or (PLACEHOLDER,))
        blocks[product] = [f"{group}{members}", f"INCLUDE {product} GROUP seatpool_{product}"]
        lines = [*outside[:-1]]
        for name, block in blocks.items():
            lines += [f"# BEGIN seatpool {name}", *block, f"# END seatpool {name}"]
        self.path(LIST).write_bytes("".join(f"{line}\r\n" for line in lines).encode("latin-1"))

    def make_unreadable(self, product: str) -> None:
        with self.path(product).open("ab") as file:
            file.write(f"# BEGIN seatpool {product}\r\n".encode())


class ListFileSite(FileSite):
    """Each list has a file of its own."""

    format = ""
    place: ClassVar[Mapping[str, Any]] = {}

    def path(self, product: str) -> Path:
        return self.folder / f"{product}.list"

    def section(self) -> dict[str, Any]:
        return {
            "listFile": {
                "path": str(self.folder / "{product}.list"),
                "format": self.format,
                "reload": self.reload,
                "stateDir": self._node.host.state_dir,
                **self.place,
            }
        }

    def _text(self, product: str) -> str:
        return self.path(product).read_bytes().decode()

    def _write(self, product: str, text: str) -> None:
        self.path(product).write_bytes(text.encode())


class LinesSite(ListFileSite):
    format = "Lines"
    hostile_entries = ("John Smith", "\x1b[31mred", "ém")

    def empty(self, product: str) -> bytes:
        return b"# the users\n\n"

    def around(self, product: str, content: bytes) -> Any:
        return [line for line in content.splitlines() if line.startswith(b"#") or not line]

    def names(self, product: str) -> list[str]:
        return [line for line in self._text(product).split("\n") if line and not line.startswith("#")]

    def set_by_hand(self, product: str, names: Sequence[str]) -> None:
        self._write(product, "# the users\n\n" + "".join(f"{name}\n" for name in names))


class IniSite(ListFileSite):
    format = "Ini"
    place: ClassVar[Mapping[str, Any]] = {"section": "users of {product}"}
    hostile_entries = ("John Smith", "\x1b[31mred", "ém")

    def empty(self, product: str) -> bytes:
        return f"; head\r\n[users of {product}]\r\n; ours\r\n\r\n[users]\r\nann = 1\r\n".encode()

    def _parts(self, text: str) -> tuple[str, str, str]:
        before, mark, rest = text.partition("; ours\r\n")
        ours, end, behind = rest.partition("\r\n[users]")
        return before + mark, ours, end + behind

    def around(self, product: str, content: bytes) -> Any:
        before, _, behind = self._parts(content.decode())
        return before, behind

    def names(self, product: str) -> list[str]:
        return [line for line in self._parts(self._text(product))[1].split("\r\n") if line]

    def set_by_hand(self, product: str, names: Sequence[str]) -> None:
        before, _, behind = self._parts(self._text(product))
        self._write(product, before + "".join(f"{name}\r\n" for name in names) + behind)


class JsonSite(ListFileSite):
    format = "Json"
    place: ClassVar[Mapping[str, Any]] = {"keys": ["lists", "{product}", "users"]}
    hostile_entries = ("John Smith", "\x1b[31mred", "ém", "")

    def empty(self, product: str) -> bytes:
        value = {"head": [1.50, None], "lists": {"x": {"users": ["ann"]}, product: {"users": [], "é": "é"}}}
        return (json.dumps(value, indent=3, ensure_ascii=False) + "\n").encode()

    def _value(self, content: bytes, product: str) -> tuple[Any, dict[str, Any]]:
        value = json.loads(content)
        return value, value["lists"][product]

    def around(self, product: str, content: bytes) -> Any:
        value, place = self._value(content, product)
        names, place["users"] = place["users"], []
        assert content == self._dumped(product, content, names)
        return value

    def _dumped(self, product: str, content: bytes, names: Sequence[str]) -> bytes:
        value, place = self._value(content, product)
        place["users"] = list(names)
        return (json.dumps(value, indent=3, ensure_ascii=False) + "\n").encode()

    def names(self, product: str) -> list[str]:
        return list(self._value(self.path(product).read_bytes(), product)[1]["users"])

    def set_by_hand(self, product: str, names: Sequence[str]) -> None:
        self.path(product).write_bytes(self._dumped(product, self.path(product).read_bytes(), names))


class CsvSite(ListFileSite):
    format = "Csv"
    place: ClassVar[Mapping[str, Any]] = {"column": "login"}
    hostile_entries = ("John Smith", "\x1b[31mred", "two\nlines")

    def empty(self, product: str) -> bytes:
        return b"name;login;note\n\n"

    def around(self, product: str, content: bytes) -> Any:
        return [line for line in content.splitlines() if line.startswith(b"name;") or not line]

    def names(self, product: str) -> list[str]:
        rows = csv.DictReader(io.StringIO(self._text(product), newline=""), delimiter=";")
        return [row["login"] for row in rows]

    def set_by_hand(self, product: str, names: Sequence[str]) -> None:
        text = io.StringIO()
        writer = csv.writer(text, delimiter=";", lineterminator="\n")
        writer.writerows((f"User; {name}", name, 'a "note"') for name in names)
        self._write(product, "name;login;note\n\n" + text.getvalue())
