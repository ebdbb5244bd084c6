"""`python -m seatpool_infra.generate`: the snapshots of the example's templates and the page of permissions."""

import tempfile
from pathlib import Path

from seatpool_infra.__main__ import EXAMPLE, write
from seatpool_infra.permissions_table import PAGE, page
from seatpool_infra.site import load_site
from seatpool_infra.snapshots import FOLDER, SUFFIX, snapshots

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        write(site=EXAMPLE, out=Path(folder))
        fresh = snapshots(Path(folder))
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in FOLDER.glob(f"*{SUFFIX}"):
        if path.name not in fresh:
            path.unlink()
    for name, text in fresh.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    (REFERENCE / PAGE).write_text(page(load_site(EXAMPLE)), encoding="utf-8")


if __name__ == "__main__":
    main()
