"""A question for many instances by id: few requests, and only EC2's own word makes one gone."""

from dataclasses import dataclass, field
from typing import Any, cast

from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from seatpool.mirror.aws_clients import AwsClients, Purpose
from seatpool.mirror.config import AccountConfig, MirrorConfig
from seatpool.mirror.ec2.instances import IDS_IN_A_REQUEST, MAX_REQUESTS, Ec2Reader
from seatpool.mirror.regions import ServedRegions
from seatpool.mirror.source import ById
from seatpool.mirror.type_aliases import TypeAliases

CONFIG = MirrorConfig(accounts=(AccountConfig(account="111122223333", regions=("eu-central-1",)),))
SERVED = next(iter(ServedRegions(CONFIG)))


def instance_id(number: int) -> str:
    return f"i-{number:017x}"


@dataclass
class Ec2:
    """An EC2 that knows some instances. It names at most so many unknown ones in a refusal."""

    running: set[str]
    silent: set[str] = field(default_factory=set)
    most_named: int = 10_000
    requests: int = 0

    def ec2(self, *_: object) -> "Ec2":
        return self

    def describe_instances(self, *, InstanceIds: list[str]) -> dict[str, Any]:  # noqa: N803
        self.requests += 1
        assert len(InstanceIds) <= IDS_IN_A_REQUEST
        unknown = [one for one in InstanceIds if one not in self.running | self.silent]
        if unknown:
            text = f"The instance IDs '{', '.join(unknown[: self.most_named])}' do not exist"
            raise ClientError({"Error": {"Code": "InvalidInstanceID.NotFound", "Message": text}}, "DescribeInstances")
        shown = [{"InstanceId": one, "State": {"Name": "running"}} for one in InstanceIds if one in self.running]
        return {"Reservations": [{"Instances": shown}]}


def ask(ec2: Ec2, ids: list[str]) -> ById:
    reader = Ec2Reader(CONFIG, cast("AwsClients", ec2), TypeAliases({}), Purpose.INVENTORY)
    return reader.describe_by_id(SERVED, ids)


def test_ten_thousand_that_are_gone_take_one_request_for_five_hundred() -> None:
    ec2 = Ec2(running=set())
    ids = [instance_id(number) for number in range(10_000)]
    assert ask(ec2, ids).gone == set(ids)
    assert ec2.requests == 10_000 // IDS_IN_A_REQUEST


@given(
    st.lists(st.sampled_from(["running", "gone", "silent"]), max_size=40),
    st.integers(0, 5),
)
def test_each_is_found_gone_or_neither_however_a_refusal_names_them(kinds: list[str], most_named: int) -> None:
    by_kind = {
        kind: {instance_id(n) for n, one in enumerate(kinds) if one == kind}
        for kind in (*kinds, "gone", "running", "silent")
    }
    ec2 = Ec2(running=by_kind["running"], silent=by_kind["silent"], most_named=most_named)
    answer = ask(ec2, [instance_id(number) for number in range(len(kinds))])
    assert ec2.requests <= MAX_REQUESTS
    assert set(answer.found) <= by_kind["running"]
    assert answer.gone <= by_kind["gone"]
    assert answer.silent <= by_kind["silent"]
    if ec2.requests < MAX_REQUESTS:
        assert (set(answer.found), answer.gone, answer.silent) == (
            by_kind["running"], by_kind["gone"], by_kind["silent"]
        )  # fmt: skip


def test_a_name_that_is_no_instance_id_is_not_asked_for_and_so_never_gone() -> None:
    ec2 = Ec2(running=set())
    answer = ask(ec2, ["made-by-hand", instance_id(1)])
    assert answer.gone == {instance_id(1)}
    assert not answer.found


def test_a_refusal_for_another_reason_says_nothing_about_any_instance() -> None:
    class Forbidden(Ec2):
        def describe_instances(self, **_: object) -> dict[str, Any]:
            raise ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": ""}}, "DescribeInstances")

    try:
        ask(Forbidden(running=set()), [instance_id(1)])
    except ClientError:
        return
    raise AssertionError("a refusal was taken for an answer")
