"""Somebody else's export of who is who, and what is wrong with it."""

from pathlib import Path

import pytest

from seatpool.api.identity import IdentitySettings
from seatpool.domain.identity import InvalidUser
from seatpool.settings.owner_mapping import UnusableMapping, with_mapping_file
from seatpool.settings.settings import InvalidSettings, load_again, load_settings


def identity(tmp_path: Path, text: str, name: str = "names.csv", **others: object) -> IdentitySettings:
    file = tmp_path / name
    file.write_text(text)
    return with_mapping_file(IdentitySettings.model_validate({"mapping_file": str(file), **others}))


@pytest.mark.parametrize("owner", ["ann", "ANN", "CORP\\Ann", "ann@corp.example"])
@pytest.mark.parametrize("spelt", ["ann", "CORP\\ANN", "Ann@corp.example"])
def test_every_spelling_of_an_owner_is_the_user_of_the_file(tmp_path: Path, owner: str, spelt: str) -> None:
    assert identity(tmp_path, f"owner,user\n{spelt},u1001\n").user(owner) == "u1001"


def test_whose_case_and_domain_count_is_compared_as_it_is(tmp_path: Path) -> None:
    exact = identity(tmp_path, "CORP\\Ann,u1001\n", strip_domain=False, fold_case=False)
    assert exact.user("CORP\\Ann") == "u1001"
    with pytest.raises(InvalidUser):
        exact.user("CORP\\ann")


def test_a_yaml_file_says_the_same(tmp_path: Path) -> None:
    assert identity(tmp_path, "Ann: u1001\nbob: u1002\n", "names.yaml").user("ann") == "u1001"


def test_what_the_settings_map_counts_more_than_the_file(tmp_path: Path) -> None:
    assert identity(tmp_path, "ann,u1001\nbob,u1002\n", mapping={"ann": "boss"}).mapping == {
        "ann": "boss",
        "bob": "u1002",
    }


def test_an_export_with_a_byte_order_mark_blank_lines_and_spaces_is_read(tmp_path: Path) -> None:
    assert identity(tmp_path, "\ufeffowner,user\r\n\r\n ann , u1001 \r\n").mapping == {"ann": "u1001"}


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("n.csv", "ann,u1\nCORP\\Ann,u2\n", "are the same owner and have two users, u1 and u2"),
        ("n.csv", "ann,u1,x\n", "line 1 is not owner,user"),
        ("n.csv", "owner,user\nann,\n", "line 2 is not owner,user"),
        ("n.csv", "ann,$(reboot)\n", "owner 'ann': user id"),
        ("n.yaml", "ann: 7\n", "put both in quotes"),
        ("n.yaml", "[ann, bob]", "must be a mapping"),
        ("n.yaml", "ann: [", "n.yaml"),
        ("n.csv", "x,y\n" * 3_000_000, "bytes"),
        ("n.csv", "", "has no owners"),
        ("n.csv", "owner,user\n\n", "has no owners"),
        ("n.yaml", "", "has no owners"),
        ("n.yaml", "{}\n", "has no owners"),
        ("n.yaml", "# nobody\n", "has no owners"),
        ("n.csv", "owner,user\nann,u1001\nbob,u100", "may be cut off"),
        ("n.yaml", "ann: u1001\nbob: u100", "may be cut off"),
        ("n.csv", "user,owner\nu1001,ann\n", "columns are swapped"),
        ("n.csv", "owner,user\nann,u1\nowner,user\nann,u1\n", "line 3 is a heading"),
        ("n.csv", "owner,user\n@corp,u1\n", "nothing is left"),
        ("n.yaml", "[" * 100_000 + "\n", "recursion"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_file_that_cannot_be_used_is_refused_with_the_place(tmp_path: Path, name: str, text: str, told: str) -> None:
    with pytest.raises(UnusableMapping, match="mapping_file") as refused:
        identity(tmp_path, text, name)
    assert told in str(refused.value)


def test_every_file_that_is_cut_off_is_refused_or_says_what_the_whole_one_says_of_fewer(tmp_path: Path) -> None:
    whole = "owner,user\nann,u1001\nbob,u1002\ncem,u1003\n"
    right = identity(tmp_path, whole).mapping
    for length in range(len(whole)):
        try:
            assert identity(tmp_path, whole[:length]).mapping.items() < right.items()
        except UnusableMapping:
            continue


def test_settings_with_a_mapping_file_are_refused_without_it_and_read_again_with_it(tmp_path: Path) -> None:
    names, file = tmp_path / "names.csv", tmp_path / "settings.yaml"
    file.write_text(f"identity: {{mapping_file: {names}}}\n")
    with pytest.raises(InvalidSettings, match=r"names\.csv"):
        load_settings(file=file)
    names.write_text("ann,u1\n")
    settings = load_settings(file=file, flags={"http": {"port": 1234}})
    assert settings.identity.user("Ann") == "u1"
    names.write_text("ann,u2\n")
    again = load_again(settings)
    assert (again.identity.user("ann"), again.http.port) == ("u2", 1234)
