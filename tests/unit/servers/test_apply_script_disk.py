"""The state folder when the disk is full, or when others may write to it."""

import os
from pathlib import Path

import pytest
from tests.unit.servers.server_on_disk import ServerOnDisk
from tests.waiting import PATIENCE

from seatpool.domain.list_hash import list_hash
from seatpool.servers.command_result import Result, ScriptRefused
from seatpool.servers.commands import ListChange, ListCommand

OLD = tuple(f"old{n:03}" for n in range(40))
NEW = tuple(f"new{n:03}" for n in range(60))


def change(*users: str, revision: int) -> ListCommand:
    return ListCommand(revision=revision, owner="here", changes=(ListChange(product="vew", users=users),))


def payload(server: ServerOnDisk, command: ListCommand) -> str:
    (parameters,) = server.adapter.parameters(command)
    return parameters["Payload"][0]


def kept(server: ServerOnDisk) -> tuple[str, str]:
    """The fence and the list's hash in the state folder."""
    return (server.state / "vew.revision").read_text(), list_hash((server.state / "vew.list").read_text().split())


@pytest.mark.parametrize("room", [0, 1, 30, 60, 72, 73, 74, 80, 100, 150, 200, 300, 400, 419, 420, 500, 1000, 4096])
def test_a_full_disk_leaves_fence_and_list_of_one_command_and_heals_itself(server: ServerOnDisk, room: int) -> None:
    """The fence has 73 characters, the new list 420, and the client writes its own list."""
    server.apply(*OLD, revision=1)
    server.room = room
    output, _ = server.start(payload(server, change(*NEW, revision=2))).communicate(timeout=PATIENCE)
    old, new = (f"here {n} {list_hash(users)}\n" for n, users in ((1, OLD), (2, NEW)))
    assert kept(server) in {(old, list_hash(OLD)), (new, list_hash(NEW))}
    if server.shell != "bash":  # without room for its here-documents bash reads no payload
        result = server.adapter.parse([output]).products["vew"]
        if kept(server)[0] == old:
            assert result.result is Result.FAILED
            assert "is the disk full?" in result.detail
        if result.users is not None:
            assert result.users == tuple(server.licensed()), "a list that was cut off is not read"
    server.room = None
    assert server.apply(*NEW, revision=3).users == NEW


@pytest.mark.parametrize("room", [0, 5, 21, 100])
def test_a_list_that_does_not_fit_on_the_disk_is_not_read_as_a_shorter_one(
    dash_server: ServerOnDisk, room: int
) -> None:
    """The client does not notice, as most do not."""
    dash_server.apply(*OLD, revision=1)
    client = dash_server.home / "xlc"
    client.write_text(f"#!/bin/sh\ncat {dash_server.home}/list.vew\nexit 0\n")
    dash_server.room = room
    read = ListCommand(revision=1, owner="here", products=("vew",))
    result = dash_server.adapter.parse([dash_server.start(payload(dash_server, read)).communicate(timeout=PATIENCE)[0]])
    assert (result.products["vew"].result, result.products["vew"].users) == (Result.FAILED, None)
    assert "is the disk full?" in result.products["vew"].detail


def test_parts_that_do_not_fit_on_the_disk_are_refused(dash_server: ServerOnDisk) -> None:
    users = tuple(f"{n * 2654435761 % 2**61:016x}" for n in range(1, 5001))
    first, *_ = dash_server.adapter.parameters(change(*users, revision=1))
    dash_server.room = 4096
    output, _ = dash_server.start(first["Payload"][0]).communicate(timeout=PATIENCE)
    assert "is the disk full?" in output
    dash_server.room = None
    assert dash_server.apply(*users, revision=2).result is Result.APPLIED


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount")
@pytest.mark.parametrize("pages", range(1, 9))
def test_a_disk_that_is_really_full_leaves_the_old_fence(dash_server: ServerOnDisk, pages: int) -> None:
    dash_server.state.mkdir(mode=0o700)
    if os.system(f"mount -t tmpfs -o size=256k,mode=0700 tmpfs {dash_server.state} 2>/dev/null") != 0:
        pytest.skip("no file system can be mounted here")
    try:
        dash_server.apply(*OLD, revision=1)
        ballast = dash_server.state / "ballast"
        space = os.statvfs(dash_server.state)
        ballast.write_bytes(b"x" * (space.f_bavail - pages) * space.f_bsize)
        output, _ = dash_server.start(payload(dash_server, change(*NEW, revision=2))).communicate(timeout=PATIENCE)
        old, new = (f"here {n} {list_hash(users)}\n" for n, users in ((1, OLD), (2, NEW)))
        assert kept(dash_server) in {(old, list_hash(OLD)), (new, list_hash(NEW))}
        try:
            result = dash_server.adapter.parse([output]).products["vew"]
        except ScriptRefused as error:
            assert "is the disk full?" in str(error)  # noqa: PT017
        else:
            assert result.result is Result.APPLIED or "is the disk full?" in result.detail
        ballast.unlink()
        assert dash_server.apply(*NEW, revision=3).users == NEW
    finally:
        os.system(f"umount {dash_server.state}")


@pytest.mark.parametrize("mode", [0o702, 0o720, 0o777, 0o1777])
def test_a_state_folder_that_others_may_write_to_is_refused(server: ServerOnDisk, mode: int) -> None:
    server.state.mkdir()
    server.state.chmod(mode)
    refused(server, "can be written by others")


def test_a_state_folder_below_one_that_everybody_may_write_to_is_refused(server: ServerOnDisk) -> None:
    server.home.chmod(0o777)
    refused(server, f"{server.home} can be written by others")
    server.home.chmod(0o1777)
    assert server.apply("ann", revision=1).result is Result.APPLIED


def test_a_state_folder_is_looked_at_through_links(server: ServerOnDisk, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    server.state.symlink_to(tmp_path / "real")
    assert server.apply("ann", revision=1).result is Result.APPLIED
    (tmp_path / "real").chmod(0o777)
    refused(server, "can be written by others", revision=2)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_a_state_folder_of_another_user_is_refused(server: ServerOnDisk) -> None:
    server.state.mkdir(mode=0o700)
    os.chown(server.state, 12345, 12345)
    refused(server, "belongs to user 12345")


@pytest.mark.parametrize("path", ["", ":", ":/usr/bin", "/usr/bin::/bin", "/usr/bin:", ".:/usr/bin", "bin:/usr/bin"])
def test_no_program_is_taken_from_the_folder_that_the_script_runs_in(server: ServerOnDisk, path: str) -> None:
    owned = server.home / "owned"
    for folder in (server.home, server.home / "bin"):
        folder.mkdir(exist_ok=True)
        for tool in ("base64", "id", "sed", "flock", "sort"):
            (folder / tool).write_text(f"#!/bin/sh\ntouch {owned}\n")
            (folder / tool).chmod(0o755)
    server.path = path
    assert server.apply("ann", revision=1).result is Result.APPLIED
    assert not owned.exists()


def refused(server: ServerOnDisk, why: str, *, revision: int = 1) -> None:
    output, _ = server.start(payload(server, change("ann", revision=revision))).communicate(timeout=PATIENCE)
    with pytest.raises(ScriptRefused, match=why):
        server.adapter.parse([output])
