"""Makes the back end of a LicenseServer, and keeps it while the LicenseServer stays as it is."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import NoReturn
from urllib.parse import urlsplit

from seatpool.api.licenseserver import LicenseServer, LicenseServerSpec
from seatpool.api.list_backends import CustomSettings, LdapSettings, ScimSettings, SecretKey
from seatpool.servers.backend import ListBackend
from seatpool.servers.direct.backend import DirectBackend
from seatpool.servers.direct.custom import make_custom
from seatpool.servers.direct.opened import OpenedTarget, ReadSecret
from seatpool.servers.direct.target import ListTarget
from seatpool.servers.errors import CommandFault, TransportError
from seatpool.servers.ssm.backend import SsmBackend
from seatpool.servers.ssm.refusing_transport import RefusingTransport
from seatpool.servers.ssm.transport import SsmTransport

TLS_KEYS = ("tls.crt", "tls.key")


class Backends:
    """The back ends of all LicenseServers. Each keeps its connections and what it knows of users and files."""

    def __init__(
        self,
        *,
        transport: SsmTransport,
        read_secret: ReadSecret,
        permit: Callable[[], None],
        refusal_of: Callable[[LicenseServer], str | None],
        pinned_hash: str | None,
    ) -> None:
        self._transport = transport
        self._read_secret = read_secret
        self._permit = permit
        self._refusal_of = refusal_of
        self._pinned_hash = pinned_hash
        self._kept: dict[str, tuple[object, ListBackend]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def of(self, server: LicenseServer) -> ListBackend:
        """Returns the back end of a LicenseServer. That of one that is not allowed sends nothing."""
        refused = self._refusal_of(server)
        made_of = (_reach(server.spec), refused)
        before, kept = self._kept.get(server.key, (None, None))
        if kept is None or before != made_of:
            if kept is not None:
                closing = asyncio.create_task(kept.close())
                self._closing.add(closing)
                closing.add_done_callback(self._closing.discard)
            kept = self._make(server, refused)
            self._kept[server.key] = (made_of, kept)
        return kept

    async def close(self) -> None:
        """Closes all connections."""
        kept = [backend for _, backend in self._kept.values()]
        self._kept.clear()
        await asyncio.gather(*self._closing, *(backend.close() for backend in kept), return_exceptions=True)

    def _make(self, server: LicenseServer, refused: str | None) -> ListBackend:
        if server.spec.uses_ssm:
            transport = self._transport if refused is None else RefusingTransport(refused)
            return SsmBackend(server.spec, transport, name=server.key, pinned_hash=self._pinned_hash)
        return self._direct(server, self._read_secret if refused is None else _refuse_secrets(refused))

    def _direct(self, server: LicenseServer, read_secret: ReadSecret) -> DirectBackend:
        spec = server.spec
        target = OpenedTarget(
            lambda secrets: make_target(spec, secrets),
            host=_host(spec),
            namespace=server.metadata.namespace,
            secrets=secret_keys(spec),
            read_secret=read_secret,
        )
        return DirectBackend(target, names=spec.names, timeout=spec.timeout, permit=self._permit)


def make_target(spec: LicenseServerSpec, secrets: Mapping[str, str]) -> ListTarget:
    """Returns the target of a LicenseServer that takes requests. `secrets`: the values by `name/key`.

    Raises TransportError if the settings cannot be used.
    """
    try:
        return _make_target(spec, secrets)
    except ValueError as error:  # of a library that reads a URL, a certificate or a name
        raise TransportError(
            CommandFault.BAD_ANSWER,
            f"the LicenseServer's settings cannot be used: {error}",
            maybe_applied=False,
            is_known_to_have_ended=True,
        ) from error


def _make_target(spec: LicenseServerSpec, secrets: Mapping[str, str]) -> ListTarget:
    match spec.settings:
        case LdapSettings() as ldap:
            from seatpool.servers.ldap.factory import make_target as make_ldap

            return make_ldap(ldap, secrets=secrets, timeout=spec.timeout)
        case ScimSettings() as scim:
            from seatpool.servers.scim.factory import make_target as make_scim

            return make_scim(scim, secrets=secrets, timeout=spec.timeout)
        case CustomSettings() as custom:
            return make_custom(custom, secrets=secrets, timeout=spec.timeout)
        case other:
            raise TypeError(f"{type(other).__name__} has no target")


def secret_keys(spec: LicenseServerSpec) -> Collection[tuple[str, str]]:
    """Returns name and key of all that a LicenseServer reads from Secrets."""
    settings = spec.settings
    keys: list[SecretKey | None] = []
    found: set[tuple[str, str]] = set()
    if isinstance(settings, LdapSettings):
        keys = [settings.ca, settings.password]
        if settings.client_certificate is not None:
            found |= {(settings.client_certificate.name, key) for key in TLS_KEYS}
    if isinstance(settings, ScimSettings):
        keys = [settings.ca, settings.token, settings.oauth.client_secret if settings.oauth is not None else None]
    if isinstance(settings, CustomSettings):
        keys = list(settings.secrets)
    return found | {(one.name, one.key) for one in keys if one is not None}


def _reach(spec: LicenseServerSpec) -> tuple[object, ...]:
    """Returns what a back end is made of."""
    node = spec.target, spec.region, spec.role_arn, spec.external_id, spec.document
    return spec.settings, spec.names, spec.timeout, *node


def _host(spec: LicenseServerSpec) -> str:
    settings = spec.settings
    if isinstance(settings, CustomSettings):
        return settings.adapter
    if not isinstance(settings, LdapSettings | ScimSettings):
        return "?"
    try:
        return urlsplit(settings.url).hostname or "?"
    except ValueError:
        return "?"  # opening it says what is wrong with the URL


def _refuse_secrets(refusal: str) -> ReadSecret:
    """Returns what refuses every use of a LicenseServer: without Secrets nothing is opened."""

    async def refuse(_namespace: str, _name: str) -> NoReturn:
        raise TransportError(CommandFault.NOT_ALLOWED, refusal, maybe_applied=False, is_known_to_have_ended=True)

    return refuse
