"""Filters of searches (RFC 4515). Every value that is not from the settings is escaped. Pure."""

from collections.abc import Sequence

from ldap3.utils.conv import escape_filter_chars

from seatpool.servers.ldap.distinguished_names import Part

_USER = "{user}"


def user_filter(template: str, name: str) -> str:
    """Returns the filter that finds one user."""
    return _enclosed(template.replace(_USER, escaped(name)))


def any_user_filter(template: str) -> str:
    """Returns a filter that finds every user, and maybe more. A rule with `:=` takes no asterisk, so it finds everything."""
    return "(objectClass=*)" if f":={_USER}" in template else _enclosed(template.replace(_USER, "*"))


def entry_filter(level: Sequence[Part]) -> str | None:
    """Returns the filter that finds an entry by the parts of its own level. None: it cannot be found so.

    An entry always has the values of its own name as attributes.
    """
    if any(part.value is None or not _is_text(part.value) for part in level):
        return None
    found = [f"({part.type}={escaped(part.value or '')})" for part in level]
    return found[0] if len(found) == 1 else f"(&{''.join(found)})"


def any_of(filters: Sequence[str]) -> str:
    """Returns the filter that finds what one of the filters finds."""
    return filters[0] if len(filters) == 1 else f"(|{''.join(filters)})"


def both(first: str, second: str) -> str:
    """Returns the filter that finds what both filters find."""
    return f"(&{first}{second})"


def has_no_mark_filter(attribute: str, beginning: str) -> str:
    """Returns the filter for an entry that has no value with a beginning."""
    return f"(!({attribute}={escaped(beginning)}*))"


def escaped(text: str) -> str:
    """Returns a text as a value in a filter."""
    return str(escape_filter_chars(text))


def _enclosed(text: str) -> str:
    return text if text.startswith("(") else f"({text})"


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return bool(value)
