"""Reads the options of `seatpool plan`: which pools, by which rules, from which past."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from seatpool.api.base import parse_duration
from seatpool.api.identity import IdentitySettings
from seatpool.api.licensepool import MAX_SEATS, LicensePool
from seatpool.api.rule_fields import LINGER, MAX_REASSIGNMENTS, MINIMUM_HOLD, READMIT_AFTER, SEAT_COOL_DOWN
from seatpool.api.workbench import InstanceState
from seatpool.domain.errors import SeatpoolError
from seatpool.domain.globs import matcher
from seatpool.domain.rules import PoolRules, ReassignmentBudget
from seatpool.policy.pool_rules import pool_rules

ACTIVE = frozenset({InstanceState.PENDING.value, InstanceState.RUNNING.value})
_BUDGET = re.compile(r"([0-9]{1,4})/(.+)")
_RANGE = re.compile(r"([0-9]{1,4})(?:\.\.|-)([0-9]{1,4})")
LARGEST_POOL_FILE = 1_000_000


class InvalidPlanOption(SeatpoolError):
    """An option cannot be used. The message names it and says what is allowed."""


@dataclass(frozen=True, slots=True)
class PlannedPool:
    """A pool to plan."""

    name: str
    serves: Callable[[str], bool]
    states: frozenset[str]
    rules: PoolRules
    """Its seats are those of now. 0: not known."""


def pools_of_types(types: Iterable[str], rules: PoolRules) -> list[PlannedPool]:
    """Returns a pool for each type, or glob of types."""
    return [PlannedPool(name=name, serves=matcher([name]), states=ACTIVE, rules=rules) for name in types]


def pools_of_file(
    file: Path, *, types: Sequence[str], changes: Mapping[str, Any], identity: IdentitySettings
) -> list[PlannedPool]:
    """Returns the LicensePools of a YAML file. `types` replace their own, and `changes` win over their rules."""
    pools = _read_pools(file)
    if types and len(pools) > 1:
        raise InvalidPlanOption(f"--type with --pool {file}: the file has {len(pools)} pools; leave --type out")
    asked = []
    for pool in pools:
        patterns = types or pool.spec.workbench_types
        rules = replace(pool_rules(pool.spec, identity), **changes)
        states = frozenset(state.value for state in pool.spec.active_states)
        asked.append(PlannedPool(pool.metadata.name, matcher(patterns), states, rules))
    return asked


def rule_changes(
    *, linger: str | None, hold: str | None, cool_down: str | None, readmit: str | None, budget: str | None
) -> dict[str, Any]:
    """Returns the rules that were given, by their names in the domain."""
    durations = {LINGER: linger, MINIMUM_HOLD: hold, SEAT_COOL_DOWN: cool_down, READMIT_AFTER: readmit}
    changes: dict[str, Any] = {
        rule.attribute: read_length(rule.option, text) for rule, text in durations.items() if text is not None
    }
    if budget is not None:
        changes[MAX_REASSIGNMENTS.attribute] = _read_budget(budget)
    return changes


def read_length(option: str, text: str) -> timedelta:
    """Parses a length of time. Raises InvalidPlanOption that names the option."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise InvalidPlanOption(f"{option}: {error}") from error


def read_range(text: str) -> range:
    """Parses numbers of seats such as `20..60`. Raises InvalidPlanOption."""
    found = _RANGE.fullmatch(text.strip())
    if found is None or not 0 <= int(found[1]) <= int(found[2]) <= MAX_SEATS:
        raise InvalidPlanOption(
            f"--seats-range {text}: write FROM..TO with numbers from 0 to {MAX_SEATS}, such as 20..60"
        )
    return range(int(found[1]), int(found[2]) + 1)


def _read_budget(text: str) -> ReassignmentBudget:
    found = _BUDGET.fullmatch(text.strip())
    if found is None:
        raise InvalidPlanOption(f"{MAX_REASSIGNMENTS.option} {text}: write COUNT/WINDOW, for example 4/365d")
    return ReassignmentBudget(count=int(found[1]), window=read_length(MAX_REASSIGNMENTS.option, found[2]))


def _read_pools(file: Path) -> list[LicensePool]:
    try:
        if file.stat().st_size > LARGEST_POOL_FILE:
            raise InvalidPlanOption(
                f"--pool {file}: it has more than {LARGEST_POOL_FILE} bytes; name a LicensePool's YAML"
            )
        documents = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
        pools = [
            LicensePool.model_validate(document)
            for document in documents
            if isinstance(document, dict) and document.get("kind") == LicensePool.kind
        ]
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidPlanOption(f"--pool {file}: cannot be read: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InvalidPlanOption(
            f"--pool {file}: {where}: {first['msg']}; see kubectl explain licensepool.spec"
        ) from error
    if not pools:
        raise InvalidPlanOption(f"--pool {file}: there is no document of kind {LicensePool.kind} in it")
    return pools
