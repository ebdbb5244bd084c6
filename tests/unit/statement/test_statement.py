"""The statement for the vendor: complete where the trail is, and honest where it is not."""

import json
from datetime import UTC, datetime, timedelta, tzinfo
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatpool.api.base import format_instant
from seatpool.api.identity import IdentitySettings
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.seatledger import SeatLedger
from seatpool.domain.errors import SeatpoolError
from seatpool.domain.list_hash import list_hash
from seatpool.explain.snapshot import Snapshot, build_snapshot
from seatpool.history.text_lines import read_lines
from seatpool.statement.audit_lines import read_audit
from seatpool.statement.pages import Origin, html, markdown
from seatpool.statement.statement import Statement, read_since, statement
from seatpool.terminal.output import data

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
YEAR = NOW - timedelta(days=365)
BERLIN = ZoneInfo("Europe/Berlin")
ORIGIN = Origin(version="1.2.3", command="seatpool statement --pool matlab --audit audit.jsonl", zone=UTC)
EMPTY = list_hash(())
ALONE = list_hash(("seatpool-placeholder",))


def meta(name: str) -> dict[str, Any]:
    return {"name": name, "namespace": "lab", "uid": name, "resourceVersion": "1", "generation": 1}


def seen(
    *, reassignments: int = 0, keep: bool = False, in_sync: str | None = None, applied: dict[str, Any] | None = None
) -> Snapshot:
    spec = {
        "serverRef": {"name": "licenses"}, "product": "matlab", "seats": 2, "workbenchTypes": ["vew"],
        "linger": "15m", "maxReassignments": {"count": 4, "window": "365d"},
        "emptyList": "KeepPlaceholder" if keep else "Write",
    }  # fmt: skip
    moves = [{"user": "bob", "at": format_instant(NOW - timedelta(days=n + 1))} for n in range(reassignments)]
    ledger = {
        "metadata": meta("matlab-0"),
        "spec": {"server": "licenses", "product": "matlab", "pool": "matlab", "reassignments": moves},
    }
    condition = {
        "type": "InSync", "status": in_sync, "reason": "x", "message": "", "lastTransitionTime": format_instant(YEAR),
    }  # fmt: skip
    server = {
        "metadata": meta("licenses"), "spec": {"target": {"instanceId": "i-0123456789abcdef0"}, "region": "eu-central-1"},
        "status": {"applied": [{"product": "matlab"} | applied] if applied else []},
    }  # fmt: skip
    pool = {"metadata": meta("matlab"), "spec": spec, "status": {"conditions": [condition] if in_sync else []}}
    objects = [(LicenseServer, server), (LicensePool, pool), (SeatLedger, ledger)]
    return build_snapshot(objects, [], identity=IdentitySettings(), now=NOW)


def line(action: str, minute: int, **facts: Any) -> dict[str, Any]:
    at = format_instant(NOW - timedelta(days=1) + timedelta(minutes=minute))
    return {"logger": "audit", "action": action, "at": at, "pool": "lab/matlab"} | facts


def applied(minute: int, revision: int, before: str | None, after: str, **who: list[str]) -> dict[str, Any]:
    facts: dict[str, Any] = {"added": [], "removed": [], **who}
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
    applied(1, 1, EMPTY, "a", added=["ann"]),
    line("release", 20, user="ann", rule="WorkbenchesStopped", reassignmentsUsed=0),
    line("grant", 20, user="bob", rule="Granted", reassignmentsUsed=1),
    applied(21, 2, "a", "b", added=["bob"], removed=["ann"]),
]


def made(
    lines: list[dict[str, Any]] | None,
    *others: list[str],
    since: datetime = YEAR,
    zone: tzinfo = UTC,
    **cluster: Any,
) -> Statement:
    """Makes a statement of a file with these lines. None: no file was given."""
    found = seen(**cluster)
    texts = [] if lines is None else [[json.dumps(one) for one in lines]]
    files = [
        read_audit(f"audit-{number}.jsonl", one, pool="lab/matlab") for number, one in enumerate((*texts, *others))
    ]
    return statement(found, found.store.pools["lab/matlab"], files, since=since, zone=zone)


def test_every_change_has_its_people_their_rules_and_its_command() -> None:
    found = made(WHOLE, reassignments=1)
    assert found.is_whole
    assert found.changes is not None
    second = found.changes[1]
    assert [(one.user, one.rule) for one in (*second.added, *second.removed)] == [
        ("bob", "Granted"), ("ann", "WorkbenchesStopped"),
    ]  # fmt: skip
    assert (second.command_id, second.hash_before, second.hash_after, second.reassignments_used) == ("c-2", "a", "b", 1)
    assert (found.reassignments_now, found.reassignments_allowed, found.reassignments_window) == (1, 4, "365d")


def test_only_changes_of_the_period_are_listed_and_the_rules_before_it_still_count() -> None:
    found = made(WHOLE, since=NOW - timedelta(days=1) + timedelta(minutes=20, seconds=30))
    assert [change.revision for change in found.changes or ()] == [2]
    assert found.is_whole


def test_a_missing_line_is_told_and_not_smoothed_over() -> None:
    lost = [one for one in WHOLE if one.get("revision") != 1]
    lost.insert(0, applied(0, 0, None, "z"))
    assert made(lost).remarks == (
        "Revision 2: the list before it is not the last one that the trail has; lines are missing, or it was changed by hand.",
    )


def test_a_person_whom_nobody_decided_about_is_told() -> None:
    found = made([applied(1, 1, EMPTY, "a", added=["mallory"])])
    assert found.remarks == (
        "Revision 1: the trail has no decision about mallory (adopted, mended after a change by hand, or lost).",
    )


def test_a_change_by_hand_is_part_of_the_statement() -> None:
    found = made([*WHOLE, line("drift", 30, added=["mallory"], removed=[]), applied(31, 3, "m", "b")])
    (remark,) = found.remarks
    assert remark == (
        "2026-03-01 09:30:00 UTC: the list on the license server was changed by hand: added mallory, removed nobody."
    )


@pytest.mark.parametrize("lines", [None, [], [line("grant", 0, user="ann", rule="Granted", pool="lab/cad")]])
def test_without_a_line_about_the_pool_no_number_is_made_up(lines: list[dict[str, Any]] | None) -> None:
    found = made(lines)
    assert not found.is_whole
    assert not {"changes", "mostPeople", "writesWithoutChange"} & data(found).keys()
    for document in (markdown(found, ORIGIN), html(found, ORIGIN)):
        assert "Changes of the list: not known" in document
        assert "Most people on the list at once: not known" in document
        assert "Not known." in document
        assert "None." not in document


def test_without_a_trail_the_statement_says_so() -> None:
    assert made(None).remarks == ("No audit trail was given (--audit FILE): which changes there were is not known.",)


def test_a_period_without_a_change_has_none_and_the_list_before_it_counts() -> None:
    found = made(WHOLE, since=NOW - timedelta(minutes=1))
    assert (found.changes, found.most_people, found.is_whole) == ((), 1, True)
    assert data(found)["changes"] == []
    assert "Changes of the list: 0" in markdown(found, ORIGIN)


def test_a_file_without_a_line_about_the_pool_is_named_with_what_is_in_it() -> None:
    garbage, other = (
        ["not json", '"text"', json.dumps({"logger": "x", "at": "x", "action": "grant"})],
        WHOLE[0] | {"pool": "lab/cad"},
    )
    found = made(None, garbage, [json.dumps(other)], [])
    assert found.remarks == (
        "audit-0.jsonl: no line about this pool, 3 lines not of the audit trail.",
        "audit-1.jsonl: no line about this pool, lines about lab/cad.",
        "audit-2.jsonl: the file is empty.",
        "The audit trail has no line about this pool: which changes there were is not known.",
    )
    assert "audit-1.jsonl: no line about this pool, lines about lab/cad" in markdown(found, ORIGIN)


def test_a_file_of_other_pools_beside_the_right_one_is_a_source_and_no_remark() -> None:
    found = made(WHOLE, [json.dumps(WHOLE[0] | {"pool": "lab/cad"})])
    assert found.is_whole
    assert found.sources == (
        "audit-0.jsonl: 5 lines about this pool", "audit-1.jsonl: no line about this pool, lines about lab/cad",
    )  # fmt: skip
    (remark,) = made(WHOLE, ["\x00\x01"]).remarks
    assert remark == "audit-1.jsonl: no line about this pool, 1 line not of the audit trail."


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / "audit.bin"
    file.write_bytes(bytes(range(256)) * 20)
    found = read_audit("audit.bin", read_lines(file, longest=1000), pool="lab/matlab")
    assert not found.is_audit
    assert found.foreign
    assert "not of the audit trail" in found.found


VALUES = st.one_of(
    st.none(), st.integers(), st.text(), st.booleans(), st.lists(st.text()), st.just("9999-12-31T23:59:59Z"),
    st.just("0001-01-01T00:00:00Z"), st.just("2026-01-01"),
)  # fmt: skip


@given(
    st.sampled_from([*WHOLE, line("drift", 30, added=[], removed=["x"])]),
    st.dictionaries(st.sampled_from(["at", "action", "pool", "user", "rule", "revision", "added", "people", "hashAfter",
                                     "hashBefore", "placeholderAfter", "ssmCommandId", "reassignmentsUsed"]), VALUES),
)  # fmt: skip
def test_a_line_with_any_content_is_read_or_counted(one: dict[str, Any], changed: dict[str, Any]) -> None:
    found = made([one | changed], zone=ZoneInfo("America/Los_Angeles"))
    (source,) = found.sources
    assert any(what in source for what in ("1 line ", "lines about", "0 lines"))
    west = Origin(version="1", command="x", zone=ZoneInfo("America/Los_Angeles"))
    assert markdown(found, west)
    assert html(found, west)


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-03-01T09:00:00", 0, None])
def test_a_line_of_an_impossible_time_is_not_of_the_trail(at: object) -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    found = made([*WHOLE, line("drift", 30, added=["eve"], removed=[]) | {"at": at}], zone=tokyo)
    assert found.sources == ("audit-0.jsonl: 5 lines about this pool, 1 line not of the audit trail",)
    assert markdown(found, Origin(version="1", command="x", zone=tokyo))


@given(st.text())
def test_any_text_is_a_line(text: str) -> None:
    assert read_audit("x", [text], pool="lab/matlab").lines == ()


def test_a_line_that_lacks_a_field_is_told() -> None:
    found = made([*WHOLE, line("apply", 30, revision=3)])
    assert found.remarks == ("audit-0.jsonl: 5 lines about this pool, 1 line about it that cannot be read.",)


def test_a_trail_that_begins_in_the_middle_is_told() -> None:
    late = made(WHOLE[2:])
    assert late.remarks == (
        "Revision 2: the trail begins here, and users were on the list before. Which changes there were is not known.",
    )
    adopted = line("adopt", 19, users=["ann"], listBefore=["ann"])
    assert made([adopted, *WHOLE[2:]]).is_whole
    assert made(WHOLE, since=NOW - timedelta(days=1) + timedelta(minutes=20)).is_whole


def test_lines_that_are_missing_at_the_end_are_told() -> None:
    assert made(WHOLE, applied={"hash": "b", "count": 1, "revision": 2}).is_whole
    assert made(WHOLE, applied={"hash": "b", "count": 1, "revision": 9}).is_whole
    assert made(WHOLE, applied={"hash": "a", "count": 1, "revision": 1}).is_whole
    assert made(WHOLE, applied={"hash": "z", "count": 1, "revision": 9}).remarks == (
        "The license server has revision 9, and the last list that the trail has is revision 2: lines are missing at its end.",
    )


KEPT = [
    applied(0, 1, EMPTY, EMPTY) | {"people": 0, "placeholderBefore": "", "placeholderAfter": "seatpool-placeholder"},
    line("grant", 1, user="ann", rule="Granted", reassignmentsUsed=0),
    applied(2, 2, EMPTY, "a", added=["ann"]) | {"placeholderBefore": "seatpool-placeholder", "placeholderAfter": ""},
    line("release", 20, user="ann", rule="WorkbenchesStopped", reassignmentsUsed=0),
    applied(21, 3, "a", EMPTY, removed=["ann"])
    | {"people": 0, "placeholderBefore": "", "placeholderAfter": "seatpool-placeholder"},
    applied(30, 4, EMPTY, EMPTY)
    | {"people": 0, "placeholderBefore": "seatpool-placeholder", "placeholderAfter": "seatpool-placeholder"},
]


def test_the_placeholder_is_on_the_list_as_it_stands_on_the_server_and_is_no_person() -> None:
    found = made(KEPT, keep=True, in_sync="True", applied={"hash": EMPTY, "count": 0, "revision": 4})
    assert found.is_whole
    assert found.changes is not None
    assert [(one.revision, one.people, one.hash_before, one.hash_after) for one in found.changes] == [
        (1, 0, EMPTY, ALONE), (2, 1, ALONE, "a"), (3, 0, "a", ALONE),
    ]  # fmt: skip
    assert (found.writes_without_change, found.most_people) == (1, 1)
    assert not any(one.user == "seatpool-placeholder" for change in found.changes for one in change.added)
    for document in (markdown(found, ORIGIN), html(found, ORIGIN)):
        assert "seatpool-placeholder stands on a list without users; it is no person" in document
        assert f"0 people (the entry seatpool-placeholder is no person), revision 4, hash {ALONE}" in document
        assert EMPTY in document.replace(ALONE, "")  # before revision 1 nothing stood on it


def test_whether_the_placeholder_is_there_now_is_not_known_while_the_list_is_not_in_sync() -> None:
    for in_sync in ("False", "Unknown", None):
        found = made(KEPT, keep=True, in_sync=in_sync, applied={"hash": EMPTY, "count": 0, "revision": 4})
        assert found.present is not None
        assert (found.present.hash, found.present.placeholder) == (None, None)
    found = made(WHOLE, in_sync="True", applied={"hash": EMPTY, "count": 0, "revision": 1})
    assert found.present is not None
    assert (found.present.hash, found.present.placeholder) == (EMPTY, None)


def test_lines_that_do_not_say_whether_the_placeholder_was_there_make_no_hash_up() -> None:
    found = made([applied(0, 1, EMPTY, EMPTY) | {"people": 0}], keep=True)
    assert found.remarks == (
        "Revision 1: no user was on the list, and the trail does not say whether the placeholder was.",
    )
    assert EMPTY not in markdown(found, ORIGIN)
    assert "hashAfter" not in data(found)["changes"][0]


@pytest.mark.parametrize("zone", [UTC, BERLIN, ZoneInfo("America/Los_Angeles")])
def test_every_time_has_its_zone_and_the_zone_is_named_at_the_top(zone: tzinfo) -> None:
    found = made([*WHOLE, line("drift", 30, added=["eve"], removed=[])], zone=zone, since=YEAR + timedelta(days=120))
    made_at = f"Made {NOW.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"
    summer = f"{(YEAR + timedelta(days=120)).astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"
    first = f"{(NOW - timedelta(days=1, minutes=-1)).astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"
    remark = f"{(NOW - timedelta(days=1, minutes=-30)).astimezone(zone):%Y-%m-%d %H:%M:%S %Z}: the list"
    for document in (markdown(found, Origin("1", "x", zone)), html(found, Origin("1", "x", zone))):
        assert all(one in document for one in (made_at, summer, first, remark, f"Time zone: {zone}".replace("_", "\\_")
                   if document.startswith("#") else f"Time zone: {zone}"))  # fmt: skip


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_page_says_how_it_was_made_and_each_cell_what_it_is() -> None:
    text = html(made(WHOLE), ORIGIN)
    page = _Page()
    page.feed(text)
    assert "by Seatpool 1.2.3: <code>seatpool statement --pool matlab --audit audit.jsonl</code>" in text
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in page.tags
    labels = [attributes["data-label"] for tag, attributes in page.tags if tag == "td"]
    assert labels[:4] == ["When", "Revision", "Added", "Removed"]
    assert "by Seatpool 1.2.3: seatpool statement --pool matlab --audit audit.jsonl" in markdown(made(WHOLE), ORIGIN)


def test_what_people_write_cannot_break_the_documents() -> None:
    found = made([applied(1, 1, EMPTY, "a", added=["<script>|"])])
    assert "<script>" not in html(found, ORIGIN)
    assert "&lt;script&gt;|" in html(found, ORIGIN)
    assert "&lt;script>\\|" in markdown(found, ORIGIN)
    evil = made([applied(1, 1, EMPTY, "a", added=["a\u202e\x1b[2J\n# b"])])
    for document in (html(evil, ORIGIN), markdown(evil, ORIGIN)):
        assert document.replace("\n", "").isprintable()
        assert "\n# b" not in document


def test_the_documents_load_nothing_and_name_the_rules_that_they_use() -> None:
    found = made(WHOLE, reassignments=3)
    assert "http" not in html(found, ORIGIN)
    assert "- Re-assignments used now: 3 of 4 in 365d" in markdown(found, ORIGIN)
    assert "- Granted: An active workbench needs the product, and a seat was free." in markdown(found, ORIGIN)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("365d", YEAR),
        ("2026-01-31T10:00:00+01:00", datetime(2026, 1, 31, 9, tzinfo=UTC)),
    ],
)
def test_since_takes_a_date_an_instant_or_a_length_of_time(text: str, instant: datetime) -> None:
    assert read_since(text, now=NOW, zone=UTC) == instant


def test_a_date_begins_at_midnight_of_the_zone() -> None:
    assert read_since("2026-01-31", now=NOW, zone=BERLIN) == datetime(2026, 1, 30, 23, tzinfo=UTC)


@pytest.mark.parametrize("text", ["yesterday", "", "99999999d", "0001-01-01", "9999-12-31", "999999d", "1970-01-01"])
def test_a_since_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(SeatpoolError, match="--since"):
        read_since(text, now=NOW, zone=ZoneInfo("America/Los_Angeles"))


@pytest.mark.parametrize("text", ["2027-01-01", "2026-03-02T09:00:00Z", "0s", "2026-03-02T08:00:00-05:00"])
def test_a_period_that_ends_before_it_begins_is_refused(text: str) -> None:
    with pytest.raises(SeatpoolError) as error:
        read_since(text, now=NOW, zone=UTC)
    assert str(error.value) == (
        f"--since {text}: nothing lies between it and now (2026-03-02 09:00:00 UTC); write an earlier time"
    )


@given(st.text() | st.datetimes().map(str) | st.dates().map(str) | st.integers().map(lambda days: f"{days}d"))
def test_any_since_is_an_instant_before_now_or_refused(text: str) -> None:
    refused: str | None = None
    instant = YEAR
    try:
        instant = read_since(text, now=NOW, zone=BERLIN)
    except SeatpoolError as error:
        refused = str(error)
    assert refused is None or refused.startswith(f"--since {text}: ")
    assert instant.astimezone(BERLIN) < NOW
