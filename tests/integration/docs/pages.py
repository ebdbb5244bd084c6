"""The blocks of the documentation, and a clone of the repository in which a reader runs them.

A block's language says what is done with it: `sh` is a script of commands, `console` shows commands after `$ ` with what
they print. A second word says why it is not run as it stands, or that what it prints is an example. Words are in no
rendered page, so the text beside the block has to say the same to the reader.
"""

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

from seatpool.sim import binaries
from seatpool.sim.controlplane import ControlPlane

REPOSITORY = Path(__file__).resolve().parents[3]
PAGES = tuple(
    sorted(
        path.relative_to(REPOSITORY).as_posix()
        for path in (
            *REPOSITORY.glob("*.md"),
            *REPOSITORY.glob("docs/**/*.md"),
            REPOSITORY / "charts/seatpool/README.md",
        )
    )
)
_FENCE = re.compile(r"^(?P<indent> *)```(?P<info>.*)\n(?P<text>(?:.*\n)*?)(?P=indent)```$", re.MULTILINE)
_COMMAND = re.compile(r"^\$ (?P<command>.*)\n(?P<shown>(?:(?!\$ ).*\n)*)", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    page: str
    line: int
    language: str
    word: str
    text: str
    before: str
    """The paragraph above."""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def commands(self) -> list[tuple[str, str]]:
        """Commands of a `console` block, each with what it is shown to print. None without a `$ ` in front."""
        return [(found["command"], found["shown"].rstrip()) for found in _COMMAND.finditer(self.text)]


def blocks(page: str) -> list[Block]:
    """The blocks of a page, in their order."""
    content = (REPOSITORY / page).read_text()
    found = []
    for fence in _FENCE.finditer(content):
        language, _, word = fence["info"].strip().partition(" ")
        above = content[: fence.start()].rstrip()
        found.append(
            Block(
                page=page,
                line=content.count("\n", 0, fence.start()) + 1,
                language=language,
                word=word,
                text=fence["text"],
                before=above.rpartition("\n\n")[2],
            )
        )
    return found


def make_clone(folder: Path) -> None:
    """Makes a working copy of the repository, with what `make infra` leaves in it."""
    for name in ("charts", "crds", "examples", "infra", "tests", "Makefile"):
        (folder / name).symlink_to(REPOSITORY / name)
    sys.path.insert(0, str(REPOSITORY / "infra"))
    try:
        from seatpool_infra.operator_settings import chart_values
        from seatpool_infra.site import load_site
    finally:
        sys.path.pop(0)
    build = folder / "build" / "infra"
    build.mkdir(parents=True)
    values = chart_values(load_site(REPOSITORY / "infra" / "site.example.yaml"))
    (build / "values.yaml").write_text(yaml.safe_dump(values))


def environment(clone: Path, plane: ControlPlane, **more: str) -> dict[str, str]:
    """The environment of a reader who has kubectl, helm and seatpool, and a cluster."""
    programs, helm = binaries.find(), binaries.find_helm()
    assert programs is not None
    assert helm is not None
    here = Path(sys.executable).parent
    return {
        "PATH": os.pathsep.join(map(str, (here, helm.parent, programs, os.environ["PATH"]))),
        "PYTHONPATH": str(REPOSITORY / "operator"),
        "HOME": str(clone),
        "KUBECONFIG": str(plane.kubeconfig),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "COLUMNS": "80",
        **more,
    }
