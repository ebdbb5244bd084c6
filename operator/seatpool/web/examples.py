"""Examples of answers for the OpenAPI document. A test compares them with the schemas."""

from typing import Any

from seatpool.web.keys.examples import KEY
from seatpool.web.routes import PREFIX

_LINE = {
    "name": "lab/matlab", "server": "licenses", "product": "matlab", "mode": "Enforce", "seats": 4, "isApplied": True,
    "used": 4, "waiting": 1, "oldestWait": "2026-03-09T08:41:00Z", "inSync": "yes", "reason": "InSync",
    "changesWindow": "", "problems": 0,
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
        "items": [
            {
                "name": "lab/licenses", "mode": "Enforce", "ready": "yes", "inSync": "yes", "lists": 3, "people": 9,
                "revision": 41, "lastChanged": "2026-03-09T08:58:00Z", "lastVerified": "2026-03-09T08:59:00Z", "problems": 0,
            }
        ],
        "operators": [
            {
                "life": "alive", "holder": "seatpool-7d9f", "version": "0.1.0", "lease": "seatpool/seatpool", "secondsAgo": 2.1,
                "text": "Operator seatpool-7d9f (0.1.0) is alive (2 s ago).",
            }
        ],
    },
    f"{PREFIX}/workbenches": {
        "items": [
            {
                "name": "i-0000000b", "namespace": "lab", "owner": "CORP\\bob", "type": "vew-matlab", "state": "running",
                "user": "bob", "toldUser": "bob",
            }
        ]
    },
    f"{PREFIX}/keys": {"items": [KEY]},
}  # fmt: skip
