"""Runs `seatpool compare-pipeline`: compares the counters of the published pipeline with the workbenches in the cluster.

It changes nothing on either side. The exit code is 0 if both agree and 1 if they differ. So a job can watch the days in
which a site runs both.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from seatpool.cli.command_classes import ListOption, RenamedOptions
from seatpool.cli.no_headers import NoHeaders, refuse_no_headers
from seatpool.domain.errors import SeatpoolError
from seatpool.terminal.say import json_text, say
from seatpool.threads import run_in

if TYPE_CHECKING:
    from seatpool.mirror.pipeline_table import Attributes, Comparison
    from seatpool.settings.settings import Settings

DIFFERENT = 1


class ComparePipeline(RenamedOptions):
    """Takes the old name of `-o json`."""

    renamed: ClassVar[Mapping[str, str]] = {"--json": "-o json"}


class CounterStore(StrEnum):
    """Kinds of store that the counters can be in."""

    DYNAMODB = "dynamodb"


def compare_pipeline(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="The pipeline's table.")],
    *,
    origin: Annotated[CounterStore, typer.Option("--from", help="Where the table is.")] = CounterStore.DYNAMODB,
    product_attribute: Annotated[str, typer.Option(help="What the product is called in the table.")] = "product",
    user_attribute: Annotated[str, typer.Option(help="What the user is called in the table.")] = "user-id",
    count_attribute: Annotated[str, typer.Option(help="What the counter is called in the table.")] = "workbench-count",
    output: Annotated[
        ListOption, typer.Option("--output", "-o", help="How the answer is printed; json is one object in one line.")
    ] = ListOption.TABLE,
    no_headers: NoHeaders = False,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="YAML file with the operator's settings.")
    ] = None,
    kubeconfig: Annotated[Path | None, typer.Option(help="kubeconfig file.")] = None,
    namespaces: Annotated[
        list[str] | None, typer.Option("--namespace", "-n", help="Only these namespaces, once for each.")
    ] = None,
    region: Annotated[str | None, typer.Option(help="Region of the table.")] = None,
    endpoint_url: Annotated[str | None, typer.Option(help="Another AWS endpoint, for a stand-in.")] = None,
) -> None:
    """Compare the published pipeline's table with the workbenches that Seatpool sees. Changes nothing.

    The exit code is 0 when both agree, 1 when they differ, 2 when something could not be read.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    from seatpool.aws.errors import describe_error
    from seatpool.mirror.pipeline_table import Attributes
    from seatpool.settings.settings import load_settings

    refuse_no_headers(no_headers, is_table=output is ListOption.TABLE)
    del origin  # there is only one kind
    given = {"kubeconfig": kubeconfig, "namespaces": namespaces or None}
    settings = load_settings(file=config, flags={name: value for name, value in given.items() if value is not None})
    attributes = Attributes(product=product_attribute, user=user_attribute, count=count_attribute)
    try:
        comparison = asyncio.run(_compare(table, settings, attributes, region=region, endpoint_url=endpoint_url))
    except (ClientError, BotoCoreError) as error:
        raise SeatpoolError(f"table {table}: {describe_error(error)}") from error
    if output is ListOption.JSON:
        say(json_text(asdict(comparison) | {"equal": comparison.equal}, indent=None))
    else:
        _print(comparison, headers=not no_headers)
    raise typer.Exit(0 if comparison.equal else DIFFERENT)


async def _compare(
    table: str, settings: "Settings", attributes: "Attributes", *, region: str | None, endpoint_url: str | None
) -> "Comparison":
    import boto3

    from seatpool.api.licensepool import LicensePool
    from seatpool.api.workbench import Workbench
    from seatpool.kube.client import connect_as_kubectl
    from seatpool.kube.kubeconfig import KubeconfigChoice
    from seatpool.mirror.pipeline_table import compare, read_table

    counters = await run_in(
        None,
        lambda: read_table(
            boto3.Session(),
            table,
            attributes=attributes,
            region_name=region or settings.mirror.region,
            endpoint_url=endpoint_url or settings.mirror.endpoint_url,
        ),
    )
    choice = KubeconfigChoice(file=None if settings.kubeconfig is None else str(settings.kubeconfig))
    kube = await connect_as_kubectl(choice)
    try:
        pools: list[LicensePool] = []
        workbenches: list[Workbench] = []
        for namespace in settings.namespaces or (None,):
            raw, _ = await kube.list_all(LicensePool, namespace=namespace)
            pools += map(LicensePool.model_validate, raw)
            raw, _ = await kube.list_all(Workbench, namespace=namespace)
            workbenches += map(Workbench.model_validate, raw)
    finally:
        await kube.close()
    return compare(counters, pools=pools, workbenches=workbenches, normalise=settings.identity.user)


def _print(comparison: "Comparison", *, headers: bool) -> None:
    from seatpool.terminal.output import console, table

    screen = console(markup=False, headers=headers)
    if comparison.different:
        drawn = table("PRODUCT", "USER", "TABLE", "WORKBENCHES", "DIFFERENCE")
        for row in comparison.different:
            drawn.add_row(ascii(row.product)[1:-1], row.user, str(row.there), str(row.here), row.difference)
        screen.print(drawn)
    if comparison.unknown_products:
        screen.print(f"products of the table that no LicensePool has: {list(comparison.unknown_products)!a}")
    if comparison.refused_users:
        screen.print(f"users that no license server could take: {list(comparison.refused_users)!a}")
    screen.print(f"{comparison.same} the same, {len(comparison.different)} different")
