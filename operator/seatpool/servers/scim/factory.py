"""Makes the target of a LicenseServer with `spec.scim`."""

import re
import ssl
from collections.abc import Mapping
from datetime import timedelta

from seatpool.api.list_backends import SERVICE_URL_FORM, SERVICE_URL_PATTERN, ScimSettings, SecretKey
from seatpool.servers.errors import CommandFault, TransportError
from seatpool.servers.scim.client import ScimClient
from seatpool.servers.scim.target import ScimTarget
from seatpool.servers.scim.tokens import ClientCredentials, FixedToken, Tokens, checked_token


def make_target(settings: ScimSettings, *, secrets: Mapping[str, str], timeout: timedelta) -> ScimTarget:
    """Returns the target. `secrets` has the values by `name/key`. Raises TransportError if one is missing or no use."""
    _check_url("spec.scim.url", settings.url)
    client = ScimClient(url=settings.url, context=_context(settings.ca, secrets), timeout=timeout)
    client.use(_tokens(settings, client, secrets))
    return ScimTarget(settings, client, timeout=timeout)


def _tokens(settings: ScimSettings, client: ScimClient, secrets: Mapping[str, str]) -> Tokens:
    oauth = settings.oauth
    if oauth is not None:
        _check_url("spec.scim.oauth.url", oauth.url)
        return ClientCredentials(
            url=oauth.url,
            client_id=oauth.client_id,
            client_secret=_value(oauth.client_secret, secrets).strip("\r\n"),
            scope=oauth.scope,
            post=client.post_form,
        )
    if settings.token is None:
        raise TransportError(
            CommandFault.SECRET_MISSING, "spec.scim has neither token nor oauth; give one of them", maybe_applied=False
        )
    where = f"key {settings.token.key} of Secret {settings.token.name}"
    return FixedToken(checked_token(_value(settings.token, secrets), where))


def _context(ca: SecretKey | None, secrets: Mapping[str, str]) -> ssl.SSLContext:
    if ca is None:
        return ssl.create_default_context()
    certificates = _value(ca, secrets)
    try:
        if not certificates:  # the context would take those of the system
            raise ValueError
        return ssl.create_default_context(cadata=certificates)
    except (ssl.SSLError, ValueError):
        raise TransportError(
            CommandFault.CERTIFICATE_REFUSED,
            f"key {ca.key} of Secret {ca.name} has no certificates in PEM form",
            maybe_applied=False,
        ) from None


def _value(key: SecretKey, secrets: Mapping[str, str]) -> str:
    value = secrets.get(f"{key.name}/{key.key}")
    if value is None:
        raise TransportError(
            CommandFault.SECRET_MISSING, f"there is no key {key.key} in Secret {key.name}", maybe_applied=False
        )
    return value


def _check_url(field: str, url: str) -> None:
    """Refuses what the API server refuses too, but not for objects that it has already."""
    if re.fullmatch(SERVICE_URL_PATTERN, url) is None:
        raise TransportError(CommandFault.BAD_ANSWER, f"{field} is not {SERVICE_URL_FORM}", maybe_applied=False)
