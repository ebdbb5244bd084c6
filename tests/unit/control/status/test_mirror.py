"""Every way in which workbenches can be out of date has its words on a LicenseServer."""

from dataclasses import replace

import pytest
from tests.unit.control.objects import NOW, later

from seatpool.api.reasons import ConditionReason
from seatpool.control.status.mirror import MAX_NAMED, mirror_parts
from seatpool.mirror.config import MirrorConfig
from seatpool.mirror.health import NO_QUEUE, NOT_YET, ConnectionHealth, EventsHealth, InventoryHealth, MirrorHealth
from seatpool.mirror.regions import AccountRegion
from seatpool.mirror.unknown_accounts import UnknownAccount

FRESH = InventoryHealth(
    account="111122223333", region="eu-central-1", enabled=True, fresh=True, reason="Complete", message="",
    since=NOW, last_complete=NOW, tried=True,
)  # fmt: skip
STALE = replace(FRESH, fresh=False, reason="AccessDenied", message="not allowed; allow the action", region="eu-west-1")
PENDING = replace(FRESH, fresh=False, reason=NOT_YET, last_complete=None, tried=False)
EVENTS_ONLY = replace(FRESH, enabled=False, reason="EventsOnly", tried=False)
CONNECTED = EventsHealth(connected=True, reason="Connected", message="", since=NOW, redrive=True)
CUT = replace(CONNECTED, connected=False, reason="Unreachable", message="no route; check the network")


def health(*inventories: InventoryHealth, events: EventsHealth = CONNECTED) -> MirrorHealth:
    return MirrorHealth(
        events=events, kubernetes=ConnectionHealth(ok=True, reason="Connected", since=NOW), inventories=inventories
    )


@pytest.mark.parametrize(
    ("inventories", "holds", "reason"),
    [
        pytest.param((FRESH,), True, ConditionReason.INVENTORY_COMPLETE, id="all were read"),
        pytest.param((FRESH, STALE), False, ConditionReason.INVENTORY_STALE, id="one was asked in vain"),
        pytest.param((FRESH, PENDING), None, ConditionReason.INVENTORY_PENDING, id="one was not asked yet"),
        pytest.param((PENDING, STALE), False, ConditionReason.INVENTORY_STALE, id="trouble counts more than waiting"),
        pytest.param((FRESH, EVENTS_ONLY), True, ConditionReason.INVENTORY_COMPLETE, id="one lives by events alone"),
        pytest.param((EVENTS_ONLY,), True, ConditionReason.NO_ACCOUNTS, id="all live by events alone"),
        pytest.param((), True, ConditionReason.NO_ACCOUNTS, id="nobody is listed"),
    ],
)
def test_inventories(inventories: tuple[InventoryHealth, ...], holds: bool | None, reason: ConditionReason) -> None:
    kind, seen, why, message = mirror_parts(health(*inventories))[0]
    assert (kind, seen, why) == ("InventoryFresh", holds, reason)
    assert message


@pytest.mark.parametrize(
    ("events", "holds", "reason"),
    [
        pytest.param(CONNECTED, True, ConditionReason.EVENTS_CONNECTED, id="the queue answers"),
        pytest.param(CUT, False, ConditionReason.EVENTS_DISCONNECTED, id="it does not"),
        pytest.param(replace(CUT, reason=NOT_YET), None, ConditionReason.EVENTS_PENDING, id="it was not asked yet"),
        pytest.param(replace(CONNECTED, reason=NO_QUEUE), True, ConditionReason.NO_QUEUE, id="there is none"),
        pytest.param(
            replace(CONNECTED, refused=(UnknownAccount(AccountRegion("999999999999", "eu-west-1"), NOW, NOW),)),
            True,
            ConditionReason.EVENTS_REFUSED,
            id="it brings a stranger's events",
        ),
    ],
)
def test_events(events: EventsHealth, holds: bool | None, reason: ConditionReason) -> None:
    kind, seen, why, message = mirror_parts(health(events=events))[1]
    assert (kind, seen, why) == ("EventsConnected", holds, reason)
    assert message


def test_a_stale_region_is_named_with_its_reason_and_since_when() -> None:
    _, _, _, message = mirror_parts(health(STALE))[0]
    assert "111122223333/eu-west-1 since 2026-01-05T09:00:00" in message
    assert "(AccessDenied: not allowed; allow the action)" in message


def test_a_hundred_stale_regions_of_many_words_fit_into_a_condition() -> None:
    many = [replace(STALE, account=f"{number:012}", message="x" * 5000) for number in range(100)]
    _, _, _, message = mirror_parts(health(*many))[0]
    assert len(message) <= 2048
    assert f"and {100 - MAX_NAMED} more" in message


def test_a_refused_account_is_named_and_its_later_events_change_no_word() -> None:
    first = UnknownAccount(AccountRegion("999999999999", "eu-west-1"), NOW, NOW)
    said = mirror_parts(health(events=replace(CONNECTED, refused=(first,))))
    assert "999999999999/eu-west-1 since" in said[1][3]
    assert mirror_parts(health(events=replace(CONNECTED, refused=(replace(first, last=later(60)),)))) == said


EMPTY = replace(FRESH, seen_instead="37 instances, commonest tag keys: 'Owner' (37), 'Name' (30)")


def test_a_fresh_installation_whose_tags_match_nothing_says_what_is_there_instead() -> None:
    said = replace(health(EMPTY), tags=str(MirrorConfig().tags))
    _, seen, why, message = mirror_parts(said)[0]
    assert (seen, why) == (True, ConditionReason.NOTHING_TAGGED)
    assert "both tags vew:workbench:ownerId and vew:workbench:type, so nothing is done" in message
    assert f"in 111122223333/eu-central-1 {EMPTY.seen_instead}" in message


def test_one_region_with_workbenches_is_enough_to_be_no_fresh_installation() -> None:
    assert mirror_parts(health(EMPTY, FRESH))[0][2] is ConditionReason.INVENTORY_COMPLETE
    assert mirror_parts(health(EMPTY, PENDING))[0][2] is ConditionReason.INVENTORY_PENDING


def test_what_a_hundred_empty_regions_show_fits_into_a_condition() -> None:
    many = [replace(EMPTY, account=f"{number:012}", seen_instead="x" * 400) for number in range(100)]
    message = mirror_parts(replace(health(*many), tags="o" * 5000))[0][3]
    assert len(message) <= 2048
    assert "and 98 more regions" in message
