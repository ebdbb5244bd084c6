"""The hash of a list is what the apply script computes on the server."""

import subprocess

from hypothesis import given
from hypothesis import strategies as st

from seatpool.domain.list_hash import list_hash


def test_it_is_what_sha256sum_says_of_the_lines() -> None:
    output = subprocess.run(["sha256sum"], input=b"ann\nbob\n", capture_output=True, check=True).stdout
    assert list_hash(["bob", "ann"]) == output.decode().split()[0]


def test_an_empty_list_has_the_hash_of_nothing() -> None:
    assert list_hash([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@given(st.data(), st.lists(st.text("ab.", min_size=1), unique=True))
def test_the_order_does_not_matter(data: st.DataObject, users: list[str]) -> None:
    assert list_hash(data.draw(st.permutations(users))) == list_hash(users)


def test_names_do_not_run_into_each_other() -> None:
    assert list_hash(["ab", "c"]) != list_hash(["a", "bc"])
