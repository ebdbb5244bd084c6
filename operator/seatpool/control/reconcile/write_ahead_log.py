"""Uses the status of a LicenseServer as the write-ahead log of its commands.

The protocol has three writes for a command:

1. the intent: a new revision, before anything is sent,
2. the id of the command, as soon as SSM returns it,
3. the result.

Each is a compare-and-swap on the version that was read *before* the lists were computed. So of two operators only one can get a
revision. The fence on the license server refuses the other's older one.
"""

from collections.abc import Callable, Collection
from datetime import datetime

from pydantic import ValidationError

from seatpool.api.licenseserver import InFlight, LicenseServer, LicenseServerStatus, OperatorStatus, ProductState
from seatpool.api.problems import problem_of
from seatpool.cache.store import Raw
from seatpool.control.metrics import ControlMetrics
from seatpool.control.state.server_view import ServerView
from seatpool.control.status.server import server_status
from seatpool.control.status.writer import without_times
from seatpool.domain.errors import SeatpoolError
from seatpool.domain.instants import to_milliseconds
from seatpool.domain.list_hash import list_hash
from seatpool.kube.client import KubeClient
from seatpool.kube.errors import Conflict, NotFound
from seatpool.servers.commands import ListCommand

WRITE_ATTEMPTS = 10


class Superseded(SeatpoolError):
    """Another process wrote a newer revision. What this process knows of the lists is out of date."""


class UnreadableServer(Superseded):
    """The LicenseServer was changed so that it cannot be read any more. Nothing is done for it until it is mended."""


class WriteAheadLog:
    """Reads and writes the status of one LicenseServer. It is the only writer of that status while it can be read."""

    def __init__(
        self,
        key: str,
        *,
        kube: KubeClient,
        operator: Callable[[], OperatorStatus],
        metrics: ControlMetrics,
        clock: Callable[[], datetime],
        on_written: Callable[[Raw], None],
    ) -> None:
        self._in_flight: InFlight | None = None
        self._namespace, self._name = key.split("/", 1)
        self._kube = kube
        self._operator = operator
        self._metrics = metrics
        self._clock = clock
        self._on_written = on_written
        self._server: LicenseServer | None = None
        self._version = ""
        self._revision: int | None = None

    async def open(self) -> tuple[LicenseServer, bool] | None:
        """Reads the LicenseServer. None: it does not exist, or cannot be read. Raises KubeError.

        The second value is true if another process wrote a revision since the last read.
        """
        try:
            raw = await self._kube.get(LicenseServer, self._namespace, self._name)
            server = self._record_read(raw)
        except (NotFound, UnreadableServer):
            return None
        foreign = self._revision is not None and server.status.revision != self._revision
        if self._revision is None or foreign:
            self._revision = server.status.revision
            self._in_flight = server.status.in_flight
        return server, foreign

    @property
    def revision(self) -> int:
        """The highest revision that was ever intended. 0: none was."""
        return self._revision or 0

    @property
    def in_flight(self) -> InFlight | None:
        """The command in flight as the status has it, whichever process sent it. None: none is in flight."""
        return self._in_flight

    @property
    def command_id(self) -> str | None:
        """SSM's id of the command in flight. None: none is in flight, or its id is not known."""
        return self._in_flight.command_id if self._in_flight is not None else None

    @property
    def has_command(self) -> bool:
        """Whether a command is in flight whose result can be requested."""
        return self.command_id is not None

    def next_revision(self, floor: int) -> int:
        """Returns a revision that is higher than every intended one and every observed fence.

        `floor`: the highest observed fence. It is higher than the status if the status comes from a backup.
        """
        return max(self.revision, floor) + 1

    def command_ended(self) -> None:
        """Records that no command is in flight any more. `settle` writes it."""
        self._in_flight = None

    async def begin(self, command: ListCommand, view: ServerView, *, in_doubt: Collection[str]) -> None:
        """Writes the intent: what is going to be sent.

        `in_doubt`: products that an earlier command may still change. Those that this command does not carry stay in the
        intent. Raises Conflict if the status was changed since it was read, and KubeError.
        """
        carried = [
            ProductState(
                product=change.product, hash=list_hash(change.users), count=len(change.users), revision=command.revision
            )
            for change in command.changes
        ]
        intent = InFlight(
            revision=command.revision,
            sent_at=to_milliseconds(self._clock()),
            products=(*carried, *_in_doubt_states(set(in_doubt) - set(command.names))),
        )
        await self._write(self._status(view, revision=command.revision, in_flight=intent))
        self._revision, self._in_flight = command.revision, intent

    async def record_command(self, command_id: str, instance_id: str, view: ServerView) -> None:
        """Writes the id of the command, so that the next process can wait for its result. Raises KubeError."""
        assert self._in_flight is not None  # noqa: S101
        self._in_flight = self._in_flight.model_copy(update={"command_id": command_id, "instance_id": instance_id})
        await self._write_again(view)

    async def settle(self, view: ServerView, *, in_doubt: Collection[str]) -> None:
        """Writes the status at the end of a pass, if it changed. Raises Superseded and KubeError.

        A command without a result stays in flight. Products in doubt stay in an intent without a command, so that they are in
        doubt for the next process too.
        """
        assert self._server is not None  # noqa: S101
        if self._in_flight is None or self._in_flight.command_id is None:
            before = self._server.status.in_flight
            since = before.sent_at if before is not None else to_milliseconds(self._clock())
            remaining = InFlight(revision=self.revision, sent_at=since, products=_in_doubt_states(in_doubt))
            self._in_flight = remaining if in_doubt else None
        status = self._status(view, revision=self.revision, in_flight=self._in_flight)
        if without_times(status.wire()) != without_times(self._server.status.wire()):
            await self._write_again(view)

    async def _write_again(self, view: ServerView) -> None:
        """Writes the status. If the object was changed meanwhile, reads it and writes again, 10 times at most.

        Raises Superseded if its revision was changed.
        """
        for _ in range(WRITE_ATTEMPTS):
            try:
                await self._write(self._status(view, revision=self.revision, in_flight=self._in_flight))
                return
            except Conflict:
                current = self._record_read(await self._kube.get(LicenseServer, self._namespace, self._name))
                if current.status.revision != self.revision:
                    raise Superseded(
                        f"LicenseServer {self._namespace}/{self._name}: revision {current.status.revision} was written by "
                        f"{current.status.holder} after our {self.revision}; the lists are computed and applied anew"
                    ) from None
        raise Conflict(
            status=409,
            reason="Conflict",
            message=f"changed {WRITE_ATTEMPTS} times while it was written",
            what=self._name,
        )

    def _status(self, view: ServerView, *, revision: int, in_flight: InFlight | None) -> LicenseServerStatus:
        assert self._server is not None  # noqa: S101
        operator = self._operator()
        holder = operator.holder if revision else self._server.status.holder
        return server_status(
            self._server,
            view,
            revision=revision,
            holder=holder,
            operator=operator,
            in_flight=in_flight,
            now=to_milliseconds(self._clock()),
        )

    async def _write(self, status: LicenseServerStatus) -> None:
        self._metrics.writes.labels("licenseserver_status").inc()
        raw = await self._kube.apply(
            LicenseServer,
            self._namespace,
            self._name,
            {"metadata": {"resourceVersion": self._version}, "status": status.wire()},
            status=True,
        )
        self._record_read(raw)

    def _record_read(self, raw: Raw) -> LicenseServer:
        self._on_written(raw)
        try:
            self._server = LicenseServer.model_validate(raw)
        except ValidationError as error:
            raise UnreadableServer(f"LicenseServer {self._namespace}/{self._name}: {problem_of(error)}") from error
        self._version = raw["metadata"]["resourceVersion"]
        return self._server


def _in_doubt_states(products: Collection[str]) -> tuple[ProductState, ...]:
    return tuple(ProductState(product=product, hash="") for product in sorted(products))
