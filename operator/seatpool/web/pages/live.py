"""Keeps an open page as it would be if it were asked for again: what changed is sent as HTML, element by element.

Changes of one second come together. Equal parts are rendered once for all readers. As for the events of the API, who the
reader is and what the reader may see are asked again while the page is open.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace

from seatpool.web.answers import STATUS_FRESH
from seatpool.web.authentication import YES
from seatpool.web.pages.contents import CONTENTS
from seatpool.web.pages.fragments import Shown
from seatpool.web.pages.reader import Reader
from seatpool.web.problems import Refusal
from seatpool.web.replies import to_json
from seatpool.web.stream import CONFLATION, PROXIED_LASTS, QUIET, Subscription, event_of

ADMIN_CONFLATION = STATUS_FRESH + 1.0
"""Seconds in which changes are collected for the page that looks at everything. Its answer is never older than the change."""


@dataclass(kw_only=True)
class PageFeed:
    """The events of one open page."""

    reader: Reader
    token: str | None = field(repr=False)
    """None: a proxy named the reader."""
    page: str
    target: str
    """Key of the pool, for the page of one."""
    subscription: Subscription
    monotonic: Callable[[], float] = time.monotonic
    _shown: Shown = field(default_factory=Shown, init=False)

    async def events(self) -> AsyncIterator[bytes]:
        """Yields the events until the service stops, or until the reader may not see the page any more."""
        service = self.reader.service
        began = checked_at = quiet_since = self.monotonic()
        yield b"retry: 5000\n\n"
        changed: set[str] | None = None
        while not service.stopping.is_set():
            now = self.monotonic()
            if self.token is None and now - began >= PROXIED_LASTS:
                return
            try:
                is_due = now - checked_at >= YES
                if is_due or self.reader.caller.key is not None:  # a key may have been revoked a moment ago
                    caller = await service.caller_again(self.reader.caller, self.token)
                    self.reader = replace(self.reader, caller=caller)
                if is_due:
                    checked_at, changed = now, None
                news = await self._news(changed)
            except Refusal as refusal:
                yield event_of("end", to_json(refusal.details(audience=service.settings.audience)))
                return
            if news:
                quiet_since = now
                yield event_of("rows", json.dumps(news).encode())
            elif now - quiet_since >= QUIET:
                quiet_since = now
                yield b": nothing changed\n\n"
            await self.subscription.wait(QUIET)
            await asyncio.sleep(ADMIN_CONFLATION if self.page == "admin" else CONFLATION)
            changed = self.subscription.take()
        yield event_of("end", b'{"id":"Stopping","title":"the service stops","status":503}')

    async def _news(self, changed: set[str] | None) -> dict[str, str]:
        """Returns the elements that are new to the reader. `changed` has pools; None: anything may have changed."""
        if changed is not None and (not changed or (self.target and self.target not in changed)):
            return {}
        content = await CONTENTS[self.page](self.reader, self.target)
        return self._shown.news(content.fragments)
