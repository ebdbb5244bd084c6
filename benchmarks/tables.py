"""Turns measurements into rows of the table and values of results.json."""

from collections.abc import Sequence
from typing import Any

from benchmarks.answers import Answers
from benchmarks.back_ends import BackEnd
from benchmarks.micro import Answer
from benchmarks.results import Row
from benchmarks.side_by_side import SHARES, Comparison
from benchmarks.start_up import StartUp
from benchmarks.storm import Storm
from benchmarks.web import RATE, STREAMS, STREAMS_FOR, Web

Told = tuple[list[Row], dict[str, Any]]


def of_side_by_side(found: Sequence[Comparison]) -> Told:
    p50 = min(one.theirs.latency.p50 / one.ours.latency.p50 for one in found)
    p99 = min(one.theirs.latency.p99 / one.ours.latency.p99 for one in found)
    large = max(found, key=lambda one: one.lists)
    return [row for one in found for row in _of_comparison(one)], {
        "latency_p50_ratio": round(p50, 2),
        "latency_p99_ratio": round(p99, 2),
        "ssm_commands_ratio": round(large.theirs.commands / large.ours.commands, 2),
        "wrong_lists": sum(sum(one.ours.wrong) for one in found),
        "wrong_lists_pipeline": sum(sum(one.theirs.wrong) for one in found),
        "side_by_side": {one.workload: _values(one) for one in found},
    }


def of_start_up(found: StartUp) -> Told:
    at = found.listing.objects
    ours = found.compared
    first_ratio, last = found.naive_first.seconds / found.first.seconds, found.growth[-1]
    by_size = ", ".join(f"{one.objects // 1000}k {one.seconds:.1f}" for one in found.growth)
    by_memory = ", ".join(f"{one.objects // 1000}k {one.peak_mb:.0f}" for one in found.growth)
    linear = (last.seconds / found.growth[0].seconds) / (last.objects / found.growth[0].objects)
    rows = [
        Row(
            f"start-up of {at:,} workbenches, s, beside a plain LIST",
            f"{ours.seconds:.2f}",
            f"{found.listing.seconds:.2f}",
            ours.seconds / found.listing.seconds,
            3,
            at_most=True,
        ),
        Row(
            f"of that until all {at:,} are known, s",
            f"{ours.known:.2f}",
            f"{found.listing.seconds:.2f}",
            ours.known / found.listing.seconds,
        ),
        Row(
            f"very first start of {at:,}, s, beside a naive Kopf operator's",
            f"{found.first.seconds:.1f}",
            f"{found.naive_first.seconds:.1f}",
            first_ratio,
            3,
        ),
        Row(
            f"most memory at {at:,}, MB, beside the naive operator's",
            f"{ours.peak_mb:.0f}",
            f"{found.naive_first.peak_mb:.0f}",
            ours.peak_mb / found.naive_first.peak_mb,
            1,
            at_most=True,
        ),
        Row(
            "start-up as the work grows, without statuses, s; beside linear growth",
            by_size,
            "",
            linear,
            1,
            at_most=True,
        ),
        Row("most memory as the work grows, MB", by_memory),
    ]
    asked, of_asked = _of_answers(found.answers)
    return [*rows, *asked], of_asked | {
        "startup_vs_list": round(ours.seconds / found.listing.seconds, 2),
        "naive_vs_startup": round(first_ratio, 2),
        "startup_s_10k": round(ours.seconds, 2),
        "known_s_10k": round(ours.known, 2),
        "list_s_10k": round(found.listing.seconds, 2),
        "rss_mb_10k": round(ours.peak_mb, 1),
        "rss_mb_naive_10k": round(found.naive_first.peak_mb, 1),
        "growth": [[one.objects, round(one.seconds, 2), round(one.peak_mb, 1)] for one in found.growth],
    }


def of_back_ends(found: Sequence[BackEnd]) -> Told:
    rows = [
        Row(
            f"{one.kind}: event to list, {name}, ms; beside the server's own plain write",
            f"{one.rank(one.latencies, share) * 1000:.0f}",
            f"{one.rank(one.floor, share) * 1000:.1f}",
            one.rank(one.latencies, share) / one.rank(one.floor, share),
        )
        for one in found
        for name, share in (("p50", 0.5), ("p99", 0.99))
    ]
    return rows, {
        "back_ends_ms": {
            one.kind: {
                "p50": round(one.rank(one.latencies, 0.5) * 1000, 1),
                "p99": round(one.rank(one.latencies, 0.99) * 1000, 1),
                "floor_p50": round(one.rank(one.floor, 0.5) * 1000, 2),
            }
            for one in found
        }
    }


def of_storm(found: Storm, *, prefix: str = "storm") -> Told:
    queue = f"stand-in queue alone {found.queue_alone:.0f}/s"
    rows = [
        Row(f"{found.starts:,} starts sent in, s", f"{found.lasted:.1f}", queue),
        Row(
            f"{found.starts:,} starts: all lists right after the last event, s",
            f"{found.settle:.2f}",
            "",
            found.settle,
            5,
            at_most=True,
            unit="s",
        ),
        Row("SSM commands in the storm", f"{found.commands:,}"),
        Row("writes to the API server in the storm", f"{found.writes:,}"),
        Row("CPU seconds of the operator, beside the stand-ins'", f"{found.cpu:.0f}", f"{found.cpu_others:.0f}"),
    ]
    return rows, {
        f"{prefix}_settle_s": round(found.settle, 2),
        f"{prefix}_sent_in_s": round(found.lasted, 1),
        f"{prefix}_starts": found.starts,
        f"{prefix}_ssm_commands": found.commands,
        f"{prefix}_api_writes": found.writes,
        f"{prefix}_cpu_s": round(found.cpu, 1),
        f"{prefix}_cpu_stand_ins_s": round(found.cpu_others, 1),
    }


def of_web(found: Web) -> Told:
    rows = [
        Row(
            f"HTTP API, {kind}, {RATE:.0f} requests/s at {found.workbenches:,} workbenches: p50 and p99, ms",
            f"{found.p50_ms[kind]:.1f}, {p99:.1f}",
            "",
            p99,
            50,
            at_most=True,
            unit="ms",
        )
        for kind, p99 in sorted(found.p99_ms.items())
    ]
    rows += [
        Row("HTTP API: processor time of a request, ms", f"{found.cpu_ms:.2f}"),
        Row("HTTP API: until it is ready, s; memory, MB", f"{found.ready:.1f}; {found.memory_mb:.0f}"),
        Row(
            f"HTTP API, {STREAMS} open pages for {STREAMS_FOR / 60:.0f} minutes: first MB; last MB; processors",
            f"{found.streams_mb[0]:.0f}; {found.streams_mb[-1]:.0f}; {found.streams_cpu:.2f}",
        ),
    ]
    return rows, {
        "web_p99_ms": {kind: round(p99, 1) for kind, p99 in found.p99_ms.items()},
        "web_cpu_ms": round(found.cpu_ms, 2),
        "web_ready_s": round(found.ready, 1),
        "web_mb": round(found.memory_mb),
        "web_streams_mb": [round(one) for one in found.streams_mb],
    }


def _of_answers(found: Answers) -> Told:
    rows = [
        Row(
            f"{what} at {found.objects:,} workbenches, s from start to end; beside a plain LIST",
            f"{seconds:.2f}",
            f"{found.listing:.2f}",
            seconds / found.listing,
        )
        for what, seconds in (
            ("status", found.status),
            ("why, who waits", found.why_waiting),
            ("why, who has a seat", found.why_seated),
        )
    ]
    slowest = max(found.status, found.why_waiting, found.why_seated) - found.start
    rows.append(
        Row(
            "the slowest of status and why after the process has started (interpreter and imports), s",
            f"{slowest:.2f}",
            f"start {found.start:.2f}",
            slowest,
            1,
            at_most=True,
            unit="s",
        )
    )
    return rows, {
        "status_s_10k": round(found.status, 2),
        "why_s_10k": round(max(found.why_waiting, found.why_seated), 2),
        "answers_after_start_s_10k": round(slowest, 2),
        "cli_start_s": round(found.start, 2),
        "cached_list_s_10k": round(found.listing, 2),
    }


def of_micro(found: Sequence[Answer]) -> Told:
    rows = [
        Row(
            f"allocate, {one.users:,} users: first, again, microseconds a user; one more user, ms",
            f"{one.first:.1f}, {one.again:.1f}; {one.one_more_ms:.2f}",
        )
        for one in found
    ]
    values = [[one.users, round(one.first, 2), round(one.again, 2), round(one.one_more_ms, 3)] for one in found]
    return rows, {"allocate": values}


def _of_comparison(one: Comparison) -> list[Row]:
    ours, theirs, name = one.ours, one.theirs, one.workload
    rows = [
        Row(
            f"{name}: start event to list, {quantile}, s",
            f"{mine:.2f}",
            f"{other:.1f}",
            other / mine,
            {"p50": 20, "p99": 30}.get(quantile),
        )
        for quantile in ("p50", "p95", "p99", "max")
        for mine, other in [(getattr(ours.latency, quantile), getattr(theirs.latency, quantile))]
    ]
    rows.append(
        Row(
            f"{name}: SSM commands per 1,000 events",
            f"{ours.commands:.0f}",
            f"{theirs.commands:.0f}",
            theirs.commands / ours.commands,
            2 if one.lists > 10 else None,
        )
    )
    rows.append(
        Row(
            f"{name}: AWS API calls per 1,000 events",
            f"{ours.calls:.0f}",
            f"{theirs.calls:.0f}",
            theirs.calls / ours.calls,
        )
    )
    for share, mine, other in zip(SHARES, ours.wrong, theirs.wrong, strict=True):
        rows.append(Row(f"{name}: wrong lists of {one.lists}, {share:.0%} of events damaged", str(mine), str(other)))
    return rows


def _values(one: Comparison) -> dict[str, Any]:
    return {
        side: {
            "latency_s": {name: round(getattr(of.latency, name), 3) for name in ("p50", "p95", "p99", "max", "count")},
            "ssm_commands_per_1000": round(of.commands, 1),
            "aws_calls_per_1000": round(of.calls, 1),
            "wrong_lists": dict(zip(map(str, SHARES), of.wrong, strict=True)),
        }
        for side, of in (("ours", one.ours), ("pipeline", one.theirs))
    }
