"""The script with lists that are parts of files, run by real shells on real files."""

import os
import random
from pathlib import Path

import pytest
from tests.unit.servers.files_on_disk import FilesOnDisk, owner_and_mode
from tests.unit.servers.server_on_disk import shells
from tests.unit.servers.test_apply_script import random_users
from tests.waiting import PATIENCE

from seatpool.api.list_backends import ListFileFormat
from seatpool.servers.command_result import Late, Result
from seatpool.servers.commands import ListChange, ListCommand
from seatpool.servers.ssm.payload import SEND_LIMIT, pack, unpack

FOREIGN = (
    b"GROUPCASEINSENSITIVE OFF\r\n# caf\xe9, \xff\xfe bytes that are no UTF-8 \\ and 100 % of `them` $HOME\r\n"
    b"MAX 3 other USER eve"
)


@pytest.fixture(params=shells())
def server(request: pytest.FixtureRequest, tmp_path: Path) -> FilesOnDisk:
    made = FilesOnDisk(home=tmp_path / "server", shell=request.param)
    made.file.write_bytes(FOREIGN)
    return made


@pytest.fixture
def dash_server(tmp_path: Path) -> FilesOnDisk:
    made = FilesOnDisk(home=tmp_path / "server")
    made.file.write_bytes(FOREIGN)
    return made


def test_a_block_is_written_below_what_was_there_and_read_back(server: FilesOnDisk) -> None:
    report = server.apply("bob", "ann", revision=7)
    assert (report.result, report.users, report.fence, report.owner) == (Result.APPLIED, ("ann", "bob"), 7, "here")
    assert (report.surplus, report.odd, report.placeholder) == ((), (), None)
    block = (
        b"# BEGIN seatpool vew\r\nGROUP seatpool_vew ann bob\r\nINCLUDE vew GROUP seatpool_vew\r\n# END seatpool vew"
    )
    assert server.file.read_bytes() == FOREIGN + b"\r\n" + block
    assert server.rereads() == 1


def test_the_next_list_changes_only_the_block(server: FilesOnDisk) -> None:
    server.apply("ann", revision=1)
    server.file.write_bytes(server.file.read_bytes() + b"\r\nTIMEOUTALL 900\r\n")
    assert server.apply("bob", revision=2).users == ("bob",)
    content = server.file.read_bytes()
    assert content.startswith(FOREIGN)
    assert content.endswith(b"# END seatpool vew\r\nTIMEOUTALL 900\r\n")
    assert b"ann" not in content


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file to another user")
def test_owner_and_mode_stay_and_nothing_is_left_beside_the_file(server: FilesOnDisk) -> None:
    os.chown(server.folder, 12345, 54321)
    os.chown(server.file, 12345, 54321)
    server.file.chmod(0o640)
    before = owner_and_mode(server.file)
    server.apply("ann", revision=1)
    server.apply("bob", revision=2)
    assert owner_and_mode(server.file) == before
    assert [path.name for path in server.folder.iterdir()] == ["vendor.opt"]


def test_an_empty_list_is_the_placeholder_because_no_include_lets_everybody_in(server: FilesOnDisk) -> None:
    report = server.apply(revision=1)
    assert (report.result, report.users, report.placeholder) == (Result.APPLIED, (), None)
    assert b"GROUP seatpool_vew seatpool-placeholder\r\n" in server.file.read_bytes()


def test_a_file_that_changed_after_it_was_read_is_left_alone_and_the_next_command_reads_it_anew(
    server: FilesOnDisk,
) -> None:
    server.apply("ann", revision=1)
    (payload,) = server.prepared("bob", revision=2)
    edited = server.file.read_bytes().replace(b"eve", b"eva")
    server.file.write_bytes(edited)
    report = server.adapter.parse([server.run(payload)]).products["vew"]
    assert (report.result, report.users, report.fence) == (Result.CHANGED, ("ann",), 1)
    assert server.file.read_bytes() == edited
    assert server.rereads() == 1
    assert server.apply("bob", revision=3).result is Result.APPLIED
    assert b"eva" in server.file.read_bytes()


def test_older_revisions_and_other_installations_are_refused(server: FilesOnDisk) -> None:
    server.apply("ann", revision=5)
    stale = server.apply("bob", revision=4)
    assert (stale.result, stale.fence, stale.users) == (Result.STALE, 5, ("ann",))
    foreign = server.apply("bob", revision=9, owner="there")
    assert (foreign.result, foreign.owner, foreign.users) == (Result.OWNER, "here", ("ann",))
    assert server.apply("bob", revision=9, owner="there", takeover="here").result is Result.APPLIED


def test_the_same_revision_is_applied_again_whatever_else_changed_in_the_file(server: FilesOnDisk) -> None:
    server.apply("ann", revision=5)
    server.file.write_bytes(b"# new\r\n" + server.file.read_bytes())
    assert server.apply("ann", revision=5).result is Result.APPLIED
    assert server.apply("bob", revision=5).result is Result.STALE


def test_five_thousand_users_travel_in_parts_and_come_back_in_chunks(server: FilesOnDisk) -> None:
    users = random_users(5000)
    command = ListCommand(revision=1, owner="here", changes=(ListChange(product="vew", users=users, seats=5000),))
    sends = server.adapter.parameters(command, server.read_first(command))
    assert len(sends) > 1
    assert all(len(send["Payload"][0]) <= SEND_LIMIT for send in sends)
    assert server.do(command).products["vew"].users == users
    assert max(map(len, server.file.read_bytes().split(b"\n"))) <= 4000
    assert not any((server.state / ".parts").iterdir())
    fewer = users[:2500] + users[2501:]
    assert len(server.prepared(*fewer, revision=2)) <= len(sends)
    assert server.apply(*fewer, revision=2).users == fewer


def test_a_file_that_is_as_it_was_need_not_be_fetched_again(dash_server: FilesOnDisk) -> None:
    users = random_users(5000)
    command = ListCommand(revision=1, owner="here", changes=(ListChange(product="vew", users=users),))
    assert len(dash_server.outputs(command)) == 1
    assert dash_server.do(ListCommand(revision=1, owner="here", products=("vew",))).products["vew"].users == users
    other = FilesOnDisk(home=dash_server.home)
    assert len(other.outputs(ListCommand(revision=1, owner="here", products=("vew",)))) > 1


def test_the_file_before_the_last_revision_and_before_the_first_one_are_kept(server: FilesOnDisk) -> None:
    server.apply("ann", revision=1)
    first = server.file.read_bytes()
    server.apply("bob", revision=2)
    second = server.file.read_bytes()
    server.file.write_bytes(second.replace(b"bob", b"eve"))
    server.apply("bob", revision=2)
    assert (server.state / "vew.original").read_bytes() == FOREIGN
    assert (server.state / "vew.before").read_bytes() == first
    assert server.file.read_bytes() == second


def test_a_file_that_needs_no_change_is_not_replaced_but_reread(server: FilesOnDisk) -> None:
    (server.home / "fail.reread").touch()
    failed = server.apply("ann", revision=1)
    assert (failed.result, failed.users, failed.exit_code) == (Result.FAILED, ("ann",), 3)
    assert "the reload command ended with 3: cannot connect" in failed.detail
    inode = server.file.stat().st_ino
    (server.home / "fail.reread").unlink()
    assert server.apply("ann", revision=2).result is Result.APPLIED
    assert (server.file.stat().st_ino, server.rereads()) == (inode, 2)


def test_no_reload_command_is_needed(tmp_path: Path) -> None:
    server = FilesOnDisk(home=tmp_path / "server", settings={"reread": ()})
    server.file.write_bytes(b"")
    assert server.apply("ann", revision=1).result is Result.APPLIED
    assert server.rereads() == 0


def test_a_reload_that_hangs_is_stopped_and_the_file_is_read_back(dash_server: FilesOnDisk) -> None:
    dash_server.seconds = 5
    (dash_server.home / "slow.reread").write_text("30")
    report = dash_server.apply("ann", revision=1)
    assert (report.result, report.late, report.users) == (Result.FAILED, Late.STOPPED, ("ann",))


def test_a_file_that_is_missing_is_told_with_its_path(server: FilesOnDisk) -> None:
    server.file.unlink()
    report = server.apply("ann", revision=1)
    assert (report.result, report.users) == (Result.FAILED, None)
    assert str(server.file)[-30:] in report.detail
    assert "No such file" in report.detail
    assert not (server.state / "vew.revision").exists()


def test_a_file_that_cannot_be_read_for_sure_is_left_alone_and_the_reason_told(server: FilesOnDisk) -> None:
    damaged = b"# BEGIN seatpool vew\nGROUP seatpool_vew ann\n"
    server.file.write_bytes(damaged)
    report = server.apply("bob", revision=1)
    assert (report.result, report.users) == (Result.FAILED, None)
    assert "one BEGIN and one END" in report.detail
    assert server.file.read_bytes() == damaged
    assert not (server.state / "vew.revision").exists()
    assert server.rereads() == 0


def test_a_link_is_never_replaced(server: FilesOnDisk) -> None:
    real = server.home / "real"
    real.write_bytes(b"")
    server.file.unlink()
    server.file.symlink_to(real)
    report = server.apply("ann", revision=1)
    assert report.result is Result.FAILED
    assert "name the file itself" in report.detail
    assert server.file.is_symlink()
    assert real.read_bytes() == b""


@pytest.mark.parametrize("room", [0, 1, 40, 73, 100, 150, 200, 256, 300, 400, 1000, 4096])
def test_a_full_disk_leaves_the_old_file_or_the_new_one(server: FilesOnDisk, room: int) -> None:
    server.apply(*(f"old{n:03}" for n in range(40)), revision=1)
    old = server.file.read_bytes()
    new = tuple(f"new{n:03}" for n in range(60))
    *_, payload = server.prepared(*new, revision=2)
    server.room = room
    server.start(payload).communicate(timeout=PATIENCE)
    assert server.file.read_bytes() == old or server.adapter.parse([server.run(payload)]).products["vew"].users == new
    server.room = None
    assert server.apply(*new, revision=3).users == new
    assert [path.name for path in server.folder.iterdir()] == ["vendor.opt"]


def test_a_copy_that_a_killed_command_left_is_no_obstacle(server: FilesOnDisk) -> None:
    left = server.folder / ".seatpool.vew"
    left.mkdir()
    (left / "seatpool").write_text("half")
    assert server.apply("ann", revision=1).result is Result.APPLIED
    assert [path.name for path in server.folder.iterdir()] == ["vendor.opt"]


def test_a_link_that_takes_the_place_of_the_copys_folder_at_once_misleads_nobody(server: FilesOnDisk) -> None:
    """Who may write in the folder of the file can do that as soon as the script has made its own folder there."""
    elsewhere, tools = server.home / "other" / "elsewhere", server.home / "tools"
    elsewhere.mkdir(parents=True)
    tools.mkdir()
    victim = elsewhere.parent / server.name
    victim.write_bytes(FOREIGN)
    attacked = tools / "mkdir"
    attacked.write_text(
        f'#!/bin/sh\n/bin/mkdir "$@" || exit\ncase $1 in .seatpool*) mv "$1" moved && ln -s "{elsewhere}" "$1" ;; esac\n'
    )
    attacked.chmod(0o755)
    server.path = f"{tools}:{server.path}"
    report = server.apply("ann", revision=1)
    assert report.result is Result.FAILED
    assert list(elsewhere.iterdir()) == []
    assert server.file.read_bytes() == victim.read_bytes() == FOREIGN


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be misled into writing elsewhere")
def test_a_link_in_the_place_of_the_copy_misleads_nobody(server: FilesOnDisk) -> None:
    elsewhere = server.home / "elsewhere"
    elsewhere.mkdir()
    (server.folder / ".seatpool.vew").symlink_to(elsewhere)
    report = server.apply("ann", revision=1)
    assert report.result is Result.FAILED
    assert list(elsewhere.iterdir()) == []
    assert server.file.read_bytes() == FOREIGN


def test_who_is_off_the_list_and_still_has_a_check_out_is_told_when_the_list_is_read(tmp_path: Path) -> None:
    server = FilesOnDisk(
        home=tmp_path / "server", settings={"status": (str(tmp_path / "server" / "lmstat"), "{product}")}
    )
    server.file.write_bytes(b"")
    (server.home / "status").write_text(
        "Users of vew:  (Total of 5 licenses issued;  Total of 2 licenses in use)\n\n"
        "    ann m1 /dev/pts/1 (v1.0) (ls1/27000 101), start Fri 10/29 18:40\n"
        "    gone m2 /dev/pts/2 (v1.0) (ls1/27000 102), start Fri 10/29 18:41\n"
    )
    assert server.apply("ann", revision=1).still_in_use is None
    report = server.read().products["vew"]
    assert (report.result, report.users, report.still_in_use) == (Result.LISTED, ("ann",), ("gone",))
    (server.home / "fail.status").touch()
    report = server.read().products["vew"]
    assert (report.result, report.users, report.still_in_use) == (Result.LISTED, ("ann",), ())
    assert "the status command ended with 7: no such server" in report.detail


def test_a_status_behind_a_long_list_is_fetched_although_the_list_is_known(tmp_path: Path) -> None:
    server = FilesOnDisk(home=tmp_path / "server", settings={"status": (str(tmp_path / "server" / "lmstat"),)})
    server.file.write_bytes(b"")
    (server.home / "status").write_text(
        "Users of vew:  (Total of 5 licenses issued)\n  gone m2 tty (v1) (ls1/1 2), start Fri 1/1 1:00\n"
    )
    users = random_users(5000)
    assert server.apply(*users, revision=1).users == users
    report = server.read().products["vew"]
    assert (report.users, report.still_in_use) == (users, ("gone",))


def test_a_status_command_that_hangs_leaves_the_list_readable(tmp_path: Path) -> None:
    server = FilesOnDisk(
        home=tmp_path / "server", settings={"status": (str(tmp_path / "server" / "lmstat"),)}, seconds=5
    )
    server.file.write_bytes(b"")
    server.apply("ann", revision=1)
    (server.home / "slow.status").write_text("30")
    report = server.read().products["vew"]
    assert (report.result, report.users, report.late) == (Result.LISTED, ("ann",), Late.NO)
    assert "stopped after" in report.detail


def test_several_products_of_one_file_are_written_one_after_the_other(dash_server: FilesOnDisk) -> None:
    command = ListCommand(
        revision=1,
        owner="here",
        changes=tuple(ListChange(product=product, users=(f"u-{product}",)) for product in ("a", "b", "c")),
    )
    pieces = dash_server.adapter.split(command)
    assert [piece.names for piece in pieces] == [("a",), ("b",), ("c",)]
    for piece in pieces:
        assert dash_server.do(piece).products[piece.names[0]].result is Result.APPLIED
    report = dash_server.do(ListCommand(revision=1, owner="here", products=("a", "b", "c")))
    assert {name: one.users for name, one in report.products.items()} == {p: (f"u-{p}",) for p in ("a", "b", "c")}
    assert dash_server.file.read_bytes().startswith(FOREIGN)


def test_products_with_files_of_their_own_share_a_command(tmp_path: Path) -> None:
    server = FilesOnDisk(
        home=tmp_path / "server",
        format=ListFileFormat.LINES,
        settings={"path": f"{tmp_path}/server/etc/{{product}}.txt"},
    )
    for product in ("a", "b"):
        (server.folder / f"{product}.txt").write_text("# names\nold\n")
    command = ListCommand(
        revision=1, owner="here", changes=tuple(ListChange(product=product, users=("ann",)) for product in ("a", "b"))
    )
    (piece,) = server.adapter.split(command)
    assert {one.result for one in server.do(piece).products.values()} == {Result.APPLIED}
    assert (server.folder / "b.txt").read_text() == "# names\nann\n"


def test_one_file_that_cannot_be_read_stops_no_other_product(tmp_path: Path) -> None:
    server = FilesOnDisk(
        home=tmp_path / "server",
        format=ListFileFormat.JSON,
        settings={"path": f"{tmp_path}/server/etc/{{product}}.json"},
    )
    (server.folder / "a.json").write_text("[")
    (server.folder / "b.json").write_text('["old"]')
    command = ListCommand(
        revision=1, owner="here", changes=tuple(ListChange(product=product, users=("ann",)) for product in ("a", "b"))
    )
    report = server.do(command)
    assert report.products["a"].result is Result.FAILED
    assert "no JSON" in report.products["a"].detail
    assert report.products["b"].users == ("ann",)


def test_any_bytes_of_a_file_arrive_as_they_are(server: FilesOnDisk) -> None:
    """The part of the file that is sent has every byte but NUL, because both ends of the file change."""
    every = bytes(range(1, 256)).replace(b"\n", b"").replace(b"\r", b"")
    letters = random.Random(1)
    lines = [bytes(letters.choices(every, k=80)) for _ in range(30)]
    users = FilesOnDisk(home=server.home, shell=server.shell, format=ListFileFormat.LINES, name="names")
    text = b"first\n" + b"".join(b"# " + line + b"\n" for line in lines) + b"last\n"
    users.file.write_bytes(text)
    assert users.apply("new1", "new2", revision=1).users == ("new1", "new2")
    assert users.file.read_bytes() == text.removeprefix(b"first\n").removesuffix(b"last\n") + b"new1\nnew2\n"


def test_more_users_than_seats_are_refused_by_the_script_too(dash_server: FilesOnDisk) -> None:
    (payload,) = dash_server.prepared("ann", "bob", revision=1)
    lines = [line for line in unpack(payload) if line != "done"]
    limited = pack([*(line for line in lines if line != "end"), "limit 1", "end"])
    report = dash_server.adapter.parse([dash_server.run(limited)]).products["vew"]
    assert (report.result, dash_server.file.read_bytes()) == (Result.FAILED, FOREIGN)
    assert "2 users are more than the limit of 1" in report.detail


def test_an_edit_in_the_last_moment_is_not_lost(server: FilesOnDisk) -> None:
    """The script writes its copy to the disk right before it replaces the file; here another program saves the file then."""
    tools = server.home / "tools"
    tools.mkdir()
    saving = tools / "sync"
    saving.write_text(f'#!/bin/sh\n[ "$1" != seatpool ] || echo "# saved" >>"{server.file}"\n')
    saving.chmod(0o755)
    server.path = f"{tools}:{server.path}"
    report = server.apply("ann", revision=1)
    assert (report.result, report.users) == (Result.CHANGED, ())
    assert server.file.read_bytes() == FOREIGN + b"# saved\n"
    assert server.rereads() == 0


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file to another user")
def test_a_file_whose_owner_cannot_be_kept_is_not_replaced(server: FilesOnDisk) -> None:
    """A `cp` that keeps no owner stands for a file system that takes none."""
    os.chown(server.file, 12345, 54321)
    tools = server.home / "tools"
    tools.mkdir()
    keeping_nothing = tools / "cp"
    keeping_nothing.write_text('#!/bin/sh\n[ "$1" != -p ] || shift\nexec /bin/cp "$@"\n')
    keeping_nothing.chmod(0o755)
    server.path = f"{tools}:{server.path}"
    report = server.apply("ann", revision=1)
    assert report.result is Result.FAILED
    assert "with its owner and mode" in report.detail
    assert server.file.read_bytes() == FOREIGN
    assert [path.name for path in server.folder.iterdir()] == ["vendor.opt"]


def test_a_second_list_of_the_same_revision_is_refused_before_the_file_is_looked_at(server: FilesOnDisk) -> None:
    server.apply("ann", revision=3)
    (older,) = server.prepared("bob", revision=2)
    server.file.write_bytes(b"# other\n" + server.file.read_bytes())
    report = server.adapter.parse([server.run(older)]).products["vew"]
    assert (report.result, report.fence) == (Result.STALE, 3)


@pytest.mark.parametrize("name", ["was", "becomes", "keep", "resume", "file", "hash"])
@pytest.mark.parametrize("value", ["$(touch /tmp/owned)", "-1", "../x", "", "a b", "0" * 63])
def test_a_damaged_payload_changes_nothing(dash_server: FilesOnDisk, name: str, value: str) -> None:
    (payload,) = dash_server.prepared("ann", revision=1)
    lines = [f"{name} {value}" if line.startswith(f"{name} ") else line for line in unpack(payload) if line != "done"]
    report = dash_server.adapter.parse([dash_server.run(pack(lines))]).products["vew"]
    assert report.result is Result.FAILED
    assert dash_server.file.read_bytes() == FOREIGN
    assert not (dash_server.state / "vew.revision").exists()
