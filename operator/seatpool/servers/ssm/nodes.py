"""Names the node of a license server, and the values that travel to and from it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from seatpool.api.licenseserver import LicenseServerSpec, Target
from seatpool.aws.sessions import Role

DELIVERY_TIMEOUT = timedelta(seconds=30)
"""SSM's own minimum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node of SSM: the role that is assumed in its account, its region, and the target there."""

    region: str
    role_arn: str | None = None
    external_id: str | None = None
    target: Target

    @classmethod
    def of(cls, spec: LicenseServerSpec) -> Self:
        """Returns the node of a LicenseServer."""
        target, region = spec.node
        return cls(region=region, role_arn=spec.role_arn, external_id=spec.external_id, target=target)

    @property
    def role(self) -> Role | None:
        """The role to assume. None: the pod's own identity."""
        if self.role_arn is None:
            return None
        return Role(arn=self.role_arn, external_id=self.external_id, region=self.region)

    def __str__(self) -> str:
        if self.target.instance_id is not None:
            return f"node {self.target.instance_id} in {self.region}"
        return f"the node with tag {self.target.tag}={self.target.value} in {self.region}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandOutput:
    """The output of a command whose script ran to its end."""

    status: str
    exit_code: int
    stdout: str
    stderr: str
