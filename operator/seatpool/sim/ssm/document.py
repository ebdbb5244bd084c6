"""Interprets a Command document of schema 2.2: what SSM refuses when a command is sent, and what the agent runs.

Parameters with `interpolationType: ENV_VAR` become environment variables `SSM_<name>`, and `{{ name }}` in the text
becomes a reference to the variable. Agents before 3.3.2746.0 do not know it and paste the value. Then `allowedPattern`
is the only protection of the shell.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seatpool.sim.refusals import Refusal

__all__ = ["Script", "check", "script"]

ACTION = "aws:runShellScript"
DEFAULT_TIMEOUT = 3600.0
SHORTEST_TIMEOUT, LONGEST_TIMEOUT = 5, 172_800
_REFERENCE = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")

Value = str | list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """Script of a document, for one node."""

    text: str
    environ: Mapping[str, str]
    timeout: float


def check(content: Mapping[str, Any], given: Mapping[str, Sequence[str]]) -> dict[str, Value]:
    """Returns the value of every parameter. Raises Refusal as SSM does."""
    declared: Mapping[str, Mapping[str, Any]] = content.get("parameters") or {}
    if unknown := given.keys() - declared.keys():
        raise Refusal("InvalidParameters", f"document does not support parameters {sorted(unknown)}.")
    return {name: _checked(name, declaration, given.get(name)) for name, declaration in declared.items()}


def script(
    content: Mapping[str, Any], values: Mapping[str, Value], *, platform: str, legacy: bool = False
) -> Script | None:
    """Returns the script for a node of this platform. None: no step is meant for it."""
    declared: Mapping[str, Mapping[str, Any]] = content.get("parameters") or {}
    in_environ = {
        name
        for name, declaration in declared.items()
        if not legacy and declaration.get("interpolationType") == "ENV_VAR" and isinstance(values[name], str)
    }
    pasted = {name: f"$SSM_{name}" if name in in_environ else value for name, value in values.items()}
    for step in content.get("mainSteps") or ():
        if step.get("action") == ACTION and _applies(step.get("precondition"), platform):
            inputs = step["inputs"]
            return Script(
                text="\n".join(line for raw in inputs["runCommand"] for line in _lines(raw, pasted)) + "\n",
                environ={f"SSM_{name}": str(values[name]) for name in in_environ},
                timeout=_timeout(inputs.get("timeoutSeconds"), values),
            )
    return None


def _checked(name: str, declaration: Mapping[str, Any], given: Sequence[str] | None) -> Value:
    if given is None:
        if "default" not in declaration:
            raise Refusal("InvalidParameters", f"Parameter {name} has no default value and must be given.")
        default = declaration["default"]
        return [str(item) for item in default] if isinstance(default, list) else _as_text(default)
    for value in given:
        _check_text(name, declaration, value)
    if declaration["type"] == "StringList":
        return list(given)
    if len(given) != 1:
        raise Refusal("InvalidParameters", f"Parameter {name} of type {declaration['type']} takes exactly one value.")
    return given[0]


def _check_text(name: str, declaration: Mapping[str, Any], value: str) -> None:
    pattern = declaration.get("allowedPattern")
    if pattern is not None and not re.search(pattern, value):
        raise Refusal("InvalidParameters", f"Parameter {name} does not match the allowed pattern {pattern}.")
    allowed = declaration.get("allowedValues")
    if allowed is not None and value not in map(str, allowed):
        raise Refusal("InvalidParameters", f"Parameter {name} is not one of the allowed values {allowed}.")
    shortest, longest = declaration.get("minChars"), declaration.get("maxChars")
    if (shortest is not None and len(value) < int(shortest)) or (longest is not None and len(value) > int(longest)):
        raise Refusal("InvalidParameters", f"Parameter {name} has {len(value)} characters: {shortest=} {longest=}.")


def _applies(precondition: Mapping[str, Any] | None, platform: str) -> bool:
    return all(
        operator == "StringEquals" and len({platform if part == "platformType" else part for part in operands}) == 1
        for operator, operands in (precondition or {}).items()
    )


def _lines(raw: str, values: Mapping[str, Value]) -> list[str]:
    """Expands a line that is only a list into the list's lines. Any other list is pasted as JSON."""
    alone = _REFERENCE.fullmatch(raw.strip())
    if alone and isinstance(lines := values.get(alone[1]), list):
        return lines
    return [_pasted(raw, values)]


def _pasted(raw: str, values: Mapping[str, Value]) -> str:
    def replacement(match: re.Match[str]) -> str:
        value = values.get(match[1], match[0])
        return value if isinstance(value, str) else json.dumps(value)

    return _REFERENCE.sub(replacement, raw)


def _timeout(raw: object, values: Mapping[str, Value]) -> float:
    """Returns the timeout. The agent uses its default for what is no whole number, too short or too long."""
    if raw is None:
        return DEFAULT_TIMEOUT
    try:
        seconds = int(_pasted(str(raw), values))
    except ValueError:
        return DEFAULT_TIMEOUT
    return float(seconds) if SHORTEST_TIMEOUT <= seconds <= LONGEST_TIMEOUT else DEFAULT_TIMEOUT


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
