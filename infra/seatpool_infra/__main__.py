"""`python -m seatpool_infra`: templates and settings of one site, in a folder. The `cdk` command calls the same."""

import argparse
import sys
from pathlib import Path

from seatpool.domain.errors import SeatpoolError
from seatpool_infra.application import add_stacks, new_app
from seatpool_infra.operator_settings import write_settings
from seatpool_infra.site import load_site

EXAMPLE = Path(__file__).resolve().parent.parent / "site.example.yaml"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m seatpool_infra", description=__doc__)
    parser.add_argument("--site", type=Path, help="the file that describes the site; default: the example")
    parser.add_argument("--out", type=Path, help="folder for the templates; `cdk` gives its own")
    given = parser.parse_args()
    try:
        write(site=given.site, out=given.out)
    except SeatpoolError as error:
        sys.exit(f"seatpool_infra: {error}")


def write(*, site: Path | None, out: Path | None) -> None:
    """Synthesise, and write the settings that go with them beside the templates."""
    app = new_app(out=out)
    described = load_site(site or Path(app.node.try_get_context("site") or EXAMPLE))
    add_stacks(app, described)
    assembly = app.synth()
    write_settings(described, Path(assembly.directory))


if __name__ == "__main__":
    main()
