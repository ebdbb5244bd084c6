"""Refuses a changed file that lost many of its entries: a failed export looks like everybody leaving.

A restart takes such a file over, and so does a higher `reload.max_loss_percent`.
"""

from collections.abc import Mapping

from seatpool.settings.settings import InvalidSettings, Settings


def check_losses(before: Settings, after: Settings) -> None:
    """Raises InvalidSettings if a mapping lost more than its share since it was last taken over."""
    limit = after.reload.max_loss_percent
    _check("identity.mapping and mapping_file", before.identity.mapping, after.identity.mapping, limit=limit)
    _check("mirror.type_aliases", before.mirror.type_aliases, after.mirror.type_aliases, limit=limit)


def _check(name: str, before: Mapping[str, str], after: Mapping[str, str], *, limit: int) -> None:
    """One entry may always be lost, because a small mapping has no smaller change. All entries never may."""
    lost = sum(after.get(key) != value for key, value in before.items())
    is_small_change = lost == 1 and bool(after)
    if lost and not is_small_change and lost * 100 > limit * len(before):
        raise InvalidSettings(
            f"{name}: {lost} of {len(before)} entries are gone or changed, more than reload.max_loss_percent ({limit}) allows "
            "while the operator runs; write the lost entries again, or restart the operator if the change is meant"
        )
