"""Whether the operator is alive is told from its Lease, and never from what it wrote before it died."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.explain.cluster import NOW, TIMES, seen, server, server_in

from seatpool.api.identity import IdentitySettings
from seatpool.api.licenseserver import LicenseServer
from seatpool.control.leader.lease import micro_time
from seatpool.explain.operator_life import Life, OperatorLife, Reading, leases_of, operator_lives

LEASE = "seatpool/seatpool"
HERE = IdentitySettings()


def told(**operator: Any) -> LicenseServer:
    """A server whose status was written by an operator with this Lease and these settings."""
    status = {"holder": "pod-1", "version": "0.1.0", "lease": LEASE, "identity": HERE.fingerprint} | operator
    return server_in(seen(server(status={"operator": status})))


def lease(*, ago: float, holder: str = "pod-1", duration: int = 10) -> dict[str, Any]:
    renewed = micro_time(NOW - timedelta(seconds=ago))
    return {"spec": {"holderIdentity": holder, "renewTime": renewed, "leaseDurationSeconds": duration}}


def life(reading: Reading, **operator: Any) -> OperatorLife:
    (found,) = operator_lives([told(**operator)], {LEASE: reading}, identity=HERE, times=TIMES)
    return found


CASES: dict[str, tuple[Reading, Life, str]] = {
    "it renewed its Lease": (lease(ago=3), Life.ALIVE, "Operator pod-1 (0.1.0) is alive (3 s ago)."),
    "another process leads now": (lease(ago=3, holder="pod-2"), Life.ALIVE, "Operator pod-2 (0.1.0) is alive (3 s ago)."),
    "the clock here is behind": (lease(ago=-4), Life.ALIVE, "Operator pod-1 (0.1.0) is alive (0 s ago)."),
    "it did not renew it": (
        lease(ago=75), Life.LATE,
        "Operator pod-1 (0.1.0) was last alive 1 min 15 s ago: nothing changes until one is running.",
    ),
    "it gave it back": (lease(ago=75, holder=""), Life.STOPPED, "No operator is running: pod-1 stopped 1 min 15 s ago."),
    "there is no such Lease": (
        None, Life.NOT_KNOWN, "Whether Operator pod-1 (0.1.0) is alive is not known: there is no Lease seatpool/seatpool.",
    ),
    "the Lease must not be read": (
        "you may not get it", Life.NOT_KNOWN, "Whether Operator pod-1 (0.1.0) is alive is not known: you may not get it.",
    ),
    "an admin made the Lease": (
        {"spec": {}}, Life.NOT_KNOWN,
        "Whether Operator pod-1 (0.1.0) is alive is not known: there is no Lease seatpool/seatpool.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_the_lease_tells(name: str) -> None:
    reading, expected, text = CASES[name]
    found = life(reading)
    assert (found.life, found.text) == (expected, text)
    assert found.is_well is (expected in (Life.ALIVE, Life.NOT_KNOWN))


def test_an_operator_without_a_lease_says_which_setting_gives_it_one() -> None:
    found = life(None, lease=None)
    assert found.life is Life.NOT_KNOWN
    assert "leader_election.namespace" in found.text


def test_settings_that_differ_are_told() -> None:
    other = IdentitySettings(mapping={"olga": "e777"}).fingerprint
    assert "by other settings than this program" in life(lease(ago=3), identity=other).text
    assert "other settings" not in life(lease(ago=3)).text


@given(st.booleans(), st.booleans(), st.dictionaries(st.sampled_from("abc"), st.sampled_from("xyz")))
def test_settings_have_the_same_fingerprint_if_they_read_owners_alike(
    domain: bool, case: bool, mapping: dict[str, str]
) -> None:
    one = IdentitySettings(strip_domain=domain, fold_case=case, mapping=mapping)
    same = IdentitySettings(strip_domain=domain, fold_case=case, mapping=dict(reversed(mapping.items())))
    assert one.fingerprint == same.fingerprint
    assert one.fingerprint != IdentitySettings(strip_domain=not domain, fold_case=case, mapping=mapping).fingerprint


def test_a_server_that_no_operator_has_written_is_no_bad_news() -> None:
    never = server_in(seen(server(status={"conditions": []})))
    assert leases_of([never]) == ()
    (found,) = operator_lives([never], {}, identity=HERE, times=TIMES)
    assert found.is_well
    assert "is one running?" in found.text
    (older,) = operator_lives([server_in(seen(server()))], {}, identity=HERE, times=TIMES)
    assert "of an older version" in older.text


def test_each_operator_has_a_line() -> None:
    servers = [told(), told(lease="other/seatpool", holder="pod-9")]
    assert leases_of(servers) == ("other/seatpool", LEASE)
    found = operator_lives(servers, {LEASE: lease(ago=1), "other/seatpool": None}, identity=HERE, times=TIMES)
    assert [one.life for one in found] == [Life.NOT_KNOWN, Life.ALIVE]
