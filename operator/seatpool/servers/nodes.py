"""Where a license server is: which account and region, and which node there."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from seatpool.api.licenseserver import LicenseServerSpec, Target
from seatpool.aws.sessions import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """An account, by the role that is assumed there, and a region; `target` is the node."""

    region: str
    role_arn: str | None = None
    external_id: str | None = None
    target: Target

    @classmethod
    def of(cls, spec: LicenseServerSpec) -> Self:
        return cls(region=spec.region, role_arn=spec.role_arn, external_id=spec.external_id, target=spec.target)

    @property
    def role(self) -> Role | None:
        if self.role_arn is None:
            return None
        return Role(arn=self.role_arn, external_id=self.external_id, region=self.region)

    @property
    def account(self) -> tuple[str, str | None, str | None]:
        """What one client can serve."""
        return self.region, self.role_arn, self.external_id

    def __str__(self) -> str:
        if self.target.instance_id is not None:
            return f"node {self.target.instance_id} in {self.region}"
        return f"the node with tag {self.target.tag}={self.target.value} in {self.region}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SentCommand:
    """A command that SSM has accepted. It can be kept and asked for by another process."""

    command_id: str
    instance_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandOutput:
    """A command whose script ran to its end."""

    status: str
    exit_code: int
    stdout: str
    stderr: str


DELIVERY_TIMEOUT = timedelta(seconds=30)
"""SSM takes no shorter one."""
