"""How a node's SSM agent behaves: a file beside the node, so that any process can change it while commands run.

The agent reads it before each command, and again and again while a command waits for it. A missing file is an agent
that does everything right.
"""

import json
import os
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

from seatpool.domain.errors import SeatpoolError

__all__ = ["FILE", "Conduct", "ConductError"]

FILE = "agent.json"


class ConductError(SeatpoolError):
    """The file cannot be read; the message names it and the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """One agent's faults; the defaults are none. All times are in seconds."""

    offline: bool = False
    """Takes no command; those that are under way go on."""
    delivery_delay: float = 0.0
    """From SendCommand to the agent."""
    delivery_timeout: float | None = None
    """Instead of the command's own, which SSM does not take below 30 s."""
    undeliverable: bool = False
    """Commands end as Undeliverable."""
    visible_after: float = 0.0
    """GetCommandInvocation says InvocationDoesNotExist so long, as SSM does for a moment after SendCommand."""
    hold_for_next: float = 0.0
    """Hold a command until the next one has run, at most so long: the older one then runs last."""
    repeat_after: tuple[float, ...] = ()
    """Run the script again so long after it ended. SSM shows the first result only."""
    kill_after: float | None = None
    """Kill the script, with all that it started, so long after it began."""
    mute: bool = False
    """The script runs and nobody hears of it: the command stays InProgress until its execution timeout."""
    legacy: bool = False
    """As agents before 3.3.2746.0: paste parameters into the script's text, set no environment variables."""
    shell: tuple[str, ...] = ("/bin/sh",)
    """What runs the script."""
    platform: str = "Linux"
    """What preconditions compare `platformType` with."""

    @classmethod
    def read(cls, home: Path) -> Self:
        path = home / FILE
        try:
            document: Any = json.loads(path.read_text())
        except FileNotFoundError:
            return cls()
        except ValueError as error:
            raise ConductError(f"{path}: not JSON ({error}); write it with Conduct.write") from error
        known = {field.name for field in fields(cls)}
        if not isinstance(document, dict) or not document.keys() <= known:
            raise ConductError(f"{path}: {document!r} must be an object with keys among {', '.join(sorted(known))}")
        lists = {name: tuple(document[name]) for name in ("repeat_after", "shell") if name in document}
        return cls(**document | lists)

    def write(self, home: Path) -> None:
        """Replace the file in one step; the agent never reads half of it."""
        fresh = home / f".{FILE}.{os.getpid()}"
        fresh.write_text(json.dumps(asdict(self), indent=2))
        fresh.replace(home / FILE)

    def but(self, **changes: Any) -> Self:
        return replace(self, **changes)
