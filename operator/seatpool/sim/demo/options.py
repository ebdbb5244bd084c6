"""Reads the options of `seatpool demo`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Self

from seatpool.api.base import parse_duration
from seatpool.api.licensepool import MAX_SEATS
from seatpool.domain.errors import SeatpoolError

__all__ = ["Backend", "DemoError", "DemoOptions", "ReplayOptions", "StoryName"]


SPEED = 2000.0
"""Seconds of the file that pass in one second of a replay, if nothing else is asked for."""


class Backend(StrEnum):
    """Where the lists of the demo are."""

    XLC = "xlc"
    """On a machine, behind the vendor's client."""
    LDAP = "ldap"
    """In groups of a real OpenLDAP server."""


class DemoError(SeatpoolError):
    """The demo cannot go on. The message names the part and what to do."""


class StoryName(StrEnum):
    """Stories that can be told."""

    EXAMPLES = "examples"
    """The pools of examples/licensepools.yaml."""
    VEW = "vew"
    """A Virtual Engineering Workbench."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOptions:
    """Options of the replay of a file."""

    file: Path
    speed: float
    """Seconds of the file that pass in one second. 0: send without pauses."""
    seats: Mapping[str, int]
    """Number of seats by workbench type."""
    linger: timedelta
    """Linger time in the file's own time."""

    @property
    def linger_here(self) -> timedelta:
        """Returns the linger time during the replay, in whole milliseconds, which a pool can hold."""
        if not self.linger or not self.speed:
            return self.linger
        return timedelta(milliseconds=max(1, round(self.linger / timedelta(milliseconds=1) / self.speed)))


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """Options of one demo."""

    once: bool
    directory: Path
    replay: ReplayOptions | None
    story: StoryName = StoryName.EXAMPLES
    backend: Backend = Backend.XLC
    """Where the lists are."""
    hold: bool = False
    """True: no story. A few users work and wait, and everything stays as it is until Ctrl-C."""

    @classmethod
    def read(
        cls,
        *,
        once: bool,
        replay: Path | None,
        speed: float | None,
        seats: Sequence[str],
        linger: str | None,
        directory: Path,
        hold: bool = False,
        story: StoryName = StoryName.EXAMPLES,
        backend: Backend = Backend.XLC,
    ) -> Self:
        """Returns the options. None: not given. Raises DemoError that names the wrong one."""
        if hold and replay is not None:
            raise DemoError("--hold and --replay exclude each other: one has no events, the other a file of them")
        if story is not StoryName.EXAMPLES and (hold or replay is not None):
            raise DemoError("--story tells a story: leave --hold and --replay out")
        if story is StoryName.VEW and backend is not Backend.XLC:
            raise DemoError(f"--story vew is about the vendor's client: leave --backend {backend} out")
        if replay is None:
            given = {"--speed": speed is not None, "--seats": bool(seats), "--linger": linger is not None}
            for name in (name for name, is_given in given.items() if is_given):
                raise DemoError(f"{name} is for the replay of a file: give --replay FILE too, or leave it out")
            return cls(once=once, directory=directory.absolute(), replay=None, hold=hold, story=story, backend=backend)
        if backend is not Backend.XLC:
            raise DemoError(f"--backend {backend} plays the story only: its users have accounts; leave --replay out")
        if not replay.is_file():
            raise DemoError(f"--replay {replay}: there is no such file")
        return cls(
            once=once,
            directory=directory.absolute(),
            replay=ReplayOptions(
                file=replay,
                speed=SPEED if speed is None else speed,
                seats=dict(map(_seats_of_type, seats)),
                linger=_duration("0s" if linger is None else linger),
            ),
        )


def _seats_of_type(text: str) -> tuple[str, int]:
    kind, _, number = text.rpartition("=")
    if not kind or not (number.isascii() and number.isdigit()) or int(number) > MAX_SEATS:
        raise DemoError(f"--seats {text}: write TYPE=N with N from 0 to {MAX_SEATS}, for example --seats vew-matlab=30")
    return kind, int(number)


def _duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise DemoError(f"--linger: {error}") from error
