"""Objects that an API server admits, and that no operator should fall over."""

from typing import Any

from benchmarks.site import ACCOUNT, REGION, resource

BEGINNING = "0001-01-01T00:00:00+14:00"
LONGEST_NAME = "p" * 253


def odd_objects(namespace: str, *, pool: str) -> list[dict[str, Any]]:
    """Returns odd objects of every kind. They are beside the right ones and need no seat."""
    entry = {"user": "stranger", "since": BEGINNING, "reason": "Granted"}
    memory = {"server": "licenses-0", "product": pool, "pool": pool}
    copy = memory | {"assigned": [entry], "waiting": [{"user": "other", "since": "9999-12-31T23:59:59Z"}]}
    instance = "i-0dd00000000000000"
    workbench = {
        "instanceId": instance, "account": "999999999999", "region": REGION, "owner": "A\\B\\C \u202e!", "type": "vew-none",
        "state": "running", "stateChangedAt": "9999-12-31T23:59:59Z", "launchedAt": BEGINNING,
    }  # fmt: skip
    many = {
        "serverRef": {"name": "licenses-0"}, "product": "odd", "seats": 5000, "workbenchTypes": ["vew-none*"],
        "linger": "999999d", "minimumHold": "999999d", "readmitAfter": "999999d",
    }  # fmt: skip
    nowhere = {
        "target": {"instanceId": "i-00000000000000000"}, "region": REGION, "roleArn": f"arn:aws:iam::{ACCOUNT}:role/none",
        "xlc": {"listFormat": {"type": "Regex", "pattern": "^((?:[a-z]+ ?)+):$"}},
    }  # fmt: skip
    return [
        resource("SeatLedger", namespace, f"{pool}-0-backup", copy),
        resource("SeatLedger", namespace, "copy-0", copy),
        resource(
            "SeatLedger", namespace, "nobodys", memory | {"pool": "nobodys", "product": "nobodys", "shares": 4000}
        ),
        resource("Workbench", namespace, instance, workbench),
        resource("LicensePool", namespace, LONGEST_NAME, many),
        resource("LicensePool", namespace, "lost", many | {"serverRef": {"name": "nowhere"}, "product": "lost"}),
        resource("LicenseServer", namespace, "odd", nowhere),
    ]
