"""What the commands print, and how they fail."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from seatpool.api import crd
from seatpool.servers.ssm.document import document_json
from seatpool.settings.settings import Settings


def seatpool(*arguments: str | Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "seatpool", *map(str, arguments)],
        env=os.environ | {"COLUMNS": "200", "NO_COLOR": "1"} | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_help_needs_no_heavy_import() -> None:
    code = "import seatpool.cli.main, sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "typer" in loaded
    assert not {"kopf", "boto3", "kubernetes", "moto", "pydantic", "aiohttp"} & set(loaded)


def test_the_help_names_every_command() -> None:
    told = seatpool("--help").stdout
    assert all(
        f" {command} " in told for command in ("run", "demo", "crds", "document", "version", "status", "why", "approve")
    )


@pytest.mark.parametrize("words", [(), ("why",), ("dlq",), ("dlq", "list"), ("history", "import")])
def test_help_of_a_command_is_what_its_option_prints(words: tuple[str, ...]) -> None:
    assert seatpool("help", *words).stdout == seatpool(*words, "--help").stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("wyh",), "help wyh: seatpool has no command wyh; did you mean why or who?"),
        (("dlq", "lst"), "help dlq lst: seatpool dlq has no command lst; did you mean list?"),
        (("why", "ann"), "help why ann: seatpool why has no commands; write help why"),
    ],
)
def test_help_of_no_command_says_which_there_are(words: tuple[str, ...], told: str) -> None:
    done = seatpool("help", *words)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"seatpool: {told}\n")


@pytest.mark.parametrize("words", [("--help",), ("why", "--help"), ("help", "plan")])
def test_the_colours_of_the_help_can_be_read_on_any_terminal(words: tuple[str, ...]) -> None:
    shown = seatpool(*words, NO_COLOR="", FORCE_COLOR="1", TERM="xterm-256color").stdout
    colours = set(re.findall(r"\x1b\[(?:\d+;)*(3\d)m", shown))
    assert colours
    assert not colours & {"30", "33", "36", "37"}, "black, yellow, cyan, white"


def test_the_help_of_run_lists_every_setting() -> None:
    told = seatpool("run", "--help").stdout
    assert all(f" {key} " in told for key in keys(Settings))


def keys(model: type[BaseModel], above: str = "") -> Iterator[str]:
    """Every setting, those of models within models too."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from keys(field.annotation, f"{above}{name}.")
        else:
            yield f"{above}{name}"


@pytest.mark.parametrize("option", ["--once", "--replay", "--speed", "--seats", "--linger", "--directory"])
def test_the_help_of_demo_explains_each_option(option: str) -> None:
    assert option in seatpool("demo", "--help").stdout


def test_the_version_is_that_of_the_package() -> None:
    project = Path(__file__).parents[3] / "pyproject.toml"
    assert f'version = "{seatpool("version").stdout.strip()}"' in project.read_text()


def test_the_crds_are_printed_as_documents_that_kubectl_takes() -> None:
    printed = list(yaml.safe_load_all(seatpool("crds").stdout))
    assert [one["metadata"]["name"] for one in printed] == [f"{kind.plural}.seatpool.io" for kind in crd.RESOURCES]


def test_crds_are_written_once_and_then_only_where_they_differ(tmp_path: Path) -> None:
    first = seatpool("crds", "--out", tmp_path / "crds")
    again = seatpool("crds", "--out", tmp_path / "crds")
    assert {path.name: path.read_text() for path in (tmp_path / "crds").iterdir()} == dict(crd.files())
    assert len(first.stdout.splitlines()) == len(crd.RESOURCES)
    assert again.stdout == ""


def test_the_document_is_printed_to_the_byte_because_its_hash_is_pinned() -> None:
    printed = seatpool("document").stdout
    assert printed == document_json()
    assert json.loads(printed)["schemaVersion"] == "2.2"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["run", "--config", "/nowhere/settings.yaml"], "/nowhere/settings.yaml"),
        (["run", "--set", "mirror.receivers=many"], "mirror.receivers"),
        (["run", "--set", "mirror.receivers"], "KEY=VALUE"),
        (["run", "--set", "mirror=1", "--set", "mirror.receivers=2"], "mirror"),
        (["run", "--set", "no.such=1"], "no"),
        (["run", "--kubeconfig", "/nowhere/kubeconfig", "--http-port", "0"], "--kubeconfig"),
        (["crds", "--out", "/dev/null/crds"], "/dev/null/crds"),
        (["demo", "--replay", "/nowhere/events.jsonl"], "/nowhere/events.jsonl"),
    ],
)
def test_a_mistake_is_one_line_that_names_it_and_exit_code_2(arguments: list[str], named: str) -> None:
    done = seatpool(*arguments, SEATPOOL_LOG__LEVEL="error")
    assert done.returncode == 2
    assert named in done.stderr
    assert done.stderr.startswith("seatpool: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_setting_that_is_wrong_in_the_environment_is_named_by_its_key() -> None:
    done = seatpool("run", SEATPOOL_HTTP__PORT="high")
    assert done.returncode == 2
    assert "http.port" in done.stderr
