"""Makes the kubectl plugin for Krew: an archive with the wheel and its launcher, and the manifest that names it.

Build the wheel first: `uv build --wheel && python tools/krew_plugin.py --homepage https://...`. The same wheel gives
the same archive to the byte, so that anyone can check the checksum in the manifest.
"""

import argparse
import gzip
import hashlib
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path
from string import Template

REPOSITORY = Path(__file__).resolve().parent.parent
LAUNCHER = REPOSITORY / "krew" / "kubectl-seatpool"
MANIFEST = REPOSITORY / "krew" / "seatpool.yaml"
LICENSE = REPOSITORY / "LICENSE"


def archive(files: Mapping[str, tuple[bytes, int]]) -> bytes:
    """Returns a .tar.gz of these files and their modes that depends on nothing else."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as tar:
        for name, (content, mode) in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def plugin(wheel: Path) -> bytes:
    """Returns the archive for a wheel."""
    return archive(
        {
            wheel.name: (wheel.read_bytes(), 0o644),
            LAUNCHER.name: (LAUNCHER.read_bytes(), 0o755),
            LICENSE.name: (LICENSE.read_bytes(), 0o644),
        }
    )


def manifest(*, version: str, homepage: str, uri: str, content: bytes) -> str:
    """Returns the manifest for an archive."""
    digest = hashlib.sha256(content).hexdigest()
    return Template(MANIFEST.read_text()).substitute(version=version, homepage=homepage, uri=uri, sha256=digest)


def write(wheel: Path, *, homepage: str, uri: str | None = None) -> tuple[Path, Path]:
    """Writes archive and manifest beside the wheel, and returns both."""
    version = wheel.name.split("-")[1]
    content = plugin(wheel)
    archive_file = wheel.with_name(f"kubectl-seatpool-{version}.tar.gz")
    archive_file.write_bytes(content)
    where = uri or f"{homepage}/releases/download/v{version}/{archive_file.name}"
    manifest_file = wheel.with_name("seatpool.yaml")
    manifest_file.write_text(manifest(version=version, homepage=homepage, uri=where, content=content))
    return archive_file, manifest_file


def main() -> None:
    """Writes both beside the wheel."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--homepage", required=True, help="the project's address")
    parser.add_argument("--uri", help="where the archive will be; default: HOMEPAGE/releases/download/vVERSION/NAME")
    parser.add_argument("--dist", type=Path, default=REPOSITORY / "dist", help="where the wheel is")
    options = parser.parse_args()
    wheels = sorted(options.dist.glob("seatpool-*.whl"))
    if len(wheels) != 1:
        parser.error(f"{options.dist} has {len(wheels)} wheels of seatpool and should have one: uv build --wheel")
    archive_file, manifest_file = write(wheels[0], homepage=options.homepage, uri=options.uri)
    print(f"wrote {archive_file} and {manifest_file}")


if __name__ == "__main__":
    main()
