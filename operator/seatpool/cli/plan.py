"""Runs `seatpool plan`, which says how many seats are enough.

It needs no cluster and no AWS, only the past: a file of events or a history. Exit codes: 0 there is a number or no
target was given, 1 no number meets the target, 2 a mistake.
"""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seatpool.api import rule_fields
from seatpool.api.rule_fields import RuleField
from seatpool.cli.command_classes import ShortLivedCommand, command_line
from seatpool.cli.help import Panel
from seatpool.domain.errors import SeatpoolError
from seatpool.text import missing_package

if TYPE_CHECKING:
    from seatpool.planner.options import PlannedPool
    from seatpool.planner.past import Past
    from seatpool.planner.plan import SeatPlan
    from seatpool.settings.settings import Settings

NO_NUMBER = 1

app = typer.Typer()


class PlanOption(StrEnum):
    """Formats of the plan."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    HTML = "html"


def _rule_option(rule: RuleField, *, note: str = "") -> Any:
    return typer.Option(rule.option, metavar=rule.metavar, help=f"Rule: {rule.spec}{note}.")


@app.command(cls=ShortLivedCommand, rich_help_panel=Panel.PAST)
def plan(
    context: typer.Context,
    *,
    events: Annotated[
        list[Path] | None,
        typer.Option(help="File of EventBridge envelopes, one a line (.jsonl or .jsonl.gz); may be repeated."),
    ] = None,
    history: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="A history instead: recorded, or imported from a log.")
    ] = None,
    types: Annotated[
        list[str] | None,
        typer.Option(
            "--type", help="Workbench type, or a glob of types; may be repeated. Default: every type, a pool each."
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            help="'p95 wait < 10m', 'max wait < 1h', 'share waiting < 5%', 'share served within 10m >= 95%'. "
            "Without it there is only the curve."
        ),
    ] = None,
    pool: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="YAML of LicensePools: their types, rules, reservations and priorities."),
    ] = None,
    linger: Annotated[str | None, _rule_option(rule_fields.LINGER, note=", kept after the last stop")] = None,
    hold: Annotated[str | None, _rule_option(rule_fields.MINIMUM_HOLD)] = None,
    cool_down: Annotated[str | None, _rule_option(rule_fields.SEAT_COOL_DOWN)] = None,
    readmit: Annotated[str | None, _rule_option(rule_fields.READMIT_AFTER)] = None,
    budget: Annotated[str | None, _rule_option(rule_fields.MAX_REASSIGNMENTS, note=", for example 4/365d")] = None,
    growth: Annotated[float, typer.Option(help="So many times the people.", min=0.01, max=100)] = 1.0,
    seats_range: Annotated[
        str | None, typer.Option(metavar="FROM..TO", help="Numbers of seats to show. Default: those that matter.")
    ] = None,
    price: Annotated[float | None, typer.Option(help="Price of one seat.", min=0)] = None,
    recorded_linger: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION", help="With --history: how long seats lingered when it was recorded. Default: 0s."
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="With --history: from this day on, such as 2026-01-31.")
    ] = None,
    resamples: Annotated[int, typer.Option(help="Pasts that are drawn for the error bars.", min=20, max=10_000)] = 200,
    seed: Annotated[int, typer.Option(help="Of all that is drawn: the same seed, the same answer.")] = 1,
    output: Annotated[
        PlanOption, typer.Option("--output", "-o", help="wide is a table with every number; html goes to a file.")
    ] = PlanOption.TABLE,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="The operator's settings: identities, type aliases, custom events."),
    ] = None,
) -> None:
    """Compute how many seats are enough. Replays the past with other numbers of seats and other rules.

    Exit code 1: no number of seats meets the target.
    """
    from seatpool.planner.options import read_range, rule_changes
    from seatpool.planner.parallel import make_plans
    from seatpool.planner.plan import PlanRequest
    from seatpool.planner.target import Target
    from seatpool.settings.settings import load_settings
    from seatpool.terminal.progress import progress

    request = PlanRequest(
        target=None if target is None else Target.read(target),
        growth=growth,
        numbers=None if seats_range is None else read_range(seats_range),
        price=price,
        resamples=resamples,
        seed=seed,
    )
    changes = rule_changes(linger=linger, hold=hold, cool_down=cool_down, readmit=readmit, budget=budget)
    _refuse_meaningless(
        events, history, since=since, recorded_linger=recorded_linger, pool=pool, config=config, output=output
    )
    settings = load_settings(file=config)
    with progress("reading the past") as told:
        past = _past(events, history, settings, linger=recorded_linger, since=since, by_type=bool(types or pool))
        pools = _pools(past, pool, types or [], changes, settings)
        needed = pools if pool is None else [one for one in pools if past.has_type(one.serves)] or pools
        demands = [(past.demand(one.name, serves=one.serves, states=one.states), one.rules) for one in needed]
        plans = make_plans(demands, request, told)
    _print(plans, past, [one.name for one in pools if one not in needed], output, command_line(context))
    raise typer.Exit(0 if all(one.is_reachable for one in plans) else NO_NUMBER)


def _refuse_meaningless(
    events: list[Path] | None,
    history: Path | None,
    *,
    since: str | None,
    recorded_linger: str | None,
    pool: Path | None,
    config: Path | None,
    output: PlanOption,
) -> None:
    """Refuses options that would have no effect beside the others."""
    if bool(events) == (history is not None):
        raise SeatpoolError("plan: name either files of events with --events FILE, or a history with --history FOLDER")
    only_with_history = {"--since": since, "--recorded-linger": recorded_linger}
    for option, value in only_with_history.items():
        if events and value is not None:
            raise SeatpoolError(
                f"plan: {option} is for a history: leave it out, or give --history FOLDER instead of --events"
            )
    if history is not None and config is not None and pool is None:
        raise SeatpoolError(
            f"--config {config}: with --history FOLDER it is for the users of --pool FILE only; leave it out"
        )
    if output is PlanOption.HTML and sys.stdout.isatty():
        raise SeatpoolError("-o html prints a page: write it to a file, for example with -o html > plan.html")


def _past(
    events: list[Path] | None,
    history: Path | None,
    settings: "Settings",
    *,
    linger: str | None,
    since: str | None,
    by_type: bool,
) -> "Past":
    from datetime import date

    from seatpool.planner.event_lines import read_events
    from seatpool.planner.options import read_length
    from seatpool.planner.recorded_past import read_history

    if events:
        return read_events(events, mirror=settings.mirror, identity=settings.identity)
    assert history is not None  # noqa: S101
    try:
        day = None if since is None else date.fromisoformat(since)
    except ValueError as error:
        raise SeatpoolError(f"--since {since}: write a date such as 2026-01-31") from error
    return read_history(history, since=day, linger=read_length("--recorded-linger", linger or "0s"), by_type=by_type)


def _pools(
    past: "Past", file: Path | None, types: list[str], changes: dict[str, Any], settings: "Settings"
) -> "list[PlannedPool]":
    from dataclasses import replace

    from seatpool.domain.rules import PoolRules
    from seatpool.planner.options import pools_of_file, pools_of_types

    if file is not None:
        return pools_of_file(file, types=types, changes=changes, identity=settings.identity)
    return pools_of_types(types or past.types(), replace(PoolRules(seats=0), **changes))


def _print(plans: "list[SeatPlan]", past: "Past", left_out: list[str], output: PlanOption, command: str) -> None:
    if output is PlanOption.JSON:
        from seatpool.planner.text import as_json
        from seatpool.terminal.say import json_text, say

        say(json_text(as_json(plans, past, left_out)))
    elif output is PlanOption.HTML:
        from importlib.metadata import version

        from seatpool.clock import utc_now

        try:
            from seatpool.pages import Origin
            from seatpool.planner.page import page
        except ImportError as error:
            raise SeatpoolError(missing_package("-o html needs", error.name, extra="report")) from error
        origin = Origin(at=utc_now(), version=version("seatpool"), command=command)
        typer.echo(page(plans, past, left_out, origin), nl=False)
    else:
        from seatpool.planner.screen import show
        from seatpool.planner.text import remarks
        from seatpool.terminal.output import console

        show(console(), plans, remarks(past, left_out), every_number=output is PlanOption.WIDE)
