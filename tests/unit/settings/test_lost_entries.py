"""A file that lost many entries is refused while the operator runs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatpool.settings.lost_entries import check_losses
from seatpool.settings.settings import InvalidSettings, Settings, load_settings

PEOPLE = {f"p{number}": f"u{number}" for number in range(10)}


def settings(mapping: dict[str, str], aliases: dict[str, str] | None = None, *, limit: int = 20) -> Settings:
    return load_settings(
        flags={
            "identity": {"mapping": mapping},
            "mirror": {"type_aliases": aliases or {}},
            "reload": {"max_loss_percent": limit},
        }
    )


@given(st.sets(st.sampled_from(sorted(PEOPLE))), st.sets(st.sampled_from(sorted(PEOPLE))), st.integers(0, 100))
def test_a_mapping_may_lose_its_share_or_one_entry_and_never_all(gone: set[str], other: set[str], limit: int) -> None:
    after = {owner: "someone" if owner in other else user for owner, user in PEOPLE.items() if owner not in gone}
    lost = len(gone | other)
    fits = lost * 10 <= limit or (lost == 1 and bool(after))
    for before_and_after in (
        (settings(PEOPLE), settings(after, limit=limit)),
        (settings({}, PEOPLE), settings({}, after, limit=limit)),
    ):
        if fits:
            check_losses(*before_and_after)
        else:
            with pytest.raises(InvalidSettings, match=f"{lost} of 10 entries are gone or changed"):
                check_losses(*before_and_after)


def test_new_entries_and_a_first_mapping_are_no_loss() -> None:
    check_losses(settings({}), settings(PEOPLE))
    check_losses(settings(PEOPLE), settings(PEOPLE | {"new": "u99"}))


@pytest.mark.parametrize("before", [{"ann": "u1"}, {"ann": "u1", "bob": "u2"}])
def test_the_last_entries_are_not_lost_unless_it_is_allowed(before: dict[str, str]) -> None:
    with pytest.raises(InvalidSettings, match="restart the operator if the change is meant"):
        check_losses(settings(before), settings({}))
    check_losses(settings(before), settings({}, limit=100))
