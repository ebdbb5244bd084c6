"""The demo as a user starts it, end to end: real processes, a real API server, the rights that ship.

What a replay must come to is worked out here by hand or by the simplest means, and shares nothing with the demo's own
judge but the summary that it writes.
"""

import contextlib
import http.cookiejar
import json
import os
import pty
import random
import signal
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from seatpool.sim.envelopes import workbench_event

BEGIN = datetime(2025, 5, 5, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
STAYING = ("eve", "fay", "gil")
SEATS = 3


def demo(directory: Path, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "seatpool", "demo", "--once", "--directory", directory, *arguments],
        env=os.environ | {"COLUMNS": "120"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def summary(directory: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((directory / "summary.json").read_text())
    return found


def processes_of(directory: Path) -> list[bytes]:
    """Command lines that name the folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_bytes())
    return [line for line in found if str(directory).encode() in line]


def told(number: int, user: str, state: str, minutes: float, *, kind: str = "vew-matlab") -> dict[str, Any]:
    return workbench_event(
        instance_id=f"i-{number:017x}",
        state=state,
        at=BEGIN + minutes * MINUTE,
        account="111122223333",
        region="eu-west-1",
        owner=user,
        type=kind,
    )


def a_day() -> list[dict[str, Any]]:
    """Three seats of vew-matlab: four people, then all but one leave, others come; and an afternoon of vew-cad."""
    events = [told(number, user, "running", number) for number, user in enumerate(("ann", "bob", "carl", "dora"))]
    events += [told(10 + number, "ann", "running", 10 + number) for number in range(8)]
    events += [told(10 + number, "ann", "stopped", 30 + number) for number in range(8)]
    events += [told(number, user, "stopped", 60 + number) for number, user in enumerate(("ann", "bob", "carl"))]
    events += [told(30 + number, user, "running", 90 + number) for number, user in enumerate(STAYING)]
    events += [told(3, "dora", "stopped", 120)]
    for turn in range(6):
        for number, user in enumerate(("hana", "ida")):
            events.append(told(40 + number, user, "running", 130 + 10 * turn + number, kind="vew-cad"))
            events.append(told(40 + number, user, "stopped", 135 + 10 * turn + number, kind="vew-cad"))
    events.append(told(40, "hana", "running", 200, kind="vew-cad"))
    return events


def damaged(events: Sequence[dict[str, Any]], rng: random.Random) -> list[str]:
    """Neighbours are swapped, some lines come twice, and one is no event."""
    lines = [json.dumps(event) for event in events]
    for index in range(0, len(lines) - 1, 5):
        lines[index], lines[index + 1] = lines[index + 1], lines[index]
    for _ in range(8):
        index = rng.randrange(len(lines))
        lines.insert(min(len(lines), index + rng.randrange(3)), lines[index])
    lines.insert(len(lines) // 2, "this is no event")
    return lines


def test_the_story_of_vew_ends_with_right_lists_and_no_command_for_an_update(tmp_path: Path) -> None:
    done = demo(tmp_path / "demo", "--story", "vew")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "commands to the license server: 0" in done.stdout
    found = summary(tmp_path / "demo")
    assert found["violations"] == []
    assert (found["grants"], found["releases"], found["waits"]) == (4, 4, 1)


def test_a_story_that_nobody_knows_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    done = demo(tmp_path / "demo", "--story", "azure")
    assert done.returncode != 0
    assert "give examples or vew" in done.stdout + done.stderr


def test_a_replay_of_a_damaged_file_ends_with_every_list_right(tmp_path: Path) -> None:
    file, directory = tmp_path / "events.jsonl", tmp_path / "demo"
    lines = damaged(a_day(), random.Random(1))
    file.write_text("\n".join(lines) + "\n")
    done = demo(directory, "--replay", file, "--speed", "900", "--seats", f"vew-matlab={SEATS}")
    assert done.returncode == 0, done.stdout + done.stderr
    found = summary(directory)
    assert found["violations"] == []
    assert found["events"] == len(lines) - 1
    assert found["products"]["vew-matlab"] == {"seats": SEATS, "peak": SEATS, "list": list(STAYING)}
    assert found["products"]["vew-cad"]["list"] == ["hana"]
    assert found["products"]["vew-cad"]["peak"] in (1, 2)
    assert found["waits"] >= 1, "dora came when three had a seat"
    # Seven people on vew-matlab and two on vew-cad; whoever came and went within one debounce need not appear.
    assert 6 <= found["grants"] <= 20
    on_the_lists = len(STAYING) + 1
    assert found["releases"] == found["grants"] - on_the_lists
    assert 0 < found["latency_ms"]["p50"] <= found["latency_ms"]["p99"] <= found["latency_ms"]["max"]
    assert found["ssm_commands"] >= 3
    assert found["operator_rss_mb"] > 30


def test_the_story_comes_out_as_it_is_told(tmp_path: Path) -> None:
    done = demo(tmp_path / "demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Eve starts one, too." in done.stdout
    assert "PoolFull, position 1" in done.stdout
    assert "refused: spec.owner: user id '$(touch /tmp/x)'" in done.stdout
    assert "repaired after" in done.stdout
    found = summary(tmp_path / "demo")
    assert found["violations"] == []
    assert found["products"]["matlab"]["peak"] == 4
    assert found["products"]["matlab"]["list"] == []
    assert "night-ida" in found["products"]["cad"]["list"]
    assert "Forbidden" not in (tmp_path / "demo" / "operator.log").read_text()


def test_two_demos_in_one_folder_are_refused(tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    directory.mkdir()
    holder = "import fcntl, sys; file = open(sys.argv[1], 'w'); fcntl.flock(file, fcntl.LOCK_EX); print(1, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", holder, directory / "demo.lock"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        done = demo(directory)
        other.communicate("\n")
    assert done.returncode == 2
    assert "another demo runs" in done.stderr


def test_on_a_terminal_the_replay_is_a_live_picture_and_leaves_nothing_running(tmp_path: Path) -> None:
    file, directory = tmp_path / "events.jsonl", tmp_path / "demo"
    file.write_text(json.dumps(told(1, "ann", "running", 0)) + "\n")
    command = [sys.executable, "-m", "seatpool", "demo", "--once", "--directory", directory, "--replay", file]
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=os.environ | {"TERM": "xterm"}) as child:
        os.close(theirs)
        seen = b""
        with contextlib.suppress(OSError):  # how Linux says that nobody writes to it any more
            while piece := os.read(ours, 65536):
                seen += piece
        assert child.wait(timeout=60) == 0, seen.decode(errors="replace")
    os.close(ours)
    shown = seen.decode()
    assert "Pools" in shown
    assert "+ ann" in shown
    assert "products/vew-matlab.list, 1 on it" in shown
    assert "Traceback" not in shown
    assert not processes_of(directory)
    assert '"event": "stopped"' in (directory / "operator.log").read_text()


def test_ctrl_c_in_the_middle_ends_every_process(tmp_path: Path) -> None:
    file, directory = tmp_path / "events.jsonl", tmp_path / "demo"
    file.write_text("".join(json.dumps(told(1, "ann", "running", minutes)) + "\n" for minutes in (0, 100_000)))
    command = [sys.executable, "-m", "seatpool", "demo", "--once", "--directory", directory, "--replay", file]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if "lines sent" in line:
                break
        child.send_signal(signal.SIGINT)
        assert child.wait(timeout=60) == 130
    assert not processes_of(directory)
    assert not (directory / "summary.json").exists()


def test_a_folder_with_other_files_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "aws").mkdir()
    (tmp_path / "aws" / "credentials").write_text("mine")
    done = demo(tmp_path)
    assert done.returncode == 2
    assert "has other files in it" in done.stderr
    assert [path.name for path in tmp_path.rglob("*")] == ["aws", "credentials"]


def test_a_demo_that_is_held_has_a_full_pool_and_commands_that_work(tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    command = [sys.executable, "-m", "seatpool", "demo", "--hold", "--directory", directory]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        shown: list[str] = []
        for line in child.stdout:
            shown.append(line.strip())
            if "Everything still runs" in line:
                break
        hints = [line for line in shown if line.startswith(("export ", "seatpool ", "kubectl ", "/"))]
        seatpool = f"{sys.executable} -m seatpool "
        script = "\n".join(
            hint.replace("seatpool ", seatpool, 1) if hint.startswith("seatpool") else hint for hint in hints
        )
        tried = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, timeout=120, check=False)
        child.send_signal(signal.SIGINT)
        assert child.wait(timeout=60) == 0
    assert len(hints) == 5
    assert "All well" in tried.stdout, tried.stdout + tried.stderr
    assert "eve waits for a seat of seatpool/matlab: position 1 of 1" in tried.stdout
    assert "Nothing failed" in tried.stdout
    assert not processes_of(directory)


def test_the_pages_beside_a_demo_know_their_visitors(tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    command = [sys.executable, "-m", "seatpool", "demo", "--hold", "--web", "--directory", directory]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child:
        assert child.stdout is not None
        shown: list[str] = []
        for line in child.stdout:
            shown.append(line.strip())
            if "Everything still runs" in line:
                break
        links = {line.split()[2].rstrip(","): line.split()[0] for line in shown if line.startswith("http://")}
        assert set(links) == {"ann", "license-admin", "buyer"}, shown
        seen = {name: page_of(link) for name, link in links.items()}
        used = page_of(links["buyer"], "/buyer?pool=seatpool/matlab")
        pools = {name: page_of(link, "/pools/seatpool/matlab") for name, link in links.items() if name != "ann"}
        child.send_signal(signal.SIGINT)
        assert child.wait(timeout=60) == 0, shown
    assert "You have a seat" in seen["ann"]
    assert "Nothing needs a hand" in seen["license-admin"]
    assert "Usage" in seen["buyer"]
    assert "of the starts had to wait" in used
    assert [(">eve<" in pools[name], "another user" in pools[name]) for name in ("license-admin", "buyer")] == [
        (True, False),
        (False, True),
    ]
    assert not processes_of(directory)


def page_of(link: str, path: str | None = None) -> str:
    """What a browser with cookies shows after the link, or on another page then."""
    browser = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    )
    with browser.open(link, timeout=60) as answer:
        found: str = answer.read().decode()
    if path is not None:
        with browser.open(urllib.parse.urljoin(link, path), timeout=60) as answer:
            found = answer.read().decode()
    return found
