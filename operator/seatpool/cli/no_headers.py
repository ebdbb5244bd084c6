"""The option `--no-headers` of commands that print tables."""

from typing import Annotated

import typer

from seatpool.domain.errors import SeatpoolError

NoHeaders = Annotated[bool, typer.Option("--no-headers", help="Print tables without their column headings.")]


def refuse_no_headers(asked: bool, *, is_table: bool) -> None:
    """Raises SeatpoolError if the option would have no effect, because no table is printed."""
    if asked and not is_table:
        raise SeatpoolError(
            "--no-headers is for tables that are printed once: leave it out, or print one with -o table"
        )
