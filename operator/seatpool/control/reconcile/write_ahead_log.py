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
from seatpool.control.status.server import ServerView, server_status
from seatpool.control.status.writer import without_times
from seatpool.domain.errors import SeatpoolError
from seatpool.domain.instants import to_milliseconds
from seatpool.domain.listing import list_hash
from seatpool.kube.client import KubeClient
from seatpool.kube.errors import Conflict, NotFound
from seatpool.servers.commands import ListCommand

WRITE_ATTEMPTS = 10


class Superseded(SeatpoolError):
    """Another process has taken a newer revision: what we know of the lists is worth nothing any more."""


class WriteAheadLog:
    """One LicenseServer's status."""

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
        self.in_flight: InFlight | None = None
        """The command under way as the status says it, whoever sent it."""
        self._namespace, self._name = key.split("/", 1)
        self._kube = kube
        self._holder = holder
        self._metrics = metrics
        self._clock = clock
        self._written = written
        self._server: LicenseServer | None = None
        self._version = ""
        self._revision: int | None = None
        self._floor = 0

    async def open(self) -> tuple[LicenseServer, bool] | None:
        """Read it; None when there is none. True says that somebody else wrote a revision since we last looked."""
        try:
            raw = await self._kube.get(LicenseServer, self._namespace, self._name)
        except NotFound:
            return None
        server = self._take(raw)
        foreign = self._revision is not None and server.status.revision != self._revision
        if self._revision is None or foreign:
            self._revision = server.status.revision
            self.in_flight = server.status.in_flight
        return server, foreign

    @property
    def revision(self) -> int:
        return self._revision or 0

    @property
    def next_revision(self) -> int:
        """Higher than every revision that was ever intended, and than every fence that was seen."""
        return max(self.revision, self._floor) + 1

    def raise_floor(self, fence: int) -> None:
        """A fence was found that is higher than the status knows: the status comes from a backup."""
        self._floor = max(self._floor, fence)

    async def intend(self, command: ListCommand, view: ServerView, *, doubted: Collection[str]) -> None:
        """Write ahead what is going to be sent. Conflict when the status is not the one that was read.

        `doubted` are products that an earlier command may still change; those that this one does not carry stay noted.
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
            products=(*carried, *_unknown(set(doubted) - set(command.names))),
        )
        await self._write(self._status(view, revision=command.revision, in_flight=intent))
        self._revision, self.in_flight = command.revision, intent

    async def sent(self, command_id: str, instance_id: str, view: ServerView) -> None:
        """Note the command's id, so that whoever comes after us waits for it instead of guessing."""
        assert self.in_flight is not None  # noqa: S101
        self.in_flight = self.in_flight.model_copy(update={"command_id": command_id, "instance_id": instance_id})
        await self._insist(view)

    async def settle(self, view: ServerView, *, doubted: Collection[str]) -> None:
        """Write how things stand; nothing when that is what the status says already.

        A command that could not be asked for stays in flight, and doubted products stay noted as an intent without a
        command, so that the next process doubts them too.
        """
        assert self._server is not None  # noqa: S101
        if self.in_flight is None or self.in_flight.command_id is None:
            before = self._server.status.in_flight
            since = before.sent_at if before is not None else to_milliseconds(self._clock())
            left = InFlight(revision=self.revision, sent_at=since, products=_unknown(doubted))
            self.in_flight = left if doubted else None
        status = self._status(view, revision=self.revision, in_flight=self.in_flight)
        if without_times(status.wire()) != without_times(self._server.status.wire()):
            await self._insist(view)

    async def _insist(self, view: ServerView) -> None:
        """Write although somebody changed the object meanwhile, unless it was its revision."""
        for _ in range(WRITE_ATTEMPTS):
            try:
                await self._write(self._status(view, revision=self.revision, in_flight=self.in_flight))
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
