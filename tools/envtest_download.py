"""Downloads ready-made control-plane programs from the index that envtest uses.

Many networks cannot reach it, and it does not have every patch version. Neither is an error: the result is then False,
with a line that says why, and the caller builds. A download is checked against the sha512 of the index before it is
unpacked.
"""

import hashlib
import os
import re
import tarfile
import tempfile
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import IO

from progress import SetupError, say

from seatpool.sim import binaries

INDEX = "https://raw.githubusercontent.com/kubernetes-sigs/controller-tools/HEAD/envtest-releases.yaml"

SECONDS_WITHOUT_AN_ANSWER = 5.0


def download(into: Path) -> bool:
    """Downloads all programs into `into`. Returns False, and prints why, if that is not possible."""
    index = os.environ.get("SEATPOOL_ENVTEST_INDEX", INDEX)
    if not index:
        return False
    archive = f"envtest-v{binaries.KUBERNETES_VERSION}-{binaries.target()}.tar.gz"
    try:
        with _open(index) as answer:
            entry = find_entry(answer.read().decode(), archive)
        if entry is None:
            say(f"no ready-made {archive} in the envtest index")
            return False
        address, sha512 = entry
        say(f"downloading {address} ...")
        with tempfile.TemporaryFile() as file:
            _fetch(address, file, sha512=sha512)
            _unpack(file, into)
    except (OSError, HTTPException, ValueError, tarfile.TarError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        say(f"no ready-made control plane ({reason})")
        return False
    return True


def find_entry(index: str, archive: str) -> tuple[str, str] | None:
    """Returns address and sha512 of `archive` in the index, whose two lines for an archive always stand together."""
    entry = re.search(rf"^\s*{re.escape(archive)}:\s*\n((?:\s+(?:hash|selfLink): \S+\s*\n?){{2}})", index, re.MULTILINE)
    if entry is None:
        return None
    fields = dict(re.findall(r"(hash|selfLink): (\S+)", entry[1]))
    return fields["selfLink"], fields["hash"].lower()


def _open(address: str) -> IO[bytes]:
    if not address.startswith(("https://", "http://")):
        raise ValueError(f"{address} is not an address of the web")
    answer: IO[bytes] = urllib.request.urlopen(address, timeout=SECONDS_WITHOUT_AN_ANSWER)
    return answer


def _fetch(address: str, file: IO[bytes], *, sha512: str) -> None:
    digest = hashlib.sha512()
    with _open(address) as answer:
        while chunk := answer.read(1 << 20):
            digest.update(chunk)
            file.write(chunk)
    if digest.hexdigest() != sha512:
        raise SetupError(
            f"{address} has sha512 {digest.hexdigest()}, but the index says {sha512}: it was damaged or changed on "
            "its way. Run again, or set SEATPOOL_ENVTEST_INDEX= (empty) to build instead"
        )
    file.seek(0)


def _unpack(file: IO[bytes], into: Path) -> None:
    with tarfile.open(fileobj=file, mode="r:gz") as archive:
        for member in archive:
            program = Path(member.name).name
            content = archive.extractfile(member) if member.isfile() and program in binaries.PROGRAMS else None
            if content:
                (into / program).write_bytes(content.read())
                (into / program).chmod(0o755)
    if lacking := binaries.missing(into):
        raise ValueError(f"the archive lacks {', '.join(lacking)}")
