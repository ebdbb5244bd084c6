"""Takes who a caller is from the header fields of an identity proxy, if the request comes from the proxy's own address.

Such fields prove nothing by themselves. So they count from the addresses of the settings only, and are nothing from others.
What Kubernetes keeps for itself (`system:`) is never taken: no proxy can make a caller a cluster admin.
"""

import ipaddress

from fastapi import Request

from seatpool.settings.web import ProxySettings
from seatpool.web.authentication import Caller
from seatpool.web.problems import ProblemId, Refusal

RESERVED = "system:"
AUTHENTICATED = "system:authenticated"
_LONGEST = 256
_MOST_GROUPS = 500


def proxied_caller(request: Request, settings: ProxySettings) -> Caller | None:
    """Returns whom the proxy names. None: it names no caller, or the request does not come from it. Raises Refusal."""
    if not settings.user_header or not _is_trusted(request, settings):
        return None
    names = request.headers.getlist(settings.user_header)
    if not names:
        return None
    if len(names) > 1 or not _is_name(names[0]):
        raise Refusal(ProblemId.BAD_PROXY_USER, header=settings.user_header)
    groups = [AUTHENTICATED]
    if settings.groups_header:
        told = ",".join(request.headers.getlist(settings.groups_header)).split(",")
        groups += [one.strip() for one in told if _is_name(one.strip())][:_MOST_GROUPS]
    return Caller(name=names[0], groups=tuple(dict.fromkeys(groups)))


def _is_trusted(request: Request, settings: ProxySettings) -> bool:
    if request.client is None:
        return False
    try:
        address: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(request.client.host)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in settings.trusted)


def _is_name(text: str) -> bool:
    return bool(text) and len(text) <= _LONGEST and text.isprintable() and not text.startswith(RESERVED)
