"""Commands for one list, as the reconciler gives them."""

from seatpool.servers.command_result import ProductResult
from seatpool.servers.commands import ListChange, ListCommand
from seatpool.servers.direct.backend import DirectBackend

PRODUCT = "matlab"


async def write(
    backend: DirectBackend, *users: str, revision: int = 1, owner: str = "site-a", takeover: str | None = None
) -> ProductResult:
    """Writes the list and returns its result."""
    command = ListCommand(
        revision=revision,
        owner=owner,
        takeover=takeover,
        changes=(ListChange(product=PRODUCT, users=tuple(sorted(users))),),
    )
    return (await backend.result(await backend.send(command), command=command)).products[PRODUCT]


async def read(backend: DirectBackend) -> ProductResult:
    """Reads the list and returns its result."""
    command = ListCommand(revision=0, owner="site-a", products=(PRODUCT,))
    return (await backend.result(await backend.send(command), command=command)).products[PRODUCT]
