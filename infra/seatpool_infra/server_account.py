"""License servers in another region or account: the document there, and in another account a role for the operator.

A command is sent in the region of its machine and from its account, so the document has to be in each. A role is of no
region: it comes with the first one.
"""

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from seatpool.servers.ssm.document import document_hash
from seatpool_infra.apply_document import add_document
from seatpool_infra.blueprints.role import NarrowRole
from seatpool_infra.operator_role import trust_operator
from seatpool_infra.permissions import server_permissions
from seatpool_infra.site import ServerAccount, Site


class ServerRegion(Stack):
    """One region of the account."""

    def __init__(
        self, scope: Construct, name: str, *, site: Site, account: ServerAccount, region: str, **stack: Any
    ) -> None:
        super().__init__(scope, name, **stack)
        add_document(self, site)
        if account.external_id is not None and region == account.regions[0]:
            self._role(site, account, account.external_id)
        CfnOutput(self, "DocumentName", value=site.license.document, description="spec.document of a LicenseServer.")
        CfnOutput(
            self,
            "DocumentHash",
            value=document_hash(),
            description="The operator of the same version sends this document and no other.",
        )

    def _role(self, site: Site, account: ServerAccount, external_id: str) -> None:
        role = NarrowRole(
            self,
            "Servers",
            role_name=site.server_role,
            description="Seatpool sends lists to the license servers of this account.",
            trust=trust_operator(site, external_id=external_id),
            permissions=server_permissions(site, account.account),
        )
        CfnOutput(
            self, "ServerRoleArn", value=role.arn, description="spec.roleArn of a LicenseServer; with spec.externalId."
        )
