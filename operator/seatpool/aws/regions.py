"""Tells what botocore knows of AWS regions: their names, and the host name suffix of each partition."""

from functools import cache
from typing import Any

from botocore.loaders import Loader

_LETTERS_AND_DIGITS = {r"\w": "[a-z0-9]", r"\d": "[0-9]", r"\-": "-"}
"""Host names are ASCII and in lower case. `\\w` and `\\d` also match other scripts."""


@cache
def partitions() -> tuple[dict[str, Any], ...]:
    """Returns botocore's own table of partitions."""
    return tuple(Loader().load_data("partitions")["partitions"])


def region_names() -> tuple[str, ...]:
    """Returns every region that botocore names, without the pseudo-regions of global services."""
    return tuple(
        region for partition in partitions() for region in partition["regions"] if not region.endswith("-global")
    )


def region_pattern() -> str:
    """Returns one pattern for the regions of all partitions, also for those that are opened later."""
    patterns = sorted(partition["regionRegex"].removeprefix("^").removesuffix("$") for partition in partitions())
    for shorthand, meaning in _LETTERS_AND_DIGITS.items():
        patterns = [pattern.replace(shorthand, meaning) for pattern in patterns]
    return f"^({'|'.join(patterns)})$"


def dns_suffix(region: str) -> str:
    """Returns the suffix of host names in the region's partition. Raises KeyError: no partition has the region."""
    import botocore.session

    name = botocore.session.get_session().get_partition_for_region(region)
    return next(str(one["outputs"]["dnsSuffix"]) for one in partitions() if one["id"] == name)
