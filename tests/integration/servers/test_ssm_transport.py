"""What SSM may answer to sending, waiting and looking for a node, and what becomes of it."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.credentials import CredentialResolver
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from tests.integration.servers.conftest import Bench, apply

from seatpool.servers.commands import SentCommand
from seatpool.servers.errors import CommandFault, TransportError
from seatpool.servers.ssm.document import document_json
from seatpool.servers.ssm.transport import SsmTransport
from seatpool.sim.aws_access import AwsAccess

NOWHERE = SentCommand(command_id="0" * 36, instance_id="i-0123456789abcdef0")


async def fails(bench: Bench, **changes: Any) -> TransportError:
    with pytest.raises(TransportError) as error:
        await bench.client(**changes).send(apply("ann"))
    return error.value


async def test_a_node_is_found_by_its_tag_and_remembered(bench: Bench) -> None:
    place = bench.place(target=bench.by_tag())
    assert await bench.transport.find_instance(place) == bench.node.instance_id
    assert await bench.transport.find_instance(place) == bench.node.instance_id
    assert bench.faults.calls == ["DescribeInstanceInformation"]


async def test_a_node_is_looked_for_on_every_page(bench: Bench) -> None:
    bench.site.add_license_server(bench.node.value)
    second = "1"
    """What the stand-in calls the page that begins behind the first of the two."""
    bench.faults.answer("DescribeInstanceInformation", InstanceInformationList=[], NextToken=second)
    found = await bench.transport.find_instance(bench.place(target=bench.by_tag()))
    assert found != bench.node.instance_id
    assert bench.faults.calls == ["DescribeInstanceInformation"] * 2


async def test_two_nodes_with_the_tag_are_refused_with_their_number(bench: Bench) -> None:
    bench.site.add_license_server(bench.node.value)
    error = await fails(bench, target=bench.by_tag())
    assert error.reason is CommandFault.INVALID_INSTANCE
    assert "2 managed nodes have tag" in str(error)
    assert bench.node.instance_id in str(error)


async def test_no_node_with_the_tag_is_refused(bench: Bench) -> None:
    error = await fails(bench, target={"tag": "role", "value": "none"})
    assert (error.reason, error.maybe_applied) == (CommandFault.INVALID_INSTANCE, False)
    assert "0 managed nodes have tag role=none" in str(error)


async def test_a_node_that_was_replaced_is_looked_for_again(bench: Bench) -> None:
    client = bench.client(target=bench.by_tag())
    await client.send(apply("ann"))
    bench.site.client("ec2").terminate_instances(InstanceIds=[bench.node.instance_id])
    new = bench.site.add_license_server(bench.node.value)
    bench.faults.answer("DescribeInstanceInformation", InstanceInformationList=[{"InstanceId": new.instance_id}])
    with pytest.raises(TransportError):
        await client.send(apply("ann", revision=2))
    assert (await client.send(apply("ann", revision=3))).instance_id == new.instance_id


async def test_an_unknown_node_is_told(bench: Bench) -> None:
    error = await fails(bench, target={"instanceId": "i-0123456789abcdef0"})
    assert (error.reason, error.maybe_applied) == (CommandFault.INVALID_INSTANCE, False)
    assert "i-0123456789abcdef0" in str(error)


async def test_an_unknown_document_is_told(bench: Bench) -> None:
    error = await fails(bench, document="Nobody-Has-This")
    assert (error.reason, error.maybe_applied) == (CommandFault.INVALID_DOCUMENT, False)


@pytest.mark.parametrize(
    ("code", "status", "reason", "maybe"),
    [
        ("AccessDeniedException", 400, CommandFault.ACCESS_DENIED, False),
        ("ExpiredTokenException", 400, CommandFault.ACCESS_DENIED, False),
        ("InvalidParameters", 400, CommandFault.INVALID_DOCUMENT, False),
        ("InternalServerError", 500, CommandFault.AWS_ERROR, True),
        ("SomethingNew", 400, CommandFault.AWS_ERROR, False),
    ],
)
async def test_a_refusal_has_its_reason_and_says_whether_it_may_have_been_sent(
    bench: Bench, code: str, status: int, reason: CommandFault, maybe: bool
) -> None:
    bench.faults.refuse("SendCommand", code, status=status)
    error = await fails(bench)
    assert (error.reason, error.maybe_applied) == (reason, maybe)
    assert bench.faults.calls == ["SendCommand"], "it is not repeated"


@pytest.mark.parametrize(
    ("failure", "maybe"),
    [
        (EndpointConnectionError(endpoint_url="x"), False),
        (ConnectTimeoutError(endpoint_url="x"), False),
        (ReadTimeoutError(endpoint_url="x"), True),
    ],
)
async def test_no_answer_to_a_send_is_not_repeated_and_says_whether_it_may_have_arrived(
    bench: Bench, failure: Exception, maybe: bool
) -> None:
    bench.faults.fail("SendCommand", failure)
    error = await fails(bench)
    assert (error.reason, error.maybe_applied) == (CommandFault.UNREACHABLE, maybe)
    assert bench.faults.calls == ["SendCommand"]


async def test_a_throttled_send_is_tried_again(bench: Bench) -> None:
    bench.faults.refuse("SendCommand", "ThrottlingException", times=2)
    client = bench.client()
    report = await client.result(await client.send(apply("ann")))
    assert report.products["vew"].users == ("ann",)
    assert bench.faults.calls.count("SendCommand") == 3


async def test_throttling_without_end_is_told(bench: Bench) -> None:
    clock = iter([0.0, 3600.0])
    transport = SsmTransport(
        endpoint_url=bench.site.endpoint,
        session_factory=bench.faults.session_factory(bench.site.access.session),
        monotonic=lambda: next(clock),
    )
    bench.faults.refuse("SendCommand", "ThrottlingException")
    with pytest.raises(TransportError) as error:
        await transport.send(bench.place(), {}, document="Some-Document", document_hash=None, comment="")
    transport.close()
    assert (error.value.reason, error.value.maybe_applied) == (CommandFault.THROTTLED, False)


async def test_without_credentials_nothing_is_sent(bench: Bench) -> None:
    def nobody() -> boto3.Session:
        core = botocore.session.Session()
        core.register_component("credential_provider", CredentialResolver([]))
        return boto3.Session(botocore_session=core)

    transport = SsmTransport(endpoint_url=bench.site.endpoint, session_factory=nobody)
    for place in (bench.place(), bench.place(roleArn="arn:aws:iam::210987654321:role/seatpool")):
        with pytest.raises(TransportError) as error:
            await transport.send(place, {}, document="Some-Document", document_hash=None, comment="")
        assert (error.value.reason, error.value.maybe_applied) == (CommandFault.NO_CREDENTIALS, False)
    transport.close()


async def test_a_role_in_another_account_is_assumed(bench: Bench) -> None:
    other = AwsAccess(bench.site.endpoint, region=bench.site.region, account="210987654321")
    place = bench.place(roleArn="arn:aws:iam::210987654321:role/seatpool", externalId="secret")
    other.client("ssm").create_document(Name="Other", Content=document_json(), DocumentType="Command")
    with pytest.raises(TransportError) as error:
        await bench.transport.send(place, {}, document="Other", document_hash=None, comment="")
    assert error.value.reason is CommandFault.INVALID_INSTANCE, "the document is known there, the node is not"
    assert "210987654321" in str(error.value)


async def test_an_invocation_that_appears_late_is_waited_for(bench: Bench) -> None:
    bench.behavior(visible_after=0.5)
    client = bench.client()
    assert (await client.result(await client.send(apply("ann")))).products["vew"].users == ("ann",)


async def test_an_invocation_that_never_appears_is_told(bench: Bench) -> None:
    clock = iter([0.0, *([3600.0] * 10)])
    transport = SsmTransport(
        endpoint_url=bench.site.endpoint, session_factory=bench.site.access.session, monotonic=lambda: next(clock)
    )
    with pytest.raises(TransportError) as error:
        await transport.result(bench.place(), NOWHERE, within=timedelta(days=1))
    transport.close()
    assert (error.value.reason, error.value.maybe_applied) == (CommandFault.INVOCATION_MISSING, True)


async def test_questions_without_an_answer_are_asked_again(bench: Bench) -> None:
    client = bench.client()
    sent = await client.send(apply("ann"))
    bench.faults.refuse("GetCommandInvocation", "ThrottlingException")
    bench.faults.fail("GetCommandInvocation", ReadTimeoutError(endpoint_url="x"))
    assert (await client.result(sent)).products["vew"].users == ("ann",)


@pytest.mark.parametrize(
    ("status", "details", "reason"),
    [
        ("TimedOut", "DeliveryTimedOut", CommandFault.DELIVERY_TIMED_OUT),
        ("TimedOut", "Delivery Timed Out", CommandFault.DELIVERY_TIMED_OUT),
        ("TimedOut", "ExecutionTimedOut", CommandFault.EXECUTION_TIMED_OUT),
        ("TimedOut", "", CommandFault.EXECUTION_TIMED_OUT),
        ("Cancelled", "Cancelled", CommandFault.CANCELLED),
        ("Cancelled", "Terminated", CommandFault.TERMINATED),
        ("Failed", "Undeliverable", CommandFault.UNDELIVERABLE),
        ("Failed", "AccessDenied", CommandFault.ACCESS_DENIED),
        ("Failed", "InvalidPlatform", CommandFault.INVALID_INSTANCE),
        ("Failed", "SomethingNew", CommandFault.AWS_ERROR),
    ],
)
async def test_each_way_to_end_has_its_reason(bench: Bench, status: str, details: str, reason: CommandFault) -> None:
    """SSM may end a command while its script runs, so the list is in doubt after each of them."""
    bench.faults.answer("GetCommandInvocation", Status=status, StatusDetails=details)
    with pytest.raises(TransportError) as error:
        await bench.transport.result(bench.place(), NOWHERE, within=timedelta(minutes=1))
    assert (error.value.reason, error.value.maybe_applied) == (reason, True)
    assert not error.value.is_unanswered, "it has ended, so asking again is of no use"
    assert bench.faults.calls == ["GetCommandInvocation"], "what has ended is not cancelled"


@pytest.mark.parametrize(
    ("status", "reason"),
    [("Delayed", CommandFault.DELIVERY_TIMED_OUT), ("InProgress", CommandFault.NO_REPLY)],
)
async def test_a_command_that_has_not_ended_at_its_deadline_may_still_do_anything(
    bench: Bench, status: str, reason: CommandFault
) -> None:
    for _ in range(20):
        bench.faults.answer("GetCommandInvocation", Status=status, StatusDetails=status)
    with pytest.raises(TransportError, match="at its deadline") as error:
        await bench.transport.result(bench.place(), NOWHERE, within=timedelta(milliseconds=300))
    assert (error.value.reason, error.value.maybe_applied) == (reason, True)
    assert "raise spec.timeout" not in str(error.value)
    assert bench.faults.calls[-1] == "CancelCommand"


@pytest.mark.parametrize(
    ("elapsed", "reason", "advice"),
    [
        ("PT4.2S", CommandFault.FAILED, "killed after 4 s, before its time limit of 60 s"),
        ("PT1M0.5S", CommandFault.EXECUTION_TIMED_OUT, r"raise spec\.timeout"),
        ("", CommandFault.EXECUTION_TIMED_OUT, r"raise spec\.timeout"),
        ("soon", CommandFault.EXECUTION_TIMED_OUT, r"raise spec\.timeout"),
    ],
)
async def test_a_script_that_was_killed_early_is_not_said_to_have_taken_too_long(
    bench: Bench, elapsed: str, reason: CommandFault, advice: str
) -> None:
    bench.faults.answer(
        "GetCommandInvocation", Status="TimedOut", StatusDetails="ExecutionTimedOut", ExecutionElapsedTime=elapsed
    )
    with pytest.raises(TransportError, match=advice) as error:
        await bench.transport.result(
            bench.place(), NOWHERE, within=timedelta(minutes=1), time_limit=timedelta(seconds=60)
        )
    assert (error.value.reason, error.value.maybe_applied) == (reason, True)


async def test_a_question_that_failed_cancels_nothing(bench: Bench) -> None:
    bench.faults.refuse("GetCommandInvocation", "AccessDeniedException")
    with pytest.raises(TransportError) as error:
        await bench.transport.result(bench.place(), NOWHERE, within=timedelta(minutes=1))
    assert (error.value.is_unanswered, error.value.maybe_applied) == (True, True)
    assert bench.faults.calls == ["GetCommandInvocation"]


async def test_an_offline_node_ends_as_a_delivery_that_timed_out(bench: Bench) -> None:
    bench.behavior(offline=True, delivery_timeout=0.3)
    client = bench.client()
    sent = await client.send(apply("ann"))
    with pytest.raises(TransportError, match="SSM agent is connected") as error:
        await client.result(sent)
    assert (error.value.reason, error.value.maybe_applied) == (CommandFault.DELIVERY_TIMED_OUT, True)


async def test_many_first_calls_at_once_make_one_client(bench: Bench) -> None:
    made: list[boto3.Session] = []

    def count() -> boto3.Session:
        time.sleep(0.05)
        made.append(bench.site.access.session())
        return made[-1]

    transport = SsmTransport(endpoint_url=bench.site.endpoint, session_factory=count)
    place = bench.place(target=bench.by_tag())
    nodes = await asyncio.gather(*(transport.find_instance(place) for _ in range(10)))
    transport.close()
    assert (set(nodes), len(made)) == ({bench.node.instance_id}, 1)
