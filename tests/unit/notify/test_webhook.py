"""Signed posts to a real HTTP server."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog
from aiohttp import web
from tests.unit.notify.receivers import NOW, assigned

from seatpool.notify.outbox import NotDelivered
from seatpool.notify.webhook import WebhookSender


class Portal:
    """Remembers what was posted to it."""

    def __init__(self) -> None:
        self.status = 200
        self.posts: list[tuple[dict[str, str], bytes]] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.posts.append((dict(request.headers), await request.read()))
        return web.Response(status=self.status, headers={"Location": "/elsewhere"})


@pytest.fixture
async def portal() -> AsyncIterator[Portal]:
    made = Portal()
    app = web.Application()
    app.router.add_post("/hook", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield made
    await runner.cleanup()


@pytest.fixture
async def sender(portal: Portal, tmp_path: Path) -> AsyncIterator[WebhookSender]:
    secret = tmp_path / "secret"
    secret.write_text("open sesame\n")
    made = WebhookSender(portal.url, secret, clock=lambda: NOW, log=structlog.get_logger())
    yield made
    await made.close()


async def test_a_post_can_be_checked_with_the_secret_alone(sender: WebhookSender, portal: Portal) -> None:
    await sender.send([assigned("ann")])
    ((headers, body),) = portal.posts
    told = json.loads(body)
    assert (told["type"], told["detail"]["user"]) == ("SeatAssigned", "ann")
    assert told["id"] == told["detail"]["id"] == headers["Seatpool-Id"]
    assert headers["Seatpool-Timestamp"] == str(int(NOW.timestamp()))
    signed = f"{headers['Seatpool-Id']}.{headers['Seatpool-Timestamp']}.".encode() + body
    expected = hmac.new(b"open sesame", signed, hashlib.sha256).hexdigest()
    assert headers["Seatpool-Signature"] == f"v1={expected}"


async def test_a_new_secret_signs_the_next_post(sender: WebhookSender, portal: Portal, tmp_path: Path) -> None:
    await sender.send([assigned("ann")])
    (tmp_path / "secret").write_text("another")
    await sender.send([assigned("ann")])
    assert portal.posts[0][0]["Seatpool-Signature"] != portal.posts[1][0]["Seatpool-Signature"]


@pytest.mark.parametrize("status", [302, 401, 404, 429, 500, 503])
async def test_an_answer_that_may_be_another_one_later_is_tried_again(
    sender: WebhookSender, portal: Portal, status: int
) -> None:
    portal.status = status
    with pytest.raises(NotDelivered, match=str(status)):
        await sender.send([assigned("ann")])


@pytest.mark.parametrize("status", [400, 410, 422])
async def test_a_notice_that_is_refused_for_good_stops_no_other(
    sender: WebhookSender, portal: Portal, status: int
) -> None:
    portal.status = status
    assert await sender.send([assigned("ann")]) == ()


async def test_nothing_is_posted_unsigned(sender: WebhookSender, portal: Portal, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(" \n")
    with pytest.raises(NotDelivered, match="is empty"):
        await sender.send([assigned("ann")])
    (tmp_path / "secret").unlink()
    with pytest.raises(NotDelivered, match="No such file"):
        await sender.send([assigned("ann")])
    assert portal.posts == []


async def test_a_receiver_that_is_not_there_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    away = WebhookSender("http://127.0.0.1:9/hook", tmp_path / "secret", clock=lambda: NOW, log=structlog.get_logger())
    with pytest.raises(NotDelivered, match=r"webhook http://127\.0\.0\.1:9/\.\.\.: .*Connect call failed"):
        await away.send([assigned("ann")])
    await away.close()


@pytest.mark.parametrize(
    ("status", "url"),
    [
        (500, "http://user:pa55@{host}/hook/XXXXSECRET?token=s3cret"),
        (None, "http://user:pa55@127.0.0.1:9/hook/XXXXSECRET?token=s3cret"),
        (None, "http://user:pa55@no-such-host.invalid/hook/XXXXSECRET?token=s3cret"),
        (None, "http://[bad/XXXXSECRET?pa55=s3cret"),
        (None, "https://user:pa55@{host}/hook/XXXXSECRET?token=s3cret"),
    ],
)
async def test_no_error_shows_what_is_secret_in_the_url(
    portal: Portal, tmp_path: Path, status: int | None, url: str
) -> None:
    portal.status = status or 200
    (tmp_path / "secret").write_text("x")
    named = url.replace("{host}", portal.url.removeprefix("http://").removesuffix("/hook"))
    sender = WebhookSender(named, tmp_path / "secret", clock=lambda: NOW, log=structlog.get_logger())
    with pytest.raises(NotDelivered) as failed:
        await sender.send([assigned("ann")])
    await sender.close()
    assert failed.value.__cause__ is None
    for secret in ("pa55", "XXXXSECRET", "s3cret", "user"):
        assert secret not in str(failed.value)
