"""The SSM document that writes lists, in each region with license servers."""

from aws_cdk import aws_ssm as ssm
from constructs import Construct

from seatpool.servers.ssm.document import document_json
from seatpool_infra.site import Site


def add_document(stack: Construct, site: Site) -> None:
    """Add the document as text and not as an object: its hash, which every command names, is of these very bytes.

    CloudFormation takes either, the CDK's property an object only, so the text is put in its place.
    """
    resource = ssm.CfnDocument(
        stack,
        "Document",
        name=site.license.document,
        content={},
        document_format="JSON",
        document_type="Command",
        update_method="NewVersion",
    )
    resource.add_property_override("Content", document_json())
    # cfn-lint's rule for documents cannot read text; a test gives it the same content as an object.
    resource.add_metadata("cfn-lint", {"config": {"ignore_checks": ["E3051"]}})
