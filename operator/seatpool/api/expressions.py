"""Compiles the regular expressions of users. They are searched in foreign text, so they must run in linear time.

RE2 guarantees that. It has no look-around and no back-references, and `\\w`, `\\d` and `\\s` are ASCII. An expression that
it cannot run is refused with the reason.
"""

import re2

LARGEST = 1024 * 1024
"""Bytes of memory of a compiled expression. RE2 refuses a larger one, such as nested repetitions."""
_HINTS = {
    "invalid perl operator": "look-around and back-references would not run in linear time",
    "\\Z": "the end of the text is written $ or \\z",
}


class Expression:
    """A compiled regular expression."""

    def __init__(self, text: str) -> None:
        """Raises ValueError with the reason if the text is no expression of RE2."""
        options = re2.Options()
        options.log_errors = False
        options.max_mem = LARGEST
        try:
            self._compiled = re2.compile(text, options=options)
        except re2.error as error:
            reason = error.args[0] if error.args else error
            reason = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
            hint = next((hint for sign, hint in _HINTS.items() if sign in reason), "its syntax is that of RE2")
            raise ValueError(f"{text!a} is no regular expression that can be used: {reason} ({hint})") from error
        self.groups: int = self._compiled.groups

    def is_in(self, text: str) -> bool:
        """Whether the expression matches a part of the text."""
        return self._compiled.search(_encodable(text)) is not None

    def first_group(self, text: str) -> str | None:
        """Returns what the first group matched, or an empty string if it took no part. None: there is no match."""
        found = self._compiled.search(_encodable(text))
        return None if found is None else (found.group(1) or "")


def _encodable(text: str) -> str:
    """Returns the text with half surrogates replaced, which have no UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")
