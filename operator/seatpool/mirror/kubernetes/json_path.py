"""Finds one value in an object by a path such as kubectl takes: `.metadata.annotations['hub.jupyter.org/username']`.

A path has names, keys in quotes, places in lists, and `[?(@.name=="X")]` for the first entry of a list with such a field.
Nothing else of JSONPath is taken, so a path has one value or none, and is found in linear time.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_STEP = re.compile(
    r"""
      \.(?P<name>(?:[^.\[\]\\'"?*@\s]|\\.)+)
    | \[(?P<index>[0-9]{1,9})\]
    | \['(?P<single>[^']+)'\]
    | \["(?P<double>[^"]+)"\]
    | \[\?\(@\.(?P<field>[A-Za-z0-9_-]+)\s*==\s*(?:"(?P<is>[^"]*)"|'(?P<was>[^']*)')\)\]
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class _Entry:
    """The first entry of a list whose field has a value."""

    field: str
    value: str


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A compiled path."""

    steps: tuple[str | int | _Entry, ...]

    def find(self, document: Any) -> str | None:
        """Returns the text, number or truth value at the path as text. None: there is none, or it is something else."""
        found = document
        for step in self.steps:
            found = _at(found, step)
            if found is None:
                return None
        if isinstance(found, bool):
            return str(found).lower()
        return str(found) if isinstance(found, str | int | float) and found != "" else None


def compile_path(text: str) -> JsonPath:
    """Returns the compiled path. Raises ValueError with what is right."""
    inner = text[1:-1] if text.startswith("{") and text.endswith("}") else text
    steps: list[str | int | _Entry] = []
    at = 0
    while at < len(inner):
        found = _STEP.match(inner, at)
        if found is None:
            break
        steps.append(_step(found))
        at = found.end()
    if not steps or at < len(inner):
        raise ValueError(
            f"{text!a} is no path: write for example .metadata.labels['example.com/owner'], .spec.rooms[0].name or "
            '.spec.env[?(@.name=="OWNER")].value'
        )
    return JsonPath(tuple(steps))


def _step(found: re.Match[str]) -> str | int | _Entry:
    if found["name"] is not None:
        return re.sub(r"\\(.)", r"\1", found["name"])
    if found["index"] is not None:
        return int(found["index"])
    if found["field"] is not None:
        return _Entry(found["field"], found["is"] if found["is"] is not None else found["was"])
    return found["single"] or found["double"]


def _at(found: Any, step: str | int | _Entry) -> Any:
    if isinstance(step, str):
        return found.get(step) if isinstance(found, Mapping) else None
    if not isinstance(found, Sequence) or isinstance(found, str):
        return None
    if isinstance(step, int):
        return found[step] if step < len(found) else None
    return next((one for one in found if isinstance(one, Mapping) and one.get(step.field) == step.value), None)
