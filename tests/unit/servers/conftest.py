from pathlib import Path

import pytest
from tests.unit.servers.server_on_disk import ServerOnDisk, shells


@pytest.fixture(params=shells())
def server(request: pytest.FixtureRequest, tmp_path: Path) -> ServerOnDisk:
    """A license server for each shell of this machine."""
    return ServerOnDisk(home=tmp_path / "server", shell=request.param)


@pytest.fixture
def dash_server(tmp_path: Path) -> ServerOnDisk:
    """A license server with the sh that Debian and Ubuntu have."""
    return ServerOnDisk(home=tmp_path / "server")
