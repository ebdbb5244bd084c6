"""Notices to send, and a receiver whose moods are set by hand."""

from collections.abc import Sequence
from datetime import UTC, datetime

from seatpool.notify.notices import Notice, SeatAssigned, notice_id
from seatpool.notify.outbox import NotDelivered

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def assigned(user: str) -> SeatAssigned:
    return SeatAssigned(
        id=notice_id(user), at=NOW, installation="ours", pool="lab/matlab", product="matlab", server="lab/licenses",
        user=user, reason="Granted", since=NOW, revision=7,
    )  # fmt: skip


class Receiver:
    """Takes notices, or not."""

    name = "receiver"
    batch = 3

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.calls = 0
        self.is_away = False
        self.refuses: set[str] = set()
        self.closed = False

    async def send(self, notices: Sequence[Notice]) -> Sequence[Notice]:
        self.calls += 1
        if self.is_away:
            raise NotDelivered("receiver: away")
        users = [notice for notice in notices if isinstance(notice, SeatAssigned)]
        self.taken += [notice.user for notice in users if notice.user not in self.refuses]
        return [notice for notice in users if notice.user in self.refuses]

    async def close(self) -> None:
        self.closed = True
