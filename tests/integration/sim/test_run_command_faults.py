"""Everything that may go wrong between SendCommand and its result, on request."""

import time

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.integration.sim.conftest import Server
from tests.waiting import wait_until


def ran(server: Server) -> list[str]:
    path = server.node.host.home / "ran"
    return path.read_text().split() if path.exists() else []


def wait_for(server: Server, wanted: list[str]) -> None:
    wait_until(lambda: ran(server) == wanted, what=f"{wanted} ran")


def note(name: str) -> str:
    return f"echo {name} >>$HOME/ran"


def test_a_node_that_is_offline_runs_the_command_when_it_is_back(server: Server) -> None:
    server.behavior(offline=True)
    command = server.send(note("a"))
    time.sleep(0.1)
    assert server.look(command)["Status"] == "Pending"
    assert server.ssm.describe_instance_information()["InstanceInformationList"][0]["PingStatus"] == "ConnectionLost"
    server.behavior()
    assert server.until(command)["Status"] == "Success"
    assert ran(server) == ["a"]


def test_a_stopped_instance_takes_the_command_and_runs_it_after_its_start(server: Server) -> None:
    ec2 = server.site.client("ec2")
    ec2.stop_instances(InstanceIds=[server.node.instance_id])
    command = server.send(note("a"))
    time.sleep(0.05)
    assert server.look(command)["Status"] == "Pending"
    ec2.start_instances(InstanceIds=[server.node.instance_id])
    assert server.until(command)["Status"] == "Success"


def test_a_command_that_is_not_delivered_in_time_never_runs(server: Server) -> None:
    server.behavior(offline=True, delivery_timeout=0.2)
    command = server.send(note("a"))
    ended = server.until(command)
    assert (ended["Status"], ended["StatusDetails"], ended["ResponseCode"]) == ("TimedOut", "DeliveryTimedOut", -1)
    server.behavior()
    time.sleep(0.1)
    assert ran(server) == []


def test_ssm_takes_no_delivery_timeout_below_thirty_seconds(server: Server) -> None:
    with pytest.raises(Exception, match="TimeoutSeconds"):
        server.send("true", TimeoutSeconds=5)


def test_a_command_that_cannot_be_delivered_says_so(server: Server) -> None:
    server.behavior(undeliverable=True)
    ended = server.run(note("a"))
    assert (ended["Status"], ended["StatusDetails"]) == ("Failed", "Undeliverable")
    assert ran(server) == []


def test_a_delivery_can_be_delayed(server: Server) -> None:
    server.behavior(delivery_delay=0.3)
    began = time.monotonic()
    assert server.run(note("a"))["Status"] == "Success"
    assert time.monotonic() - began >= 0.3


def test_a_command_may_be_overtaken_by_the_next_one(server: Server) -> None:
    server.behavior(hold_for_next=60)
    older = server.send(note("older"))
    time.sleep(0.05)
    newer = server.send(note("newer"))
    server.until(older)
    server.until(newer)
    assert ran(server) == ["newer", "older"]


def test_a_held_command_runs_when_no_other_one_comes(server: Server) -> None:
    server.behavior(hold_for_next=0.2)
    assert server.run(note("alone"))["Status"] == "Success"


def test_a_command_may_run_twice_and_shows_its_first_result(server: Server) -> None:
    server.behavior(repeat_after=(0.2,))
    older = server.run(note("older"), "echo $(wc -l <$HOME/ran)")
    server.behavior()
    server.run(note("newer"))
    wait_for(server, ["older", "newer", "older"])
    assert server.look(older["CommandId"])["StandardOutputContent"] == "1\n"


def test_a_script_that_is_killed_in_the_middle_failed(server: Server) -> None:
    server.behavior(kill_after=0.2, shell=("/bin/bash",))
    ended = server.run(note("begun"), "sleep 30", note("ended"))
    assert (ended["Status"], ended["ResponseCode"]) == ("Failed", -1)
    assert ended["StandardErrorContent"] == "failed to run commands: signal: killed"
    assert ran(server) == ["begun"]


def test_where_sh_is_dash_a_killed_script_looks_like_one_that_took_too_long(server: Server) -> None:
    server.behavior(kill_after=0.2, shell=("/bin/dash",))
    ended = server.run("sleep 30")
    assert (ended["Status"], ended["StatusDetails"], ended["ResponseCode"]) == ("TimedOut", "ExecutionTimedOut", 137)
    assert ended["StandardErrorContent"] == "Killed"


def test_a_node_may_do_its_work_and_never_report(server: Server) -> None:
    server.behavior(mute=True, delivery_timeout=0.3, execution_timeout=0.5)
    began = time.monotonic()
    command = server.send(note("a"))
    wait_for(server, ["a"])
    assert server.look(command)["Status"] == "InProgress"
    assert server.until(command)["StatusDetails"] == "DeliveryTimedOut"
    assert time.monotonic() - began >= 0.8


def test_an_invocation_may_be_invisible_at_first(server: Server) -> None:
    server.behavior(visible_after=0.2)
    command = server.send(note("a"))
    with pytest.raises(ClientError) as error:
        server.look(command)
    assert error.value.response["Error"]["Code"] == "InvocationDoesNotExist"
    time.sleep(0.2)
    assert server.look(command)["Status"] == "Success"


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException", "InvalidInstanceId"])
@pytest.mark.parametrize("operation", ["SendCommand", "GetCommandInvocation"])
def test_the_next_requests_are_refused_with_a_wanted_code(server: Server, operation: str, code: str) -> None:
    command = server.send("true")
    patient = server.site.access.session().client(
        "ssm", endpoint_url=server.site.endpoint, config=Config(retries={"total_max_attempts": 1})
    )
    calls = {
        "SendCommand": lambda: patient.send_command(
            InstanceIds=[server.node.instance_id],
            DocumentName=server.site.document_name,
            Parameters={"Script": ["true"]},
        ),
        "GetCommandInvocation": lambda: patient.get_command_invocation(
            CommandId=command, InstanceId=server.node.instance_id
        ),
    }
    server.site.aws.control.refuse(operation, code, times=2, message="as wanted")
    for _ in range(2):
        with pytest.raises(ClientError, match="as wanted") as error:
            calls[operation]()
        assert error.value.response["Error"]["Code"] == code
    calls[operation]()


def test_boto3_repeats_what_was_throttled_by_itself(server: Server) -> None:
    server.site.aws.control.refuse("SendCommand", "ThrottlingException")
    assert server.run("echo ok")["Status"] == "Success"
    assert server.site.aws.control.calls()["SendCommand"] == 2


def test_a_command_may_be_accepted_although_its_sender_sees_an_error(server: Server) -> None:
    server.site.aws.control.refuse("SendCommand", "AccessDeniedException", after_work=True, status=403)
    with pytest.raises(ClientError):
        server.send(note("a"))
    wait_for(server, ["a"])
    assert len(server.ssm.list_commands()["Commands"]) == 1


def test_requests_of_other_services_are_refused_in_their_own_protocol(server: Server) -> None:
    control = server.site.aws.control
    for service, operation, call in (
        ("ec2", "DescribeInstances", lambda: server.site.client("ec2").describe_instances()),
        ("sts", "GetCallerIdentity", lambda: server.site.client("sts").get_caller_identity()),
        ("sqs", "ListQueues", lambda: server.site.client("sqs").list_queues()),
    ):
        control.refuse(operation, "UnauthorizedOperation", message=f"{service} <says> no", status=403)
        with pytest.raises(ClientError, match=f"{service} <says> no") as error:
            call()
        assert error.value.response["Error"]["Code"] == "UnauthorizedOperation"
        call()


def test_a_reset_forgets_nodes_commands_and_planned_errors_and_kills_what_runs(server: Server) -> None:
    command = server.send(note("begun"), "sleep 0.3", note("ended"))
    wait_for(server, ["begun"])
    server.site.aws.control.refuse("ListCommands", "AccessDeniedException")
    server.site.aws.control.reset()
    time.sleep(0.5)
    assert ran(server) == ["begun"]
    assert server.ssm.list_commands()["Commands"] == []
    with pytest.raises(ClientError):
        server.look(command)


def test_a_conduct_that_cannot_be_read_is_a_failure_that_names_the_file(server: Server) -> None:
    (server.node.host.home / "agent.json").write_text('{"ofline": true}')
    with pytest.raises(ClientError, match=r"agent\.json.*ofline"):
        server.send("true")


def test_a_conduct_that_breaks_while_a_command_waits_fails_the_command(server: Server) -> None:
    server.behavior(offline=True)
    command = server.send(note("a"))
    (server.node.host.home / "agent.json").write_text("{")
    ended = server.until(command)
    assert (ended["Status"], "agent.json" in ended["StandardErrorContent"]) == ("Failed", True)
