"""What may be asked for."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from seatpool.sim.demo.options import Backend, DemoError, DemoOptions, ReplayOptions, StoryName


def read(tmp_path: Path, **given: Any) -> DemoOptions:
    file = tmp_path / "events.jsonl"
    file.touch()
    defaults: dict[str, Any] = {
        "once": True, "replay": file, "speed": 2000.0, "seats": (), "linger": "0s", "directory": tmp_path / "demo"
    }  # fmt: skip
    return DemoOptions.read(**defaults | given)


def test_seats_are_given_by_type(tmp_path: Path) -> None:
    asked = read(tmp_path, seats=("vew-matlab=30", "vew-cad=0")).replay
    assert asked is not None
    assert asked.seats == {"vew-matlab": 30, "vew-cad": 0}


@pytest.mark.parametrize(
    "text", ["vew-matlab", "=3", "vew-matlab=", "vew-matlab=-1", "vew-matlab=5001", "vew-matlab=٣"]
)
def test_seats_that_make_no_sense_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DemoError, match="--seats"):
        read(tmp_path, seats=(text,))


def test_a_linger_time_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="--linger"):
        read(tmp_path, linger="a while")


@pytest.mark.parametrize(
    ("linger", "speed", "here"), [("15m", 900, 1000), ("1s", 1e6, 1), ("0s", 10, 0), ("2s", 0, 2000)]
)
def test_lingering_is_compressed_as_everything_else_but_never_to_nothing(
    tmp_path: Path, linger: str, speed: float, here: int
) -> None:
    asked = read(tmp_path, linger=linger, speed=float(speed)).replay
    assert isinstance(asked, ReplayOptions)
    assert asked.linger_here == timedelta(milliseconds=here)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"hold": True}, "leave --hold and --replay out"),
        ({"replay": Path("events.jsonl")}, "leave --hold and --replay out"),
        ({"backend": Backend.LDAP}, "leave --backend ldap out"),
    ],
)
def test_the_story_of_vew_is_told_alone(tmp_path: Path, given: dict[str, Any], said: str) -> None:
    alone = {"replay": None, "speed": None, "linger": None, "story": StoryName.VEW}
    assert read(tmp_path, **alone).story is StoryName.VEW
    with pytest.raises(DemoError, match=said):
        read(tmp_path, **alone | given)
