"""The script when the client, the machine or the payload is not as it should be."""

import base64
import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.servers.server_on_disk import ServerOnDisk
from tests.waiting import PATIENCE, wait_until

from seatpool.domain.list_hash import list_hash
from seatpool.servers.command_result import Result, ScriptRefused
from seatpool.servers.commands import ListChange, ListCommand
from seatpool.servers.ssm.payload import MAX_PRODUCTS, pack, words

HOSTILE = [
    "$(touch {owned})",
    "`touch {owned}`",
    "'; touch {owned}; '",
    '"; touch {owned}; "',
    "../../etc/passwd",
    "-rf",
    "*",
    "a b",
    "\\",
    '"},{"',
    "é",
    "\x1b[31m",
    "",
]


def payload(server: ServerOnDisk, product: str = "vew", *users: str, **changes: Any) -> str:
    """A payload as no adapter of ours would make it."""
    client = str(server.home / "xlc")
    values = {
        "action": "apply",
        "revision": "5",
        "owner": "here",
        "state": str(server.state),
        "apply": words([client, "apply", product, f"{server.state}/{product}.list"]),
        "list": words([client, "list", product]),
        "hash": list_hash(users),
        "count": str(len(users)),
    } | changes
    head = [f"{name} {values[name]}" for name in ("action", "revision", "owner", "state")]
    body = [f"{name} {values[name]}" for name in ("apply", "list", "hash", "count")]
    return pack(["seatpool 1", *head, f"product {product}", *body, *(f"u {user}" for user in users), "end"])


def result_of(output: str) -> dict[str, Any]:
    results = json.loads(output.splitlines()[0])["results"]
    assert len(results) == 1
    return dict(results[0])


@pytest.fixture
def owned(tmp_path: Path) -> Iterator[str]:
    """A file that only a payload that was run would make."""
    path = tmp_path / "owned"
    yield str(path)
    assert not path.exists()


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_user_is_refused_before_anything_is_written(server: ServerOnDisk, owned: str, text: str) -> None:
    output = server.run(payload(server, "vew", "ann", text.format(owned=owned) if "{owned}" in text else text))
    assert result_of(output)["result"] == "failed"
    assert "not allowed" in result_of(output)["detail"]
    assert not (server.state / "vew.list").exists()
    assert not (server.state / "vew.revision").exists()


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_product_is_refused_and_the_summary_stays_json(server: ServerOnDisk, owned: str, text: str) -> None:
    product = text.format(owned=owned) if "{owned}" in text else text
    output = server.run(payload(server, product, "ann"))
    assert result_of(output)["result"] == "failed"
    assert "product name" in result_of(output)["detail"]
    assert {path.name for path in server.state.iterdir()} == {".lock"}


@pytest.mark.parametrize(
    ("field", "text"),
    [
        *((field, text) for field in ("revision", "state", "action") for text in HOSTILE),
        *(("owner", text) for text in HOSTILE if text != "-rf"),
        *(("revision", text) for text in ("007", "9" * 16)),
        ("owner", "x" * 65),
        *(("state", text) for text in ("/", "/var/../etc", "/var//x", "/" + "x" * 255)),
    ],
)
def test_a_hostile_header_is_refused_with_a_reason(server: ServerOnDisk, owned: str, field: str, text: str) -> None:
    value = text.format(owned=owned) if "{owned}" in text else text
    process = server.start(payload(server, "vew", "ann", **{field: value}))
    output, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (1, "")
    with pytest.raises(ScriptRefused, match=field):
        server.adapter.parse([output])


@pytest.mark.parametrize("text", HOSTILE)
def test_arguments_reach_the_client_as_they_are(server: ServerOnDisk, owned: str, text: str) -> None:
    argument = text.format(owned=owned) if "{owned}" in text else text
    seen = server.home / "seen"
    tool = server.home / "tool"
    tool.write_text(f'#!/bin/sh\nprintf "%s\\n" "$#" "$1" >"{seen}"\n')
    tool.chmod(0o755)
    server.run(payload(server, "vew", "ann", apply=words([str(tool), argument + "\n", "last"])))
    assert seen.read_text() == f"2\n{argument}\n\n"


@pytest.mark.parametrize("builtin", ["eval", "exit", "set", "broken"])
def test_a_command_is_a_program_never_a_word_of_the_shell(server: ServerOnDisk, owned: str, builtin: str) -> None:
    report = result_of(server.run(payload(server, "vew", "ann", apply=words([builtin, f"touch {owned}"]))))
    assert (report["result"], report["code"]) == ("failed", 127)
    assert builtin in report["detail"]


@pytest.mark.parametrize("shell", ["mksh", "posh"])
def test_a_shell_whose_exec_runs_its_own_words_is_refused_with_its_remedy(
    dash_server: ServerOnDisk, owned: str, shell: str
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"this machine has no {shell}")
    dash_server.shell = shell
    text = payload(dash_server, "vew", "ann", apply=words(["eval", f"touch {owned}"]))
    output, _ = dash_server.start(text).communicate(timeout=PATIENCE)
    with pytest.raises(ScriptRefused, match="make sh dash, bash or busybox"):
        dash_server.adapter.parse([output])
    assert not dash_server.state.exists()


@pytest.mark.parametrize("damage", ["hash", "count", "apply", "list"])
def test_damage_on_the_way_is_noticed(dash_server: ServerOnDisk, damage: str) -> None:
    damaged = {"hash": list_hash(["bob"]), "count": "2", "apply": "&&", "list": "&&"}[damage]
    report = result_of(dash_server.run(payload(dash_server, "vew", "ann", **{damage: damaged})))
    assert report["result"] == ("applied" if damage == "list" else "failed")
    assert report["detail"]
    assert (dash_server.home / "list.vew").exists() == (damage == "list")
    assert (dash_server.state / "vew.revision").exists() == (damage in {"apply", "list"})


@pytest.mark.parametrize("damaged", ["", "AAA", "A===", "====", "AA=A", "AAAA=", "A-_A", "YQ== &&", "YQ== AAA"])
def test_words_that_are_no_base64_are_run_by_nobody(dash_server: ServerOnDisk, damaged: str) -> None:
    report = result_of(dash_server.run(payload(dash_server, "vew", "ann", apply=damaged, list=damaged)))
    assert report["result"] == "failed"
    assert "the apply command that arrived is damaged" in report["detail"]
    assert "the list command that arrived is damaged" in report["detail"]
    assert not (dash_server.home / "calls").exists()


@pytest.mark.parametrize("text", ["", "AAAA", "not base64", base64.b64encode(b"x").decode()])
def test_a_payload_that_is_none_is_refused(server: ServerOnDisk, text: str) -> None:
    process = server.start(text)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    with pytest.raises(ScriptRefused, match="payload is damaged"):
        server.adapter.parse([output])


def test_a_payload_that_was_cut_off_is_refused(dash_server: ServerOnDisk) -> None:
    whole = payload(dash_server, "vew", *(f"user{n}" for n in range(2000)))
    process = dash_server.start(whole[: len(whole) // 2 // 4 * 4])
    output, _ = process.communicate(timeout=PATIENCE)
    with pytest.raises(ScriptRefused, match="payload is damaged"):
        dash_server.adapter.parse([output])


def test_a_list_longer_than_its_limit_is_refused(dash_server: ServerOnDisk) -> None:
    lines = [f"hash {list_hash(['ann', 'bob'])}", "count 2", "limit 1", "u ann", "u bob"]
    text = pack(["seatpool 1", "action apply", "revision 1", "owner here", f"state {dash_server.state}",
                 "product vew", *lines, "end"])  # fmt: skip
    assert "limit of 1" in result_of(dash_server.run(text))["detail"]
    assert not (dash_server.state / "vew.revision").exists()


def test_one_product_that_fails_does_not_stop_the_others(server: ServerOnDisk) -> None:
    (server.home / "fail.bad").write_text('no license "x" \\ \x1b[31m\n$(id)\n')
    changes = (ListChange(product="bad", users=("ann",)), ListChange(product="good", users=("bob",)))
    report = server.do(ListCommand(revision=1, owner="here", changes=changes))
    bad, good = report.products["bad"], report.products["good"]
    assert (bad.result, bad.exit_code, bad.users) == (Result.FAILED, 3, ())
    assert bad.detail == 'the apply command ended with 3: no license "x" \\  [31m $(id)'
    assert (good.result, good.users) == (Result.APPLIED, ("bob",))


def test_a_client_that_talks_without_end_is_quoted_with_its_last_words(server: ServerOnDisk) -> None:
    (server.home / "fail.vew").write_text("blah " * 200_000 + "the end")
    report = server.apply("ann", revision=1)
    assert report.detail.endswith("the end")
    assert len(report.detail) <= 500


def test_thirty_clients_that_talk_too_much_still_leave_whole_lines_of_output(dash_server: ServerOnDisk) -> None:
    changes = tuple(ListChange(product=f"{n:063d}", users=("ann",)) for n in range(MAX_PRODUCTS))
    for change in changes:
        (dash_server.home / f"fail.{change.product}").write_text('"' * 1000)
    report = dash_server.do(ListCommand(revision=1, owner="x" * 64, changes=changes))
    assert {product.result for product in report.products.values()} == {Result.FAILED}
    assert all(product.users == () for product in report.products.values())


def test_a_client_that_says_yes_and_does_nothing_is_seen_in_the_list(server: ServerOnDisk) -> None:
    server.apply("ann", revision=1)
    (server.home / "lie").touch()
    report = server.apply("bob", revision=2)
    assert (report.result, report.users) == (Result.APPLIED, ("ann",))


def test_a_list_command_that_fails_leaves_the_list_unknown(server: ServerOnDisk) -> None:
    report = result_of(server.run(payload(server, "vew", "ann", list=words(["/nowhere/xlc"]))))
    assert (report["result"], report["listed"]) == ("applied", None)
    assert "list command ended with 127" in report["detail"]


def test_a_list_command_that_prints_for_ever_is_cut_off(dash_server: ServerOnDisk) -> None:
    report = result_of(dash_server.run(payload(dash_server, "vew", "ann", list=words(["cat", "/dev/zero"]))))
    assert (report["result"], report["listed"]) == ("applied", None)
    assert "more than 4194304 bytes" in report["detail"]


def test_a_daemon_that_the_client_leaves_behind_does_not_keep_the_lock(server: ServerOnDisk) -> None:
    (server.home / "daemon").touch()
    began = time.monotonic()
    first = server.start(server.adapter.parameters(one_user("ann", revision=1))[0]["Payload"][0])
    first.communicate(timeout=PATIENCE)
    try:
        assert server.apply("bob", revision=2).result is Result.APPLIED
        assert time.monotonic() - began < 20
    finally:
        os.killpg(first.pid, signal.SIGKILL)


def test_a_script_that_was_killed_in_the_middle_is_followed_by_a_newer_one(server: ServerOnDisk) -> None:
    (server.home / "slow.apply").write_text("30")
    process = server.start(server.adapter.parameters(one_user("old", revision=1))[0]["Payload"][0])
    wait_for(server.home / "began")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=PATIENCE)
    (server.home / "slow.apply").unlink()
    assert server.apply("new", revision=2).users == ("new",)
    assert not (server.state / ".work").exists()


def test_a_client_that_outlives_its_killed_script_cannot_undo_a_newer_list(server: ServerOnDisk) -> None:
    (server.home / "slow.apply").write_text("1.5")
    process = server.start(server.adapter.parameters(one_user("old", revision=1))[0]["Payload"][0])
    wait_for(server.home / "began")
    os.kill(process.pid, signal.SIGKILL)
    (server.home / "slow.apply").unlink()
    assert server.apply("new", revision=2).users == ("new",)
    time.sleep(2)
    assert server.licensed() == ["new"]
    process.communicate(timeout=PATIENCE)


@pytest.mark.parametrize("fence", ["", "here", "here x y", "$(id) 1 2", "here 5 abc"])
def test_a_damaged_fence_stops_the_product_until_a_person_has_looked(dash_server: ServerOnDisk, fence: str) -> None:
    dash_server.apply("ann", revision=5)
    (dash_server.state / "vew.revision").write_text(fence)
    report = dash_server.apply("bob", revision=6)
    assert report.result is Result.FAILED
    assert "vew.revision is damaged" in report.detail
    assert dash_server.licensed() == ["ann"]


def test_programs_that_are_missing_are_named(dash_server: ServerOnDisk, tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("sh", "sed", "tr", "head"):
        (tools / tool).symlink_to(shutil.which(tool) or "")
    script = dash_server.script.read_text()
    start, end = script.index("inherited=${PATH-}"), script.index("export LC_ALL PATH")
    dash_server.script.write_text(f"{script[:start]}PATH={tools}\n{script[end:]}")
    output, _ = dash_server.start(payload(dash_server, "vew", "ann")).communicate(timeout=PATIENCE)
    with pytest.raises(ScriptRefused, match="install these programs on the license server: base64 cat cp flock"):
        dash_server.adapter.parse([output])


def test_a_state_folder_that_cannot_be_made_is_told(dash_server: ServerOnDisk) -> None:
    (dash_server.home / "file").touch()
    text = payload(dash_server, "vew", "ann", state=f"{dash_server.home}/file/state")
    output, _ = dash_server.start(text).communicate(timeout=PATIENCE)
    with pytest.raises(ScriptRefused, match="check stateDir"):
        dash_server.adapter.parse([output])


def one_user(user: str, *, revision: int) -> ListCommand:
    return ListCommand(revision=revision, owner="here", changes=(ListChange(product="vew", users=(user,)),))


def wait_for(path: Path) -> None:
    wait_until(path.exists, what=f"{path} is there")
