"""The script by itself, run by real shells against a client that behaves well."""

import json
import random
import string
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.servers.server_on_disk import ServerOnDisk

from seatpool.domain.list_hash import list_hash
from seatpool.servers.command_result import Result
from seatpool.servers.commands import ListChange, ListCommand
from seatpool.servers.ssm import document
from seatpool.servers.ssm.output_parser import chunks


def random_users(count: int, *, length: int = 12) -> tuple[str, ...]:
    letters = random.Random(count)
    alphabet = string.ascii_lowercase + string.digits
    return tuple(sorted({"".join(letters.choices(alphabet, k=length)) for _ in range(count)}))


def command(*changes: ListChange, revision: int = 1, owner: str = "here") -> ListCommand:
    return ListCommand(revision=revision, owner=owner, changes=changes)


def test_shellcheck_has_nothing_to_say() -> None:
    path = Path(document.__file__).with_name("apply.sh")
    shellcheck = Path(sys.executable).with_name("shellcheck")
    done = subprocess.run([shellcheck, "--shell=sh", path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_list_is_applied_and_read_back(server: ServerOnDisk) -> None:
    report = server.apply("bob", "alice", revision=7)
    assert report.result is Result.APPLIED
    assert (report.fence, report.owner, report.exit_code) == (7, "here", 0)
    assert report.users == ("alice", "bob")
    assert server.licensed() == ["alice", "bob"]
    assert (server.state / "vew.revision").read_text() == f"here 7 {list_hash(['alice', 'bob'])}\n"


def test_the_summary_is_the_first_line_and_the_rest_are_chunks(dash_server: ServerOnDisk) -> None:
    first, *rest = dash_server.outputs(command(ListChange(product="vew", users=("ann",))))[0].splitlines()
    assert json.loads(first)["results"][0]["product"] == "vew"
    assert [line[:8] for line in rest] == ["= vew 0 "]


def test_several_products_travel_in_one_command(server: ServerOnDisk) -> None:
    report = server.do(command(ListChange(product="a", users=("ann",)), ListChange(product="b.2", users=())))
    assert {name: product.users for name, product in report.products.items()} == {"a": ("ann",), "b.2": ()}


def test_an_older_revision_is_refused_and_told_the_newer_one(server: ServerOnDisk) -> None:
    server.apply("new", revision=5)
    report = server.apply("old", revision=4)
    assert (report.result, report.fence, report.users) == (Result.STALE, 5, ("new",))
    assert server.licensed() == ["new"]


def test_the_same_revision_with_the_same_list_is_applied_again(dash_server: ServerOnDisk) -> None:
    dash_server.apply("ann", revision=5)
    assert dash_server.apply("ann", revision=5).result is Result.APPLIED


def test_the_same_revision_with_another_list_is_refused(dash_server: ServerOnDisk) -> None:
    dash_server.apply("ann", revision=5)
    assert dash_server.apply("bob", revision=5).result is Result.STALE
    assert dash_server.licensed() == ["ann"]


def test_a_list_of_another_installation_is_left_alone_whatever_the_revision(server: ServerOnDisk) -> None:
    server.apply("ann", revision=5, owner="there")
    report = server.apply("bob", revision=99, owner="here")
    assert (report.result, report.owner, report.fence) == (Result.OWNER, "there", 5)
    assert server.licensed() == ["ann"]


def test_a_list_is_taken_over_only_from_the_named_installation(dash_server: ServerOnDisk) -> None:
    dash_server.apply("ann", revision=50, owner="there")
    assert dash_server.apply("bob", revision=1, takeover="elsewhere").result is Result.OWNER
    assert dash_server.apply("bob", revision=1, takeover="there").result is Result.APPLIED
    assert dash_server.apply("ann", revision=51, owner="there").result is Result.OWNER
    assert dash_server.licensed() == ["bob"]


def test_reading_back_changes_nothing(server: ServerOnDisk) -> None:
    server.apply("ann", revision=5, owner="there")
    before = sorted(path.name for path in server.state.iterdir())
    report = server.do(ListCommand(revision=9, owner="here", products=("vew",))).products["vew"]
    assert (report.result, report.users, report.fence, report.owner) == (Result.LISTED, ("ann",), 5, "there")
    assert sorted(path.name for path in server.state.iterdir()) == before
    assert "apply" not in (server.home / "calls").read_text().splitlines()[-1]


def test_five_thousand_random_users_travel_in_parts_and_come_back_in_chunks(server: ServerOnDisk) -> None:
    users = random_users(5000)
    whole = command(ListChange(product="vew", users=users, seats=5000))
    assert len(server.adapter.parameters(whole)) > 1
    outputs = server.outputs(whole)
    assert len(outputs) > 1
    assert server.adapter.parse(outputs).products["vew"].users == users
    assert server.licensed() == list(users)
    assert list((server.state / ".parts").iterdir()) == []


def test_a_list_that_is_as_commanded_need_not_be_fetched(dash_server: ServerOnDisk) -> None:
    users = random_users(5000)
    whole = command(ListChange(product="vew", users=users))
    first = dash_server.outputs(whole)[:1]
    assert dash_server.adapter.parse(first).unread == {"vew": pytest.approx(23_000, abs=500)}
    assert dash_server.adapter.parse(first, whole).products["vew"].users == users
    other = command(ListChange(product="vew", users=users[1:]))
    assert dash_server.adapter.parse(first, other).products["vew"].users is None


def test_parts_of_an_older_revision_are_never_joined(dash_server: ServerOnDisk) -> None:
    old = command(ListChange(product="vew", users=random_users(5000)), revision=1)
    new = command(ListChange(product="vew", users=random_users(4999)), revision=2)
    *old_parts, _ = dash_server.adapter.parameters(old)
    *_, new_last = dash_server.adapter.parameters(new)
    for part in old_parts:
        dash_server.run(part["Payload"][0])
    output = dash_server.run(new_last["Payload"][0])
    report = dash_server.adapter.parse([output]).products["vew"]
    assert report.result is Result.FAILED
    assert "send them again" in report.detail
    assert not (dash_server.state / "vew.revision").exists()


def test_thirty_products_with_lists_share_the_room_for_output(dash_server: ServerOnDisk) -> None:
    changes = [ListChange(product=f"product-{n}", users=random_users(90 - n)) for n in range(30)]
    (whole,) = dash_server.adapter.split(command(*changes))
    outputs = dash_server.outputs(whole)
    report = dash_server.adapter.parse(outputs)
    assert [chunk[0] for chunk in chunks(outputs[0])] == [change.product for change in changes]
    assert {name: product.users for name, product in report.products.items()} == {c.product: c.users for c in changes}


def test_the_lock_is_one_for_all_and_the_highest_revision_wins(dash_server: ServerOnDisk) -> None:
    revisions = random.Random(1).sample(range(1, 1000), 20)
    lists = {revision: random_users(200 + revision) for revision in revisions}
    payloads = [
        dash_server.adapter.parameters(command(ListChange(product="vew", users=lists[revision]), revision=revision))
        for revision in revisions
    ]
    processes = [dash_server.start(parameters[0]["Payload"][0]) for parameters in payloads]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    results = {
        revision: dash_server.adapter.parse([output]).products["vew"].result
        for revision, output in zip(revisions, outputs, strict=True)
    }
    assert results[max(revisions)] is Result.APPLIED
    assert set(results.values()) <= {Result.APPLIED, Result.STALE}
    assert tuple(dash_server.licensed()) == lists[max(revisions)]
    assert (dash_server.state / "vew.list").read_text() == "".join(f"{user}\n" for user in lists[max(revisions)])
