"""Which requests make a list what it should be. Pure."""

from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest

from seatpool.servers.direct.target import Mark, MemberChange


def changes(
    present: Sequence[str], wanted: Sequence[str], *, mark: Mark, largest: int | None, placeholder: bool
) -> tuple[MemberChange, ...]:
    """Returns the requests that turn `present` into `wanted`. Both are references.

    `largest`: entries that one request can change; None: all. An entry is removed before another is added, so the list is
    never longer than it was or will be. There is at least one request: it writes the mark.
    """
    have, want = Counter(present), Counter(wanted)
    remove, add = sorted((have - want).elements()), sorted((want - have).elements())
    steps = [
        step
        for pair in zip_longest(remove, add)
        for step in zip((False, True), pair, strict=True)
        if step[1] is not None
    ]
    size = max(1, largest or len(steps))
    found: list[MemberChange] = []
    for start in range(0, max(1, len(steps)), size):
        part = steps[start : start + size]
        added = tuple(entry for is_added, entry in part if is_added and entry is not None)
        removed = tuple(entry for is_added, entry in part if not is_added and entry is not None)
        have.subtract(removed)
        have.update(added)
        is_last = start + size >= len(steps)
        found.append(
            MemberChange(
                add=added,
                remove=removed,
                whole=tuple(sorted(have.elements())),
                mark=mark,
                placeholder=placeholder and is_last and not wanted,
            )
        )
    return tuple(found)
