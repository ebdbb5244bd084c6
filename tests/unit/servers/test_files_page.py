"""The example of the page about options files is what the operator does."""

import re
from pathlib import Path

import pytest
import yaml
from tests.unit.servers.files_on_disk import FilesOnDisk

from seatpool.api.licenseserver import LicenseServer
from seatpool.api.list_backends import FlexnetSettings
from seatpool.servers.command_result import Result

PAGE = Path(__file__).parents[3] / "docs" / "backends" / "files.md"


def example(name: str) -> str:
    found = re.findall(rf"```{name}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(found) == 1
    return str(found[0])


def test_the_example_is_written_by_the_real_script_with_the_settings_of_the_page(tmp_path: Path) -> None:
    spec = LicenseServer.model_validate(yaml.safe_load(example("yaml"))).spec
    assert isinstance(spec.settings, FlexnetSettings)
    server = FilesOnDisk(
        home=tmp_path / "server", settings={"feature": spec.settings.feature, "group": spec.settings.group}
    )
    server.file.write_text(example("text before"))
    assert server.apply("bob", "ann", revision=1).result is Result.APPLIED
    assert server.file.read_text() == example("text after")


def test_a_list_that_is_there_is_taken_into_the_block_by_its_own_group(tmp_path: Path) -> None:
    server = FilesOnDisk(home=tmp_path / "server", settings={"group": "vewusers"})
    server.file.write_text(
        "# BEGIN seatpool vew\nGROUP vewusers eve zoe\nINCLUDE vew GROUP vewusers\n# END seatpool vew\n"
    )
    report = server.read().products["vew"]
    assert (report.users, report.surplus, report.odd, report.notes) == (("eve", "zoe"), (), (), ())


@pytest.mark.parametrize("word", ["PRODUCT.original", "PRODUCT.before"])
def test_the_files_of_the_state_folder_have_the_names_of_the_page(tmp_path: Path, word: str) -> None:
    assert word in PAGE.read_text()
    server = FilesOnDisk(home=tmp_path / "server")
    server.file.write_text("")
    server.apply("ann", revision=1)
    assert (server.state / word.replace("PRODUCT", "vew")).exists()
