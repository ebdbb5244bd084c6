"""Who is the operator: a service account of a cluster, by its OIDC provider (IRSA), by EKS Pod Identity, or by both."""

from aws_cdk import aws_eks as eks
from aws_cdk import aws_iam as iam
from constructs import Construct

from seatpool_infra.blueprints.role import NarrowRole, trust
from seatpool_infra.permissions import operator_permissions
from seatpool_infra.site import Site

POD_IDENTITY = "pods.eks.amazonaws.com"


class OperatorRole(Construct):
    """The role, and with Pod Identity the association that gives it to the service account."""

    def __init__(self, scope: Construct, name: str, *, site: Site, key_arn: str) -> None:
        super().__init__(scope, name)
        self.role = NarrowRole(
            self,
            "Operator",
            role_name=site.operator_role,
            description="Seatpool's operator: takes events, sends lists to license servers, asks EC2 through reader roles.",
            trust=[*_irsa(site), *_pod_identity(site)],
            permissions=operator_permissions(site, key_arn=key_arn),
        )
        if site.license.pod_identity_cluster is not None:
            eks.CfnPodIdentityAssociation(
                self,
                "Association",
                cluster_name=site.license.pod_identity_cluster,
                namespace=site.license.namespace,
                service_account=site.license.service_account,
                role_arn=self.role.arn,
            )


def _irsa(site: Site) -> list[iam.PolicyStatement]:
    provider = site.license.oidc_provider_arn
    if provider is None:
        return []
    issuer = provider.partition(":oidc-provider/")[2]
    subject = f"system:serviceaccount:{site.license.namespace}:{site.license.service_account}"
    return [
        trust(
            principal=iam.FederatedPrincipal(provider, {}),
            actions=["sts:AssumeRoleWithWebIdentity"],
            conditions={"StringEquals": {f"{issuer}:aud": "sts.amazonaws.com", f"{issuer}:sub": subject}},
        )
    ]


def _pod_identity(site: Site) -> list[iam.PolicyStatement]:
    """EKS tells cluster, namespace and service account as tags of the session; without the conditions any pod would do."""
    mine = site.license
    if mine.pod_identity_cluster is None:
        return []
    cluster = f"arn:{site.partition}:eks:{mine.region}:{mine.account}:cluster/{mine.pod_identity_cluster}"
    return [
        trust(
            principal=iam.ServicePrincipal(POD_IDENTITY),
            actions=["sts:AssumeRole", "sts:TagSession"],
            conditions={
                "StringEquals": {
                    "aws:RequestTag/eks-cluster-arn": cluster,
                    "aws:RequestTag/kubernetes-namespace": mine.namespace,
                    "aws:RequestTag/kubernetes-service-account": mine.service_account,
                }
            },
        )
    ]


def trust_operator(site: Site, *, external_id: str) -> list[iam.PolicyStatement]:
    """Trust for a role in another account: the operator's role only, with the external id. Its session tags may come along."""
    operator = iam.ArnPrincipal(site.operator_role_arn)
    statements = [trust(principal=operator, conditions={"StringEquals": {"sts:ExternalId": external_id}})]
    if site.license.pod_identity_cluster is not None:
        statements.append(trust(principal=operator, actions=["sts:TagSession"]))
    return statements
