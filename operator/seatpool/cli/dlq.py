"""Runs `seatpool dlq`: lists, moves back and deletes the messages in the dead-letter queue.

The settings come from the operator's own file. So a message is judged here as the operator judges it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from seatpool.cli.command_classes import ListOption, RenamedOptions
from seatpool.cli.no_headers import NoHeaders, refuse_no_headers
from seatpool.domain.errors import SeatpoolError
from seatpool.terminal.say import json_text, say

if TYPE_CHECKING:
    from seatpool.mirror.queue.dead_letters import DeadLetter, DeadLetters
    from seatpool.mirror.queue.redrive_task import RedriveProgress, RedriveTask

app = typer.Typer(
    name="dlq",
    help="Messages that the operator could not take: look at them, move them back, or delete them.",
    no_args_is_help=True,
)

Config = Annotated[Path | None, typer.Option("--config", "-c", help="YAML file with the operator's settings.")]
Queue = Annotated[
    str | None, typer.Option(help="The queue of the events (not the dead-letter queue): URL, ARN or name.")
]
Region = Annotated[str | None, typer.Option("--queue-region", help="Region of the queue, when only its name is given.")]
Endpoint = Annotated[str | None, typer.Option("--endpoint-url", help="Another AWS endpoint, for a stand-in.")]
Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Message ids, as `list` shows them.")]
Reason = Annotated[str | None, typer.Option(help="Only messages with this reason, as `list` shows it.")]
OutputFormat = Annotated[
    ListOption, typer.Option("--output", "-o", help="How the messages are printed; json is one object a line.")
]


class ListCommand(RenamedOptions):
    """Takes the old name of `-o json`."""

    renamed: ClassVar[Mapping[str, str]] = {"--json": "-o json"}


@app.command("list", cls=ListCommand)
def list_(
    *,
    reason: Reason = None,
    limit: Annotated[int, typer.Option(help="Show at most so many.", min=1)] = 100,
    output: OutputFormat = ListOption.TABLE,
    no_headers: NoHeaders = False,
    config: Config = None,
    queue: Queue = None,
    queue_region: Region = None,
    endpoint_url: Endpoint = None,
) -> None:
    """Show what is in the dead-letter queue and why. Messages stay there."""
    refuse_no_headers(no_headers, is_table=output is ListOption.TABLE)

    async def work(letters: "DeadLetters", _: "RedriveTask") -> None:
        found: list[DeadLetter] = []
        async with letters.walk() as every:
            async for one in every:
                if reason in (None, one.reason):
                    found.append(one)
                    if len(found) == limit:
                        break
        depth = await letters.depth()
        if output is ListOption.JSON:
            for one in found:
                say(json_text(_plain(one), indent=None))
            return
        _print_table(found, headers=not no_headers)
        say(f"{len(found)} shown, about {depth} in {letters.url}")

    _run(work, config=config, queue=queue, queue_region=queue_region, endpoint_url=endpoint_url)


@app.command()
def show(
    message_id: Annotated[
        str, typer.Argument(metavar="ID", help="Message id, as `list` shows it; its beginning is enough.")
    ],
    *,
    config: Config = None,
    queue: Queue = None,
    queue_region: Region = None,
    endpoint_url: Endpoint = None,
) -> None:
    """Show one message whole, with everything that could deceive a terminal escaped."""

    async def work(letters: "DeadLetters", _: "RedriveTask") -> None:
        async with letters.walk() as every:
            async for one in every:
                if one.id.startswith(message_id):
                    for name, value in _plain(one).items():
                        say(f"{name + ':':<12} {value}")
                    say(_escaped(one.body))
                    return
        raise SeatpoolError(f"message {message_id}: not in {letters.url}; see `seatpool dlq list`")

    _run(work, config=config, queue=queue, queue_region=queue_region, endpoint_url=endpoint_url)


@app.command()
def redrive(
    message_ids: Ids = None,
    *,
    reason: Reason = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also those that are not understood now; they will come back.")
    ] = False,
    config: Config = None,
    queue: Queue = None,
    queue_region: Region = None,
    endpoint_url: Endpoint = None,
) -> None:
    """Move messages back to where they came from. Without more, those that the operator would understand now.

    Doing it twice does no harm: an event that was handled before changes nothing.
    """

    async def work(letters: "DeadLetters", task: "RedriveTask") -> None:
        if everything and not message_ids and reason is None:
            ended = await task.redrive_all(on_progress=lambda progress: say(f"{progress.moved} moved so far"))
            if ended is not None:
                say(_progress_text(ended))
                return
            say("SQS does not move them by itself here; message by message instead")
        moved, left = 0, 0
        async with letters.walk() as every:
            async for one in every:
                named = one.id in message_ids if message_ids else reason in (None, one.reason)
                if named and (everything or message_ids or one.understood):
                    await letters.move_back([one])
                    moved += 1
                else:
                    left += named
        say(f"{moved} moved back" + (f", {left} left that would not be understood now (--all)" if left else ""))

    _run(work, config=config, queue=queue, queue_region=queue_region, endpoint_url=endpoint_url)


@app.command()
def purge(
    message_ids: Ids = None,
    *,
    reason: Reason = None,
    everything: Annotated[bool, typer.Option("--all", help="Delete everything in the dead-letter queue.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: Config = None,
    queue: Queue = None,
    queue_region: Region = None,
    endpoint_url: Endpoint = None,
) -> None:
    """Delete messages for good: those named by id, those with a reason, or all."""
    if sum((bool(message_ids), reason is not None, everything)) != 1:
        raise SeatpoolError("dlq purge: say what to delete: message ids, or --reason, or --all")

    async def work(letters: "DeadLetters", _: "RedriveTask") -> None:
        if everything:
            depth = await letters.depth()
            if not yes:
                typer.confirm(f"Delete all of about {depth} messages in {letters.url}?", abort=True)
            await letters.delete_all()
            say(f"about {depth} deleted")
            return
        if not yes:
            typer.confirm(f"Delete messages in {letters.url}?", abort=True)
        deleted = 0
        async with letters.walk() as every:
            async for one in every:
                if one.id in (message_ids or ()) or (reason is not None and one.reason == reason):
                    await letters.delete([one])
                    deleted += 1
        say(f"{deleted} deleted")

    _run(work, config=config, queue=queue, queue_region=queue_region, endpoint_url=endpoint_url)


def _run(
    work: Callable[["DeadLetters", "RedriveTask"], Awaitable[None]],
    *,
    config: Path | None,
    queue: str | None,
    queue_region: str | None,
    endpoint_url: str | None,
) -> None:
    from seatpool.aws.errors import AWS_ERRORS, describe_error

    given = {"queue": queue, "region": queue_region, "endpoint_url": endpoint_url}
    flags = {name: value for name, value in given.items() if value is not None}

    async def all_of_it() -> None:
        async with _opened(config, flags) as (letters, task):
            await work(letters, task)

    try:
        asyncio.run(all_of_it())
    except AWS_ERRORS as error:
        raise SeatpoolError(f"dead-letter queue: {describe_error(error)}") from error


@asynccontextmanager
async def _opened(config: Path | None, flags: dict[str, str]) -> AsyncIterator[tuple["DeadLetters", "RedriveTask"]]:
    from datetime import UTC, datetime

    from seatpool.mirror.aws_clients import AwsClients, Purpose
    from seatpool.mirror.messages.registry import Registry
    from seatpool.mirror.queue.dead_letters import DeadLetters
    from seatpool.mirror.queue.redrive_task import RedriveTask
    from seatpool.mirror.queue.sqs_queue import EventQueue
    from seatpool.mirror.regions import ServedRegions
    from seatpool.mirror.type_aliases import TypeAliases
    from seatpool.settings.settings import load_settings

    mirror = load_settings(file=config, flags={"mirror": flags} if flags else {}).mirror
    if mirror.queue is None:
        raise SeatpoolError("mirror.queue: it is not set; name the queue with --queue, or the file with --config")
    registry = Registry(mirror, ServedRegions(mirror), TypeAliases(mirror.type_aliases))
    clients = AwsClients(mirror)
    try:
        queue = EventQueue(mirror, clients)
        letters = DeadLetters(queue, clients, parse=lambda body: registry.parse(body, now=datetime.now(UTC)))
        await letters.open()
        task = RedriveTask(
            client=clients.sqs(region=queue.region, purpose=Purpose.QUEUE),
            clients=clients,
            source_arn=letters.arn,
            destination_arn=await letters.source_arn(),
        )
        yield letters, task
    finally:
        clients.close()


def _plain(letter: "DeadLetter") -> dict[str, Any]:
    return {
        "id": letter.id,
        "sent": letter.first_sent.isoformat(timespec="seconds"),
        "kind": letter.kind,
        "reason": _escaped(letter.reason),
        "recorded": letter.recorded,
        "understood": letter.understood,
        "detail": _escaped(letter.detail),
    }


def _escaped(text: str) -> str:
    """Escapes every character that could deceive a terminal."""
    return text if text.isascii() and text.isprintable() else ascii(text)[1:-1]


def _print_table(letters: "list[DeadLetter]", *, headers: bool) -> None:
    """Prints aligned columns and cuts nothing, because a shortened id is of no use."""
    rows = [("ID", "SENT", "KIND", "REASON", "NOW", "DETAIL")] if headers else []
    for one in letters:
        plain = _plain(one)
        now = "understood" if one.understood else "refused"
        rows.append((one.id, plain["sent"], one.kind, plain["reason"], now, plain["detail"]))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        say("  ".join(cells).rstrip())


def _progress_text(progress: "RedriveProgress") -> str:
    return f"{progress.status.lower()}: {progress.moved} moved back" + (
        f"; {progress.failure}" if progress.failure else ""
    )
