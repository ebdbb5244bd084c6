"""The app: a stack for the account of the license servers, and one for each other region with workbenches or servers.

cdk-nag judges every synthesis, in tests as well as in `cdk deploy`: what it finds and nobody has explained fails.
"""

from pathlib import Path

from aws_cdk import App, DefaultStackSynthesizer, Environment, Validations
from cdk_nag import AwsSolutionsChecks

from seatpool_infra.license_account import LicenseAccount
from seatpool_infra.server_account import ServerRegion
from seatpool_infra.site import Site
from seatpool_infra.workbench_account import WorkbenchRegion

CONTEXT = {
    "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": True,
    "@aws-cdk/core:enablePartitionLiterals": True,
    "@aws-cdk/core:explicitStackTags": True,
    "@aws-cdk/aws-iam:minimizePolicies": False,
}


def new_app(*, out: Path | None = None) -> App:
    """An app that cdk-nag judges; without a folder the `cdk` command names one."""
    app = App(analytics_reporting=False, outdir=None if out is None else str(out), context=dict(CONTEXT))
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return app


def add_stacks(app: App, site: Site) -> None:
    """All stacks of a site."""
    mine, tags = site.license, {"app.kubernetes.io/part-of": site.name}
    LicenseAccount(
        app,
        f"{site.name}-license",
        site=site,
        env=Environment(account=mine.account, region=mine.region),
        description="Seatpool: events, commands and the operator's role.",
        tags=tags,
        synthesizer=_synthesizer(),
        suppress_template_indentation=True,  # within the 51,200 bytes that CloudFormation takes without a bucket
        termination_protection=True,
    )
    for account in site.workbenches:
        for region in account.regions:
            WorkbenchRegion(
                app,
                f"{site.name}-workbenches-{account.account}-{region}",
                site=site,
                account=account,
                region=region,
                env=Environment(account=account.account, region=region),
                description="Seatpool: events of this account's workbenches, and who may look at them.",
                tags=tags,
                synthesizer=_synthesizer(),
            )

    for servers in site.license_servers:
        for region in servers.regions:
            ServerRegion(
                app,
                f"{site.name}-license-servers-{servers.account}-{region}",
                site=site,
                account=servers,
                region=region,
                env=Environment(account=servers.account, region=region),
                description="Seatpool: the document for this region's license servers, and who may send it.",
                tags=tags,
                synthesizer=_synthesizer(),
            )


def _synthesizer() -> DefaultStackSynthesizer:
    """No rule that looks for CDK's own bootstrap: the templates are for other tools too."""
    return DefaultStackSynthesizer(generate_bootstrap_version_rule=False)
