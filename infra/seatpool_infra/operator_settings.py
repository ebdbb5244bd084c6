"""The part of the operator's settings that follows from the site, so that nobody copies ARNs by hand."""

from typing import Any

import yaml

from seatpool_infra.site import Site

SPOOL = "/var/lib/seatpool/spool"
"""On the volume that the chart mounts for the history."""


def operator_settings(site: Site) -> dict[str, Any]:
    """For `seatpool run --config`, or for `config` in the chart's values."""
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
    if site.custom_events is not None:
        mirror["custom_source"] = site.custom_events.source
        mirror["custom_detail_type"] = site.custom_events.detail_type
    settings: dict[str, Any] = {"mirror": mirror}
    if site.license.notify_bus_arn is not None:
        settings["notify"] = {"bus": site.license.notify_bus_arn}
    if site.license.history:
        settings["history"] = {"location": site.history_location, "region": site.license.region, "spool": SPOOL}
    return settings


def settings_yaml(site: Site) -> str:
    return yaml.safe_dump(operator_settings(site), sort_keys=False)
