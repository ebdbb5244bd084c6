"""From a Command document and parameters to the script that a node runs."""

from typing import Any

import pytest

from seatpool.sim.refusals import Refusal
from seatpool.sim.ssm.document import Script, check, script


def document(*lines: str, parameters: dict[str, Any], **inputs: Any) -> dict[str, Any]:
    return {
        "schemaVersion": "2.2",
        "parameters": parameters,
        "mainSteps": [{"action": "aws:runShellScript", "name": "s", "inputs": {"runCommand": list(lines)} | inputs}],
    }


def made(content: dict[str, Any], *, platform: str = "Linux", legacy: bool = False, **given: list[str]) -> Script:
    found = script(content, check(content, given), platform=platform, legacy=legacy)
    assert found is not None
    return found


def test_a_parameter_is_pasted_unless_it_goes_by_the_environment() -> None:
    content = document(
        "a {{A}} {{ B }}",
        "b",
        parameters={"A": {"type": "String"}, "B": {"type": "String", "interpolationType": "ENV_VAR"}},
    )
    run = made(content, A=["1"], B=["2"])
    assert (run.text, run.environ) == ("a 1 $SSM_B\nb\n", {"SSM_B": "2"})
    run = made(content, legacy=True, A=["1"], B=["2"])
    assert (run.text, run.environ) == ("a 1 2\nb\n", {})


def test_a_value_that_looks_like_a_reference_stays_what_it_is() -> None:
    parameters = {"A": {"type": "String"}, "B": {"type": "String", "default": "b"}}
    assert made(document("{{A}} {{C}}", parameters=parameters), A=["{{ B }}"]).text == "{{ B }} {{C}}\n"


def test_a_list_alone_on_its_line_is_its_lines() -> None:
    parameters = {"L": {"type": "StringList", "default": ["x", "y"]}}
    assert made(document("{{ L }}", "z {{L}}", parameters=parameters)).text == 'x\ny\nz ["x", "y"]\n'


@pytest.mark.parametrize(
    ("raw", "seconds"),
    [
        *((None, 3600), (7, 7), ("8", 8), ("{{ T }}", 9), ("{{ Other }}", 3600), ("soon", 3600)),
        *((4, 3600), (5, 5), (0, 3600), (-1, 3600), ("9.5", 3600), (172_800, 172_800), (172_801, 3600)),
    ],
)
def test_the_timeout_is_a_number_a_text_or_a_parameter_and_an_hour_by_default(raw: object, seconds: float) -> None:
    inputs = {} if raw is None else {"timeoutSeconds": raw}
    content = document("x", parameters={"T": {"type": "String", "default": "9"}}, **inputs)
    assert made(content).timeout == seconds


@pytest.mark.parametrize(
    ("declaration", "value"),
    [
        ({"allowedPattern": "^[0-9]+$"}, "12a"),
        ({"allowedValues": ["on", "off"]}, "maybe"),
        ({"minChars": 2}, "x"),
        ({"maxChars": "3"}, "xxxx"),
    ],
)
def test_values_that_the_document_forbids_are_refused(declaration: dict[str, Any], value: str) -> None:
    content = document("x", parameters={"A": {"type": "String"} | declaration})
    with pytest.raises(Refusal, match="Parameter A") as refused:
        check(content, {"A": [value]})
    assert refused.value.code == "InvalidParameters"


def test_every_item_of_a_list_has_to_match() -> None:
    content = document("x", parameters={"L": {"type": "StringList", "allowedPattern": "^[a-z]$"}})
    assert check(content, {"L": ["a", "b"]}) == {"L": ["a", "b"]}
    with pytest.raises(Refusal):
        check(content, {"L": ["a", "B"]})


@pytest.mark.parametrize("order", [["platformType", "Windows"], ["Windows", "platformType"]])
def test_the_first_step_for_the_platform_is_run(order: list[str]) -> None:
    content = document("linux", parameters={})
    other = {"action": "aws:runShellScript", "precondition": {"StringEquals": order}, "inputs": {"runCommand": ["w"]}}
    content["mainSteps"].insert(0, other)
    assert made(content).text == "linux\n"
    assert made(content, platform="Windows").text == "w\n"
    content["mainSteps"].pop()
    assert script(content, {}, platform="Linux") is None
