"""What was appended is there after a kill, and nobody takes a file away from somebody who writes to it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from seatpool.history.spool import Spool

APPENDS_FOR_EVER = """
import sys
from pathlib import Path
from seatpool.history.spool import Spool
spool = Spool(Path(sys.argv[1]))
number = 0
while True:
    spool.append([f"{number}"])
    print(number, flush=True)
    number += 1
"""


def lines(spool: Spool) -> list[str]:
    return [line for path in spool.finished() for line in path.read_text().splitlines()]


def test_lines_are_in_a_finished_segment_after_a_cut(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.append(["a", "b"])
    spool.append(["c"])
    assert spool.finished() == []
    spool.cut()
    assert lines(spool) == ["a", "b", "c"]
    spool.append(["d"])
    assert lines(spool) == ["a", "b", "c"]


def test_a_segment_that_another_spool_appends_to_is_not_finished_until_that_one_ends(tmp_path: Path) -> None:
    writing, looking = Spool(tmp_path), Spool(tmp_path)
    writing.append(["a"])
    assert looking.finished() == []
    writing.cut()
    assert lines(looking) == ["a"]


def test_every_line_that_was_said_to_be_durable_is_there_after_a_kill(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", APPENDS_FOR_EVER, tmp_path], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told = [int(process.stdout.readline()) for _ in range(50)]
    os.kill(process.pid, signal.SIGKILL)
    told += [int(line) for line in process.stdout.read().split()]
    process.wait()
    process.stdout.close()
    kept = [int(line) for line in lines(Spool(tmp_path))]
    assert kept[: len(told)] == told
    assert len(kept) <= len(told) + 1


def test_after_an_error_the_next_line_goes_into_another_segment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path)
    first = spool.append(["a"])
    real = os.write

    def half(descriptor: int, content: bytes) -> int:
        real(descriptor, bytes(content)[: len(content) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(OSError, match="No space left"):
        spool.append(["a line that does not fit"])
    monkeypatch.undo()
    assert spool.append(["b"]) != first
    spool.cut()
    assert lines(spool) == ["a", "a line that ", "b"]


def test_a_folder_that_cannot_be_made_is_an_error_and_later_none(tmp_path: Path) -> None:
    place = tmp_path / "disk"
    place.write_text("in the way")
    spool = Spool(place / "spool")
    with pytest.raises(OSError, match="disk"):
        spool.append(["a"])
    assert spool.finished() == []
    place.unlink()
    spool.append(["a"])
    spool.cut()
    assert lines(spool) == ["a"]
