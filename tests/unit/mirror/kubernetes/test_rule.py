"""Which rules can be meant, and what the settings say of those that cannot."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from seatpool.api.workbench import SourceKind, WorkbenchSource, WorkbenchSpec
from seatpool.mirror.config import MirrorConfig
from seatpool.mirror.names import object_name
from seatpool.mirror.workbenches.entry import from_spec, to_spec
from seatpool.settings.settings import Settings

RULE: dict[str, Any] = {
    "name": "notebooks",
    "version": "v1",
    "kind": "pods",
    "owner": ".metadata.annotations['hub.jupyter.org/username']",
    "type": "vew-matlab",
}


def test_a_rule_needs_little() -> None:
    rule = MirrorConfig(kubernetes=(RULE,)).kubernetes[0]  # type: ignore[arg-type]
    assert (rule.prefix, rule.resource) == ("/api/v1", "pods")
    assert rule.covers({"namespace": "anywhere"})
    assert rule.selects({})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"owner": "ann"}, "is no path"),
        ({"type": ".a..b"}, "is no path"),
        ({"version": "v1beta1"}, "write v1"),
        ({"version": "latest"}, "version"),
        ({"kind": "Pod"}, "kind"),
        ({"states": {"Up": "awake"}}, "states"),
        ({"selector": {"a b": "c"}}, "selector"),
        ({"selector": {"a": "b c"}}, "selector"),
        ({"name": "a/b"}, "name"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        MirrorConfig.model_validate({"kubernetes": [RULE | change]})


def test_rules_have_names_of_their_own_and_served_namespaces() -> None:
    with pytest.raises(ValidationError, match="a name of its own"):
        MirrorConfig.model_validate({"kubernetes": [RULE, RULE]})
    mirror = {"kubernetes": [RULE | {"namespaces": ["hub"], "namespace": "team-a"}]}
    Settings.model_validate({"mirror": mirror, "namespaces": ["hub", "team-a"]})
    with pytest.raises(ValidationError, match="names namespace hub, which the operator does not serve"):
        Settings.model_validate({"mirror": mirror, "namespaces": ["team-a"]})


part = st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,60}[a-z0-9])?", fullmatch=True)


@given(one=st.tuples(part, part, part), other=st.tuples(part, part, part))
def test_two_objects_never_have_one_workbench(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    first, second = (
        object_name(WorkbenchSource(kind=SourceKind.KUBERNETES, reference="/".join(found))) for found in (one, other)
    )
    assert (first == second) == (one == other)
    assert len(first) <= 63


def test_what_is_stored_is_read_again_as_it_was() -> None:
    reference = "notebooks/hub/jupyter-ann"
    spec = WorkbenchSpec.model_validate(
        {
            "source": {"kind": "Kubernetes", "reference": reference}, "owner": "ann", "type": "t", "state": "running",
            "stateChangedAt": "2026-01-01T00:00:00Z",
        }
    )  # fmt: skip
    stored = from_spec(spec)
    assert (stored.account, stored.region) == ("kubernetes", "notebooks")
    assert to_spec("any", stored) == spec.wire()
