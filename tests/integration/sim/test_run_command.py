"""SSM Run Command as an unmodified boto3 sees it, with scripts that really run."""

import hashlib
import json
import subprocess
import time
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError
from tests.integration.sim.conftest import DOCUMENT, Server

from seatpool.sim.ssm.agent import WORKERS
from seatpool.sim.ssm.script import STDERR_LIMIT, STDOUT_LIMIT, TRUNCATED


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_a_command_is_pending_when_it_is_sent_then_in_progress_then_successful(server: Server) -> None:
    gate = server.node.host.home / "gate"
    answer = server.ssm.send_command(
        InstanceIds=[server.node.instance_id],
        DocumentName=server.site.document_name,
        Comment="revision 7",
        Parameters={"Script": [f"until [ -e {gate} ]; do sleep 0.01; done; echo done"]},
    )["Command"]
    assert (answer["Status"], answer["Comment"]) == ("Pending", "revision 7")
    under_way = server.until(answer["CommandId"], "InProgress")
    assert (under_way["ResponseCode"], under_way["StandardOutputContent"]) == (-1, "")
    gate.touch()
    ended = server.until(answer["CommandId"])
    assert (ended["Status"], ended["StatusDetails"], ended["ResponseCode"]) == ("Success", "Success", 0)
    assert ended["StandardOutputContent"] == "done\n"


def test_a_script_that_fails_is_a_failed_command_with_its_exit_code_and_errors(server: Server) -> None:
    ended = server.run("echo out", "echo wrong >&2", "exit 7")
    assert (ended["Status"], ended["StatusDetails"], ended["ResponseCode"]) == ("Failed", "Failed", 7)
    assert ended["StandardOutputContent"] == "out\n"
    assert ended["StandardErrorContent"] == "wrong\nfailed to run commands: exit status 7"


def test_the_node_has_the_vendors_client_and_its_own_environment(server: Server) -> None:
    ended = server.run("xlc seats --product P; echo $HOME $AWS_SSM_INSTANCE_ID $AWS_SSM_REGION_NAME; env | wc -l")
    home = server.node.host.home
    first, second, count = ended["StandardOutputContent"].splitlines()
    assert first == "unlimited"
    assert second == f"{home} {server.node.instance_id} eu-central-1"
    assert int(count) < 12, "the environment of the tests leaks into the node"


def test_output_is_cut_where_ssm_cuts_it(server: Server) -> None:
    ended = server.run("yes 123456789 | head -n 2400; yes abcdefghi | head -n 5000 >&2")
    assert ended["StandardOutputContent"] == "123456789\n" * (STDOUT_LIMIT // 10), "what just fits is whole"
    assert len(ended["StandardErrorContent"]) == STDERR_LIMIT
    ended = server.run("yes 123456789 | head -n 2401")
    assert len(ended["StandardOutputContent"]) == STDOUT_LIMIT
    assert ended["StandardOutputContent"].startswith("123456789\n" * 2390)
    assert ended["StandardOutputContent"].endswith(TRUNCATED)


def test_the_limit_counts_characters_and_not_bytes(server: Server) -> None:
    ended = server.run("yes ä | tr -d '\\n' | head -c 48000")
    assert ended["StandardOutputContent"] == "ä" * STDOUT_LIMIT


def test_a_value_that_does_not_match_its_pattern_is_refused_and_nothing_runs(server: Server) -> None:
    with pytest.raises(ClientError, match="Text does not match the allowed pattern") as error:
        server.send("echo never", parameters={"Text": ['"; touch pwned; "']})
    assert code(error) == "InvalidParameters"
    assert server.ssm.list_commands()["Commands"] == []


@pytest.mark.parametrize("parameters", [{"Other": ["x"]}, {"Text": ["a", "b"]}])
def test_parameters_that_the_document_does_not_take_are_refused(
    server: Server, parameters: dict[str, list[str]]
) -> None:
    with pytest.raises(ClientError) as error:
        server.send("true", parameters=parameters)
    assert code(error) == "InvalidParameters"


def test_a_parameter_without_a_default_must_be_given(server: Server) -> None:
    with pytest.raises(ClientError, match="Script has no default") as error:
        server.ssm.send_command(InstanceIds=[server.node.instance_id], DocumentName=server.site.document_name)
    assert code(error) == "InvalidParameters"


def test_a_parameter_travels_in_the_environment_and_its_text_is_never_run(server: Server) -> None:
    hostile = {"Text": ["$(echo run);id"]}
    ended = server.run('echo "$SSM_Text"', parameters=hostile)
    assert ended["StandardOutputContent"] == "$(echo run);id\n"
    ended = server.run('echo "[{{ Text }}]"', parameters=hostile)
    assert ended["StandardOutputContent"] == "[{{ Text }}]\n", "what a parameter brings in is not a template again"


def document_that_says(*lines: str) -> dict[str, object]:
    step = DOCUMENT["mainSteps"][0]
    inputs = step["inputs"] | {"runCommand": list(lines)}
    return DOCUMENT | {"mainSteps": [step | {"inputs": inputs}]}


def test_a_reference_to_it_in_the_document_is_a_reference_to_the_variable(server: Server) -> None:
    server.site.change_document(document_that_says('echo "{{ Text }}"'))
    ended = server.run("unused", parameters={"Text": ["$(echo run)"]})
    assert ended["StandardOutputContent"] == "$(echo run)\n"


def test_an_old_agent_pastes_the_value_and_sets_no_variable(server: Server) -> None:
    server.site.change_document(document_that_says('echo "{{ Text }}" "${SSM_Text-unset}"'))
    server.behavior(legacy=True)
    ended = server.run("unused", parameters={"Text": ["$(echo run)"]})
    assert ended["StandardOutputContent"] == "run unset\n"
    nodes = server.ssm.describe_instance_information()["InstanceInformationList"]
    assert nodes[0]["AgentVersion"] < "3.3.2746.0"


def test_the_documented_fallback_serves_both_kinds_of_agent(server: Server) -> None:
    lines = ['if [ -z "${SSM_Text+x}" ]; then', '    export SSM_Text="{{ Text }}"', "fi", 'echo "$SSM_Text"']
    server.site.change_document(document_that_says(*lines))
    for legacy in (False, True):
        server.behavior(legacy=legacy)
        assert server.run("unused", parameters={"Text": ["abc"]})["StandardOutputContent"] == "abc\n"


def test_a_pinned_document_is_refused_once_it_has_changed(server: Server) -> None:
    pinned = {"DocumentHash": hashlib.sha256(json.dumps(DOCUMENT).encode()).hexdigest(), "DocumentHashType": "Sha256"}
    assert server.run("echo ok", **pinned)["Status"] == "Success"
    assert server.ssm.describe_document(Name=server.site.document_name)["Document"]["Hash"] == pinned["DocumentHash"]
    server.site.change_document(document_that_says("echo changed"))
    with pytest.raises(ClientError, match=r"document hash [0-9a-f]{64} does not match Sha256") as error:
        server.send("echo ok", **pinned)
    assert code(error) == "InvalidDocument"
    assert server.run("echo ok", DocumentVersion="1", **pinned)["StandardOutputContent"] == "ok\n"


def test_a_document_that_does_not_exist_is_invalid(server: Server) -> None:
    with pytest.raises(ClientError) as error:
        server.ssm.send_command(InstanceIds=[server.node.instance_id], DocumentName="Absent")
    assert code(error) == "InvalidDocument"


def test_an_instance_without_an_agent_and_a_terminated_one_are_invalid(server: Server) -> None:
    with server.site.fleet() as fleet:
        workbench = fleet.start("ann")
    with pytest.raises(ClientError, match="not in a valid state") as error:
        server.ssm.send_command(InstanceIds=[workbench], DocumentName=server.site.document_name)
    assert code(error) == "InvalidInstanceId"
    server.site.client("ec2").terminate_instances(InstanceIds=[server.node.instance_id])
    with pytest.raises(ClientError) as error:
        server.send("true")
    assert code(error) == "InvalidInstanceId"


def test_a_node_of_another_region_or_account_is_unknown(server: Server) -> None:
    session = server.site.access.session()
    elsewhere = session.client("ssm", region_name="eu-west-1", endpoint_url=server.site.endpoint)
    assert elsewhere.describe_instance_information()["InstanceInformationList"] == []
    with pytest.raises(ClientError):
        elsewhere.send_command(InstanceIds=[server.node.instance_id], DocumentName=server.site.document_name)


def test_a_step_for_another_platform_is_skipped(server: Server) -> None:
    server.behavior(platform="Windows")
    ended = server.run("echo never")
    assert (ended["Status"], ended["StandardOutputContent"]) == ("Success", "")


def test_a_script_that_takes_too_long_is_killed_with_all_that_it_started(server: Server) -> None:
    marks = server.node.host.home / "marks"
    server.behavior(execution_timeout=0.4)
    ended = server.run(f"(while :; do echo x >>{marks}; sleep 0.01; done) & echo begun; wait")
    assert (ended["Status"], ended["StatusDetails"], ended["ResponseCode"]) == ("TimedOut", "ExecutionTimedOut", 137)
    assert ended["StandardOutputContent"] == "", "SSM has the output only of what succeeded or failed"
    size = marks.stat().st_size
    assert size > 0
    time.sleep(0.1)
    assert marks.stat().st_size == size


def test_commands_that_wait_for_a_worker_are_in_progress(server: Server) -> None:
    gate = server.node.host.home / "gate"
    commands = [server.send(f"until [ -e {gate} ]; do sleep 0.01; done") for _ in range(WORKERS + 1)]
    for command in commands:
        server.until(command, "InProgress")
    gate.touch()
    assert {server.until(command)["Status"] for command in commands} == {"Success"}


def test_a_command_that_runs_can_be_cancelled(server: Server) -> None:
    command = server.send("echo begun; sleep 60; echo never")
    server.until(command, "InProgress")
    time.sleep(0.05)
    server.ssm.cancel_command(CommandId=command)
    ended = server.until(command)
    assert (ended["Status"], ended["ResponseCode"], ended["StandardOutputContent"]) == ("Cancelled", 137, "")


def test_a_command_that_waits_for_its_node_can_be_cancelled(server: Server) -> None:
    server.behavior(offline=True)
    command = server.send("echo never >>ran")
    server.ssm.cancel_command(CommandId=command)
    assert server.look(command)["Status"] == "Cancelled"
    server.behavior()
    time.sleep(0.05)
    assert server.look(command)["StandardOutputContent"] == ""


def test_cancelling_what_has_ended_changes_nothing(server: Server) -> None:
    ended = server.run("echo ok")
    server.ssm.cancel_command(CommandId=ended["CommandId"])
    again = server.look(ended["CommandId"])
    assert again | {"ResponseMetadata": None} == ended | {"ResponseMetadata": None}


def test_commands_of_a_node_run_side_by_side(server: Server) -> None:
    home = server.node.host.home
    first = server.send(f"until [ -e {home}/second ]; do sleep 0.01; done")
    assert server.run(f"touch {home}/second")["Status"] == "Success"
    assert server.until(first)["Status"] == "Success"


def test_the_shell_that_runs_the_script_can_be_chosen(server: Server) -> None:
    server.behavior(shell=("bash", "--posix"))
    assert server.run("echo ${BASH_VERSION:+bash}")["StandardOutputContent"] == "bash\n"


def test_a_target_by_tag_reaches_the_node_that_has_it(server: Server) -> None:
    target = {"Key": f"tag:{server.node.tag}", "Values": [server.node.value]}
    found = server.ssm.describe_instance_information(Filters=[target])["InstanceInformationList"]
    assert [(node["InstanceId"], node["PingStatus"]) for node in found] == [(server.node.instance_id, "Online")]
    command = server.ssm.send_command(
        Targets=[target], DocumentName=server.site.document_name, Parameters={"Script": ["echo here"]}
    )["Command"]["CommandId"]
    assert server.until(command)["StandardOutputContent"] == "here\n"


def test_commands_are_listed_newest_first_with_a_tenth_of_their_output(server: Server) -> None:
    commands = [server.run("head -c 5000 /dev/zero | tr '\\0' x", Comment=f"n {n}")["CommandId"] for n in range(3)]
    listed = server.ssm.list_commands(InstanceId=server.node.instance_id)["Commands"]
    assert [(each["CommandId"], each["Comment"]) for each in listed] == [
        (command, f"n {n}") for n, command in reversed(list(enumerate(commands)))
    ]
    pages = server.ssm.get_paginator("list_command_invocations").paginate(
        Details=True, PaginationConfig={"PageSize": 2}
    )
    found = [each for page in pages for each in page["CommandInvocations"]]
    assert [len(each["CommandPlugins"][0]["Output"]) for each in found] == [2500] * 3


def test_a_script_starts_at_once(server: Server) -> None:
    def delay(run: Callable[[str], str]) -> float:
        sent = time.time()
        return float(run("date +%s.%N")) - sent

    def as_command(script: str) -> str:
        return str(server.run(script)["StandardOutputContent"])

    def directly(script: str) -> str:
        return subprocess.run(["/bin/sh", "-c", script], capture_output=True, check=True, text=True).stdout

    bare, sent = (min(delay(run) for _ in range(9)) for run in (directly, as_command))
    assert sent < 20 * bare, f"{sent} s as a command, {bare} s without: the best of nine each, on whatever machine"
