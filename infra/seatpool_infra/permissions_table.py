"""The reference page of all permissions, from the same data as the policies."""

from collections.abc import Sequence

from seatpool.api.workbench import SourceKind
from seatpool_infra.blueprints.permission import Permission
from seatpool_infra.permissions import (
    dead_letter_permissions,
    forwarder_permissions,
    history_reader_permissions,
    operator_permissions,
    reader_permissions,
    server_permissions,
)
from seatpool_infra.site import Site

PAGE = "aws-permissions.md"
KEY = "the key"
_HEAD = """# Permissions in AWS

<!-- Written by `make generate` from infra/seatpool_infra/permissions.py. -->

Statements of the policies that `infra/` makes, with the reason for each. [AWS](../aws.md) tells how to deploy them.
"""


def page(example: Site) -> str:
    """Markdown, of a site that has everything."""
    site = example.model_copy(update={"seat_tag": "seatpool:seat", "sources": (SourceKind.EC2, SourceKind.ECS)})
    account = site.workbenches[0]
    parts = (
        ("The operator", f"Role `{site.operator_role}` in the account of the license servers.",
         operator_permissions(site, key_arn=KEY)),
        ("Reader", f"Role `{site.reader_role}` in each account with workbenches; only the operator's role may assume it, "
         "with the external id.", reader_permissions(site, account)),
        ("License servers elsewhere", f"Role `{site.server_role}` in each other account with license servers; only the "
         "operator's role may assume it, with the external id.", server_permissions(site, site.license_servers[0].account)),
        ("Forwarder", "EventBridge's role in each region of an account with workbenches.", forwarder_permissions(site)),
        ("People", f"Managed policy `{site.name}-dead-letters`, for those who use `seatpool dlq`.",
         dead_letter_permissions(site, key_arn=KEY)),
        ("Readers of the history", f"Managed policy `{site.name}-history-readers`, for those who use `seatpool report --history "
         "s3://...`.", history_reader_permissions(site, key_arn=KEY)),
    )  # fmt: skip
    return "\n".join([_HEAD, *(_part(title, who, permissions) for title, who, permissions in parts)])


def _part(title: str, who: str, permissions: Sequence[Permission]) -> str:
    rows = [
        f"| `{each.name}` | {', '.join(f'`{action}`' for action in each.actions)} | {each.on} | {each.why} "
        f"| {each.without} |"
        for each in permissions
    ]
    wild = [f"- `{each.name}` has a `*`: {each.wildcard}." for each in permissions if each.wildcard]
    table = ["| statement | actions | on | why | without it |", "| --- | --- | --- | --- | --- |", *rows, ""]
    return "\n".join([f"## {title}", "", who, "", *table, *wild, *([""] if wild else [])])
