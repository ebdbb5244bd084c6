"""Old names of commands still work, say what the new name is, and are not shown."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

NOWHERE = "/nowhere/file.yaml"
COMMANDS = [
    (["import", "table", "--config", NOWHERE], ["compare-pipeline", "table", "--config", NOWHERE], "import"),
    (["ledger", "--pool", "cad", "--kubeconfig", NOWHERE], ["statement", "--pool", "cad", "--kubeconfig", NOWHERE],
     "ledger"),
    (["history", "ann", "--kubeconfig", NOWHERE], ["events", "ann", "--kubeconfig", NOWHERE], "history NAME"),
    (["history", "-n", "lab", "ann", "--kubeconfig", NOWHERE],
     ["events", "-n", "lab", "ann", "--kubeconfig", NOWHERE], "history NAME"),
    (["history", "show", "import", "--kubeconfig", NOWHERE], ["events", "import", "--kubeconfig", NOWHERE],
     "history NAME"),
]  # fmt: skip


def seatpool(*arguments: str, code: str = "-m seatpool", **environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *code.split(" ", 1), *arguments],
        env=os.environ | {"COLUMNS": "200", "NO_COLOR": "1"} | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def completed(words: str) -> list[str]:
    code = "-c import seatpool.cli.main as cli; cli.complete()"
    lines = seatpool(*words.split(" "), code=code).stdout.splitlines()
    return [line.partition("\t")[0] for line in lines if line]


@pytest.mark.parametrize(("old", "new", "name"), COMMANDS, ids=[" ".join(old) for old, _, _ in COMMANDS])
def test_an_old_name_does_the_same_and_says_the_new_name_in_one_line(old: list[str], new: list[str], name: str) -> None:
    by_old, by_new = seatpool(*old), seatpool(*new)
    notice, *others = by_old.stderr.splitlines(keepends=True)
    new_name = "events NAME" if new[0] == "events" else new[0]
    assert notice == (f"seatpool: '{name}' is now '{new_name}'; the old name still works and will be removed in 0.3\n")
    assert (by_old.returncode, by_old.stdout, "".join(others)) == (by_new.returncode, by_new.stdout, by_new.stderr)
    assert by_new.returncode == 2
    assert NOWHERE in by_new.stderr or "no way to the Kubernetes API" in by_new.stderr


def test_the_help_shows_the_new_names_in_order_and_not_the_old_ones() -> None:
    told = seatpool("--help").stdout
    shown = [line.split()[1] for line in told.splitlines() if line.startswith("│ ") and line[2] != " "]
    assert [name for name in shown if name[0] != "-"] == [
        "status", "top", "why", "who", "diff", "events", "mcp", "approve", "pause", "resume", "verify",
        "statement", "plan", "report", "sql", "history",
        "export", "check", "support-bundle", "dlq", "demo", "compare-pipeline", "crds", "document", "version", "help", "run",
        "web",
    ]  # fmt: skip


def test_completion_offers_the_new_names_and_not_the_old_ones() -> None:
    assert completed("e")[0] == "events"
    assert completed("sta")[:2] == ["status", "statement"]
    assert completed("compare")[0] == "compare-pipeline"
    assert completed("history ")[0] == "import"
    assert completed("led") == completed("imp") == completed("history sho") == [":4"]


def test_history_import_keeps_its_name_and_says_nothing(tmp_path: Path) -> None:
    done = seatpool("history", "import", str(tmp_path / "log"), "--format", "csv", "--into", str(tmp_path / "h"))
    assert done.returncode == 2
    assert "is now" not in done.stderr


def test_a_setting_by_its_old_name_is_warned_of_in_the_log_of_run(tmp_path: Path) -> None:
    config = tmp_path / "settings.yaml"
    config.write_text("watch: {audit_interval: 90s}\nlog: {format: json}\n")
    done = seatpool("run", "--config", str(config), "--kubeconfig", NOWHERE, "--http-port", "0")
    assert '"old": "watch.audit_interval"' in done.stderr
    assert '"new": "watch.resync_interval"' in done.stderr
    flag = seatpool("run", "--set", "watch.audit_interval=90s", "--kubeconfig", NOWHERE, "--http-port", "0")
    assert "watch.resync_interval" in flag.stderr
    silent = seatpool("run", "--set", "watch.resync_interval=90s", "--kubeconfig", NOWHERE, "--http-port", "0")
    assert "watch.resync_interval" not in silent.stderr
