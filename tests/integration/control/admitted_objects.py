"""Objects that the API server may admit, made from the schemas of the CRDs: extreme times, numbers, names and references.

Some are refused by a rule of the CRD. What is admitted is odd, and mostly readable.
"""

import random
import re
import string
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from seatpool.api.licenseserver import SECTIONS

Body = dict[str, Any]
DIRECT = ("ldap", "scim", "custom")
TIMES = (
    "0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00",
    "9999-12-31T23:59:59.999999999Z", "2016-12-31T23:59:60Z", "2026-01-01T00:00:00.123456789+05:30",
    "1970-01-01T00:00:00Z", "2026-02-28t12:00:00z", "2026-02-29T00:00:00Z", "2026-01-01T00:00:00-00:00",
)  # fmt: skip
DURATIONS = ("0s", "0d0h", "1ms", "1h30m", "36500d", "36501d", "99999999999d", "9" * 30 + "d", "1s" * 16, "5m")
NUMBERS = (0, 1, -1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 500, 5000)
TEXTS = (
    "ann", "\u202eann", "ann\x1b[2J", "\x00", "a\nb", "J\u00f6rg", "\U0001f600", " ", "(", "((", "[", "*", "vew-*",
    "vew-matlab", "CORP\\ann", "ann@corp.example", "seatpool-placeholder", "-", "x" * 256, "x" * 5000, "\u212a", "..",
)  # fmt: skip
REFERENCES = ("licenses", "missing", "odd", "x.y", "a" * 253)
_DURATION_FORM = "(ms|s|m|h|d)"


class Generator:
    """Makes specs by the schemas of a folder of CRDs."""

    def __init__(self, crds: Path, rng: random.Random) -> None:
        self._rng = rng
        self._schemas: dict[str, Body] = {}
        for file in sorted(crds.glob("*.yaml")):
            crd = yaml.safe_load(file.read_text())
            spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
            self._schemas[crd["spec"]["names"]["kind"]] = spec

    @property
    def kinds(self) -> Sequence[str]:
        return tuple(self._schemas)

    def spec(self, kind: str, **fixed: Any) -> Body:
        """Returns a spec; some fields are as given."""
        made: Body = self._value(self._schemas[kind])
        return self._with_one_way_to_lists(made | fixed) if kind == "LicenseServer" else made | fixed

    def _with_one_way_to_lists(self, spec: Body) -> Body:
        """Returns the spec of a LicenseServer with one of its sections, and with what belongs to that."""
        kept = self._rng.choice([section for section in SECTIONS if section in spec] or ["xlc"])
        spec = {name: value for name, value in spec.items() if name not in SECTIONS or name == kept}
        properties = self._schemas["LicenseServer"]["properties"]
        for name in ("target", "region", "roleArn", "externalId", "adapter"):
            spec.pop(name, None) if kept in DIRECT else None
        for name in () if kept in DIRECT else ("target", "region"):
            spec.setdefault(name, self._value(properties[name]))
        return spec

    def name(self) -> str:
        """Returns the name of an object: short, long, or with dots."""
        longest = self._rng.choice((8, 8, 63, 253))
        letters = string.ascii_lowercase + string.digits
        inner = "".join(self._rng.choice(letters + "-") for _ in range(longest - 2))
        return self._rng.choice(letters) + inner + self._rng.choice(letters)

    def _value(self, schema: Mapping[str, Any]) -> Any:
        rng = self._rng
        if "enum" in schema:
            return rng.choice(schema["enum"])
        match schema.get("type"):
            case "object":
                required = schema.get("required", ())
                fields = schema.get("properties", {})
                return {
                    name: self._value(field) for name, field in fields.items() if name in required or rng.random() < 0.4
                }
            case "array":
                least = schema.get("minItems", 0)
                most = min(schema.get("maxItems", 4), max(least, rng.randint(0, 4)))
                return [self._value(schema["items"]) for _ in range(most)]
            case "integer":
                low, high = schema.get("minimum", -(2**63)), schema.get("maximum", 2**63 - 1)
                return rng.choice([low, high, *(number for number in NUMBERS if low <= number <= high)])
            case "boolean":
                return rng.random() < 0.5
            case _:
                return self._text(schema)

    def _text(self, schema: Mapping[str, Any]) -> str:
        rng, pattern = self._rng, schema.get("pattern", "") or _pattern_in_words(schema)
        if schema.get("format") == "date-time":
            return rng.choice(TIMES)
        if _DURATION_FORM in pattern:
            return rng.choice(DURATIONS)
        longest = schema.get("maxLength", 10_000)
        if not pattern or rng.random() < 0.1:
            return rng.choice(TEXTS)[:longest]
        seed = rng.randrange(2**32)
        return _matching(pattern, seed)[:longest]


def _pattern_in_words(schema: Mapping[str, Any]) -> str:
    """Returns the pattern that a field has as a rule."""
    rules = (str(entry["rule"]) for entry in schema.get("x-kubernetes-validations", ()))
    found = (re.fullmatch(r"self\.matches\(r?'(.*)'\)", rule) for rule in rules)
    return next((match[1] for match in found if match is not None), "")


def _matching(pattern: str, seed: int) -> str:
    """Returns a text that matches the pattern, always the same one for a seed."""
    import hypothesis

    found: list[str] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=3,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(st.from_regex(pattern, fullmatch=True))
    def collect(text: str) -> None:
        found.append(text)

    collect()
    return max(found, key=len)
