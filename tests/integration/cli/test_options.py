"""The options of kubectl, names completed and suggested, and columns that fit, against a real API server."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from rich.cells import cell_len
from tests.integration.cli.conftest import Board
from tests.interrupts import take_interrupts

PEOPLE = Path(__file__).parents[3] / "examples" / "install" / "people.yaml"
COMPLETE = "import sys; sys.argv = sys.argv[1:]; from seatpool.cli.main import complete; complete()"


def completed(board: Board, *words: str) -> list[str]:
    """What `kubectl_complete-seatpool WORDS` offers."""
    done = subprocess.run(
        [sys.executable, "-c", COMPLETE, "complete", *words],
        env=os.environ | {"KUBECONFIG": str(board.plane.kubeconfig)}, capture_output=True, text=True, timeout=60,
        check=True,
    )  # fmt: skip
    *offered, directive = done.stdout.splitlines()
    assert directive == ":4"
    return offered


@pytest.fixture
def lab(board: Board) -> Board:
    pools = [board.pool(name) for name in ("t2", "t10", "matlab")]
    pools[0]["metadata"]["labels"] = {"team": "chip"}
    board.put(board.server(), *pools, board.workbench(1, "ann"), board.workbench(2, "CORP\\Bob"))
    return board


def test_names_are_completed_from_the_cluster_in_natural_order(lab: Board) -> None:
    here = ("-n", lab.namespace)
    assert completed(lab, "diff", *here, "") == ["matlab", "t2", "t10"]
    assert completed(lab, "diff", *here, "t1") == ["t10"]
    assert completed(lab, "pause", *here, "") == ["licenses", "matlab", "t2", "t10"]
    assert completed(lab, "why", *here, "") == ["ann", "bob"]
    assert completed(lab, "why", *here, "ann", "--pool", "m") == ["matlab"]
    assert lab.namespace in completed(lab, "diff", "-n", "")
    contexts = yaml.safe_load(lab.plane.kubeconfig.read_text())["contexts"]
    assert completed(lab, "diff", "--context", "") == [one["name"] for one in contexts]


def test_a_completion_without_a_cluster_offers_nothing_and_says_nothing(lab: Board, tmp_path: Path) -> None:
    for text in ("{", "clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]\ncontexts: [{name: c, context: "
                 "{cluster: c}}]\ncurrent-context: c\n"):  # fmt: skip
        file = tmp_path / "kubeconfig"
        file.write_text(text)
        assert completed(lab, "diff", "--kubeconfig", str(file), "") == []


def test_a_selector_shows_its_pools_only(lab: Board) -> None:
    shown = lab.ask("status", "-l", "team=chip").stdout
    assert "t2 " in shown
    assert "t10" not in shown
    assert "matlab" not in shown
    nothing = lab.ask("status", "-l", "team=none")
    assert (nothing.code, nothing.stdout) == (2, "")
    assert "-l team=none" in nothing.stderr
    assert "the API server refused" in lab.ask("status", "-l", "=,=").stderr


def test_pools_are_in_natural_order(lab: Board) -> None:
    first = [line.split()[0] for line in lab.ask("status").stdout.splitlines() if line.startswith("t")]
    assert first == ["t2", "t10"]


def test_a_name_that_is_misspelled_is_suggested(lab: Board) -> None:
    assert "did you mean matlab?" in lab.ask("diff", "matlb").stderr
    assert "did you mean licenses?" in lab.ask("verify", "server/licences").stderr
    assert "there are: licenses, matlab, t2, t10" in lab.ask("pause", "xyz").stderr
    assert "did you mean the pool matlab?" in lab.ask("events", "matlb").stderr
    assert "-n" in lab.ask("diff", "matlab", "-n", "default", here=False).stderr


def test_another_user_can_be_acted_as(lab: Board) -> None:
    refused = lab.ask("status", "--as", "zoe", "--as-group", "engineers")
    assert refused.code == 2
    assert 'User "zoe" cannot list resource' in refused.stderr
    assert "seatpool-viewer" in refused.stderr
    assert "-n instead of -A" in lab.ask("status", "-A", "--as", "zoe", here=False).stderr
    assert lab.ask("status", "--as", "zoe", "--as-group", "system:masters").code == 0


def test_context_cluster_and_user_are_those_of_the_kubeconfig(lab: Board, tmp_path: Path) -> None:
    config = yaml.safe_load(lab.plane.kubeconfig.read_text())
    context, cluster = config["contexts"][0]["name"], config["clusters"][0]["name"]
    config["users"].append({"name": "stranger", "user": {"token": "of-nobody"}})
    config["contexts"].append({"name": "lab", "context": {"cluster": cluster, "user": "stranger"}})
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    asked = ("status", "--kubeconfig", str(file))
    assert lab.ask(*asked).code == 0
    for options in (("--context", "lab"), ("--user", "stranger")):
        assert "log in again" in lab.ask(*asked, *options).stderr
    assert lab.ask(*asked, "--context", "lab", "--user", config["contexts"][0]["context"]["user"]).code == 0
    assert f"there are: {context}, lab" in lab.ask(*asked, "--context", "no").stderr


def test_times_are_in_the_zone_that_is_named(lab: Board) -> None:
    assert " UTC, namespace" in lab.ask("status").stdout
    assert " CET, namespace" in lab.ask("status", "--time-zone", "Europe/Berlin").stdout.replace("CEST", "CET")


@pytest.mark.parametrize("columns", [40, 60, 80, 99, 100, 101, 115, 120, 200])
def test_no_column_is_cut_at_any_width_and_the_cause_is_always_shown(board: Board, columns: int) -> None:
    away = {
        "Reachable": (
            "False",
            "ServerUnreachable",
            "AccessDenied: no right; to try: kubectl get x -n y --wide-option=z",
        )
    }
    long = "eda-verification-and-sign-off"
    board.put(
        board.server(conditions=away), board.pool(long, maxReassignments={"count": 4, "window": "365d"}), board.pool()
    )
    shown = board.ask("status", columns=columns).stdout
    assert "AccessDenied" in shown
    assert "kubectl get x -n y --wide-option=z" in shown.splitlines()[shown.splitlines().index(next(
        line for line in shown.splitlines() if "kubectl" in line
    ))]  # fmt: skip
    assert "…" not in shown
    (heading,) = (line for line in shown.splitlines() if line.startswith("POOL"))
    assert {"SEATS", "USED", "WAITING"} <= set(heading.split())
    assert all(cell_len(line) <= columns for line in shown.splitlines() if "kubectl" not in line)
    assert ("CHANGES" in heading) is (columns >= 115)


def test_whoever_may_log_in_may_read_whether_the_operator_is_alive() -> None:
    objects = [one for one in yaml.safe_load_all(PEOPLE.read_text()) if one["metadata"]["name"] == "seatpool-alive"]
    role, binding = sorted(objects, key=lambda one: one["kind"])
    (rule,) = role["rules"]
    assert (rule["resources"], rule["resourceNames"], rule["verbs"]) == (["leases"], ["seatpool"], ["get"])
    assert [one["name"] for one in binding["subjects"]] == ["system:authenticated"]


def without_times(line: str) -> list[str]:
    """The words of a line. A minute may pass between two screens, so times of day and ages are left out."""
    return re.sub(r"\b\d\d:\d\d\b|\b\d+ ?(s|min)\b", "", line).split()


def test_tables_without_their_headings(lab: Board) -> None:
    since = {"ann": lab.ago(hours=1), "bob": lab.ago(hours=1), "carl": lab.ago(hours=1)}
    lab.put(lab.ledger("t2", assigned=since, waiting={"dora": lab.ago(minutes=5)}))
    for words in (("status",), ("who", "t2")):
        whole, bare = lab.ask(*words).stdout.splitlines(), lab.ask(*words, "--no-headers").stdout.splitlines()
        left_out = [line for line in whole if line.startswith(("SERVER ", "POOL ", "  USER ", "  LINE "))]
        assert left_out
        shown = [line for line in whole if line not in left_out]
        assert [without_times(line) for line in bare] == [without_times(line) for line in shown]
    refused = lab.ask("status", "--no-headers", "-o", "json")
    assert (refused.code, refused.stdout) == (2, "")
    assert refused.stderr.startswith("seatpool: --no-headers is for tables")


@pytest.mark.parametrize(("term", "draws"), [("dumb", False), ("xterm-256color", True)])
@pytest.mark.parametrize("words", [("top",), ("status", "-w")])
def test_a_terminal_that_cannot_be_drawn_over_gets_one_screen_after_the_other(
    lab: Board, words: tuple[str, ...], term: str, draws: bool
) -> None:
    command = [sys.executable, "-m", "seatpool", *words, "-n", lab.namespace, "--kubeconfig", str(lab.plane.kubeconfig)]
    main, terminal = os.openpty()
    environment = os.environ | {"TERM": term, "COLUMNS": "100", "LINES": "40"}
    running = subprocess.Popen(
        command, stdout=terminal, stderr=subprocess.DEVNULL, env=environment, preexec_fn=take_interrupts
    )
    os.close(terminal)
    shown = b""
    try:
        while shown.count(b"POOL ") < 2:
            shown += os.read(main, 65536)
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(60)
        os.close(main)
    assert (b"\x1b[?1049h" in shown) == draws
    assert draws or b"\x1b[H" not in shown
