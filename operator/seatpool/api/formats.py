"""Says in words what the patterns of fields stand for, for whoever wrote something else.

The API server refuses a `pattern` with the expression itself. So the CRD has a CEL rule instead, whose message says what is
right and what was written.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seatpool.api.base import DURATION_PATTERN
from seatpool.api.licensepool import USER_PATTERN
from seatpool.api.regions import REGION_PATTERN

_SHOWN = "^[ -~]{1,60}$"
"""What was written is shown if it is short, and has no character that could change a terminal.

Else the expression is empty, and the API server takes the message.
"""


@dataclass(frozen=True, slots=True)
class Format:
    """What a pattern stands for."""

    words: str
    """What a value must be, with an example."""
    longest: int
    """Number of characters that a value can have. The API server needs it to know what the rule can cost."""
    short: str | None = None
    """A shorter expression for the same values of at most `longest` characters, in the syntax of RE2.

    The API server estimates the cost of a rule by the length of its expression.
    """


FORMATS: Mapping[str, Format] = {
    DURATION_PATTERN: Format("a duration such as 250ms, 15m, 1h30m or 365d: whole numbers, each with a unit", 32),
    USER_PATTERN: Format(
        "a user id such as ann or ann@corp.example: letters, digits and . _ @ + -, at most 128, beginning with a letter or digit",
        128,
        short=r"^[^\W_][\w.@+-]*$",
    ),
    REGION_PATTERN: Format("an AWS region such as eu-central-1", 32),
    r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,62}$": Format(
        "a product name such as matlab: letters, digits and . _ + -, at most 63, beginning with a letter or digit",
        63,
    ),
    r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$": Format(
        "the name of a LicenseServer such as eda-licenses: small letters, digits, dots and hyphens", 253
    ),
    r"^(\*|[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)$": Format("the name of a namespace, or * for all of them", 63),
    r"^/[A-Za-z0-9._/-]{1,254}$": Format(
        "an absolute path such as /var/lib/seatpool: letters, digits and . _ / -, at most 255", 255
    ),
    r"^(i|mi)-[0-9a-f]{8,17}$": Format(
        "the id of a managed node such as i-0123456789abcdef0 or mi-0123456789abcdef0", 20
    ),
    r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$": Format(
        "the ARN of an IAM role such as arn:aws:iam::123456789012:role/seatpool-license-servers", 2048
    ),
    r"^[a-zA-Z0-9_.:/-]{3,128}$": Format(
        "the name or ARN of an SSM document such as Seatpool-ApplyUserLists: letters, digits and _ . : / -, 3 to 128",
        128,
    ),
    r"^[A-Za-z0-9][A-Za-z0-9-]{0,62}$": Format("an instance id such as i-0123456789abcdef0", 63),
    r"^/([A-Za-z0-9._/+-]|\{product\}){1,254}$": Format(
        "an absolute path such as /opt/flexlm/{product}.opt: letters, digits and . _ / + -, and {product}", 512
    ),
    r"^[A-Za-z0-9._-]{1,253}$": Format("a key of a Secret such as password: letters, digits and . _ -", 253),
    r"^[A-Za-z][A-Za-z0-9-]{0,63}$": Format("the name of an attribute such as uid or sAMAccountName", 64),
    r"^[A-Za-z][A-Za-z0-9.:-]{0,127}$": Format("the name of an attribute such as userName or externalId", 128),
    r"^[!$-\[\]-~]([ !$-\[\]-~]*[!$-\[\]-~])?$": Format(
        "a feature as INCLUDE names it, such as {product} or {product}:VERSION=2.0, without quotes, # and backslash",
        256,
    ),
    r"^[^\[\]\r\n]+$": Format("the name of a section without brackets, such as users of {product}", 256),
    r"^[^\"\r\n]+$": Format("the name of a column without quotes, such as login", 256),
    r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$": Format("the name of an adapter such as plainlists", 63),
    r"^([A-Za-z0-9._-]|\{product\}){1,64}$": Format(
        "the name of a group such as seatpool_{product}: letters, digits and . _ -, and {product}", 128
    ),
    r"^[0-9]{12}$": Format("an AWS account number of 12 digits, in quotes", 12),
}
"""By pattern."""


def told_in_words(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the schema of a CRD with a CEL rule in place of each pattern of `FORMATS`.

    The other rules of the field ask for a value that has the format. A value that has not would be an error in them.
    """
    result = dict(schema)
    if "properties" in schema:
        result["properties"] = {name: told_in_words(item) for name, item in schema["properties"].items()}
    if isinstance(schema.get("items"), Mapping):
        result["items"] = told_in_words(schema["items"])
    known = FORMATS.get(schema.get("pattern", ""))
    if known is None:
        return result
    pattern = result.pop("pattern")
    matches = f"self.matches(r'{known.short or pattern}')"
    message = f"must be {known.words}"
    others = [
        entry | {"rule": f"!{matches} || ({entry['rule']})"} if "oldSelf" not in entry["rule"] else entry
        for entry in schema.get("x-kubernetes-validations", ())
    ]
    told = {
        "rule": matches,
        "message": message,
        "messageExpression": f"self.matches('{_SHOWN}') ? '{message}; it is \"' + self + '\"' : ''",
    }
    result["maxLength"] = min(result.get("maxLength", known.longest), known.longest)
    result["x-kubernetes-validations"] = [told, *others]
    return result
