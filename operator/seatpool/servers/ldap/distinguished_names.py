"""Distinguished names (RFC 4514): parts, comparison, and values for a template. Pure."""

import re
import unicodedata
from dataclasses import dataclass

from seatpool.domain.errors import SeatpoolError

_PART = re.compile(r" *(?P<type>[A-Za-z][A-Za-z0-9-]*|(?:[Oo][Ii][Dd]\.)?\d+(?:\.\d+)*) *= *")
_HEX = re.compile(r"#((?:[0-9A-Fa-f]{2})+) *")
_SPECIAL = frozenset('"+,;<>=\\')
_SYNONYMS = {
    "commonname": "cn",
    "userid": "uid",
    "surname": "sn",
    "domaincomponent": "dc",
    "organizationalunitname": "ou",
    "organizationname": "o",
    "countryname": "c",
    "localityname": "l",
    "stateorprovincename": "st",
    "streetaddress": "street",
}
"""Second names of the types that RFC 4514 and RFC 4519 give names of entries."""


class BadName(SeatpoolError):
    """A text is no distinguished name."""


@dataclass(frozen=True, slots=True)
class Part:
    """An attribute and its value in a name."""

    type: str
    """Name of the attribute, in small letters."""
    value: str | None
    """None: it is in hexadecimal form, which is only compared."""
    compared: str
    """The value as it is compared."""


Name = tuple[tuple[Part, ...], ...]
"""A name: the parts of each level, the entry's own first. Most levels have one part."""


def parse(text: str) -> Name:
    """Returns the levels of a name. Raises BadName."""
    levels: list[tuple[Part, ...]] = []
    level: list[Part] = []
    position, separator = 0, ","
    while position < len(text) or separator == "+" or (levels and separator):
        found = _PART.match(text, position)
        if found is None:
            raise BadName(
                f"{text!a} is no distinguished name: an attribute and = are expected at character {position + 1}"
            )
        value, position = _value(text, found.end())
        kind = found["type"].lower().removeprefix("oid.")
        level.append(_part(_SYNONYMS.get(kind, kind), value))
        separator = text[position : position + 1]
        position += 1
        if separator != "+":
            levels.append(tuple(sorted(level, key=lambda part: (part.type, part.compared))))
            level = []
    return tuple(levels)


def compared(text: str) -> str:
    """Returns a name in a form in which equal names are equal texts. What is no name is equal to itself only."""
    try:
        levels = parse(text)
    except BadName:
        return f"!{text}"
    return ",".join("+".join(f"{part.type}={escape_value(part.compared)}" for part in level) for level in levels)


def is_below(name: Name, base: Name, *, one_level: bool) -> bool:
    """Tells whether an entry is found by a search from `base`. `one_level`: the search goes one level deep."""
    deeper = len(name) - len(base)
    if deeper < 0 or (one_level and deeper != 1):
        return False
    return _keys(name[deeper:]) == _keys(base)


def escape_value(text: str) -> str:
    """Returns a text as a value in a distinguished name."""
    escaped = "".join(_escaped(character) for character in text)
    if escaped[:1] in ("#", " "):
        escaped = f"\\{escaped}"
    if escaped.endswith(" ") and not escaped.endswith("\\ "):
        escaped = f"{escaped[:-1]}\\ "
    return escaped


def _escaped(character: str) -> str:
    if character in _SPECIAL:
        return f"\\{character}"
    return f"\\{ord(character):02x}" if character < " " or character == "\x7f" else character


def _keys(name: Name) -> list[list[tuple[str, str]]]:
    return [[(part.type, part.compared) for part in level] for level in name]


def _part(kind: str, value: bytes | str) -> Part:
    if isinstance(value, str):
        return Part(kind, None, value)
    text = value.decode("utf-8", "surrogateescape")
    return Part(kind, text, " ".join(unicodedata.normalize("NFKC", text.casefold()).split()))


def _value(text: str, start: int) -> tuple[bytes | str, int]:
    """Returns a value and where it ends: bytes, or the text of a value in hexadecimal form."""
    in_hex = _HEX.match(text, start)
    if in_hex is not None and text[in_hex.end() : in_hex.end() + 1] in ("", ",", ";", "+"):
        return f"#{in_hex[1].lower()}", in_hex.end()
    value = bytearray()
    kept = 0
    position = start
    while position < len(text) and text[position] not in ",;+":
        character = text[position]
        if character == "\\":
            escaped, position = _unescaped(text, position)
            value += escaped
            kept = len(value)
            continue
        value += character.encode("utf-8", "surrogateescape")
        if character != " ":
            kept = len(value)
        position += 1
    return bytes(value[:kept]), position


def _unescaped(text: str, position: int) -> tuple[bytes, int]:
    pair = text[position + 1 : position + 3]
    if re.fullmatch(r"[0-9A-Fa-f]{2}", pair):
        return bytes.fromhex(pair), position + 3
    if not pair:
        raise BadName(f"{text!a} is no distinguished name: it ends with a backslash")
    return pair[0].encode("utf-8", "surrogateescape"), position + 2
