"""Builds the wheel, and the kubectl plugin with it, into `dist/`."""

import argparse
import subprocess
from pathlib import Path

import krew_plugin
import python_environment

REPOSITORY = Path(__file__).resolve().parent.parent


def build(dist: Path) -> Path:
    """Returns the wheel. Wheels of other versions in the folder are deleted, because the plugin is made from one."""
    for old in dist.glob("seatpool-*.whl"):
        old.unlink()
    uv = python_environment.ensure_uv()
    subprocess.run([uv, "build", "--quiet", "--wheel", "--out-dir", dist], cwd=REPOSITORY, check=True)
    (wheel,) = dist.glob("seatpool-*.whl")
    return wheel


def main() -> None:
    """Writes the wheel, the archive and Krew's manifest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--homepage", default="https://seatpool.invalid", help="the project's address, for the manifest"
    )
    parser.add_argument("--dist", type=Path, default=REPOSITORY / "dist", help="where to")
    options = parser.parse_args()
    options.dist.mkdir(parents=True, exist_ok=True)
    wheel = build(options.dist)
    krew_plugin.write(wheel, homepage=options.homepage)
    print(f"wrote {wheel.name}, the plugin and its manifest into {options.dist}")


if __name__ == "__main__":
    main()
