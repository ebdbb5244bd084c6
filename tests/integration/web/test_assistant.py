"""Tools for assistants, as an assistant uses them: a process of its own, spoken to by the protocol's own client."""

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import StdioServerParameters
from mcp.client.client import Client
from tests.integration.web.conftest import Site

TOOLS = {"my_seats", "why", "status", "pools", "pool", "servers", "workbenches", "usage", "plan"}


@asynccontextmanager
async def assistant(site: Site, folder: Path, caller: str | None, *words: str) -> AsyncIterator[Client]:
    """A client of `seatpool mcp` as a caller of the API. None: as the kubeconfig's user, on the cluster itself."""
    more = list(words)
    if caller is not None:
        file = folder / "token"
        file.write_text(site.tokens[caller])
        more += ["--server", f"http://127.0.0.1:{site.server.port}", "--token-file", str(file)]
    command = [sys.executable, "-m", "seatpool", "mcp", "--kubeconfig", str(site.plane.kubeconfig), *more]
    environment = {"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin:/bin", "HOME": str(folder)}
    server = StdioServerParameters(command=command[0], args=command[1:], env=environment)
    async with Client(server, read_timeout_seconds=60) as client:
        yield client


async def call(client: Client, tool: str, **arguments: Any) -> Any:
    """What a tool answers."""
    found = await client.call_tool(tool, arguments)
    assert not found.is_error, found
    (content,) = found.content
    assert json.loads(content.text) == found.structured_content  # type: ignore[union-attr]
    return found.structured_content


async def refused(client: Client, tool: str, **arguments: Any) -> str:
    """The sentence of a tool's error."""
    found = await client.call_tool(tool, arguments)
    assert found.is_error
    (content,) = found.content
    text: str = content.text  # type: ignore[union-attr]
    assert "Traceback" not in text
    return text


async def test_every_tool_only_reads_and_says_what_it_takes(site: Site, tmp_path: Path) -> None:
    async with assistant(site, tmp_path, "admin") as client:
        tools = (await client.list_tools()).tools
    assert {one.name for one in tools} == TOOLS
    for one in tools:
        assert one.annotations is not None
        assert one.annotations.read_only_hint is True
        assert one.annotations.destructive_hint is False
        assert one.description
        assert all("description" in parameter for parameter in one.input_schema["properties"].values()), one.name


async def test_an_assistant_gets_what_the_api_says(site: Site, tmp_path: Path) -> None:
    namespace = site.namespace
    async with assistant(site, tmp_path, "admin") as client:
        pool = await call(client, "pool", namespace=namespace, name="matlab")
        assert pool["who"]["holders"] == site.get(f"/api/v1/pools/{namespace}/matlab", "admin").json["who"]["holders"]
        pages = await call(client, "pools", limit=1)
        assert len(pages["items"]) == 1
        second = await call(client, "pools", limit=1, cursor=pages["nextCursor"])
        assert second["items"] != pages["items"]
        assert (await call(client, "why", user="bob"))["pools"][0]["phase"] == "Waiting"
        assert (await call(client, "servers"))["items"]
        assert (await call(client, "workbenches"))["items"]
        assert (await call(client, "status"))["pools"]
        assert (await call(client, "usage", pool=f"{namespace}/matlab"))["peak"] == 3
        assert (await call(client, "plan", pool=f"{namespace}/matlab"))["seatsNow"] == 3


async def test_an_assistant_sees_what_its_user_sees_and_no_more(site: Site, tmp_path: Path) -> None:
    async with assistant(site, tmp_path, "bob") as client:
        own = await call(client, "my_seats")
        assert own["answer"]["pools"][0]["position"] == 1
        assert "carl" not in json.dumps(own)
        for tool, arguments in (
            ("why", {"user": "ann"}), ("pools", {}), ("pool", {"namespace": site.namespace, "name": "matlab"}), ("status", {}),
            ("workbenches", {}), ("usage", {"pool": f"{site.namespace}/matlab"}), ("servers", {}),
        ):  # fmt: skip
            told = await refused(client, tool, **arguments)
            assert "You need the right to" in told, told
            assert "carl" not in told


async def test_what_an_assistant_asks_wrongly_is_told_in_a_sentence(site: Site, tmp_path: Path) -> None:
    async with assistant(site, tmp_path, "admin") as client:
        assert "There is no LicensePool" in await refused(client, "pool", namespace=site.namespace, name="none")
        assert "write a date such as" in await refused(client, "usage", pool=f"{site.namespace}/matlab", since="soon")
        assert "limit" in await refused(client, "pools", limit=0)
        # A name is one part of the path, whatever is in it.
        told = await refused(client, "pool", namespace="..", name="../me?x=1#y")
        assert "system:serviceaccount" not in told


HIDDEN = "eve\u202e\u200b\x1b[2J\ufeff"


@pytest.fixture
def oddly_owned(site: Site) -> None:
    """A workbench whose owner has characters that print nothing, or change how others look."""
    site.put(site.board.workbench(88, HIDDEN))
    site.until("/api/v1/workbenches", "viewer", lambda page: any(one["name"] == "i-00000058" for one in page["items"]))


@pytest.mark.usefixtures("oddly_owned")
async def test_no_text_of_a_user_reaches_an_assistant_with_what_cannot_be_seen(site: Site, tmp_path: Path) -> None:
    for caller, words in (("viewer", ()), (None, ("-n", site.namespace))):
        async with assistant(site, tmp_path, caller, *words) as client:
            found = await call(client, "workbenches")
            (line,) = [one for one in found["items"] if one["name"] == "i-00000058"]
            assert line["owner"].isprintable()
            assert line["owner"] == HIDDEN.encode("unicode_escape").decode()


async def test_without_an_address_the_cluster_is_asked(site: Site, tmp_path: Path) -> None:
    async with assistant(site, tmp_path, None, "-n", site.namespace) as client:
        for path, tool, arguments in (
            (f"pools/{site.namespace}/matlab", "pool", {"namespace": site.namespace, "name": "matlab"}),
            ("users/ann", "why", {"user": "ann"}),
        ):
            found, other = await call(client, tool, **arguments), site.get(f"/api/v1/{path}", "admin").json
            for name in found:
                assert found[name] == other[name]
        assert [one["name"] for one in (await call(client, "pools"))["items"]] == [
            f"{site.namespace}/cad", f"{site.namespace}/matlab",
        ]  # fmt: skip
        first = await call(client, "workbenches", limit=2)
        rest = await call(client, "workbenches", cursor=first["nextCursor"])
        names = [one["name"] for one in (*first["items"], *rest["items"])]
        assert sorted(set(names)) == sorted(names)
        assert (await call(client, "my_seats"))["name"]
        assert (await call(client, "status"))["servers"]
        assert "start seatpool mcp with --server URL" in await refused(client, "usage", pool="lab/matlab")
        assert "there is no LicensePool" in await refused(client, "pool", namespace=site.namespace, name="none")


async def test_a_service_that_is_gone_is_told_by_the_tool(site: Site, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("abc")
    words = ("--server", "http://127.0.0.1:9", "--token-file", str(token))
    async with assistant(site, tmp_path, None, *words) as client:
        assert "no answer from http://127.0.0.1:9" in await refused(client, "pools")


@pytest.mark.parametrize("words", [["--server", "http://seats.example.com"]])
async def test_an_address_without_https_gets_no_token(site: Site, tmp_path: Path, words: list[str]) -> None:
    async with assistant(site, tmp_path, None, *words) as client:
        assert "HTTPS only" in await refused(client, "pools")
