"""What `seatpool export` prints of an object, whatever is in it."""

import json

import yaml
from hypothesis import given
from hypothesis import strategies as st

from seatpool.api.seatledger import SeatLedger
from seatpool.cli.export import portable
from seatpool.terminal.say import json_text

GIVEN_BY_THE_CLUSTER = {
    "uid": "1",
    "resourceVersion": "2",
    "generation": 3,
    "creationTimestamp": "2026-01-01T00:00:00Z",
    "managedFields": [],
    "ownerReferences": [{"uid": "4"}],
    "finalizers": ["seatpool.io/clear-list"],
    "deletionTimestamp": "2026-01-01T00:00:00Z",
}


def test_nothing_is_left_that_only_the_old_cluster_could_give() -> None:
    raw = {
        "metadata": {
            "name": "matlab-0",
            "namespace": "team-a",
            "labels": {"app.kubernetes.io/managed-by": "seatpool"},
            "annotations": {
                "seatpool.io/approve-change": "abc",
                "seatpool.io/take-over": "other",
                "seatpool.io/verify": "now",
                "seatpool.io/overwrite-unreadable": "xyz",
                "kubectl.kubernetes.io/last-applied-configuration": "{}",
                "example.com/ticket": "7",
            },
            **GIVEN_BY_THE_CLUSTER,
        },
        "spec": {"pool": "matlab"},
        "status": {"observedGeneration": 1},
    }
    assert portable(SeatLedger, raw) == {
        "apiVersion": "seatpool.io/v1alpha1",
        "kind": "SeatLedger",
        "metadata": {
            "name": "matlab-0",
            "namespace": "team-a",
            "labels": {"app.kubernetes.io/managed-by": "seatpool"},
            "annotations": {"example.com/ticket": "7"},
        },
        "spec": {"pool": "matlab"},
    }


USERS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20) | st.sampled_from(
    ["1e3", "on", "no", "0x10", "1_000", "2026-01-01", "null", "~", "12:30:45", "\u202e", "\x85"]
)


@given(USERS)
def test_a_user_id_is_read_as_it_was_by_readers_of_json_and_of_yaml(user: str) -> None:
    raw = {"metadata": {"name": "a", "namespace": "b"}, "spec": {"pool": "a", "assigned": [{"user": user}]}}
    printed = json_text(portable(SeatLedger, raw), indent=None)
    assert printed.isprintable()
    assert json.loads(printed)["spec"] == raw["spec"]
    assert (
        yaml.safe_load(printed)["spec"]["assigned"][0]["user"].encode("utf-16", "surrogatepass").decode("utf-16")
        == user
    )
