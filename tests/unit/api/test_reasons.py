"""Every reason is one word and has one sentence."""

import re
import string

import pytest

from seatpool.api.reasons import (
    CONDITIONS,
    EVENT_SENTENCES,
    EVENTS,
    SENTENCES,
    ConditionReason,
    EventReason,
    Form,
    message,
)


def test_every_condition_reason_has_its_sentence() -> None:
    assert set(SENTENCES) == set(ConditionReason)
    for sentence in SENTENCES.values():
        assert sentence.endswith(".")
    assert len(set(SENTENCES.values())) == len(ConditionReason)


def test_reasons_are_words_that_the_api_conventions_allow() -> None:
    for reason in (*ConditionReason, *EventReason):
        assert re.fullmatch(r"([A-Z][a-z]+)+", reason.value)


TEXTS = {
    "without values a reason is its meaning": (
        message(ConditionReason.SEATS_FREE),
        "No user waits.",
    ),
    "a template that needs values is not used without them": (
        message(ConditionReason.DRY_RUN),
        "DryRun: the list is computed and shown, and not written.",
    ),
    "a message without placeholders needs no values": (
        message(EventReason.SERVER_RECOVERED),
        "the license server answers again",
    ),
    "values are put into the template": (
        message(ConditionReason.USERS_WAIT, count=2, users="ann, bob"),
        "2 wait for a seat: ann, bob",
    ),
    "a condition and an Event of one name have their own texts": (
        message(EventReason.INVENTORY_STALE, region="1/eu"),
        "1/eu; nobody there is released for that",
    ),
    "a value may be called reason": (
        message(EventReason.USERS_WAITING, users="ann", reason="PoolFull", waiting=1, seats=2),
        "ann began to wait (PoolFull); 1 wait for 2 seats",
    ),
    "the line of why names the object": (
        message(ConditionReason.SUSPENDED, Form.WHY, pool="lab/matlab"),
        "Pool lab/matlab is suspended: people on the list keep working; new ones get no seat.",
    ),
    "a command that approves has the annotation's full name": (
        message(
            ConditionReason.TOO_MANY_RELEASES,
            total=9,
            present=12,
            where="",
            window="10m",
            percent=50,
            gone=2,
            leaving=7,
            server="l",
            namespace="lab",
            token="abc",
        ),
        "9 of 12 users would lose their seats within 10m, more than the 50 % that spec.guard.maxReleasePercent allows; 2 have "
        "lost them, 7 are held. If it is right: kubectl annotate --overwrite "
        "licenseserver/l -n lab seatpool.io/approve-change=abc",
    ),
    "a command that takes over has the annotation's full name": (
        message(
            ConditionReason.FOREIGN_OWNER,
            product="matlab",
            owner="o",
            revision=7,
            installation="i",
            server="l",
            namespace="lab",
        ),
        "the list of product 'matlab' on the license server belongs to installation o, ours is i; nothing is written. To take "
        "it over: kubectl annotate --overwrite licenseserver/l -n lab seatpool.io/take-over=o@7",
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_the_text(name: str) -> None:
    text, expected = TEXTS[name]
    assert text == expected


def test_every_reason_of_an_event_has_its_sentence() -> None:
    assert set(EVENT_SENTENCES) == set(EventReason)


def test_a_template_says_of_one_pool_or_server_only_what_its_values_say() -> None:
    for text in (*CONDITIONS.values(), *EVENTS.values()):
        assert "{" not in text.meaning
        for template in (text.message, text.why):
            names = [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
            assert all(re.fullmatch(r"[a-z]+", name) for name in names)
