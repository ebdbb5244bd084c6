"""Set-up results are there whole or not at all."""

import subprocess
import sys
from pathlib import Path

import pytest
from progress import SetupError
from tests.waiting import PATIENCE
from whole import exclusive, folder

TOOLS = Path(__file__).resolve().parents[3] / "tools"

MAKER = """
import sys, time
from pathlib import Path
from whole import exclusive, folder

home = Path(sys.argv[1])
with exclusive("thing", cache=home.parent):
    if not home.exists():
        with folder(home) as partial:
            time.sleep(0.3)
            (partial / "made-by").write_text(sys.argv[2])
            print("made", flush=True)
"""


def test_of_two_at_once_one_makes_the_folder_and_the_other_waits_for_it(tmp_path: Path) -> None:
    home = tmp_path / "cache" / "thing"
    makers = [
        subprocess.Popen(
            [sys.executable, "-c", MAKER, home, str(number)],
            cwd=TOOLS,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]
    ends = [maker.communicate(timeout=PATIENCE) for maker in makers]
    assert [maker.returncode for maker in makers] == [0, 0]
    assert sorted(printed for printed, _ in ends) == ["", "made\n"]
    assert "another bootstrap is at work on it" in "".join(said for _, said in ends)
    assert (home / "made-by").exists()


def test_a_failed_attempt_leaves_nothing_and_keeps_what_was_there(tmp_path: Path) -> None:
    home = tmp_path / "thing"
    home.mkdir()
    (home / "old").touch()

    def fail() -> None:
        with folder(home) as partial:
            (partial / "new").touch()
            raise SetupError("no")

    with pytest.raises(SetupError):
        fail()
    assert [path.name for path in tmp_path.rglob("*")] == ["thing", "old"]


def test_what_a_killed_attempt_left_behind_goes_with_the_next(tmp_path: Path) -> None:
    (tmp_path / ".thing.partial-abc").mkdir()
    (tmp_path / ".thing.partial-abc" / "half").touch()
    with folder(tmp_path / "thing") as partial:
        (partial / "whole").touch()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["thing", "whole"]


def test_a_cache_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match="SEATPOOL_CACHE="), exclusive("thing", cache=tmp_path / "file" / "cache"):
        pass
