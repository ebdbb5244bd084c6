"""The statement for the vendor: complete where the trail is, and honest where it is not."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from seatpool.api.base import format_instant
from seatpool.api.identity import IdentitySettings
from seatpool.api.licensepool import LicensePool
from seatpool.api.seatledger import SeatLedger
from seatpool.domain.errors import SeatpoolError
from seatpool.explain.snapshot import Snapshot, build_snapshot
from seatpool.statement.pages import html, markdown
from seatpool.statement.statement import Statement, read_lines, read_since, statement

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
YEAR = NOW - timedelta(days=365)


def meta(name: str) -> dict[str, Any]:
    return {"name": name, "namespace": "lab", "uid": name, "resourceVersion": "1", "generation": 1}


def seen(*, reassignments: int = 0) -> Snapshot:
    spec = {
        "serverRef": {"name": "licenses"}, "product": "matlab", "seats": 2, "workbenchTypes": ["vew"],
        "linger": "15m", "maxReassignments": {"count": 4, "window": "365d"},
    }  # fmt: skip
    moves = [{"user": "bob", "at": format_instant(NOW - timedelta(days=n + 1))} for n in range(reassignments)]
    ledger = {
        "metadata": meta("matlab-0"),
        "spec": {"server": "licenses", "product": "matlab", "pool": "matlab", "reassignments": moves},
    }
    objects = [(LicensePool, {"metadata": meta("matlab"), "spec": spec}), (SeatLedger, ledger)]
    return build_snapshot(objects, [], identity=IdentitySettings(), now=NOW)


def line(action: str, minute: int, **facts: Any) -> dict[str, Any]:
    at = format_instant(NOW - timedelta(days=1) + timedelta(minutes=minute))
    return {"logger": "audit", "action": action, "at": at, "pool": "lab/matlab"} | facts


def applied(minute: int, revision: int, before: str | None, after: str, **who: list[str]) -> dict[str, Any]:
    facts = {"added": [], "removed": []} | who
    return line(
        "apply",
        minute,
        revision=revision,
        hashBefore=before,
        hashAfter=after,
        ssmCommandId=f"c-{revision}",
        people=1,
        **facts,
    )


WHOLE = [
    line("grant", 0, user="ann", rule="Granted", reassignmentsUsed=0),
    applied(1, 1, "e", "a", added=["ann"]),
    line("release", 20, user="ann", rule="WorkbenchesStopped", reassignmentsUsed=0),
    line("grant", 20, user="bob", rule="Granted", reassignmentsUsed=1),
    applied(21, 2, "a", "b", added=["bob"], removed=["ann"]),
]


def made(lines: list[dict[str, Any]] | None, *, since: datetime = YEAR, reassignments: int = 0) -> Statement:
    cluster = seen(reassignments=reassignments)
    return statement(cluster, cluster.store.pools["lab/matlab"], lines, since=since)


def test_every_change_has_its_people_their_rules_and_its_command() -> None:
    found = made(WHOLE, reassignments=1)
    assert found.is_whole
    second = found.changes[1]
    assert [(one.user, one.rule) for one in (*second.added, *second.removed)] == [
        ("bob", "Granted"), ("ann", "WorkbenchesStopped"),
    ]  # fmt: skip
    assert (second.command_id, second.hash_before, second.hash_after, second.reassignments_used) == ("c-2", "a", "b", 1)
    assert (found.reassignments_now, found.reassignments_allowed, found.reassignments_window) == (1, 4, "365d")


def test_only_changes_of_the_period_are_listed_and_the_rules_before_it_still_count() -> None:
    found = made(WHOLE, since=NOW - timedelta(days=1) + timedelta(minutes=20, seconds=30))
    assert [change.revision for change in found.changes] == [2]
    assert found.is_whole


def test_a_missing_line_is_told_and_not_smoothed_over() -> None:
    lost = [one for one in WHOLE if one.get("revision") != 1]
    lost.insert(0, applied(0, 0, None, "z"))
    assert made(lost).remarks == (
        "Revision 2: the list before it is not the last one that the trail has; lines are missing, or it was changed by hand.",
    )


def test_a_person_whom_nobody_decided_about_is_told() -> None:
    found = made([applied(1, 1, "e", "a", added=["mallory"])])
    assert found.remarks == (
        "Revision 1: the trail has no decision about mallory (adopted, mended after a change by hand, or lost).",
    )


def test_a_change_by_hand_is_part_of_the_statement() -> None:
    found = made([*WHOLE, line("drift", 30, added=["mallory"], removed=[]), applied(31, 3, "m", "b")])
    (remark,) = found.remarks
    assert remark.endswith("somebody else changed the list on the license server: added mallory, removed nobody.")


def test_without_a_trail_the_statement_says_so() -> None:
    assert made(None).remarks == ("No audit trail was given (--audit FILE): single changes are not listed.",)
    assert made([]).remarks == ("The audit trail has no line about this pool.",)


def test_lines_of_other_pools_and_of_other_logs_are_passed_over() -> None:
    texts = ["not json", '"text"', json.dumps({"logger": "x", "at": "x", "action": "grant"}), json.dumps(WHOLE[0])]
    assert list(read_lines(texts)) == [WHOLE[0]]
    assert made([WHOLE[0] | {"pool": "lab/cad"}]).changes == ()


def test_what_people_write_cannot_break_the_documents() -> None:
    found = made([applied(1, 1, "e", "a", added=["<script>|"])])
    assert "<script>" not in html(found)
    assert "&lt;script&gt;|" in html(found)
    assert "&lt;script>\\|" in markdown(found)
    evil = made([applied(1, 1, "e", "a", added=["a\u202e\x1b[2J\n# b"])])
    for document in (html(evil), markdown(evil)):
        assert document.replace("\n", "").isprintable()
        assert "\n# b" not in document


def test_the_documents_load_nothing_and_name_the_rules_that_they_use() -> None:
    found = made(WHOLE, reassignments=3)
    assert "http" not in html(found)
    assert "- Re-assignments used now: 3 of 4 in 365d" in markdown(found)
    assert "- Granted: An active workbench needs the product, and a seat was free." in markdown(found)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("365d", YEAR),
        ("2026-01-31T10:00:00+01:00", datetime(2026, 1, 31, 9, tzinfo=UTC)),
    ],
)
def test_since_takes_a_date_an_instant_or_a_length_of_time(text: str, instant: datetime) -> None:
    assert read_since(text, now=NOW) == instant


@pytest.mark.parametrize("text", ["yesterday", "", "99999999d"])
def test_a_since_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(SeatpoolError, match="--since"):
        read_since(text, now=NOW)
