"""The chart's own small functions, on many inputs at once: each render evaluates a list of examples."""

import json
from datetime import timedelta
from pathlib import PurePosixPath
from posixpath import normpath
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.integration.chart.conftest import CHART, Helm, HelmError, only
from tests.integration.chart.test_rendering import container

from seatpool.api.base import parse_duration

UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1), "s": timedelta(seconds=1),
         "ms": timedelta(milliseconds=1)}  # fmt: skip
few = settings(max_examples=5)


def evaluated(helm: Helm, template: str, examples: list[Any]) -> list[str]:
    """What a helper makes of each example, which is `.value` in the template."""
    literals = [json.dumps(json.dumps({"value": one})) for one in examples]
    lines = "".join(
        f"{{{{ with fromJson {literal} }}}}  - {{{{ {template} | quote }}}}\n{{{{ end }}}}" for literal in literals
    )
    found = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: found}\nexamples:\n" + lines
    made: list[str] = only(helm.template({"extraObjects": [found], "crds": {"install": False}}), "ConfigMap", "found")[
        "examples"
    ]
    return made


durations = st.lists(
    st.tuples(st.integers(0, 999), st.sampled_from(sorted(UNITS))),
    min_size=1,
    max_size=4,
    unique_by=lambda part: part[1],
).map(lambda parts: "".join(f"{number}{unit}" for number, unit in sorted(parts, key=lambda part: -UNITS[part[1]])))


@few
@given(st.lists(durations, min_size=30, max_size=30))
def test_lengths_are_compared_as_the_operator_reads_them(helm: Helm, lengths: list[str]) -> None:
    found = evaluated(helm, 'include "seatpool.milliseconds" .value', lengths)
    assert [int(one) for one in found] == [parse_duration(one) // timedelta(milliseconds=1) for one in lengths]


parts = st.sampled_from(["a", "b", "ab", ".", "..", "", "data", "data2"])
paths = st.lists(parts, min_size=1, max_size=5).map(lambda found: "/" + "/".join(found))


@few
@given(st.lists(st.tuples(paths, st.lists(paths, max_size=3)), min_size=40, max_size=40))
def test_a_path_is_on_a_volume_when_it_is_below_where_one_is_mounted(
    helm: Helm, examples: list[tuple[str, list[str]]]
) -> None:
    cleaned = [{"path": path, "folders": [_clean(folder) for folder in folders]} for path, folders in examples]
    found = evaluated(helm, 'ternary "no" "yes" (empty (include "seatpool.isBelow" .value))', cleaned)
    wanted = [
        "yes" if any(PurePosixPath(_clean(path)).is_relative_to(_clean(folder)) for folder in folders) else "no"
        for path, folders in examples
    ]
    assert found == wanted


def _clean(path: str) -> str:
    return normpath(path).replace("//", "/")


YAML_HAS_NOT = "".join(
    map(chr, [*range(0x7F, 0xA0), 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF])
)  # or takes for a line's end
texts = st.text(st.characters(codec="utf-8", min_codepoint=32, exclude_characters="{" + YAML_HAS_NOT), max_size=20)
values = st.one_of(st.integers(-(2**53), 2**53), st.booleans(), texts)


@few
@given(st.lists(values, min_size=30, max_size=30))
def test_every_value_of_the_environment_arrives_as_its_text(helm: Helm, given_values: list[Any]) -> None:
    env = [{"name": f"V{number}", "value": value} for number, value in enumerate(given_values)]
    made = container(helm.template({"extraEnv": env, "crds": {"install": False}}))["env"][1:]
    assert [one["value"] for one in made] == [
        str(value).lower() if isinstance(value, bool) else str(value) for value in given_values
    ]


@pytest.mark.parametrize("character", ["\x7f", "\x9f", "\uffff"])
def test_a_character_that_yaml_has_not_is_refused_and_does_not_take_the_others_along(
    helm: Helm, character: str
) -> None:
    with pytest.raises(HelmError, match=r"/extraEnv/0/value|control characters"):
        helm.template({"extraEnv": [{"name": "A", "value": f"a{character}"}, {"name": "B", "value": "b"}]})


repositories = st.from_regex(
    r"([a-z0-9.]{1,9}(:[0-9]{1,4})?/)?[a-z0-9]{1,9}(/[a-z0-9]{1,9})?(:[a-z0-9]{1,4})?", fullmatch=True
)


@settings(max_examples=15)
@given(repositories)
def test_a_repository_with_a_tag_in_it_is_refused_and_one_with_a_port_is_not(helm: Helm, repository: str) -> None:
    has_tag = ":" in repository.rpartition("/")[2]
    values = {"image": {"repository": repository}, "crds": {"install": False}}
    if has_tag:
        with pytest.raises(HelmError, match=r"'/image/repository': .* does not match pattern"):
            helm.template(values)
    else:
        assert container(helm.template(values))["image"] == f"{repository}:0.1.0"


names = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
labels = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)


@few
@given(st.dictionaries(names, labels, min_size=1, max_size=3))
def test_any_selector_is_in_every_question_of_every_alert(helm: Helm, selector: dict[str, str]) -> None:
    rule = {"enabled": True, "selector": selector}
    spec = only(helm.template({"monitoring": {"prometheusRule": rule}, "crds": {"install": False}}), "PrometheusRule")[
        "spec"
    ]
    plain = yaml.safe_load((CHART / "rules" / "alerts.yaml").read_text())["groups"][0]["rules"]
    matchers = ", ".join(f"{name}={json.dumps(value)}" for name, value in sorted(selector.items()))
    for made, wanted in zip(spec["groups"][0]["rules"], plain, strict=True):
        assert made["expr"].count(f"{{{matchers}") == wanted["expr"].count("seatpool_")
