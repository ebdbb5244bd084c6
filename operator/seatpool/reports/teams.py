"""Reads which user belongs to which team, from a CSV or YAML file of the organisation."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from seatpool.domain.errors import SeatpoolError
from seatpool.history.pseudonyms import Pseudonyms

NO_TEAM = "(no team)"


class UnusableTeams(SeatpoolError):
    """The team file cannot be read. The message says what it should be."""


def read_teams(file: Path, pseudonyms: Pseudonyms) -> dict[str, str]:
    """Returns the team of each user, by the name that the history has for the user. Raises UnusableTeams."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableTeams(f"--teams {file}: {error}") from error
    teams = _from_csv(file, text) if file.suffix.lower() == ".csv" else _from_yaml(file, text)
    return {pseudonyms.of(user.strip()): team.strip() for user, team in teams}


def _from_csv(file: Path, text: str) -> Iterable[tuple[str, str]]:
    rows = csv.DictReader(text.splitlines())
    try:
        if not {"user", "team"} <= set(rows.fieldnames or ()):
            raise UnusableTeams(f"--teams {file}: the first line must name the columns user and team")
        return [(row["user"], row["team"]) for row in rows if row["user"] and row["team"]]
    except csv.Error as error:
        raise UnusableTeams(f"--teams {file}: line {rows.line_num}: {error}") from error


def _from_yaml(file: Path, text: str) -> Iterable[tuple[str, str]]:
    """Parses `team: [user, ...]`, or `user: team`."""
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UnusableTeams(f"--teams {file}: {' '.join(str(error).split())}") from error
    if not isinstance(found, Mapping):
        raise UnusableTeams(
            f"--teams {file}: write `team: [user, user]` for each team, or `user: team` for each person"
        )
    pairs: list[tuple[str, str]] = []
    for name, value in found.items():
        pairs += [(str(user), str(name)) for user in value] if isinstance(value, list) else [(str(name), str(value))]
    return pairs
