"""Finds the target that a package of the site brings, by its entry point.

The package is code in the operator's process: it has all rights of the operator. Who builds the image decides what is in it.
"""

from collections.abc import Mapping
from datetime import timedelta
from importlib.metadata import EntryPoint, entry_points

from seatpool.api.list_backends import CustomSettings
from seatpool.servers.direct.target import ListTarget
from seatpool.servers.errors import CommandFault, TransportError

GROUP = "seatpool.backends"


def make_custom(settings: CustomSettings, *, secrets: Mapping[str, str], timeout: timedelta) -> ListTarget:
    """Returns the target of the adapter that the settings name.

    The entry point is a function `make_target(settings, *, secrets, timeout)`: settings are texts by name, secrets texts by
    `name/key`. Raises TransportError if there is none, or if it refuses the settings.
    """
    names = {point.name: point for point in entry_points(group=GROUP)}
    point: EntryPoint | None = names.get(settings.adapter)
    if point is None:
        known = ", ".join(sorted(names)) or "none"
        raise _error(f"spec.custom.adapter: the image has no adapter {settings.adapter}; it has {known}")
    try:
        made: ListTarget = point.load()(dict(settings.settings), secrets=dict(secrets), timeout=timeout)
    except TransportError:
        raise
    except Exception as error:  # a package of the site: its error is one of this LicenseServer only
        raise _error(f"adapter {settings.adapter} refuses spec.custom: {type(error).__name__}: {error}") from error
    return made


def _error(message: str) -> TransportError:
    return TransportError(CommandFault.BAD_ANSWER, message, maybe_applied=False, is_known_to_have_ended=True)
