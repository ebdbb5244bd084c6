"""Runs `make image`: builds the image with a container engine, or else with buildah from a base image made here.

An engine pulls its base image and keeps the result, as for developers and hosted CI. Without one the image is a file
for `ctr images import`, `docker load` and `skopeo copy`. It is built again only if one of its sources changed.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

import image_base
import system_packages
from progress import SetupError, run, say
from whole import exclusive, folder

from seatpool.sim.binaries import cache_dir

REPOSITORY = Path(__file__).resolve().parent.parent
SOURCES = ("Dockerfile", "LICENSE", "README.md", "operator", "pyproject.toml", "tools/image_root.py", "uv.lock")
ENGINES = ("docker", "podman")
SECONDS_KEPT = 3600.0
"""Seconds after its last use for which an older image is kept, because another run may still read it."""


def name() -> str:
    """Returns the name that the chart uses by default."""
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    return f"docker.io/library/seatpool:{version}"


def engine() -> str | None:
    """Returns a container engine that answers. None: there is none."""
    for program in ENGINES:
        if (
            shutil.which(program)
            and subprocess.run([program, "info"], capture_output=True, check=False).returncode == 0
        ):
            return program
    return None


def build_with(program: str) -> None:
    """Builds the image with a container engine."""
    run(
        f"{program} build",
        [program, "build", "--tag", name(), *_certificates(), REPOSITORY],
        cwd=REPOSITORY,
        environ=os.environ | {"DOCKER_BUILDKIT": "1"},
    )


def archive() -> Path:
    """Returns the image as a file. buildah builds it unless the cache has one of the same sources."""
    cache = cache_dir()
    home = cache / f"image-{digest()}"
    with exclusive("image", cache=cache):
        if not (home / "seatpool.tar").exists():
            system_packages.ensure({"buildah": "buildah"}, why="an image without a container engine")
            base = image_base.ensure()
            with folder(home) as partial:
                _build(base, partial / "seatpool.tar")
            for old in cache.glob("image-*"):
                if time.time() - old.stat().st_mtime > SECONDS_KEPT:
                    shutil.rmtree(old, ignore_errors=True)
        os.utime(home)
    return home / "seatpool.tar"


def digest() -> str:
    """Returns a digest of all sources of the image."""
    sums = hashlib.sha256()
    for source in SOURCES:
        place = REPOSITORY / source
        for file in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if file.is_file() and "__pycache__" not in file.parts:
                sums.update(f"{file.relative_to(REPOSITORY)}\n".encode() + hashlib.sha256(file.read_bytes()).digest())
    return sums.hexdigest()[:16]


def _build(base: Path, into: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="seatpool-image-", dir=into.parent.parent) as storage:
        buildah = ["buildah", "--storage-driver=vfs", f"--root={storage}/root", f"--runroot={storage}/run"]
        recipe = Path(storage) / "Dockerfile"
        recipe.write_text(f"FROM scratch\nADD {base.name} /\n")

        def step(label: str, *arguments: "str | Path") -> None:
            run(label, [*buildah, *arguments], cwd=REPOSITORY, environ=os.environ)

        step("buildah: base image", "bud", "--quiet", "--file", recipe, "--tag", "localhost/seatpool-base", base.parent)
        step(
            "buildah: image",
            *("bud", "--isolation=chroot", "--build-arg", "BASE_IMAGE=localhost/seatpool-base", *_certificates()),
            *("--tag", name(), REPOSITORY),
        )
        step("buildah: archive", "push", name(), f"docker-archive:{into}:{name()}")


def _certificates() -> list[str]:
    """Returns the certificates of a proxy that opens TLS, by which packages are fetched."""
    bundle = os.environ.get("SSL_CERT_FILE")
    return ["--secret", f"id=ca-bundle,src={bundle}"] if bundle else []


def main() -> int:
    try:
        if program := engine():
            build_with(program)
            say(f"{name()} is in {program}")
        else:
            say(f"{name()} is in {archive()}")
    except SetupError as error:
        say(f"error: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
