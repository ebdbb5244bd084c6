"""Lists that travel the whole way: command, document, script, client, and back."""

import pytest
from tests.integration.servers.conftest import Bench, apply

from seatpool.servers.command_result import Result
from seatpool.servers.commands import ListCommand
from seatpool.servers.errors import CommandFault, TransportError
from seatpool.servers.ssm.backend import SsmBackend
from seatpool.servers.ssm.transport import SsmTransport


async def test_a_list_is_applied_and_read_back(bench: Bench) -> None:
    client = bench.client()
    await client.result(await client.send(apply("zoe", revision=1)))
    report = await client.result(await client.send(apply("bob", "ann", revision=2)))
    assert report.products["vew"].result is Result.APPLIED
    assert report.products["vew"].users == ("ann", "bob")
    assert bench.node.host.users("vew") == ("ann", "bob")


async def test_an_agent_of_before_environment_variables_does_the_same(bench: Bench) -> None:
    bench.behavior(legacy=True)
    client = bench.client()
    assert (await client.result(await client.send(apply("ann")))).products["vew"].users == ("ann",)


async def test_five_thousand_users_go_there_and_back(bench: Bench) -> None:
    users = tuple(sorted(f"{n * 2654435761 % 2**61:016x}" for n in range(1, 5001)))
    client = bench.client()
    command = apply(*users)
    sent = await client.send(command)
    sends = bench.faults.calls.count("SendCommand")
    assert sends > 1
    assert (await client.result(sent, command=command)).products["vew"].users == users
    assert bench.faults.calls.count("SendCommand") == sends, "a list that is as commanded is not fetched"
    assert (await client.result(sent)).products["vew"].users == users
    assert bench.faults.calls.count("SendCommand") > sends


async def test_another_process_can_wait_for_what_was_sent(bench: Bench) -> None:
    bench.node.host.faults(sleep_apply="0.3")
    sent = await bench.client().send(apply("ann"))
    other = SsmTransport(endpoint_url=bench.site.endpoint, session_factory=bench.site.access.session)
    report = await SsmBackend(bench.spec(), other, name="default/main").result(sent)
    other.close()
    assert report.products["vew"].users == ("ann",)


async def test_lists_are_read_without_being_written(bench: Bench) -> None:
    bench.node.host.edit("vew", ["by", "hand"])
    client = bench.client()
    report = await client.result(await client.send(ListCommand(revision=0, owner="here", products=("vew", "other"))))
    assert report.products["vew"].users == ("by", "hand")
    assert report.products["vew"].result is Result.LISTED
    assert report.products["vew"].fence == 0


async def test_the_older_of_two_commands_that_run_in_the_wrong_order_loses(bench: Bench) -> None:
    bench.behavior(hold_for_next=10)
    client = bench.client()
    old, new = await client.send(apply("old", revision=1)), await client.send(apply("new", revision=2))
    assert (await client.result(new)).products["vew"].result is Result.APPLIED
    stale = (await client.result(old)).products["vew"]
    assert (stale.result, stale.fence, stale.users) == (Result.STALE, 2, ("new",))
    assert bench.node.host.users("vew") == ("new",)


async def test_a_document_that_somebody_changed_is_not_run(bench: Bench) -> None:
    content = bench.site.client("ssm").get_document(Name=bench.site.document_name)["Content"]
    bench.site.change_document(content.replace("set -u -f", "touch ~/owned; set -u -f"))
    with pytest.raises(TransportError, match="seatpool document") as error:
        await bench.client().send(apply("ann"))
    assert error.value.reason is CommandFault.DOCUMENT_CHANGED
    assert not error.value.maybe_applied
    assert not (bench.node.host.home / "owned").exists()


async def test_a_script_that_cannot_begin_says_why_and_nothing_was_applied(bench: Bench) -> None:
    (bench.node.host.home / "file").touch()
    client = bench.client(xlc={"stateDir": f"{bench.node.host.home}/file/state"})
    sent = await client.send(apply("ann"))
    with pytest.raises(TransportError, match="check stateDir") as error:
        await client.result(sent)
    assert (error.value.reason, error.value.maybe_applied) == (CommandFault.FAILED, False)


async def test_a_node_that_runs_nothing_is_bad_output(bench: Bench) -> None:
    bench.behavior(platform="Windows")
    client = bench.client()
    sent = await client.send(apply("ann"))
    with pytest.raises(TransportError, match="not the apply script's") as error:
        await client.result(sent)
    assert (error.value.reason, error.value.maybe_applied) == (CommandFault.BAD_OUTPUT, True)


async def test_a_script_that_was_killed_may_have_applied(bench: Bench) -> None:
    bench.node.host.faults(sleep_apply="10")
    bench.behavior(kill_after=0.2)
    client = bench.client()
    sent = await client.send(apply("ann"))
    with pytest.raises(TransportError) as error:
        await client.result(sent)
    assert (error.value.reason, error.value.maybe_applied) == (CommandFault.FAILED, True)


async def test_a_client_that_hangs_ends_with_the_execution_timeout(bench: Bench) -> None:
    bench.node.host.faults(sleep_apply="30")
    bench.behavior(execution_timeout=1)
    client = bench.client(timeout="5s")
    sent = await client.send(apply("ann"))
    with pytest.raises(TransportError) as error:
        await client.result(sent)
    assert error.value.maybe_applied


async def test_a_failed_fetch_after_an_apply_leaves_the_list_in_doubt(bench: Bench) -> None:
    users = tuple(f"{n * 2654435761 % 2**61:016x}" for n in range(1, 5001))
    client = bench.client()
    sent = await client.send(apply(*users))
    bench.faults.refuse("SendCommand", "InvalidInstanceId")
    with pytest.raises(TransportError) as error:
        await client.result(sent)
    assert (error.value.reason, error.value.maybe_applied) == (CommandFault.INVALID_INSTANCE, True)
    assert len(bench.node.host.users("vew")) == 5000


async def test_a_command_whose_reply_is_lost_is_in_doubt(bench: Bench) -> None:
    bench.behavior(mute=True, delivery_timeout=0.5, execution_timeout=0.5)
    client = bench.client()
    sent = await client.send(apply("ann"))
    with pytest.raises(TransportError, match="SSM agent is connected") as error:
        await client.result(sent)
    assert (error.value.reason, error.value.maybe_applied) == (CommandFault.DELIVERY_TIMED_OUT, True)
    assert bench.node.host.users("vew") == ("ann",)


@pytest.mark.parametrize(("spec", "sent"), [("1ms", "5"), ("7s", "7"), ("2d", "172800"), ("999999999d", "172800")])
async def test_the_time_limit_that_is_sent_is_one_that_agents_take(bench: Bench, spec: str, sent: str) -> None:
    client = bench.client(timeout=spec)
    command = (await client.send(apply("ann"))).command_id
    listed = bench.site.client("ssm").list_commands(CommandId=command)["Commands"][0]
    assert listed["Parameters"]["ExecutionTimeout"] == [sent]


async def test_a_command_can_be_cancelled(bench: Bench) -> None:
    bench.node.host.faults(sleep_apply="30")
    client = bench.client()
    sent = await client.send(apply("ann"))
    await client.cancel(sent)
    with pytest.raises(TransportError) as error:
        await client.result(sent)
    assert (error.value.reason, error.value.maybe_applied) == (CommandFault.CANCELLED, True)
