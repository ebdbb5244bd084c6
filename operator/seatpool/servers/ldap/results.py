"""Tells which error a result of an LDAP server is."""

from dataclasses import dataclass

from seatpool.servers.direct.target import ChangedMeanwhile, ListProblem
from seatpool.servers.errors import CommandFault, TransportError
from seatpool.text import escape_unprintable

SUCCESS = 0
TIME_LIMIT_EXCEEDED = 3
SIZE_LIMIT_EXCEEDED = 4
STRONGER_AUTH_REQUIRED = 8
REFERRAL = 10
ADMIN_LIMIT_EXCEEDED = 11
CONFIDENTIALITY_REQUIRED = 13
NO_SUCH_ATTRIBUTE = 16
CONSTRAINT_VIOLATION = 19
ATTRIBUTE_OR_VALUE_EXISTS = 20
NO_SUCH_OBJECT = 32
INVALID_DN_SYNTAX = 34
INAPPROPRIATE_AUTHENTICATION = 48
INVALID_CREDENTIALS = 49
INSUFFICIENT_ACCESS_RIGHTS = 50
BUSY = 51
UNAVAILABLE = 52
UNWILLING_TO_PERFORM = 53
OBJECT_CLASS_VIOLATION = 65
ENTRY_ALREADY_EXISTS = 68
ASSERTION_FAILED = 122

_CREDENTIALS = frozenset(
    {
        STRONGER_AUTH_REQUIRED,
        CONFIDENTIALITY_REQUIRED,
        INAPPROPRIATE_AUTHENTICATION,
        INVALID_CREDENTIALS,
        INSUFFICIENT_ACCESS_RIGHTS,
        NO_SUCH_OBJECT,
    }
)
MAYBE_CHANGED = frozenset(
    {NO_SUCH_ATTRIBUTE, CONSTRAINT_VIOLATION, ATTRIBUTE_OR_VALUE_EXISTS, UNWILLING_TO_PERFORM, ENTRY_ALREADY_EXISTS}
)
"""Results of a Modify that may come from a change by another writer. Active Directory answers some changes with 53 and 68."""
_MOST_TEXT = 200


@dataclass(frozen=True, slots=True)
class LdapResult:
    """How a server answered one operation."""

    code: int
    name: str
    """The code's name, such as noSuchObject."""
    text: str = ""
    """What the server says, if it says anything. It is foreign text."""

    def __str__(self) -> str:
        said = f": {escape_unprintable(self.text.strip())[:_MOST_TEXT]}" if self.text.strip() else ""
        return f"{self.name} ({self.code}){said}"

    @property
    def is_momentary(self) -> bool:
        """Whether the server cannot do anything just now."""
        return self.code in (BUSY, UNAVAILABLE)


def server_error(host: str, what: str, result: LdapResult) -> TransportError:
    """Returns the error of an operation that concerns no single list."""
    return TransportError(_fault(result), f"{host}: {what}: the server answers {result}", maybe_applied=False)


def _fault(result: LdapResult) -> CommandFault:
    if result.is_momentary:
        return CommandFault.UNREACHABLE
    if result.code in (TIME_LIMIT_EXCEEDED, ADMIN_LIMIT_EXCEEDED):
        return CommandFault.TIMED_OUT
    return CommandFault.REFUSED if result.code in _CREDENTIALS else CommandFault.BAD_ANSWER


def read_error(host: str, product: str, group: str, result: LdapResult) -> TransportError | ListProblem:
    """Returns the error of a group that was not read."""
    place = f"{product}: group {escape_unprintable(group)}"
    if result.is_momentary or result.code in (TIME_LIMIT_EXCEEDED, ADMIN_LIMIT_EXCEEDED):
        return server_error(host, place, result)
    match result.code:
        case 32:
            advice = "does not exist, or the account may not see it; create it, or mend spec.ldap.group"
        case 34:
            advice = "is no distinguished name; mend spec.ldap.group"
        case 50:
            advice = "may not be read by the operator's account; give it the right to read members and mark"
        case 10:
            advice = "is on another server; name that one in spec.ldap.url, for referrals are not followed"
        case _:
            advice = "cannot be read; see the server's log"
    return ListProblem(f"{place} {advice} ({result})")


def change_error(host: str, product: str, group: str, result: LdapResult) -> TransportError | ListProblem:
    """Returns the error of a group that was not changed."""
    place = f"{product}: group {escape_unprintable(group)}"
    if result.is_momentary or result.code in (TIME_LIMIT_EXCEEDED, ADMIN_LIMIT_EXCEEDED):
        error = server_error(host, place, result)
        error.maybe_applied = True
        return error
    if result.code == ASSERTION_FAILED:
        return ChangedMeanwhile(f"{place}: another writer changed it at the same time ({result})")
    match result.code:
        case 16 | 20 | 68:
            advice = "has members or a mark that the operator's account cannot see; give it the right to read them"
        case 50:
            advice = "may not be changed by the operator's account; give it the right to write members and mark"
        case 65:
            advice = "is refused by the schema; if it cannot be empty, name a member in spec.ldap.placeholderMember"
        case 10:
            advice = "is on another server; name that one in spec.ldap.url, for referrals are not followed"
        case 32:
            advice = "does not exist any more; create it"
        case _:
            advice = "was not changed; see the server's log"
    return ListProblem(f"{place} {advice} ({result})")
