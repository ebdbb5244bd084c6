import hashlib
import json
import re

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.servers.server_on_disk import ServerOnDisk

from seatpool.servers.commands import ListChange, ListCommand
from seatpool.servers.ssm.document import DOCUMENT_LIMIT, document, document_hash, document_json, room_left
from seatpool.servers.ssm.payload import SEND_LIMIT, unpack
from seatpool.servers.ssm.xlc import XlcAdapter


def test_document_and_the_largest_payload_are_within_what_ssm_takes() -> None:
    assert len(document_json()) + SEND_LIMIT + room_left() == DOCUMENT_LIMIT
    assert room_left() > 4_000


def test_the_hash_is_of_the_very_text_that_is_printed() -> None:
    assert json.loads(document_json()) == document()
    assert document_hash() == hashlib.sha256(document_json().encode()).hexdigest()


def test_only_the_two_parameters_are_ever_put_into_the_text() -> None:
    references = re.findall(r"\{\{.*?\}\}", document_json())
    assert sorted(references) == ["{{ ExecutionTimeout }}", "{{ ExecutionTimeout }}", "{{ Payload }}"]


def test_no_value_that_the_document_lets_through_means_anything_to_a_shell() -> None:
    pattern = document()["parameters"]["Payload"]["allowedPattern"]
    assert all(not re.fullmatch(pattern, f"A{letter}A") for letter in " \t'\"\\$`;&|<>(){}[]*?!#~%^,:@\r")
    assert not re.match(pattern.replace("$", r"\Z"), "AAAA\nAAAA")


@given(st.one_of(st.integers(-10, 10), st.integers(0, 10**6), st.integers(172_700, 172_900)))
def test_a_time_limit_that_the_agent_would_replace_is_refused(seconds: int) -> None:
    pattern = document()["parameters"]["ExecutionTimeout"]["allowedPattern"]
    assert (re.fullmatch(pattern, str(seconds)) is not None) == (5 <= seconds <= 172_800)


def test_an_agent_that_sets_no_variable_runs_the_same_command(dash_server: ServerOnDisk) -> None:
    adapter: XlcAdapter = dash_server.adapter
    command = ListCommand(revision=1, owner="here", changes=(ListChange(product="vew", users=("ann",)),))
    payload = adapter.parameters(command)[0]["Payload"][0]
    assert unpack(payload)[0] == "seatpool 1"
    lines = document()["mainSteps"][0]["inputs"]["runCommand"]
    dash_server.script.write_text("unset SSM_Payload\n" + "\n".join(lines).replace("{{ Payload }}", payload))
    assert adapter.parse([dash_server.run("ignored")]).products["vew"].users == ("ann",)
