"""A LicenseServer that is not allowed gets no command by any way."""

import inspect
from datetime import UTC, datetime

import pytest

from seatpool.api.licenseserver import Target
from seatpool.control.runtime.refusing_transport import RefusingTransport
from seatpool.servers.errors import CommandFault, TransportError
from seatpool.servers.nodes import Node, SentCommand
from seatpool.servers.ssm import SsmTransport

NODE = Node(target=Target(instance_id="i-0123456789abcdef0"), region="eu-central-1")
SENT = SentCommand(command_id="c", instance_id="i-0123456789abcdef0")


async def test_nothing_is_sent_and_the_reason_is_told() -> None:
    transport = RefusingTransport("spec.document: no")
    asked = (
        transport.send(NODE, {}, document="d", document_hash=None, comment=""),
        transport.result(NODE, SENT, deadline=datetime(2026, 1, 1, tzinfo=UTC)),
        transport.cancel(NODE, SENT),
        transport.find_instance(NODE),
    )
    for call in asked:
        with pytest.raises(TransportError, match=r"^spec.document: no; nothing was sent; .*servers\.allowed") as raised:
            await call
        assert raised.value.reason is CommandFault.NOT_ALLOWED


def test_every_public_way_of_the_transport_that_waits_is_refused() -> None:
    public = {
        name
        for name, member in inspect.getmembers(SsmTransport, inspect.iscoroutinefunction)
        if not name.startswith("_")
    }
    assert public <= RefusingTransport.__dict__.keys()
