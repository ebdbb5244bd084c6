"""Defines how the SSM agent of a node behaves: a file beside the node, which any process can change at any time.

The agent reads it before each command, and repeatedly while a command waits for it. Without a file the agent does
everything right.
"""

import json
import os
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

from seatpool.domain.errors import SeatpoolError

__all__ = ["FILE", "AgentBehavior", "AgentBehaviorError"]

FILE = "agent.json"


class AgentBehaviorError(SeatpoolError):
    """The file cannot be read. The message names it and the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentBehavior:
    """Faults of one agent. The defaults are none. All times are in seconds."""

    offline: bool = False
    """The agent takes no command. Commands that run go on."""
    delivery_delay: float = 0.0
    """Time from SendCommand to the agent."""
    delivery_timeout: float | None = None
    """Replaces the command's own, which SSM does not take below 30 s."""
    execution_timeout: float | None = None
    """Replaces the document's own, which the agent does not take below 5 s."""
    undeliverable: bool = False
    """Commands end as Undeliverable."""
    visible_after: float = 0.0
    """Time for which GetCommandInvocation says InvocationDoesNotExist, as SSM does shortly after SendCommand."""
    hold_for_next: float = 0.0
    """Holds a command until the next one has run, at most so long. The older one then runs last."""
    repeat_after: tuple[float, ...] = ()
    """Runs the script again so long after it ended. SSM shows the first result only."""
    kill_after: float | None = None
    """Kills the script, with all that it started, so long after it began."""
    mute: bool = False
    """The script runs and its reply is lost. The command stays InProgress until the service, and not the agent, ends
    it: as DeliveryTimedOut, after the delivery timeout and the execution timeout together."""
    legacy: bool = False
    """Behaves as agents before 3.3.2746.0: pastes parameters into the script text and sets no environment variables."""
    shell: tuple[str, ...] = ("/bin/sh",)
    """Program that runs the script."""
    platform: str = "Linux"
    """Value that preconditions compare `platformType` with."""

    @classmethod
    def read(cls, home: Path) -> Self:
        path = home / FILE
        try:
            document: Any = json.loads(path.read_text())
        except FileNotFoundError:
            return cls()
        except ValueError as error:
            raise AgentBehaviorError(f"{path}: not JSON ({error}); write it with AgentBehavior.write") from error
        known = {field.name for field in fields(cls)}
        if not isinstance(document, dict) or not document.keys() <= known:
            raise AgentBehaviorError(
                f"{path}: {document!r} must be an object with keys among {', '.join(sorted(known))}"
            )
        lists = {name: tuple(document[name]) for name in ("repeat_after", "shell") if name in document}
        return cls(**document | lists)

    def write(self, home: Path) -> None:
        """Replaces the file atomically. The agent never reads half of it."""
        fresh = home / f".{FILE}.{os.getpid()}"
        fresh.write_text(json.dumps(asdict(self), indent=2))
        fresh.replace(home / FILE)

    def but(self, **changes: Any) -> Self:
        return replace(self, **changes)
