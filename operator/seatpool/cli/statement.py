"""Runs `seatpool statement`: reads the audit trail and the cluster, and prints the statement for the vendor."""

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from seatpool.cli.cluster import CommandOptions, connect
from seatpool.domain.errors import SeatpoolError
from seatpool.explain.snapshot import read_snapshot
from seatpool.statement.pages import html, markdown
from seatpool.statement.statement import Line, read_lines, read_since, statement
from seatpool.terminal.output import data
from seatpool.terminal.say import json_text, say

STDIN = "-"


async def print_statement(options: CommandOptions, *, pool: str, since: str, audit: Sequence[str], form: str) -> bool:
    """Prints the statement. Returns False if it has remarks."""
    async with connect(options) as cluster:
        seen = await read_snapshot(
            cluster.kube, namespace=cluster.namespace, identity=cluster.identity, now=cluster.now, workbenches=False
        )
    pools = seen.pools_named(pool)
    if len(pools) > 1:
        raise SeatpoolError(
            f"--pool {pool} is the name of several pools: write {' or '.join(one.key for one in pools)}"
        )
    found = statement(seen, pools[0], _lines(audit) if audit else None, since=read_since(since, now=seen.now))
    text = {"md": markdown, "html": html}.get(form, lambda one: json_text(data(one)) + "\n")
    say(text(found), nl=False)
    return found.is_whole


def _lines(audit: Sequence[str]) -> list[Line]:
    found: list[Line] = []
    with ExitStack() as opened:
        for name in audit:
            try:
                texts = sys.stdin if name == STDIN else opened.enter_context(Path(name).open(encoding="utf-8"))
                found += read_lines(texts)
            except (OSError, UnicodeDecodeError) as error:
                raise SeatpoolError(
                    f"--audit {name}: {error}; name the operator's audit file, or - for standard input"
                ) from error
    return found
