"""Runs `seatpool mcp`: tools for assistants on standard input and output."""

import asyncio
from typing import TYPE_CHECKING

import typer

from seatpool.cli.cluster_options import cluster_options
from seatpool.cli.help import Panel
from seatpool.domain.errors import SeatpoolError
from seatpool.text import missing_package

if TYPE_CHECKING:
    from seatpool.cli.cluster import CommandOptions

app = typer.Typer()


@app.command("mcp", rich_help_panel=Panel.ANSWERS)
@cluster_options(without={"time_zone"}, api=True)
def mcp(*, options: "CommandOptions") -> None:
    """Serve read-only tools for assistants by the Model Context Protocol on standard input and output.

    An assistant starts it by itself, and sees what you see. With --server it asks the HTTP API, else the cluster.
    """
    try:
        from seatpool.cli.assistant_tools import ApiSource, ClusterSource, make_server
    except ImportError as error:
        raise SeatpoolError(missing_package("tools for assistants need", error.name, extra="mcp")) from error
    source = ClusterSource(options) if options.server is None else ApiSource(options)
    asyncio.run(make_server(source).run_stdio_async())
