"""Parses message bodies. The envelope's source and detail-type select the reader."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from seatpool.api.workbench import SourceKind
from seatpool.domain.instants import after, to_milliseconds
from seatpool.mirror.config import MirrorConfig
from seatpool.mirror.messages import (
    hub_instance,
    hub_task,
    scaling_action,
    scaling_termination,
    spot_interruption,
    state_change,
    tag_change,
    task_state_change,
    workbench_event,
)
from seatpool.mirror.messages.envelope import Envelope, IgnoredMessage, RejectedMessage, read_envelope
from seatpool.mirror.messages.parsed import (
    Actionable,
    Askable,
    IgnoreReason,
    Irrelevant,
    KindName,
    Malformed,
    Parsed,
    RecheckRequest,
    RejectReason,
    StateReport,
)
from seatpool.mirror.regions import AccountRegion, ServedRegions
from seatpool.mirror.type_aliases import TypeAliases

Reader = Callable[[Envelope], StateReport | RecheckRequest]


class Registry:
    """Knows the readers of all kinds, and the accounts and regions whose messages are accepted."""

    def __init__(self, config: MirrorConfig, regions: ServedRegions, aliases: TypeAliases) -> None:
        self._regions = regions
        self._aliases = aliases
        self._future_tolerance = config.future_tolerance
        self._readers = _readers(config)

    def parse(self, body: str, *, now: datetime) -> Parsed:
        """Parses a message body. Never raises."""
        kind = KindName.UNKNOWN
        try:
            envelope = read_envelope(body)
            known = self._readers.get((envelope.source, envelope.detail_type))
            if known is None:
                return Irrelevant(kind, IgnoreReason.UNKNOWN_KIND)
            kind, read = known
            content = read(envelope)
            self._check(content)
        except RejectedMessage as rejected:
            return Malformed(kind, rejected.reason, rejected.detail, rejected.unknown)
        except IgnoredMessage as ignored:
            return Irrelevant(kind, ignored.reason)
        if isinstance(content, RecheckRequest):
            if self._is_future(content.at, now):
                content = replace(content, at=now, wait=timedelta(0), claimed_at=content.at)
            return Askable(kind, content)
        if self._is_future(content.at, now):
            content = replace(content, at=to_milliseconds(now), claimed_at=content.at)
        if content.type is not None:
            content = replace(content, type=self._aliases.resolve(content.type))
        return Actionable(kind, content)

    def _is_future(self, at: datetime, now: datetime) -> bool:
        return at > after(now, self._future_tolerance)

    def _check(self, content: StateReport | RecheckRequest) -> None:
        key = AccountRegion(content.account, content.region)
        if self._regions.find(key) is None:
            raise RejectedMessage(
                RejectReason.UNKNOWN_ACCOUNT,
                f"account {key.account} region {key.region} is not configured; add it to mirror.accounts, "
                "or stop forwarding its events",
                unknown=key,
            )


def _readers(config: MirrorConfig) -> dict[tuple[str, str], tuple[KindName, Reader]]:
    read_tag_change = tag_change.tag_change_reader(tags=frozenset(config.tags.keys), lag=config.describe_lag)
    readers: dict[tuple[str, str], tuple[KindName, Reader]] = {
        (state_change.SOURCE, state_change.DETAIL_TYPE): (KindName.STATE_CHANGE, state_change.read_state_change),
        (tag_change.SOURCE, tag_change.DETAIL_TYPE): (KindName.TAG_CHANGE, read_tag_change),
        (spot_interruption.SOURCE, spot_interruption.DETAIL_TYPE): (
            KindName.SPOT_INTERRUPTION,
            spot_interruption.read_spot_interruption,
        ),
        (scaling_action.SOURCE, scaling_action.DETAIL_TYPE): (
            KindName.SCALING_ACTION,
            scaling_action.read_scaling_action,
        ),
        (scaling_termination.SOURCE, scaling_termination.DETAIL_TYPE): (
            KindName.SCALING_TERMINATION,
            scaling_termination.read_scaling_termination,
        ),
        **{
            (source, hub_instance.DETAIL_TYPE): (KindName.HUB_INSTANCE, hub_instance.read_hub_instance)
            for source in (hub_instance.SOURCE, *config.hub_sources)
        },
        (config.custom_source, config.custom_detail_type): (KindName.WORKBENCH, workbench_event.read_workbench_event),
    }
    if SourceKind.ECS in config.sources:
        readers[task_state_change.SOURCE, task_state_change.DETAIL_TYPE] = (
            KindName.TASK_STATE_CHANGE,
            task_state_change.read_task_state_change,
        )
        for source in (hub_task.SOURCE, *config.hub_sources):
            readers[source, hub_task.DETAIL_TYPE] = (KindName.HUB_TASK, hub_task.read_hub_task)
    return readers
