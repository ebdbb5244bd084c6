"""A LicenseServer that is not allowed gets no command by any way."""

import inspect

import pytest

from seatpool.api.licenseserver import Target
from seatpool.servers.errors import CommandFault, TransportError
from seatpool.servers.ssm.nodes import Node
from seatpool.servers.ssm.refusing_transport import RefusingTransport
from seatpool.servers.ssm.transport import SsmTransport

NODE = Node(target=Target(instance_id="i-0123456789abcdef0"), region="eu-central-1")


@pytest.mark.parametrize(
    ("method", "maybe_applied"),
    [
        ("send", False), ("result", True), ("cancel", True), ("find_instance", False), ("agents", False),
        ("document_hash", False),
    ],
)  # fmt: skip
async def test_nothing_is_sent_and_the_reason_is_told(method: str, maybe_applied: bool) -> None:
    call = getattr(RefusingTransport("spec.document: no"), method)
    with pytest.raises(TransportError, match=r"^spec.document: no; nothing was sent; .*servers\.allowed") as raised:
        await call(NODE, anything="else")
    assert raised.value.reason is CommandFault.NOT_ALLOWED
    assert raised.value.maybe_applied is maybe_applied


def test_every_public_way_of_the_transport_that_waits_is_refused() -> None:
    public = {
        name
        for name, member in inspect.getmembers(SsmTransport, inspect.iscoroutinefunction)
        if not name.startswith("_")
    }
    assert public <= RefusingTransport.__dict__.keys()
