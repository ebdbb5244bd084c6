"""From a message body to what it means, by the envelope's source and detail-type."""

from collections.abc import Callable
from datetime import datetime

from seatpool.mirror.config import MirrorConfig
from seatpool.mirror.messages import state_change
from seatpool.mirror.messages.envelope import Envelope, Flawed, read_envelope
from seatpool.mirror.messages.outcome import (
    Actionable,
    Flaw,
    Hint,
    Irrelevance,
    Irrelevant,
    KindName,
    Malformed,
    Parsed,
)
from seatpool.mirror.messages.state_change import read_state_change
from seatpool.mirror.messages.workbench_event import read_workbench_event
from seatpool.mirror.sources import Sources

Reader = Callable[[Envelope], Hint]


class Registry:
    """The kinds that are understood, and the accounts and regions whose messages are taken."""

    def __init__(self, config: MirrorConfig, sources: Sources) -> None:
        self._sources = sources
        self._future_tolerance = config.future_tolerance
        self._readers: dict[tuple[str, str], tuple[KindName, Reader]] = {
            (state_change.SOURCE, state_change.DETAIL_TYPE): (KindName.STATE_CHANGE, read_state_change),
            (config.custom_source, config.custom_detail_type): (KindName.WORKBENCH, read_workbench_event),
        }

    def parse(self, body: str, *, now: datetime) -> Parsed:
        """Never raises."""
        kind = KindName.UNKNOWN
        try:
            envelope = read_envelope(body)
            known = self._readers.get((envelope.source, envelope.detail_type))
            if known is None:
                return Irrelevant(kind, Irrelevance.UNKNOWN_KIND)
            kind, read = known
            hint = read(envelope)
            self._check(hint, now)
        except Flawed as flawed:
            return Malformed(kind, flawed.flaw, flawed.detail)
        return Actionable(kind, hint)

    def _check(self, hint: Hint, now: datetime) -> None:
        if self._sources.find(hint.account, hint.region) is None:
            raise Flawed(
                Flaw.UNKNOWN_ACCOUNT,
                f"account {hint.account} region {hint.region} is not configured; add it to mirror.accounts, "
                "or stop forwarding its events",
            )
        if hint.at > now + self._future_tolerance:
            raise Flawed(Flaw.FUTURE_TIME, f"field time: {hint.at.isoformat()} is in the future; the clock says {now}")
