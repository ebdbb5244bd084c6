"""One connection to an LDAP server. Every call blocks, and one thread at a time makes calls.

Python's own ssl checks the server's certificate and name. Referrals are not followed, so a server cannot send the password
or a change elsewhere.
"""

import contextlib
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import ldap3
import ldap3.utils.asn1
from ldap3.core.exceptions import LDAPException, LDAPInvalidFilterError
from ldap3.core.tls import Tls
from ldap3.operation import search as search_filters
from ldap3.protocol.controls import build_control
from pyasn1.error import PyAsn1Error

from seatpool.servers.errors import CommandFault, TransportError
from seatpool.servers.ldap.results import SUCCESS, LdapResult, server_error
from seatpool.text import escape_unprintable

ASSERTION = "1.3.6.1.1.12"
"""Control by which a Modify is made only if the entry matches a filter."""
_CLOSED = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
"""Errors of TLS that say no more than that the connection ended."""
FAILURES = (
    LDAPException,
    PyAsn1Error,
    OSError,
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
    ArithmeticError,
    RecursionError,
)
"""Errors of a call. The library's decoder raises most of them for an answer that is no LDAP."""
_PAGE = 500
_MOST_PAGES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a connection needs."""

    host: str
    port: int
    start_tls: bool
    tls: ssl.SSLContext
    bind_name: str | None
    """None: SASL EXTERNAL, by the certificate in `tls`."""
    password: str | None

    def __repr__(self) -> str:
        return f"Account({self.host}:{self.port})"


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry that a search found."""

    dn: str
    attributes: Mapping[str, Sequence[bytes]]
    """Values by the names of attributes in small letters, with their options."""

    def values(self, attribute: str) -> tuple[str, ...]:
        """Returns the values of an attribute as texts. What is no UTF-8 comes back as it went."""
        return tuple(value.decode("utf-8", "surrogateescape") for value in self.attributes.get(attribute.lower(), ()))


@dataclass(frozen=True, slots=True)
class ValueChange:
    """Values of one attribute that a Modify removes and adds. It removes first."""

    attribute: str
    remove: tuple[str, ...] = ()
    add: tuple[str, ...] = ()


class _PythonTls(Tls):
    """TLS by a context of Python's ssl. It remembers why a handshake failed, for ldap3 keeps only the text."""

    def __init__(self, context: ssl.SSLContext, host: str, seconds: float) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._context = context
        self._host = host
        self._seconds = seconds
        self.failure: Exception | None = None

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:  # noqa: ARG002
        try:
            connection.socket.settimeout(self._seconds)
            connection.socket = self._context.wrap_socket(connection.socket, server_hostname=self._host)
        except Exception as error:
            self.failure = error
            raise


class Session:
    """A connection that is bound. It is made by its first call."""

    def __init__(self, account: Account, *, seconds: float) -> None:
        self._account = account
        self._seconds = seconds
        self._connection: ldap3.Connection | None = None
        self._is_aborted = False
        self.controls: frozenset[str] = frozenset()
        """Controls that the server knows, after the first call."""

    def open(self) -> None:
        """Connects, begins TLS and binds. Raises TransportError."""
        account = self._account
        tls = _PythonTls(account.tls, account.host, self._seconds)
        server = ldap3.Server(
            account.host,
            port=account.port,
            use_ssl=not account.start_tls,
            tls=tls,
            get_info=ldap3.NONE,
            connect_timeout=self._seconds,
        )
        connection = ldap3.Connection(
            server,
            user=account.bind_name,
            password=cast("Any", account.password.encode() if account.password is not None else None),
            authentication=ldap3.SIMPLE if account.bind_name is not None else ldap3.SASL,
            sasl_mechanism=None if account.bind_name is not None else ldap3.EXTERNAL,
            sasl_credentials=None if account.bind_name is not None else cast("Any", ""),
            client_strategy=ldap3.SAFE_SYNC,
            auto_referrals=False,
            auto_range=False,
            return_empty_attributes=False,
            check_names=False,
            auto_escape=False,
            raise_exceptions=False,
        )
        self._connection = connection
        is_encrypted = False
        try:
            connection.open(read_server_info=False)
            self._check_not_aborted()
            cast("Any", connection).socket.settimeout(self._seconds)
            if account.start_tls:
                connection.start_tls(read_server_info=False)
            is_encrypted = True
            bound = cast("Any", connection.bind(read_server_info=False))[1]
        except FAILURES as error:
            self.abort()
            if is_encrypted and account.bind_name is None and "terminated" in str(error):
                message = f"{account.host}: the server ended the connection instead of taking the client certificate"
                raise TransportError(CommandFault.REFUSED, message, maybe_applied=False) from None
            raise self._not_opened(tls.failure or error) from None
        result = _result(bound)
        if result.code != SUCCESS:
            self.abort()
            raise server_error(account.host, f"the account {self._who()} was not let in", result)
        self.controls = self._known_controls()

    def search(
        self, base: str, search_filter: str, attributes: Sequence[str], *, scope: str, paged: bool = False
    ) -> tuple[LdapResult, tuple[Entry, ...]]:
        """Returns the result of a search and the entries that it found. Raises TransportError."""
        entries: list[Entry] = []
        cookie: bytes | None = None
        for _ in range(_MOST_PAGES):
            try:
                _, answer, response, _ = cast(
                    "Any",
                    self._opened().search(
                        base,
                        search_filter,
                        cast("Any", scope),
                        dereference_aliases=cast("Any", ldap3.DEREF_NEVER),
                        attributes=list(attributes),
                        time_limit=max(1, int(self._seconds)),
                        paged_size=cast("Any", _PAGE if paged else None),
                        paged_cookie=cast("Any", cookie),
                    ),
                )
            except LDAPInvalidFilterError:
                message = f"{self._account.host}: spec.ldap.users.filter makes no valid filter: {search_filter!a}"
                raise TransportError(CommandFault.REFUSED, message, maybe_applied=False) from None
            except FAILURES as error:
                raise self._lost(error, maybe_applied=False) from None
            entries += map(_entry, (one for one in response or () if one.get("type") == "searchResEntry"))
            cookie = _cookie(answer) if paged else None
            if not cookie:
                return _result(answer), tuple(entries)
        raise TransportError(
            CommandFault.BAD_ANSWER, f"{self._account.host}: a search has no last page", maybe_applied=False
        )

    def modify(self, dn: str, changes: Sequence[ValueChange], *, only_if: str | None = None) -> LdapResult:
        """Changes an entry by one Modify and returns the result. Raises TransportError.

        `only_if`: a filter that the entry has to match (RFC 4528).
        """
        wanted: dict[str, list[tuple[str, list[bytes]]]] = {}
        for change in changes:
            operations = ((ldap3.MODIFY_DELETE, change.remove), (ldap3.MODIFY_ADD, change.add))
            wanted[change.attribute] = [(operation, _encoded(values)) for operation, values in operations if values]
        try:
            controls = [_assertion(only_if)] if only_if is not None else None
            _, answer, _, _ = cast("Any", self._opened()).modify(dn, wanted, controls=controls)
        except FAILURES as error:
            raise self._lost(error, maybe_applied=True) from None
        return _result(answer)

    def is_alive(self) -> bool:
        """Asks the server for nothing, and tells whether it answers."""
        try:
            self.search("", "(objectClass=*)", ("1.1",), scope=ldap3.BASE)
        except TransportError:
            return False
        return True

    def abort(self) -> None:
        """Breaks the connection. It may be called by any thread, and ends a call that another thread makes."""
        self._is_aborted = True
        opened = cast("Any", self._connection)
        one = opened.socket if opened is not None else None
        if one is not None:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Takes leave of the server and closes the connection."""
        if self._connection is not None and not self._is_aborted:
            with contextlib.suppress(LDAPException, OSError, AttributeError):
                self._connection.unbind()
        self.abort()
        one = cast("Any", self._connection).socket if self._connection is not None else None
        if one is not None:
            with contextlib.suppress(OSError):
                one.close()

    def _opened(self) -> ldap3.Connection:
        self._check_not_aborted()
        if self._connection is None:
            raise LDAPException("no connection")
        return self._connection

    def _check_not_aborted(self) -> None:
        if self._is_aborted:
            raise LDAPException("the connection was given up")

    def _known_controls(self) -> frozenset[str]:
        result, entries = self.search("", "(objectClass=*)", ("supportedControl",), scope=ldap3.BASE)
        if result.code != SUCCESS:
            return frozenset()
        return frozenset(control for entry in entries for control in entry.values("supportedControl"))

    def _who(self) -> str:
        name = self._account.bind_name
        return "of the client certificate" if name is None else escape_unprintable(name)

    def _not_opened(self, error: Exception) -> TransportError:
        account, text = self._account, escape_unprintable(str(error))[:300]
        place = f"{account.host}:{account.port}"
        match error:
            case ssl.SSLCertVerificationError():
                fault, message = CommandFault.CERTIFICATE_REFUSED, f"the server's certificate is refused: {text}"
            case TimeoutError():
                fault, message = CommandFault.TIMED_OUT, f"no answer within {self._seconds:g} s"
            case ssl.SSLError() if not isinstance(error, _CLOSED):
                fault, message = CommandFault.CERTIFICATE_REFUSED, f"TLS cannot be begun: {text}"
            case _ if "alert" in text:
                fault, message = CommandFault.REFUSED, f"the server takes no TLS with this client certificate: {text}"
            case _ if "timed out" in text:
                fault, message = CommandFault.TIMED_OUT, f"no answer within {self._seconds:g} s"
            case _:
                fault, message = CommandFault.UNREACHABLE, f"no connection: {text}"
        return TransportError(fault, f"{place}: {message}", maybe_applied=False)

    def _lost(self, error: Exception, *, maybe_applied: bool) -> TransportError:
        """Returns the error of an operation without an answer. The connection is not used again."""
        self.abort()
        place, text = f"{self._account.host}:{self._account.port}", escape_unprintable(str(error))[:300]
        if isinstance(error, TimeoutError) or "timed out" in text:
            message = f"{place}: no answer within {self._seconds:g} s"
            return TransportError(CommandFault.TIMED_OUT, message, maybe_applied=maybe_applied)
        if isinstance(error, OSError | LDAPException):
            message = f"{place}: the connection was lost: {text}"
            return TransportError(CommandFault.UNREACHABLE, message, maybe_applied=maybe_applied)
        message = f"{place}: the answer is no LDAP: {type(error).__name__}: {text}"
        return TransportError(CommandFault.BAD_ANSWER, message, maybe_applied=maybe_applied)


def _entry(answer: Mapping[str, Any]) -> Entry:
    raw = {str(name).lower(): values for name, values in answer["raw_attributes"].items()}
    return Entry(bytes(answer["raw_dn"]).decode("utf-8", "surrogateescape"), raw)


def _result(answer: Mapping[str, Any]) -> LdapResult:
    return LdapResult(int(answer["result"]), str(answer["description"]), str(answer.get("message") or ""))


def _cookie(answer: Mapping[str, Any]) -> bytes:
    control = (answer.get("controls") or {}).get("1.2.840.113556.1.4.319")
    return bytes(control["value"]["cookie"] or b"") if control else b""


def _encoded(values: Sequence[str]) -> list[bytes]:
    return [value.encode("utf-8", "surrogateescape") for value in values]


def _assertion(only_if: str) -> Any:
    """Returns the control of RFC 4528. Its value is the filter in BER."""
    filters, asn1 = cast("Any", search_filters), cast("Any", ldap3.utils.asn1)
    parsed = filters.parse_filter(only_if, None, False, False, None, False)
    value = asn1.encode(filters.compile_filter(parsed.elements[0]))
    return build_control(ASSERTION, True, value, encode_control_value=False)
