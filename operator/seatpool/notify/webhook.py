"""Sends notices as signed HTTP posts.

The signature covers the id, the time and the body. So a post can neither be changed nor be sent again later. A receiver
computes HMAC-SHA256 over `<id>.<timestamp>.<body>`, compares, and refuses timestamps older than some minutes.

The URL may hold a password or a token. So errors show its scheme, host and port only.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import aiohttp
from structlog.typing import FilteringBoundLogger

from seatpool.notify.notices import Notice
from seatpool.notify.outbox import NotDelivered
from seatpool.text import redact_urls

ID = "Seatpool-Id"
TIMESTAMP = "Seatpool-Timestamp"
SIGNATURE = "Seatpool-Signature"
TIMEOUT = aiohttp.ClientTimeout(total=10, connect=5)
WORTH_ANOTHER_TRY = frozenset({401, 403, 404, 408, 425, 429})


class WebhookSender:
    """Sends to one receiver. A post that the receiver refuses for good (4xx) is dropped, so that it blocks no other."""

    name = "webhook"
    batch = 1

    def __init__(
        self, url: str, secret_file: Path, *, clock: Callable[[], datetime], log: FilteringBoundLogger
    ) -> None:
        self._url = url
        self._shown = redact_urls(url)
        self._secret_file = secret_file
        self._clock = clock
        self._log = log
        self._session: aiohttp.ClientSession | None = None

    async def send(self, notices: Sequence[Notice]) -> Sequence[Notice]:
        for notice in notices:
            await self._post(notice)
        return ()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _post(self, notice: Notice) -> None:
        body = json.dumps({"id": notice.id, "type": notice.type, "detail": notice.wire()}).encode()
        timestamp = str(int(self._clock().timestamp()))
        headers = {
            "Content-Type": "application/json",
            ID: notice.id,
            TIMESTAMP: timestamp,
            SIGNATURE: f"v1={signature(self._secret(), notice.id, timestamp, body)}",
        }
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=TIMEOUT)
        try:
            async with self._session.post(self._url, data=body, headers=headers, allow_redirects=False) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NotDelivered(f"webhook {self._shown}: {_cause(error)}") from None
        if 200 <= status < 300:
            return
        if 400 <= status < 500 and status not in WORTH_ANOTHER_TRY:
            self._log.warning("the webhook refuses a notice for good", status=status, id=notice.id, type=notice.type)
            return
        raise NotDelivered(f"webhook {self._shown}: answered {status}; it has to answer 2xx")

    def _secret(self) -> bytes:
        try:
            secret = self._secret_file.read_bytes().strip()
        except OSError as error:
            raise NotDelivered(f"notify.webhook.secret_file {self._secret_file}: {error.strerror or error}") from error
        if not secret:
            raise NotDelivered(f"notify.webhook.secret_file {self._secret_file} is empty; put the secret into it")
        return secret


def _cause(error: Exception) -> str:
    """Returns what went wrong, without the URL, which some errors quote."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__


def signature(secret: bytes, id_: str, timestamp: str, body: bytes) -> str:
    """Returns the signature that a receiver has to compute."""
    return hmac.new(secret, f"{id_}.{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
