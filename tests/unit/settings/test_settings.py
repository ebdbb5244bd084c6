"""Flags over environment over a file over defaults, and errors that say which setting and what would be right."""

import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from seatpool.settings.settings import RENAMED, InvalidSettings, LogLevel, Settings, load_settings


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SEATPOOL_")]:
        monkeypatch.delenv(name)


def written(tmp_path: Path, text: str | bytes) -> Path:
    file = tmp_path / "settings.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def test_there_is_a_default_for_everything() -> None:
    settings = load_settings()
    assert settings.http.port == 8080
    assert settings.log.level is LogLevel.INFO
    assert settings.watch.resync_interval == timedelta(minutes=5)


def test_a_file_goes_over_the_defaults_and_an_empty_one_changes_nothing(tmp_path: Path) -> None:
    file = written(tmp_path, "http: {port: 9000}\nwatch: {resync_interval: 90s}\nnamespaces: [lab]\n")
    settings = load_settings(file=file)
    assert (settings.http.port, settings.http.host, settings.namespaces) == (9000, "", ("lab",))
    assert settings.watch.resync_interval == timedelta(seconds=90)
    assert load_settings(file=written(tmp_path, "")).model_dump() == load_settings().model_dump()


def test_the_environment_goes_over_the_file_and_flags_over_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path, "http: {port: 9000, host: 127.0.0.1}\nlog: {level: error}\n")
    monkeypatch.setenv("SEATPOOL_HTTP__PORT", "9001")
    monkeypatch.setenv("SEATPOOL_LOG__LEVEL", "warning")
    monkeypatch.setenv("SEATPOOL_NAMESPACES", json.dumps(["lab", "office"]))
    settings = load_settings(file=file, flags={"log": {"level": "debug"}})
    assert (settings.http.port, settings.http.host) == (9001, "127.0.0.1")
    assert settings.log.level is LogLevel.DEBUG
    assert settings.namespaces == ("lab", "office")


def test_two_installations_in_a_process_do_not_share_a_file(tmp_path: Path) -> None:
    assert load_settings(file=written(tmp_path, "http: {port: 9000}")).http.port == 9000
    assert load_settings().http.port == 8080


def test_settings_written_by_one_are_read_by_another(tmp_path: Path) -> None:
    made = load_settings(flags={"watch": {"resync_interval": "90s"}, "identity": {"mapping": {"x": "ann"}}})
    assert load_settings(file=written(tmp_path, made.model_dump_json())).model_dump() == made.model_dump()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("htp: {port: 1}", ["htp"]),
        ("http: {prot: 1}", ["http.prot", "1"]),
        ("http: {port: 99999}", ["http.port", "65535", "99999"]),
        ("http: {port: many}", ["http.port", "integer", "'many'"]),
        ("http: 5", ["http", "5"]),
        ("log: {level: loud}", ["log.level", "'warning'", "'loud'"]),
        ("watch: {resync_interval: 5 minutes}", ["watch.resync_interval", "15m", "'5 minutes'"]),
        ("watch: {audit_interval: 5 minutes}", ["watch.audit_interval", "15m", "'5 minutes'"]),
        ("watch: {heartbeat_limit: 1ms}", ["watch.heartbeat_limit"]),
        ("leader_election: {lease_duration: 2500ms}", ["leader_election", "2s500ms must be whole seconds"]),
        ("leader_election: {lease_duration: 7s}", ["leader_election", "shorter than lease_duration (7s)"]),
        ("leader_election: {retry_period: 4s}", ["leader_election", "twice retry_period (4s)"]),
        ("leader_election: {name: Two Words}", ["leader_election.name", "'Two Words'"]),
        ("namespaces: [Lab]", ["namespaces.0", "'Lab'"]),
        ("installation: two words", ["installation", "'two words'"]),
        ("identity: {mapping: {boss: two words}}", ["identity.mapping", "boss", "'two words'"]),
        ("mirror: {accounts: [{account: '1', regions: [eu-central-1]}]}", ["mirror.accounts.0.account", "'1'"]),
        ("http: [1", ["settings.yaml", "line 1"]),
        ("- http", ["settings.yaml", "['http']", "log: {level: debug}"]),
        ("hello", ["settings.yaml", "'hello'"]),
        (b"\xff\xfe\x00", ["settings.yaml", "utf-8"]),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path: Path, text: str | bytes, said: list[str]) -> None:
    with pytest.raises(InvalidSettings) as refused:
        load_settings(file=written(tmp_path, text))
    for part in said:
        assert part in str(refused.value)


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings) as refused:
        load_settings(file=written(tmp_path, "http: {port: x, host: 5}\nlog: {level: loud}"))
    for part in ("http.port", "http.host", "log.level"):
        assert part in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SEATPOOL_HTTP__PORT", "many", "http.port"),
        ("SEATPOOL_HTTP__PROT", "1", "http.prot"),
        ("SEATPOOL_NAMESPACES", "lab", "namespaces"),
        ("SEATPOOL_NAMESPACES", "lab", "'[\"team-a\"]'"),
        ("SEATPOOL_MIRROR__ACCOUNTS", "[{", "mirror"),
    ],
)
def test_what_is_wrong_in_the_environment_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSettings) as refused:
        load_settings()
    assert said in str(refused.value)


@pytest.mark.parametrize("flags", [{"http": {"port": "x"}}, {"http": {"port": -1}}])
def test_what_is_wrong_in_flags_is_named(flags: dict[str, Any]) -> None:
    with pytest.raises(InvalidSettings, match=r"http\.port"):
        load_settings(flags=flags)


def test_variables_that_kubernetes_makes_for_a_service_of_our_name_do_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEATPOOL_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("SEATPOOL_PORT", "tcp://10.0.0.1:80")
    assert load_settings().http.port == 8080


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    for missing in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(InvalidSettings, match="there is no such file"):
            load_settings(file=missing)


def old_name_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    del monkeypatch
    return load_settings(file=written(tmp_path, "watch: {audit_interval: 90s, heartbeat_limit: 20s}"))


def old_name_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("SEATPOOL_WATCH__AUDIT_INTERVAL", "90s")
    return load_settings(file=written(tmp_path, "watch: {heartbeat_limit: 20s}"))


def old_name_in_a_flag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    del monkeypatch
    return load_settings(
        file=written(tmp_path, "watch: {heartbeat_limit: 20s}"), flags={"watch": {"audit_interval": "90s"}}
    )


@pytest.mark.parametrize("load", [old_name_in_a_file, old_name_in_the_environment, old_name_in_a_flag])
def test_an_old_name_works_everywhere_and_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load: Callable[[Path, pytest.MonkeyPatch], Settings]
) -> None:
    settings = load(tmp_path, monkeypatch)
    assert settings.watch.resync_interval == timedelta(seconds=90)
    assert settings.watch.heartbeat_limit == timedelta(seconds=20)
    assert settings.old_names == ("watch.audit_interval",)


def test_a_new_name_is_not_an_old_one(tmp_path: Path) -> None:
    settings = load_settings(file=written(tmp_path, "watch: {resync_interval: 90s}"))
    assert settings.watch.resync_interval == timedelta(seconds=90)
    assert settings.old_names == ()


def test_an_old_and_a_new_name_together_are_refused_and_both_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEATPOOL_WATCH__RESYNC_INTERVAL", "60s")
    with pytest.raises(InvalidSettings) as refused:
        load_settings(file=written(tmp_path, "watch: {audit_interval: 90s}"))
    for name in ("watch.audit_interval", "watch.resync_interval"):
        assert name in str(refused.value)


def test_settings_given_by_an_old_name_equal_those_given_by_the_new_one(tmp_path: Path) -> None:
    old = load_settings(file=written(tmp_path, "watch: {audit_interval: 90s}"))
    new = load_settings(file=written(tmp_path, "watch: {resync_interval: 90s}"))
    assert old.watch == new.watch


def test_every_old_name_leads_to_a_setting_and_is_none_itself() -> None:
    for old, new in RENAMED.items():
        section, field = new.split(".")
        sections = Settings.model_fields[section].annotation
        assert isinstance(sections, type)
        assert issubclass(sections, BaseModel)
        assert field in sections.model_fields
        assert old.split(".")[1] not in sections.model_fields


@pytest.mark.parametrize(
    "text",
    [
        "notify: {webhook: {url: 'hooks.example/T0/XXXXSECRET'}}",
        "notify: {webhook: {url: 'https://hooks.example/T0/XXXXSECRET'}}",
        "notify: {webhook: {url: 'https://hooks.example/T0/XXXXSECRET', secret: x}}",
        "notify: [{webhook: {url: 'https://hooks.example/T0/XXXXSECRET'}}]",
        "- {webhook: {url: 'https://a/XXXXSECRET'}}",
        "notify: {webhook: {url: 'https://hooks.example/T0/XXXXSECRET'}",
        "notify:\n  webhook:\n    url: https://XXXXSECRET: [",
        "notify: {webhook: {url: 'https://hooks.example/T0/XXXXSECRET', secret_file: /x}, positions: -1}",
    ],
)
def test_no_message_shows_the_url_of_the_webhook(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        load_settings(file=written(tmp_path, text))
    assert "XXXXSECRET" not in str(refused.value)


def test_the_url_of_the_webhook_is_not_in_the_text_of_the_settings(tmp_path: Path) -> None:
    text = "notify: {webhook: {url: 'https://hooks.example/T0/XXXXSECRET', secret_file: /x}}"
    assert "XXXXSECRET" not in repr(load_settings(file=written(tmp_path, text)))
