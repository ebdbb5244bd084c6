"""Changed settings files are taken over as a whole or not at all."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
import structlog
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from seatpool.api.reasons import ConditionReason
from seatpool.cache.store import Store
from seatpool.control.metrics import ControlMetrics
from seatpool.control.runtime.settings_reload import SettingsReload
from seatpool.mirror.config import MirrorConfig
from seatpool.mirror.mirror import Mirror
from seatpool.settings.settings import load_settings

NOW = datetime(2026, 3, 9, 12, tzinfo=UTC)
PEOPLE = "owner,user\n" + "".join(f"p{number},u{number}\n" for number in range(10))
ALIASES = "{" + ", ".join(f"image-{number}: type-{number}" for number in range(10)) + "}"


class Aliases:
    """Stands for the mirror and keeps what it was told."""

    def __init__(self) -> None:
        self.config: MirrorConfig | None = None

    async def reconfigure(self, config: MirrorConfig) -> tuple[str, ...]:
        self.config = config
        return ()


class Files:
    """The files of an operator, and what it made of them."""

    def __init__(self, folder: Path) -> None:
        self.owners, self.file = folder / "owners.csv", folder / "settings.yaml"
        self.owners.write_text(PEOPLE)
        self.write()
        settings = load_settings(file=self.file)
        self.registry, self.mirror, self.store = CollectorRegistry(), Aliases(), Store(settings.identity)
        self.reload = SettingsReload(
            settings=settings, mirror=cast("Mirror", self.mirror), store=self.store, clock=lambda: NOW,
            metrics=ControlMetrics(self.registry), log=structlog.get_logger(),
        )  # fmt: skip

    def write(self, *, aliases: str = ALIASES, more: str = "") -> None:
        self.file.write_text(
            f"identity: {{mapping_file: {self.owners}}}\nmirror: {{type_aliases: {aliases}}}\n{more}\n"
        )

    def valid(self) -> float | None:
        return self.registry.get_sample_value("seatpool_settings_valid")


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


async def refused(files: Files) -> str:
    """Checks the files, demands that nothing is taken over, and returns what the log says."""
    before = dict(files.store.identity.mapping)
    with capture_logs() as lines:
        await files.reload.check()
    assert files.store.identity.mapping == before
    assert files.mirror.config is None
    assert files.valid() == 0
    (line,) = (one for one in lines if one["log_level"] == "error")
    error: Any = line["error"]
    return str(error)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has no owners"),
        ("owner,user\n", "has no owners"),
        (PEOPLE[:-1], "may be cut off"),
        ("owner,user\np0,u0\np1,u1\n", "8 of 10 entries are gone or changed"),
        (PEOPLE.replace(",u", ",x"), "10 of 10 entries are gone or changed"),
    ],
)
async def test_a_mapping_file_that_lost_people_changes_nothing(files: Files, text: str, told: str) -> None:
    files.owners.write_text(text)
    assert told in await refused(files)
    files.owners.write_text(PEOPLE + "new,u99\n")
    await files.reload.check()
    assert files.valid() == 1
    assert files.store.identity.user("NEW") == "u99"


async def test_aliases_that_are_gone_change_nothing(files: Files) -> None:
    files.write(aliases="{}")
    assert "mirror.type_aliases: 10 of 10 entries" in await refused(files)


async def test_a_loss_within_the_share_is_taken_over(files: Files) -> None:
    files.owners.write_text(PEOPLE.replace("p0,u0\n", "").replace("p1,u1", "p1,u77"))
    await files.reload.check()
    assert files.valid() == 1
    assert files.store.identity.user("p1") == "u77"


async def test_a_setting_allows_a_greater_loss(files: Files) -> None:
    files.owners.write_text("owner,user\np0,u0\n")
    files.write(more="reload: {max_loss_percent: 90}")
    await files.reload.check()
    assert files.valid() == 1
    assert files.store.identity.mapping == {"p0": "u0"}


def test_a_restart_takes_over_what_was_refused(files: Files) -> None:
    files.owners.write_text("owner,user\np0,u0\n")
    assert load_settings(file=files.file).identity.mapping == {"p0": "u0"}


async def test_a_refused_file_is_a_condition_until_it_is_right_and_names_no_owner(files: Files) -> None:
    assert files.reload.condition[:3] == ("SettingsApplied", True, ConditionReason.SETTINGS_APPLIED)
    files.owners.write_text("owner,user\np1,u1,extra\n")
    await files.reload.check()
    _, holds, reason, message = files.reload.condition
    assert (holds, reason) == (False, ConditionReason.SETTINGS_REFUSED)
    assert "2026-03-09T12:00:00Z" in message
    assert "p1" not in message
    files.owners.write_text(PEOPLE)
    await files.reload.check()
    assert files.reload.condition[:3] == ("SettingsApplied", True, ConditionReason.SETTINGS_APPLIED)
