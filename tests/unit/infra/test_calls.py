"""Every call to AWS in the operator's code is permitted, and nothing is permitted that no code calls."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore import xform_name
from botocore.loaders import Loader

import seatpool
from seatpool_infra.blueprints.permission import Permission
from seatpool_infra.permissions import (
    dead_letter_permissions,
    history_reader_permissions,
    operator_permissions,
    reader_permissions,
    server_permissions,
)
from seatpool_infra.site import Site

PACKAGE = Path(seatpool.__path__[0])
SERVICES = ("ec2", "ecs", "events", "s3", "sqs", "ssm", "sts")
BY_PEOPLE = {"mirror/queue/dead_letters.py", "mirror/queue/redrive_task.py"}
"""What only `seatpool dlq` uses."""
WITH_THEIR_OWN_RIGHTS = {"mirror/pipeline_table.py", "history/store.py"}
"""Commands of people that need rights which the stacks cannot know."""
NEEDS_NOTHING = {"sts:GetCallerIdentity"}
ONLY_TO_CHECK = {"ssm:DescribeDocument"}
"""`seatpool check` asks for it, and says "not known" without the right. The operator needs it never."""
NO_CALL_OF_OURS = {"kms:Decrypt", "kms:GenerateDataKey", "sts:AssumeRole", "sts:TagSession"}
"""AWS asks for them on behalf of a call, or boto3 calls by itself."""
OTHER_NAMES = {
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:ListObjects": "s3:ListBucket",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:HeadObject": "s3:GetObject",
}
TRANSFERS = {"upload_file": "s3:PutObject", "upload_fileobj": "s3:PutObject", "download_file": "s3:GetObject"}


@pytest.fixture(scope="module")
def actions_of_methods() -> dict[str, str]:
    """boto3's method names, and the action that each needs."""
    loader = Loader()
    found = dict(TRANSFERS)
    for service in SERVICES:
        for operation in loader.load_service_model(service, "service-2")["operations"]:
            action = f"{service}:{operation.removesuffix('Batch') if service == 'sqs' else operation}"
            found[xform_name(operation)] = OTHER_NAMES.get(action, action)
    return found


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith("sim/"):
            yield name, ast.parse(path.read_text())


def called(tree: ast.Module, actions: dict[str, str]) -> set[str]:
    """Actions behind `anything.method(...)` and `get_paginator("method")`."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in actions:
                found.add(actions[node.func.attr])
            elif node.func.attr == "get_paginator" and isinstance(node.args[0], ast.Constant):
                name = str(node.args[0].value)
                found |= {actions[name]} if name in actions else set()
    return found


def named(permissions: tuple[Permission, ...]) -> set[str]:
    return {action for permission in permissions for action in permission.actions}


def permitted_to_the_operator(example: Site) -> set[str]:
    """In a site that has everything."""
    site = example.model_copy(update={"seat_tag": "seatpool:seat", "sources": ("EC2", "ECS")})
    return named((*operator_permissions(site, key_arn="key"), *reader_permissions(site, site.workbenches[0])))


@pytest.fixture(scope="module")
def operators_calls(actions_of_methods: dict[str, str]) -> set[str]:
    calls: set[str] = set()
    for name, tree in modules():
        if name not in BY_PEOPLE | WITH_THEIR_OWN_RIGHTS:
            calls |= called(tree, actions_of_methods)
    return calls - NEEDS_NOTHING - ONLY_TO_CHECK


def test_the_operator_may_do_whatever_its_code_calls(example: Site, operators_calls: set[str]) -> None:
    permitted = permitted_to_the_operator(example)
    assert operators_calls - permitted == set()


def test_the_operator_may_do_nothing_that_its_code_does_not_call(example: Site, operators_calls: set[str]) -> None:
    permitted = permitted_to_the_operator(example)
    assert permitted - operators_calls - NO_CALL_OF_OURS == set()


def test_people_may_do_with_dead_letters_what_the_command_calls(
    example: Site, actions_of_methods: dict[str, str]
) -> None:
    calls = {action for name, tree in modules() if name in BY_PEOPLE for action in called(tree, actions_of_methods)}
    assert named(dead_letter_permissions(example, key_arn="key")) - NO_CALL_OF_OURS == calls


def test_readers_of_the_history_may_do_what_copying_it_calls(example: Site, actions_of_methods: dict[str, str]) -> None:
    (bucket,) = (called(tree, actions_of_methods) for name, tree in modules() if name == "history/bucket.py")
    permitted = named(history_reader_permissions(example, key_arn="key")) - NO_CALL_OF_OURS
    assert permitted == bucket - {"s3:PutObject", "s3:DeleteObject"}


def test_the_role_of_license_servers_elsewhere_may_do_what_the_operator_may_at_home(example: Site) -> None:
    home = {each.name: each.actions for each in operator_permissions(example, key_arn="key")}
    elsewhere = {each.name: each.actions for each in server_permissions(example, example.license_servers[0].account)}
    assert elsewhere.items() <= home.items()


def test_only_the_transport_cancels_commands_as_that_right_is_for_every_command_of_the_account() -> None:
    callers = {
        name
        for name, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "cancel"
        and node.args
    }
    assert callers <= {"servers/ssm/backend.py", "servers/ssm/transport.py"}


def test_a_call_that_is_new_would_be_seen(actions_of_methods: dict[str, str]) -> None:
    code = 'self._client().terminate_instances(InstanceIds=[]); x.get_paginator("list_queues").paginate()'
    assert called(ast.parse(code), actions_of_methods) == {"ec2:TerminateInstances", "sqs:ListQueues"}
