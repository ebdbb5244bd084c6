"""Reads the owner mapping file: YAML `owner: user`, or CSV with the columns owner and user.

The file is usually an export of a directory, and owners may be spelt in any way. So they are normalised like the owners of
workbenches before they are compared.

If entries are missing, their users look as if everybody left and somebody else came. So a file that may be cut off or empty
is refused as a whole.
"""

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from seatpool.api.identity import IdentitySettings
from seatpool.domain.errors import SeatpoolError
from seatpool.domain.identity import InvalidUser, check_user, normalise

MOST_BYTES = 8 * 1024 * 1024
HEADER = ("owner", "user")


class UnusableMapping(SeatpoolError):
    """The mapping file cannot be used. The message names the line or the owner."""


def with_mapping_file(identity: IdentitySettings) -> IdentitySettings:
    """Adds the owners of the file to the mapping. An owner that the settings map keeps the user of the settings."""
    file = identity.mapping_file
    if file is None:
        return identity
    mapping: dict[str, str] = {}
    spelt: dict[str, str] = {}
    for owner, user in _read(file):
        key = normalise(owner, strip_domain=identity.strip_domain, fold_case=identity.fold_case, mapping={})
        try:
            check_user(user)
        except InvalidUser as error:
            raise UnusableMapping(f"identity.mapping_file {file}: owner {owner!a}: {error}") from error
        if not key:
            raise UnusableMapping(
                f"identity.mapping_file {file}: {owner!a} is no owner: without its domain nothing is left"
            )
        if mapping.setdefault(key, user) != user:
            raise UnusableMapping(
                f"identity.mapping_file {file}: {spelt[key]!a} and {owner!a} are the same owner and have two users, "
                f"{mapping[key]} and {user}; keep one"
            )
        spelt.setdefault(key, owner)
    return identity.changed(mapping=mapping | identity.mapping)


def _read(file: Path) -> Iterable[tuple[str, str]]:
    try:
        if file.stat().st_size > MOST_BYTES:
            raise UnusableMapping(f"identity.mapping_file {file}: it has more than {MOST_BYTES} bytes")
        text = file.read_text(encoding="utf-8-sig")
        pairs = _read_csv(file, text) if file.suffix.lower() == ".csv" else _read_yaml(file, text)
    except (OSError, UnicodeDecodeError, csv.Error, yaml.YAMLError, RecursionError) as error:
        raise UnusableMapping(f"identity.mapping_file {file}: {error}") from error
    if not pairs:
        raise UnusableMapping(
            f"identity.mapping_file {file}: it has no owners; write them again, or remove identity.mapping_file to do without"
        )
    if not text.endswith(("\n", "\r")):
        raise UnusableMapping(
            f"identity.mapping_file {file}: its last line has no line break, so it may be cut off; write the whole file again"
        )
    return pairs


def _read_csv(file: Path, text: str) -> list[tuple[str, str]]:
    pairs = []
    for number, row in enumerate(csv.reader(io.StringIO(text)), start=1):
        cells = tuple(cell.strip() for cell in row)
        if not any(cells):
            continue
        if tuple(cell.lower() for cell in cells) == HEADER:
            if number == 1:
                continue
            raise UnusableMapping(f"identity.mapping_file {file}: line {number} is a heading; two files became one")
        if number == 1 and {cell.lower() for cell in cells} == set(HEADER):
            raise UnusableMapping(f"identity.mapping_file {file}: its columns are swapped; they must be owner,user")
        if len(cells) != len(HEADER) or not all(cells):
            raise UnusableMapping(f"identity.mapping_file {file}: line {number} is not owner,user")
        pairs.append((cells[0], cells[1]))
    return pairs


def _read_yaml(file: Path, text: str) -> list[tuple[str, str]]:
    document: Any = yaml.safe_load(text)
    if document is None:
        return []
    if not isinstance(document, dict):
        raise UnusableMapping(f"identity.mapping_file {file}: it must be a mapping of owners to users")
    for owner, user in document.items():
        if not isinstance(owner, str) or not isinstance(user, str):
            raise UnusableMapping(
                f"identity.mapping_file {file}: {owner!a}: {user!a}: put both in quotes, they must be text"
            )
    return list(document.items())
