"""The adapter of examples/adapter, found by its entry point, passes the suite of all back ends."""

import asyncio
import importlib
import ssl
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from tests.integration.backends.conformance import *  # noqa: F403
from tests.integration.backends.custom.list_service import TOKEN, Lists, running
from tests.integration.backends.proxy import Relay
from tests.integration.backends.site import (
    LIST,
    OTHER_LIST,
    TIMEOUT,
    UNDISTURBED,
    Disturbance,
    RelayedSite,
    direct_backend,
)

from seatpool.api.list_backends import CustomSettings
from seatpool.api.list_names import ListNames
from seatpool.servers.backend import ListBackend
from seatpool.servers.direct.custom import GROUP, make_custom
from seatpool.servers.direct.target import ListTarget
from seatpool.servers.errors import TransportError

EXAMPLE = Path(__file__).resolve().parents[4] / "examples" / "adapter"


@pytest.fixture(scope="module", autouse=True)
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Puts the example where Python finds packages, with the metadata that an installation writes."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    folder = tmp_path_factory.mktemp("site-packages")
    metadata = folder / f"seatpool_plainlists-{project['version']}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    points = project["entry-points"][GROUP].items()
    (metadata / "entry_points.txt").write_text(f"[{GROUP}]\n" + "".join(f"{name} = {at}\n" for name, at in points))
    (folder / "plainlists.py").write_text((EXAMPLE / "plainlists.py").read_text())
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    yield
    sys.path.remove(str(folder))
    sys.modules.pop("plainlists", None)


@pytest.fixture(scope="module")
def service() -> Iterator[tuple[Lists, int, trustme.CA]]:
    ca, lists = trustme.CA(), Lists()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    with running(lists, context) as port:
        yield lists, port, ca


class ListServiceSite(RelayedSite):
    """Lists of the service behind a relay."""

    secrets = (TOKEN,)
    can_repeat = True
    hostile_entries = ("John Smith", "two\nlines \u202e", "", "é", 'x"},{"')

    def __init__(self, lists: Lists, port: int, ca: trustme.CA) -> None:
        self.lists = lists
        self.relay = Relay(port)
        self.ca = ca
        self.token = TOKEN
        self._targets: list[ListTarget] = []
        lists.content = {name: {"users": [], "note": "kept by the lab"} for name in (LIST, OTHER_LIST, "other")}

    def server(self) -> tuple[dict[str, Any], Mapping[str, Mapping[str, str]]]:
        keys = [{"name": "plainlists", "key": key} for key in ("token", "ca.crt")]
        settings = {"url": f"https://127.0.0.1:{self.relay.port}"}
        custom = {"adapter": "plainlists", "settings": settings, "secrets": keys}
        return {"custom": custom}, {"plainlists": {"token": self.token, "ca.crt": self.ca.cert_pem.bytes().decode()}}

    def backend(
        self, *, timeout: timedelta = TIMEOUT, names: ListNames | None = None, disturbance: Disturbance = UNDISTURBED
    ) -> ListBackend:
        section, texts = self.server()
        secrets = {f"plainlists/{key}": value for key, value in texts["plainlists"].items()}
        target = make_custom(CustomSettings.model_validate(section["custom"]), secrets=secrets, timeout=timeout)
        self._targets.append(target)
        return direct_backend(target, names=names, timeout=timeout, disturbance=disturbance)

    async def close(self) -> None:
        for target in self._targets:
            await target.close()
        await asyncio.to_thread(self.relay.close)

    def add_users(self, names: Iterable[str]) -> None:
        pass

    def entries(self, product: str) -> Sequence[str]:
        return list(self.lists.content[product]["users"])

    def add_by_hand(self, product: str, names: Sequence[str]) -> None:
        with self.lists.lock:
            self.lists.content[product]["users"] += names

    def remove_by_hand(self, product: str, names: Sequence[str]) -> None:
        with self.lists.lock:
            users = self.lists.content[product]["users"]
            self.lists.content[product]["users"] = [one for one in users if one not in names]

    def surroundings(self) -> Any:
        return sorted(self.lists.content), self.lists.content["other"]

    def make_unreadable(self, product: str) -> None:
        self.lists.content[product] = {"users": "ann"}

    @contextmanager
    def refusing(self) -> Iterator[None]:
        self.token = f"{TOKEN}-old"
        yield
        self.token = TOKEN

    @contextmanager
    def lying(self) -> Iterator[None]:
        self.lists.lies = True
        yield
        self.lists.lies = False


@pytest.fixture
async def site(service: tuple[Lists, int, trustme.CA]) -> Any:
    site = ListServiceSite(*service)
    yield site
    await site.close()


def test_an_adapter_that_the_image_does_not_have_is_named_with_those_that_it_has() -> None:
    with pytest.raises(TransportError, match=r"no adapter nolists; it has .*plainlists"):
        make_custom(CustomSettings(adapter="nolists", settings={}), secrets={}, timeout=TIMEOUT)


def test_settings_that_the_adapter_refuses_are_told_with_its_name() -> None:
    settings = CustomSettings(adapter="plainlists", settings={"url": "http://lists"})
    with pytest.raises(TransportError, match=r"adapter plainlists refuses spec\.custom: ValueError: url http://lists"):
        make_custom(settings, secrets={"plainlists/token": "x"}, timeout=TIMEOUT)
