"""The part of the operator's settings that follows from the site, so that nobody copies ARNs by hand."""

from pathlib import Path
from typing import Any

import yaml

from seatpool.api.workbench import SourceKind
from seatpool.mirror.workbench_tags import Profile
from seatpool_infra.site import Site

SETTINGS, VALUES = "settings.yaml", "values.yaml"
SPOOL = "/var/lib/seatpool/spool"
"""On the volume that the chart mounts for the history."""


def operator_settings(site: Site) -> dict[str, Any]:
    """For `--config` of `seatpool run` and `seatpool dlq`."""
    mirror: dict[str, Any] = {
        "queue": site.queue_arn,
        "accounts": [
            {
                "account": each.account,
                "regions": list(each.regions),
                "namespace": each.namespace,
                "role_arn": site.reader_role_arn(each.account),
                "external_id": each.external_id,
            }
            for each in site.workbenches
        ],
        "tag_owner": site.tag_owner,
        "tag_type": site.tag_type,
    }
    if site.profile is not Profile.TAGS or site.require or SourceKind.ECS in site.sources:
        mirror["profile"] = site.profile.value
        mirror["sources"] = [kind.value for kind in site.sources]
        mirror["require"] = {key: list(values) for key, values in site.require.items()}
    if site.seat_tag is not None:
        mirror["seat_tag"] = site.seat_tag
    if site.custom_events is not None:
        mirror["custom_source"] = site.custom_events.source
        mirror["custom_detail_type"] = site.custom_events.detail_type
    settings: dict[str, Any] = {"mirror": mirror}
    if site.license.notify_bus_arn is not None:
        settings["notify"] = {"bus": site.license.notify_bus_arn}
    if site.license.history:
        settings["history"] = {"location": site.history_location, "region": site.license.region, "spool": SPOOL}
        if site.license.history_retention_days is not None:
            settings["history"]["retention_days"] = site.license.history_retention_days
    return settings


def chart_values(site: Site) -> dict[str, Any]:
    """For `helm install -f`: the settings, and who the pods are to AWS. With Pod Identity alone no annotation is needed."""
    values: dict[str, Any] = {"serviceAccount": {"name": site.license.service_account}}
    if site.license.oidc_provider_arn is not None:
        values["aws"] = {"roleArn": site.operator_role_arn}
    if site.license.history:
        values["history"] = {"volume": "emptyDir"}
    return values | {"config": operator_settings(site)}


def write_settings(site: Site, folder: Path) -> None:
    """Both files, beside the templates."""
    for name, content in ((SETTINGS, operator_settings(site)), (VALUES, chart_values(site))):
        (folder / name).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
