"""Simulates the disk of a license server: the vendor's client, its lists, and the journal that the server keeps of them.

The journal is the license server's own record of which user was on which list when. Latencies and peaks are computed
from it, and not from what the operator believes.
"""

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from seatpool.sim.ssm.behavior import AgentBehavior

__all__ = ["JournalEntry", "LicenseHost"]

CLIENT = Path(__file__).with_name("xlc")


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One overwrite of one list."""

    at: datetime
    product: str
    users: tuple[str, ...]
    accepted: bool


class LicenseHost:
    """Home of a node, with the client in `bin`."""

    def __init__(self, home: Path) -> None:
        self.home = home.absolute()
        self._read = 0
        (self.home / "bin").mkdir(parents=True, exist_ok=True)
        (self.home / "products").mkdir(exist_ok=True)
        shutil.copy(CLIENT, self.home / "bin" / "xlc")
        (self.home / "bin" / "xlc").chmod(0o755)

    @property
    def state_dir(self) -> str:
        """Returns a folder for stateDir of the xlc adapter. Only root may write to its default."""
        return str(self.home / "state")

    @property
    def behavior(self) -> AgentBehavior:
        """Returns how the node's SSM agent behaves."""
        return AgentBehavior.read(self.home)

    @behavior.setter
    def behavior(self, behavior: AgentBehavior) -> None:
        behavior.write(self.home)

    def faults(self, **faults: object) -> None:
        """Sets the faults of the client and clears all others. Without arguments the client works.

        `sleep_apply`, `sleep_list` (seconds before), `late_apply` (seconds after the change), `fail_apply`, `fail_list`
        (exit codes), `lie_apply` (says ok, changes nothing), `lie_list` (prints another list), `fail_product` (all of
        them for this product only).
        """
        self._replace(self.home / "faults", [f"{name}={value}" for name, value in faults.items()])

    def users(self, product: str) -> tuple[str, ...]:
        """Returns the users on the list, in its order. Empty: there is no list."""
        try:
            text = (self.home / "products" / f"{product}.list").read_text(errors="replace")
        except FileNotFoundError:
            return ()
        return tuple(line for line in text.split("\n") if line)

    def edit(self, product: str, users: Iterable[str]) -> None:
        """Changes the list by hand, as on the server itself. Nothing checks or journals it."""
        self._replace(self.home / "products" / f"{product}.list", users)

    def seats(self, product: str, number: int | None) -> None:
        """Sets how many users the server takes for the product. None: any number."""
        path = self.home / "products" / f"{product}.seats"
        if number is None:
            path.unlink(missing_ok=True)
        else:
            self._replace(path, [str(number)])

    def place(self, product: str) -> str:
        """Returns where a product's list is."""
        return f"products/{product}.list"

    def journal(self) -> Iterator[JournalEntry]:
        """Returns the entries that are new since the last call on this object."""
        try:
            with (self.home / "journal.jsonl").open("rb") as file:
                file.seek(self._read)
                lines = file.read().splitlines(keepends=True)
        except FileNotFoundError:
            return
        for line in lines:
            if not line.endswith(b"\n"):  # still being written
                return
            self._read += len(line)
            entry = json.loads(line.decode(errors="replace"))
            yield JournalEntry(
                at=datetime.fromtimestamp(entry["at"], UTC),
                product=entry["product"],
                users=tuple(entry["users"]),
                accepted=entry["accepted"],
            )

    def _replace(self, path: Path, lines: Iterable[str]) -> None:
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        fresh.write_text("".join(f"{line}\n" for line in lines))
        fresh.replace(path)
