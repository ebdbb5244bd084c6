"""A role with a trust policy of its own words, and permissions that say why they are there.

A `*` in a resource is refused unless the permission explains it; the explanation becomes the acknowledgement that
cdk-nag asks for, so a wildcard without a reason fails before anything is deployed.
"""

from collections.abc import Sequence
from typing import Any

from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_iam as iam
from constructs import Construct

from seatpool.domain.errors import SeatpoolError
from seatpool_infra.blueprints.permission import Conditions, Permission

MAX_NAME = 64


class UnexplainedWildcard(SeatpoolError):
    """A permission is for everything and does not say why."""


class NarrowRole(Construct):
    """One role and one inline policy."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        description: str,
        trust: Sequence[iam.PolicyStatement],
        permissions: Sequence[Permission],
        role_name: str | None = None,
    ) -> None:
        super().__init__(scope, name)
        if role_name is not None and len(role_name) > MAX_NAME:
            raise SeatpoolError(
                f"role {role_name}: the name has more than {MAX_NAME} characters; shorten the site's name"
            )
        self.resource = iam.CfnRole(
            self,
            "Role",
            role_name=role_name,
            description=description,
            assume_role_policy_document=iam.PolicyDocument(statements=list(trust)),
            policies=[
                iam.CfnRole.PolicyProperty(
                    policy_name="permissions",
                    policy_document=iam.PolicyDocument(statements=statements(permissions)),
                )
            ],
        )
        acknowledge_wildcards(self.resource, permissions)

    @property
    def arn(self) -> str:
        return str(self.resource.attr_arn)


def trust(
    *, principal: iam.IPrincipal, actions: Sequence[str] = ("sts:AssumeRole",), conditions: Conditions | None = None
) -> iam.PolicyStatement:
    """One statement of a trust policy."""
    return iam.PolicyStatement(principals=[principal], actions=list(actions), conditions=_plain(conditions or {}))


def statements(permissions: Sequence[Permission]) -> list[iam.PolicyStatement]:
    """The permissions as IAM says them."""
    return [
        iam.PolicyStatement(
            sid=permission.name,
            actions=list(permission.actions),
            resources=list(permission.resources),
            conditions=_plain(permission.conditions),
        )
        for permission in permissions
    ]


def acknowledge_wildcards(construct: Construct, permissions: Sequence[Permission]) -> None:
    """Tell cdk-nag why each wildcard is there."""
    for permission in permissions:
        wild = [resource for resource in permission.resources if "*" in resource]
        if bool(wild) != (permission.wildcard is not None):
            raise UnexplainedWildcard(
                f"permission {permission.name} on {', '.join(permission.resources)}: say in `wildcard` why a resource has "
                "a *, or name the resource; without a * say nothing"
            )
        for resource in wild:
            Validations.of(construct).acknowledge(
                Acknowledgment(id=f"AwsSolutions-IAM5[Resource::{resource}]", reason=str(permission.wildcard))
            )


def _plain(conditions: Conditions) -> dict[str, Any]:
    return {
        operator: {key: value if isinstance(value, str) else list(value) for key, value in keys.items()}
        for operator, keys in conditions.items()
    }
