"""Builds the SSM document: the apply script, and parameters that carry only base64 and digits.

The payload reaches the script as an environment variable (`interpolationType: ENV_VAR`). Agents older than 3.3.2746.0
do not know that and set no variable. For them AWS documents that the value is put into the script. That is safe,
because the allowed pattern has no character that a shell would read. `SendCommand` pins the document by its hash.
"""

import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import Any

from seatpool.servers.ssm.payload import SEND_LIMIT

PAYLOAD = "Payload"
EXECUTION_TIMEOUT = "ExecutionTimeout"
TIMEOUT_PATTERN = r"^([5-9]|[1-9][0-9]{1,4}|1[0-6][0-9]{4}|17[01][0-9]{3}|172[0-7][0-9]{2}|172800)$"
"""5 to 172800. The agent replaces any other number by 3600, and says nothing."""
STEP = "applyUserLists"
MAX_PAYLOAD = 32_768
DOCUMENT_LIMIT = 64 * 1024
"""Bytes of the document and its parameters together."""
INDENT = 4
"""Blanks of one indent in the script."""
_BEFORE = (
    "#!/bin/sh",
    'seatpool_seconds="{{ ExecutionTimeout }}"',
    'if [ -z "${SSM_Payload+x}" ]; then export SSM_Payload="{{ Payload }}"; fi',
)


def script() -> str:
    """Returns the apply script from the package."""
    return files("seatpool.servers.ssm").joinpath("apply.sh").read_text(encoding="utf-8")


def _shortened(text: str) -> list[str]:
    """Returns the lines that do something, with narrow indents. A template with the whole script is too long to give to
    CloudFormation inline."""
    lines = ((line, line.lstrip(" ")) for line in text.splitlines())
    return [" " * ((len(line) - len(kept)) // INDENT) + kept for line, kept in lines if not kept.startswith("#")]


def document() -> dict[str, Any]:
    """Returns the content of the SSM document of type Command."""
    return {
        "schemaVersion": "2.2",
        "description": "Seatpool: puts lists of named users onto a license server, and reads them back.",
        "parameters": {
            PAYLOAD: {
                "type": "String",
                "description": "What to do: base64 of gzip of lines, made by Seatpool.",
                "allowedPattern": "^[A-Za-z0-9+/=]*$",
                "maxChars": MAX_PAYLOAD,
                "interpolationType": "ENV_VAR",
            },
            EXECUTION_TIMEOUT: {
                "type": "String",
                "description": "After how many seconds the script is stopped.",
                "default": "60",
                "allowedPattern": TIMEOUT_PATTERN,
            },
        },
        "mainSteps": [
            {
                "action": "aws:runShellScript",
                "name": STEP,
                "precondition": {"StringEquals": ["platformType", "Linux"]},
                "inputs": {
                    "timeoutSeconds": "{{ " + EXECUTION_TIMEOUT + " }}",
                    "runCommand": [*_BEFORE, *_shortened(script())],
                },
            }
        ],
    }


@cache
def document_json() -> str:
    """Returns the content to upload, byte for byte. Its hash depends on it."""
    return json.dumps(document(), indent=1, ensure_ascii=True) + "\n"


@cache
def document_hash() -> str:
    """Returns the SHA-256 that SSM keeps for this content."""
    return hashlib.sha256(document_json().encode()).hexdigest()


def room_left() -> int:
    """Returns the bytes left below SSM's limit with the document and the largest payload."""
    return DOCUMENT_LIMIT - len(document_json().encode()) - SEND_LIMIT
