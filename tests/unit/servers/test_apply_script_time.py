"""A client that hangs, or leaves something behind that does: its product fails and is named, and the others go on."""

import time
from pathlib import Path

import pytest
from tests.unit.servers.server_on_disk import ServerOnDisk
from tests.waiting import PATIENCE

from seatpool.servers.command_result import CommandResult, Late, Result
from seatpool.servers.commands import ListChange, ListCommand
from seatpool.servers.ssm.output_parser import read_summary


def apply(server: ServerOnDisk, *products: str, revision: int = 1) -> CommandResult:
    changes = tuple(ListChange(product=product, users=("ann",)) for product in products)
    return server.do(ListCommand(revision=revision, owner="here", changes=changes))


def test_a_client_that_hangs_is_stopped_with_all_that_it_started_and_the_others_go_on(server: ServerOnDisk) -> None:
    server.seconds = 6
    (server.home / "hang.ansys").touch()
    began = time.monotonic()
    products = apply(server, "ansys", "matlab", "vew").products
    assert time.monotonic() - began < server.seconds
    assert products["ansys"].result is Result.FAILED
    assert "the apply command ended with 124: stopped after 2 s" in products["ansys"].detail
    assert "time limit of 6 s" in products["ansys"].detail
    assert products["ansys"].users == (), "its list is read all the same"
    assert products["ansys"].late is Late.STOPPED
    for product in ("matlab", "vew"):
        assert (products[product].result, products[product].users) == (Result.APPLIED, ("ann",))
        assert products[product].late is Late.NO
    assert not [path for path in Path("/proc").glob("[0-9]*/cmdline") if _is_of(path, server.home)]


def test_a_product_alone_may_use_nearly_all_of_the_time(dash_server: ServerOnDisk) -> None:
    dash_server.seconds = 8
    (dash_server.home / "slow.apply").write_text("3")
    assert apply(dash_server, "vew").products["vew"].result is Result.APPLIED


def test_a_list_command_that_hangs_is_stopped_too(dash_server: ServerOnDisk) -> None:
    dash_server.seconds = 5
    (dash_server.home / "hang.list.ansys").touch()
    products = apply(dash_server, "ansys", "vew").products
    assert (products["ansys"].result, products["ansys"].users) == (Result.APPLIED, None)
    assert products["ansys"].late is Late.STOPPED
    assert "the list command ended with 124: stopped after" in products["ansys"].detail
    assert products["vew"].users == ("ann",)


def test_when_all_hang_each_has_a_result_before_the_agent_would_kill_the_script(dash_server: ServerOnDisk) -> None:
    dash_server.seconds = 5
    names = [f"p{n}" for n in range(12)]
    for name in names:
        (dash_server.home / f"hang.{name}").touch()
        (dash_server.home / f"hang.list.{name}").touch()
    began = time.monotonic()
    products = apply(dash_server, *names).products
    assert time.monotonic() - began < dash_server.seconds
    assert {products[name].result for name in names} == {Result.FAILED}
    assert products["p11"].late is Late.UNBEGUN
    assert products["p11"].detail == "not begun: other products used up the time limit of 5 s"


def test_a_daemon_that_keeps_the_output_open_holds_nobody_up(server: ServerOnDisk) -> None:
    (server.home / "talking.daemon").touch()
    began = time.monotonic()
    process = server.start(
        server.adapter.parameters(
            ListCommand(revision=1, owner="here", changes=(ListChange(product="vew", users=("ann",)),))
        )[0]["Payload"][0]
    )
    output, _ = process.communicate(timeout=PATIENCE)
    assert time.monotonic() - began < 50
    assert read_summary(output).entries()[0].result is Result.APPLIED
    living = [path for path in Path("/proc").glob("[0-9]*/cmdline") if path.read_bytes() == b"sleep\x0060\x00"]
    assert living, "the daemon is the vendor's and lives on"


def test_a_command_that_finds_the_lock_taken_for_too_long_says_so(dash_server: ServerOnDisk) -> None:
    (dash_server.home / "slow.apply").write_text("20")
    first = dash_server.start(
        dash_server.adapter.parameters(
            ListCommand(revision=1, owner="here", changes=(ListChange(product="vew", users=("ann",)),))
        )[0]["Payload"][0]
    )
    try:
        until = time.monotonic() + 15
        while not (dash_server.home / "began").exists():
            assert time.monotonic() < until
            time.sleep(0.01)
        dash_server.seconds = 5
        process = dash_server.start(
            dash_server.adapter.parameters(ListCommand(revision=2, owner="here", products=("vew",)))[0]["Payload"][0]
        )
        output, _ = process.communicate(timeout=15)
        assert "an earlier command holds it and hangs" in output
    finally:
        first.kill()
        first.communicate(timeout=60)


@pytest.mark.parametrize("seconds", ["", "x", "0", "-5", "999999", "$(id)"])
def test_a_time_limit_that_is_none_is_a_minute(dash_server: ServerOnDisk, seconds: str) -> None:
    dash_server.seconds = seconds  # type: ignore[assignment]
    assert apply(dash_server, "vew").products["vew"].result is Result.APPLIED


def _is_of(path: Path, home: Path) -> bool:
    try:
        return str(home).encode() in path.read_bytes()
    except OSError:
        return False
