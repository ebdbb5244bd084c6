"""Runs `seatpool statement`: reads the audit trail and the cluster, and prints the statement for the vendor."""

import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from seatpool.cli.cluster import CommandOptions, connect
from seatpool.domain.errors import SeatpoolError
from seatpool.explain.snapshot import read_snapshot
from seatpool.history.text_lines import read_lines
from seatpool.statement.audit_lines import AuditFile, read_audit
from seatpool.statement.pages import Origin, html, markdown
from seatpool.statement.statement import read_since, statement
from seatpool.terminal.output import data
from seatpool.terminal.say import json_text, say

STDIN = "-"
LONGEST = 10_000_000
"""Characters of a line that are read. A line about a list of 5,000 users has less."""


async def print_statement(
    options: CommandOptions, *, pool: str, since: str, audit: Sequence[str], form: str, command: str
) -> bool:
    """Prints the statement. Returns False if it has remarks."""
    async with connect(options) as cluster:
        times = cluster.times
        begin = read_since(since, now=times.now, zone=times.zone)
        seen = await read_snapshot(
            cluster.kube, namespace=cluster.namespace, identity=cluster.identity, now=times.now, workbenches=False
        )
    pools = seen.pools_named(pool)
    if len(pools) > 1:
        raise SeatpoolError(
            f"--pool {pool} is the name of several pools: write {' or '.join(one.key for one in pools)}"
        )
    files = [_read(name, pools[0].key) for name in audit]
    found = statement(seen, pools[0], files, since=begin, zone=times.zone)
    if form in _DOCUMENTS:
        origin = Origin(version=version("seatpool"), command=command, zone=times.zone)
        say(_DOCUMENTS[form](found, origin), nl=False)
    else:
        say(json_text(data(found)))
    return found.is_whole


_DOCUMENTS = {"md": markdown, "html": html}


def _read(name: str, pool: str) -> AuditFile:
    try:
        if name == STDIN:
            return read_audit("standard input", sys.stdin, pool=pool)
        return read_audit(name, read_lines(Path(name), longest=LONGEST), pool=pool)
    except (OSError, UnicodeDecodeError) as error:
        raise SeatpoolError(
            f"--audit {name}: {error}; name the operator's audit file, or - for standard input"
        ) from error
