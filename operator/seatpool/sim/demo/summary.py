"""Summarises a demo, for people and for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from seatpool.sim.demo.latency import Percentiles

__all__ = ["ProductSummary", "Summary"]

NAMES_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductSummary:
    """Summary of one product, from the license server's record."""

    seats: int
    peak: int
    list: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Summary of one demo."""

    events: int
    grants: int
    releases: int
    waits: int
    latency_ms: Percentiles
    ssm_commands: int
    operator_rss_mb: float
    products: dict[str, ProductSummary]
    violations: Sequence[str]

    def document(self) -> dict[str, Any]:
        return asdict(self)

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(self.document(), indent=2) + "\n")

    def show(self, console: Console) -> None:
        """Prints the summary on a terminal or in a log."""
        console.print()
        for name, product in self.products.items():
            shown = ", ".join(product.list[:NAMES_SHOWN]) or "nobody"
            more = len(product.list) - NAMES_SHOWN
            console.print(
                Text.assemble(
                    (f"{name}", "bold"),
                    f": {product.seats} seats, at most {product.peak} taken; on the license server's list now: ",
                    shown + (f" and {more} more" if more > 0 else ""),
                )
            )
        figures = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        rows = {
            "events": f"{self.events:,}",
            "given / taken back / waits": f"{self.grants:,} / {self.releases:,} / {self.waits:,}",
            "from event to list": ", ".join(
                f"{name} {value:.0f} ms" for name, value in asdict(self.latency_ms).items() if value is not None
            )
            or "nothing to measure",
            "commands sent": f"{self.ssm_commands:,}",
            "operator's peak memory": f"{self.operator_rss_mb:.0f} MB",
        }
        for label, value in rows.items():
            figures.add_row(Text(label, style="dim"), Text(value))
        console.print(figures)
        if not self.violations:
            console.print("Every list was right, by the license server's own record.", style="bold green")
        for violation in self.violations:
            console.print(Text(f"WRONG  {violation}", style="bold red"))
