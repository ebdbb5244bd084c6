"""Which events travel from an account with workbenches to the operator: those that the mirror has a reader for.

Sources and detail types are the readers' own. Only state changes have to come; the others shorten the time in which a
lost event is not known. EC2's events cannot be filtered by tag, tag changes can.
"""

from dataclasses import dataclass
from typing import Any

from seatpool.api.workbench import SourceKind
from seatpool.mirror.messages import (
    scaling_action,
    scaling_termination,
    spot_interruption,
    state_change,
    tag_change,
    task_state_change,
)
from seatpool_infra.site import Site

_KINDS = (
    (state_change.SOURCE, state_change.DETAIL_TYPE),
    (spot_interruption.SOURCE, spot_interruption.DETAIL_TYPE),
    (scaling_action.SOURCE, scaling_action.DETAIL_TYPE),
    (scaling_termination.SOURCE, scaling_termination.DETAIL_TYPE),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """One EventBridge rule's pattern, and a name for the rule."""

    name: str
    description: str
    pattern: dict[str, Any]


def forwarded(site: Site) -> tuple[Pattern, ...]:
    """The rules on the default bus of an account with workbenches."""
    kinds = [*_KINDS, *_tasks(site), *_custom(site)]
    return (
        Pattern(
            name="Instances",
            description="Instances that start and stop, or are about to.",
            pattern=_of_kinds(kinds),
        ),
        Pattern(
            name="Tags",
            description="Instances whose owner or type was changed by tags.",
            pattern={
                "source": [tag_change.SOURCE],
                "detail-type": [tag_change.DETAIL_TYPE],
                "detail": {
                    "service": ["ec2"],
                    "resource-type": ["instance"],
                    "changed-tag-keys": list(site.tags.keys),
                },
            },
        ),
    )


def accepted(site: Site) -> Pattern:
    """The rule between the central bus and the queue. EventBridge itself writes the account into an event."""
    kinds = [*_KINDS, (tag_change.SOURCE, tag_change.DETAIL_TYPE), *_tasks(site), *_custom(site)]
    return Pattern(
        name="Accepted",
        description="Events of the accounts that are listed, for the operator's queue.",
        pattern={"account": sorted(each.account for each in site.workbenches), **_of_kinds(kinds)},
    )


def _tasks(site: Site) -> list[tuple[str, str]]:
    return [(task_state_change.SOURCE, task_state_change.DETAIL_TYPE)] if SourceKind.ECS in site.sources else []


def _custom(site: Site) -> list[tuple[str, str]]:
    return [(site.custom_events.source, site.custom_events.detail_type)] if site.custom_events else []


def _of_kinds(kinds: list[tuple[str, str]]) -> dict[str, Any]:
    return {
        "source": sorted({source for source, _ in kinds}),
        "detail-type": sorted({detail_type for _, detail_type in kinds}),
    }
