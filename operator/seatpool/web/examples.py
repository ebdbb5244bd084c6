"""Examples of answers for the OpenAPI document. A test compares them with the schemas."""

from typing import Any

from seatpool.web.keys.examples import KEY
from seatpool.web.routes import PREFIX

_LINE = {
    "name": "lab/matlab", "server": "licenses", "product": "matlab", "mode": "Enforce", "seats": 4, "isApplied": True,
    "used": 4, "waiting": 1, "oldestWait": "2026-03-09T08:41:00Z", "inSync": "yes", "reason": "InSync",
    "changesWindow": "", "problems": 0,
}  # fmt: skip
_SERVER = {
    "name": "lab/licenses", "mode": "Enforce", "ready": "yes", "inSync": "yes", "lists": 3, "people": 9, "revision": 41,
    "lastChanged": "2026-03-09T08:58:00Z", "lastVerified": "2026-03-09T08:59:00Z", "problems": 0,
}  # fmt: skip
_LIFE = {
    "life": "alive", "holder": "seatpool-7d9f", "version": "0.1.0", "lease": "seatpool/seatpool", "secondsAgo": 2.1,
    "text": "Operator seatpool-7d9f (0.1.0) is alive (2 s ago).",
}  # fmt: skip
_WAITS = {
    "id": "Waits",
    "text": "bob waits for a seat of lab/matlab: position 1 of 1, since 08:41.",
}
_EXPLANATION = {
    "user": "bob",
    "workbenches": [
        {
            "name": "i-0000000b", "namespace": "lab", "owner": "bob", "type": "vew-matlab", "state": "running", "user": "bob",
        }
    ],
    "pools": [
        {
            "pool": "lab/matlab", "phase": "Waiting", "reason": "PoolFull", "decidedBy": "LicensePool lab/matlab, spec.seats",
            "since": "2026-03-09T08:41:00Z", "position": 1, "waiting": 1,
            "said": [_WAITS, {"id": "PoolFull", "text": "All 4 seats are taken."}], "obstacles": [],
        }
    ],
    "said": [],
}  # fmt: skip
EXAMPLES: dict[str, dict[str, Any]] = {
    f"{PREFIX}/me": {"name": "oidc:bob", "user": "bob", "answer": _EXPLANATION},
    f"{PREFIX}/users/{{user}}": _EXPLANATION,
    f"{PREFIX}/pools": {"items": [_LINE], "nextCursor": "MTpsYWIvbWF0bGFi"},
    f"{PREFIX}/pools/{{namespace}}/{{name}}": {
        "pool": _LINE,
        "who": {
            "pool": "lab/matlab", "seats": 4,
            "holders": [
                {
                    "user": "another user", "since": "2026-03-09T06:00:00Z", "types": ["vew-matlab"], "workbenches": [],
                    "reason": "Granted",
                }
            ],
            "waiting": [
                {
                    "user": "bob", "position": 1, "since": "2026-03-09T08:41:00Z", "types": ["vew-matlab"],
                    "workbenches": ["i-0000000b"], "reason": "PoolFull",
                    "likely": {"begin": "2026-03-09T09:05:00Z", "end": "2026-03-09T11:20:00Z", "seats": 63},
                }
            ],
            "denied": [], "problems": [],
        },
        "rules": {
            "order": "FirstCome", "workbenchTypes": ["vew-matlab*"], "activeStates": ["pending", "running"],
            "minimumHold": "0s", "linger": "15m", "seatCoolDown": "0s", "readmitAfter": "0s", "reservations": [],
            "protectedUsers": 0, "deniedUsers": 0,
        },
        "namesShown": False,
    },
    f"{PREFIX}/servers": {
        "items": [_SERVER], "operators": [_LIFE],
    },
    f"{PREFIX}/status": {
        "operators": [_LIFE], "servers": [_SERVER], "pools": [_LINE],
        "problems": [
            {
                "said": {"id": "InventoryStale", "text": "The inventory of server lab/licenses is old."},
                "object": "LicenseServer lab/licenses", "detail": "a license admin sees which",
            }
        ],
        "notes": [], "unreadable": [], "refusedOwners": [],
        "unservedTypes": [{"type": "vew-other", "workbenches": 2, "example": "lab/i-0000000c"}],
    },
    f"{PREFIX}/workbenches": {
        "items": [
            {
                "name": "i-0000000b", "namespace": "lab", "owner": "CORP\\bob", "type": "vew-matlab", "state": "running",
                "user": "bob", "toldUser": "bob",
            }
        ]
    },
    f"{PREFIX}/usage": {
        "pool": "lab/matlab", "since": "2026-03-09T06:00:00Z", "until": "2026-03-09T08:00:00Z", "timeZone": "Europe/Berlin",
        "first": "2026-01-05T07:30:00Z", "last": "2026-03-09T08:00:00Z", "step": "hour",
        "steps": [
            {
                "begin": "2026-03-09T06:00:00Z", "usedMean": 2.5, "usedPeak": 4, "waitingMean": 0.0, "waitingPeak": 0,
            },
            {
                "begin": "2026-03-09T07:00:00Z", "usedMean": 3.9, "usedPeak": 4, "waitingMean": 0.25, "waitingPeak": 1,
            },
        ],
        "seats": [{"since": "2026-03-09T06:00:00Z", "seats": 4}],
        "week": [
            {"day": "Mon", "hour": 7, "mean": 2.5, "peak": 4, "needs": 3, "shareWaiting": 0.0, "waitP95S": 0.0},
            {"day": "Mon", "hour": 8, "mean": 3.9, "peak": 4, "needs": 2, "shareWaiting": 0.5, "waitP95S": 900.0},
        ],
        "waits": {
            "needs": 5, "notKnown": 0, "neverServed": 0,
            "servedWithin": [{"seconds": 0, "share": 0.8}, {"seconds": 900, "share": 1.0}],
            "shareWaiting": 0.2, "waitP50S": 0.0, "waitP95S": 900.0, "waitMaxS": 900.0,
        },
        "users": 5, "sessions": 5, "heldHours": 6.4, "mean": 3.2, "p95": 4, "peak": 4, "utilisation": 0.8,
        "saturatedHours": 0.75, "neverUsed": 0, "inDryRun": 0, "endsNotRecorded": 0,
    },
    f"{PREFIX}/plan": {
        "pool": "lab/matlab", "since": "2026-02-07T00:00:00Z", "until": "2026-03-09T08:00:00Z",
        "target": "share served within 10m >= 95%", "seatsNow": 4, "seats": 5, "seatsLow": 5, "seatsHigh": 6,
        "nobodyWaitsForASeat": 7, "needs": 412, "users": 19, "mostAtOnce": 7, "waitsNotKnown": 0,
        "points": [
            {
                "seats": 4, "shareServed": 0.91, "shareWaiting": 0.13, "neverServed": 6, "shareNeverServed": 0.0146,
                "waitP50S": 0.0, "waitP95S": 1900.0, "waitP95LowS": 900.0, "waitP95HighS": 3100.0, "waitMaxS": 9600.0,
                "utilisation": 0.52, "meetsTarget": False,
            },
            {
                "seats": 5, "shareServed": 0.97, "shareWaiting": 0.05, "neverServed": 1, "shareNeverServed": 0.0024,
                "waitP50S": 0.0, "waitP95S": 240.0, "waitP95LowS": 0.0, "waitP95HighS": 700.0, "waitMaxS": 5400.0,
                "utilisation": 0.44, "meetsTarget": True,
            },
        ],
    },
    f"{PREFIX}/keys": {"items": [KEY]},
}  # fmt: skip
