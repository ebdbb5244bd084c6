"""A path finds one value or none, whatever the object is, and a path that means nothing is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatpool.mirror.kubernetes.json_path import compile_path

POD: dict[str, Any] = {
    "metadata": {
        "name": "jupyter-user-1---751ab4e2",
        "labels": {"hub.jupyter.org/username": "user-1---751ab4e2"},
        "annotations": {"hub.jupyter.org/username": "user-1@corp.example", "a.b": "dotted"},
    },
    "spec": {
        "started": True,
        "priority": 0,
        "containers": [{"name": "tool", "env": [{"name": "PATH", "value": "/"}, {"name": "OWNER", "value": "ann"}]}],
        "nothing": "",
    },
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (".metadata.annotations['hub.jupyter.org/username']", "user-1@corp.example"),
        ('{.metadata.annotations["hub.jupyter.org/username"]}', "user-1@corp.example"),
        (r".metadata.annotations.hub\.jupyter\.org/username", "user-1@corp.example"),
        (r".metadata.annotations.a\.b", "dotted"),
        (".metadata.annotations.a.b", None),
        (".spec.containers[0].name", "tool"),
        (".spec.containers[1].name", None),
        ('.spec.containers[0].env[?(@.name=="OWNER")].value', "ann"),
        (".spec.containers[0].env[?(@.name == 'OWNER')].value", "ann"),
        ('.spec.containers[0].env[?(@.name=="NONE")].value', None),
        (".spec.started", "true"),
        (".spec.priority", "0"),
        (".spec.nothing", None),
        (".spec.containers", None),
        (".metadata.name[0]", None),
        (".status.phase", None),
    ],
)
def test_a_path_finds_what_kubectl_would(path: str, value: str | None) -> None:
    assert compile_path(path).find(POD) == value


@pytest.mark.parametrize(
    "path",
    ["", ".", "metadata.name", ".a..b", ".a[*]", ".a[-1]", "..name", ".a[?(@.b>1)]", ".a[", "{.a", ".a ", ".a['']"],
)
def test_a_path_that_means_nothing_here_is_refused_with_one_that_does(path: str) -> None:
    with pytest.raises(ValueError, match="write for example"):
        compile_path(path)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)
step = st.sampled_from([".a", "[0]", "['a b']", '[?(@.a=="x")]', r".a\.b"])


@given(document=json, steps=st.lists(step, min_size=1, max_size=5))
def test_no_object_breaks_a_path(document: Any, steps: list[str]) -> None:
    found = compile_path("".join(steps)).find(document)
    assert found is None or (isinstance(found, str) and found)


key = st.text(min_size=1, max_size=6).filter(lambda text: "'" not in text)


@given(keys=st.lists(key, min_size=1, max_size=4), value=st.text(min_size=1))
def test_any_key_can_be_named_in_quotes(keys: list[str], value: str) -> None:
    document: Any = value
    for key in reversed(keys):
        document = {key: document, f"{key}x": "other"}
    assert compile_path("".join(f"['{key}']" for key in keys)).find(document) == value


@given(st.text(max_size=40))
def test_a_text_is_a_path_or_is_refused(text: str) -> None:
    try:
        compiled = compile_path(text)
    except ValueError:
        return
    assert compiled.steps
    compiled.find(POD)
