"""Holds the rows of the table, and writes results.json."""

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.table import Table

FILE = Path(__file__).with_name("results.json")


@dataclass(frozen=True, slots=True)
class Row:
    """One line: what was measured, the figure, the reference and the target."""

    what: str
    ours: str
    beside: str = ""
    ratio: float | None = None
    target: float | None = None
    """Target of the ratio: at least this, or at most this if `at_most`."""
    at_most: bool = False
    unit: str = ""
    """Unit, if the target is for the figure itself. `ratio` is then the figure."""

    @property
    def cells(self) -> list[str]:
        """Returns the cells of the table."""
        return [self.what, self.ours, self.beside, "" if self.unit else _times(self.ratio), self.verdict]

    @property
    def verdict(self) -> str:
        if self.ratio is None or self.target is None:
            return ""
        reached = self.ratio <= self.target if self.at_most else self.ratio >= self.target
        target = f"{self.target:g} {self.unit}".strip()
        return f"{'yes' if reached else 'NO'} ({'at most' if self.at_most else 'at least'} {target})"


def _times(ratio: float | None) -> str:
    if ratio is None:
        return ""
    return f"{ratio:.2g}x" if ratio < 100 else f"{ratio:.0f}x"


@dataclass
class Results:
    """Results of a run. Benchmarks that a run leaves out keep their last results."""

    values: dict[str, Any] = field(default_factory=dict)
    rows: list[tuple[str, Row]] = field(default_factory=list)
    """Returns the rows, each with its benchmark."""

    def add(self, benchmark: str, rows: list[Row], values: Mapping[str, Any]) -> None:
        self.rows.extend((benchmark, row) for row in rows)
        self.values |= values
        self.values.setdefault("rows", {})[benchmark] = [row.cells for row in rows]

    def table(self) -> Table:
        table = Table(
            "", "Seatpool", "beside", "ratio", "target reached", title=f"make bench, {machine()}", title_justify="left"
        )
        last = ""
        for benchmark, row in self.rows:
            if last and benchmark != last:
                table.add_section()
            last = benchmark
            table.add_row(*row.cells)
        return table

    def write(self, file: Path = FILE) -> None:
        kept = json.loads(file.read_text()) if file.exists() else {}
        about = {"machine": machine(), "at": datetime.now(UTC).isoformat(timespec="seconds")}
        rows = {"rows": kept.get("rows", {}) | self.values.get("rows", {})}
        file.write_text(json.dumps(kept | about | self.values | rows, indent=2, sort_keys=True) + "\n")


def machine() -> str:
    """Returns a description of the machine."""
    model = ""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
        memory = int(Path("/proc/meminfo").read_text().split()[1]) / 1024**2
    except OSError:
        return f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores {model}, {memory:.0f} GB, {platform.system()}, Python {platform.python_version()}"


def load_of_others() -> float:
    """Returns how many processes want the cores before a benchmark begins."""
    return os.getloadavg()[0]
