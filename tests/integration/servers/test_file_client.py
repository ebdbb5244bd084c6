"""Lists in files that travel the whole way: two commands for each write, and what is known when one of them fails."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.integration.servers.conftest import Bench, apply

from seatpool.servers.command_result import Result
from seatpool.servers.commands import ListCommand
from seatpool.servers.errors import CommandFault, TransportError
from seatpool.servers.ssm.backend import SsmBackend
from seatpool.servers.ssm.transport import SsmTransport


@dataclass(frozen=True)
class OptionsFile:
    """The options file on the node."""

    path: Path

    @property
    def text(self) -> bytes:
        return self.path.read_bytes()

    def save(self, text: bytes) -> None:
        self.path.write_bytes(text)


@pytest.fixture
def options(bench: Bench) -> OptionsFile:
    file = OptionsFile(bench.node.host.home / "vendor.opt")
    file.save(b"TIMEOUTALL 900\n")
    return file


def client(bench: Bench, options: OptionsFile, *, state_dir: str | None = None) -> SsmBackend:
    state_dir = state_dir or bench.node.host.state_dir
    return bench.client(flexnet={"optionsFile": str(options.path), "reread": [], "stateDir": state_dir})


async def test_a_write_is_two_commands_and_a_read_is_one(bench: Bench, options: OptionsFile) -> None:
    backend = client(bench, options)
    result = await backend.result(await backend.send(apply("ann")))
    assert (result.products["vew"].result, result.products["vew"].users) == (Result.APPLIED, ("ann",))
    assert bench.faults.calls.count("SendCommand") == 2
    result = await backend.result(await backend.send(ListCommand(revision=1, owner="here", products=("vew",))))
    assert (result.products["vew"].result, result.products["vew"].users) == (Result.LISTED, ("ann",))
    assert bench.faults.calls.count("SendCommand") == 3


async def test_another_process_can_ask_for_the_result_of_a_write(bench: Bench, options: OptionsFile) -> None:
    sent = await client(bench, options).send(apply("ann"))
    other = SsmTransport(endpoint_url=bench.site.endpoint, session_factory=bench.site.access.session)
    spec = bench.spec(flexnet={"optionsFile": str(options.path), "stateDir": bench.node.host.state_dir})
    result = await SsmBackend(spec, other, name="default/main").result(sent)
    other.close()
    assert result.products["vew"].users == ("ann",)


async def test_a_file_that_changes_between_the_two_commands_is_left_alone(bench: Bench, options: OptionsFile) -> None:
    backend, adapter = client(bench, options), client(bench, options)._adapter
    reading = adapter.reading(apply("ann"))
    assert reading is not None
    read = await backend._run(reading, comment="read")
    options.save(b"TIMEOUTALL 60\n")
    (write,) = adapter.parameters(apply("ann"), [read])
    result = await backend.result(await backend._send(write, comment="write"), command=apply("ann"))
    assert (result.products["vew"].result, result.products["vew"].users) == (Result.CHANGED, ())
    assert options.text == b"TIMEOUTALL 60\n"


async def test_nothing_is_in_doubt_if_the_file_could_not_be_read_first(bench: Bench, options: OptionsFile) -> None:
    bench.faults.refuse("SendCommand", "InvalidInstanceId")
    with pytest.raises(TransportError) as error:
        await client(bench, options).send(apply("ann"))
    assert (error.value.reason, error.value.maybe_applied) == (CommandFault.INVALID_INSTANCE, False)
    bench.behavior(mute=True, delivery_timeout=0.5, execution_timeout=0.5)
    with pytest.raises(TransportError) as error:
        await client(bench, options).send(apply("ann"))
    assert (error.value.reason, error.value.maybe_applied) == (CommandFault.DELIVERY_TIMED_OUT, False)
    bench.behavior(platform="Windows")
    with pytest.raises(TransportError, match="not the apply script's") as error:
        await client(bench, options).send(apply("ann"))
    assert (error.value.reason, error.value.maybe_applied) == (CommandFault.BAD_OUTPUT, False)
    assert options.text == b"TIMEOUTALL 900\n"


async def test_a_state_folder_that_cannot_be_made_is_told_before_anything_is_written(
    bench: Bench, options: OptionsFile
) -> None:
    with pytest.raises(TransportError, match="check stateDir") as error:
        await client(bench, options, state_dir=f"{options.path}/state").send(apply("ann"))
    assert (error.value.reason, error.value.maybe_applied) == (CommandFault.FAILED, False)


async def test_an_agent_of_before_environment_variables_does_the_same(bench: Bench, options: OptionsFile) -> None:
    bench.behavior(legacy=True)
    options.save(b"# $HOME `id` \\ caf\xe9 '\"\n")
    backend = client(bench, options)
    assert (await backend.result(await backend.send(apply("ann")))).products["vew"].users == ("ann",)
    assert options.text.startswith(b"# $HOME `id` \\ caf\xe9 '\"\n# BEGIN seatpool vew\n")
