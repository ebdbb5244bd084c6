"""Defines how the users of a list are written on a license server."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from seatpool.api.base import Model, cel, rules


class LetterCase(StrEnum):
    """The letters in which users are written."""

    AS_IS = "AsIs"
    LOWER = "Lower"
    UPPER = "Upper"


class ListNames(Model):
    """How a license server writes users, if it does not write them as Seatpool does."""

    template: Annotated[
        str,
        Field(
            max_length=128,
            json_schema_extra=rules(
                cel(
                    "self.matches('^([A-Za-z0-9][A-Za-z0-9._@+-]*)?[{]user[}][A-Za-z0-9._@+-]*$')",
                    "must have {user} once, and around it only letters, digits and . _ @ + -, such as {user}@example.com",
                )
            ),
        ),
    ] = "{user}"
    """The name of a user on the list, with {user} for the id, for example {user}@example.com. It is undone when a list is
    read."""
    case: LetterCase = LetterCase.AS_IS
    """AsIs, Lower or Upper. With Lower and Upper, names that differ in case only are one user."""
