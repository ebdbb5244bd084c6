"""`make image`: the operator's image, by a container engine where there is one, else by buildah from a base of our own.

An engine pulls its base image, keeps the result, and is what a developer or a hosted CI has. Without one the image is a
file that `ctr images import`, `docker load` and `skopeo copy` read. It is made anew only when something that is in it
has changed.
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
"""After its last use; another run may still be about to read an older one."""


def name() -> str:
    """What the chart asks for by default."""
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    return f"docker.io/library/seatpool:{version}"


def engine() -> str | None:
    """A container engine that answers."""
    for program in ENGINES:
        if (
            shutil.which(program)
            and subprocess.run([program, "info"], capture_output=True, check=False).returncode == 0
        ):
            return program
    return None


def build_with(program: str) -> None:
    """Let a container engine build it."""
    run(
        f"{program} build",
        [program, "build", "--tag", name(), *_certificates(), REPOSITORY],
        cwd=REPOSITORY,
        environ=os.environ | {"DOCKER_BUILDKIT": "1"},
    )


def archive() -> Path:
    """The image as a file, built by buildah unless the cache has one of the same sources."""
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
    """Of everything that the image is made from."""
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
    """Behind a proxy that opens TLS, packages are fetched by its certificates."""
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
