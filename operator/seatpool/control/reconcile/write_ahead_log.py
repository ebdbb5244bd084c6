"""The status of one LicenseServer as the write-ahead log of what is sent to it.

The protocol has three writes for a command: the intent (a new revision) before anything is sent, the command's id as soon as
SSM gives it, and the result. Each is a compare-and-swap on the version that was read *before* the lists were computed,
so of two operators only one can take a revision, and the fence on the license server refuses the other's older one.
"""

from collections.abc import Callable, Collection
from datetime import datetime

from seatpool.api.licenseserver import InFlight, LicenseServer, LicenseServerStatus, ProductState
from seatpool.cache.store import Raw
from seatpool.control.metrics import ControlMetrics
from seatpool.control.state.server_view import ServerView
from seatpool.control.status.server import server_status
from seatpool.control.status.writer import without_times
from seatpool.domain.errors import SeatpoolError
from seatpool.domain.instants import to_milliseconds
from seatpool.domain.listing import list_hash
from seatpool.kube.client import KubeClient
from seatpool.kube.errors import Conflict, NotFound
from seatpool.servers.commands import ListCommand

WRITE_ATTEMPTS = 10


class Superseded(SeatpoolError):
    """Another process has taken a newer revision: what this one knows of the lists is worth nothing any more."""


class WriteAheadLog:
    """The log of one LicenseServer: the one writer of its status."""

    def __init__(
        self,
        key: str,
        *,
        kube: KubeClient,
        holder: str,
        metrics: ControlMetrics,
        clock: Callable[[], datetime],
        written: Callable[[Raw], None],
    ) -> None:
        self._in_flight: InFlight | None = None
        self._namespace, self._name = key.split("/", 1)
        self._kube = kube
        self._holder = holder
        self._metrics = metrics
        self._clock = clock
        self._written = written
        self._server: LicenseServer | None = None
        self._version = ""
        self._revision: int | None = None

    async def open(self) -> tuple[LicenseServer, bool] | None:
        """Reads the LicenseServer; None: there is none. True: another process wrote a revision since the last read."""
        try:
            raw = await self._kube.get(LicenseServer, self._namespace, self._name)
        except NotFound:
            return None
        server = self._take(raw)
        foreign = self._revision is not None and server.status.revision != self._revision
        if self._revision is None or foreign:
            self._revision = server.status.revision
            self._in_flight = server.status.in_flight
        return server, foreign

    @property
    def revision(self) -> int:
        return self._revision or 0

    @property
    def in_flight(self) -> InFlight | None:
        """The command under way as the status says it, whichever process sent it."""
        return self._in_flight

    @property
    def command_id(self) -> str | None:
        """SSM's id of the command under way; None: there is none, or its id is not known."""
        return self._in_flight.command_id if self._in_flight is not None else None

    @property
    def knows_command(self) -> bool:
        """Whether a command is under way whose result can be asked for."""
        return self.command_id is not None

    def next_revision(self, floor: int) -> int:
        """Returns a revision higher than every one that was ever intended, and than every fence that was seen.

        `floor` is the highest fence: it is higher than the status if the status comes from a backup.
        """
        return max(self.revision, floor) + 1

    def command_ended(self) -> None:
        """Notes that no command is under way any more; `settle` writes it."""
        self._in_flight = None

    async def begin(self, command: ListCommand, view: ServerView, *, in_doubt: Collection[str]) -> None:
        """Writes ahead what is going to be sent.

        `in_doubt` are products that an earlier command may still change. Those that this command does not carry stay noted.
        Raises Conflict if the status is not the one that was read.
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
            products=(*carried, *_unknown(set(in_doubt) - set(command.names))),
        )
        await self._write(self._status(view, revision=command.revision, in_flight=intent))
        self._revision, self._in_flight = command.revision, intent

    async def record_command(self, command_id: str, instance_id: str, view: ServerView) -> None:
        """Notes the command's id, so that the next process waits for the command instead of guessing."""
        assert self._in_flight is not None  # noqa: S101
        self._in_flight = self._in_flight.model_copy(update={"command_id": command_id, "instance_id": instance_id})
        await self._insist(view)

    async def settle(self, view: ServerView, *, in_doubt: Collection[str]) -> None:
        """Writes the status at the end of a pass; nothing if the status says so already.

        A command whose result cannot be had stays in flight. Products in doubt stay noted as an intent without a command, so
        that the next process doubts them too.
        """
        assert self._server is not None  # noqa: S101
        if self._in_flight is None or self._in_flight.command_id is None:
            before = self._server.status.in_flight
            since = before.sent_at if before is not None else to_milliseconds(self._clock())
            left = InFlight(revision=self.revision, sent_at=since, products=_unknown(in_doubt))
            self._in_flight = left if in_doubt else None
        status = self._status(view, revision=self.revision, in_flight=self._in_flight)
        if without_times(status.wire()) != without_times(self._server.status.wire()):
            await self._insist(view)

    async def _insist(self, view: ServerView) -> None:
        """Writes although the object was changed meanwhile.

        Raises Superseded if it was its revision that changed.
        """
        for _ in range(WRITE_ATTEMPTS):
            try:
                await self._write(self._status(view, revision=self.revision, in_flight=self._in_flight))
                return
            except Conflict:
                current = self._take(await self._kube.get(LicenseServer, self._namespace, self._name))
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
        holder = self._holder if revision else self._server.status.holder
        return server_status(
            self._server,
            view,
            revision=revision,
            holder=holder,
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
        self._take(raw)

    def _take(self, raw: Raw) -> LicenseServer:
        self._server = LicenseServer.model_validate(raw)
        self._version = raw["metadata"]["resourceVersion"]
        self._written(raw)
        return self._server


def _unknown(products: Collection[str]) -> tuple[ProductState, ...]:
    return tuple(ProductState(product=product, hash="") for product in sorted(products))
