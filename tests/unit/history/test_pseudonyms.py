"""A pseudonym is always the same, and says nothing without the salt."""

from pathlib import Path

import pytest

from seatpool.history.pseudonyms import Pseudonyms, UnusableSalt


def test_without_a_salt_people_keep_their_names() -> None:
    assert Pseudonyms.from_file(None).of("ann") == "ann"


def test_a_pseudonym_depends_on_person_and_salt_and_on_nothing_else(tmp_path: Path) -> None:
    for name, salt in (("one", "a salt of sixteen bytes\n"), ("other", "another one of the same length")):
        (tmp_path / name).write_text(salt)
    one, other = (Pseudonyms.from_file(tmp_path / name) for name in ("one", "other"))
    assert one.of("ann") == Pseudonyms(b"a salt of sixteen bytes").of("ann")
    assert len({one.of("ann"), one.of("bob"), other.of("ann"), other.of("bob")}) == 4
    assert one.of("ann").startswith("p-")
    assert "ann" not in one.of("ann")


def test_a_salt_that_can_be_guessed_or_not_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "short").write_text("too short\n")
    with pytest.raises(UnusableSalt, match="9 bytes are too few to keep a secret; write 16 or more"):
        Pseudonyms.from_file(tmp_path / "short")
    with pytest.raises(UnusableSalt, match="No such file"):
        Pseudonyms.from_file(tmp_path / "none")
