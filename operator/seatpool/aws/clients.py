"""Makes each boto3 client once, and runs blocking calls in threads.

Threads may share a boto3 client, but making one is not thread-safe. So one lock guards sessions and clients.
A pool runs calls that end soon. A call that may take long gets a daemon thread of its own. There it never delays a
quick call, and it does not keep the process from ending.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from botocore.config import Config
from botocore.exceptions import BotoCoreError

from seatpool.aws.sessions import Role, SessionFactory, Sessions
from seatpool.threads import presentable_error, run_in

T = TypeVar("T")


class ClientCache:
    """boto3 clients by service, region, role and configuration, with the threads that use them."""

    def __init__(
        self,
        *,
        session_factory: SessionFactory,
        endpoint_url: str | None,
        role_session_name: str,
        sts_config: Config,
        threads: int,
        thread_name: str,
    ) -> None:
        """`sts_config` is for the client that assumes roles. `threads` is the size of the pool."""
        self._endpoint_url = endpoint_url
        self._thread_name = thread_name
        self._making = threading.Lock()
        self._sessions = Sessions(
            factory=session_factory, endpoint_url=endpoint_url, config=sts_config, role_session_name=role_session_name
        )
        self._clients: dict[tuple[str, str | None, Role | None, Config], Any] = {}
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=thread_name)

    def client(
        self, service: str, *, region: str | None, config: Config, role: Role | None = None, cached: bool = True
    ) -> Any:
        """Returns a client, made at the first call and kept. `config` must be the same object each time.

        `cached=False` makes a client for one use.
        """
        with self._making:
            if not cached:
                return self._make(service, region=region, config=config, role=role)
            key = (service, region, role, config)
            if key not in self._clients:
                self._clients[key] = self._make(service, region=region, config=config, role=role)
            return self._clients[key]

    def warm_up(self, service: str, *, region: str, config: Config) -> None:
        """Reads what boto3 needs for any client: hundreds of small files. That takes seconds in a busy process."""
        with self._making, contextlib.suppress(BotoCoreError):
            self._sessions.home().client(service, region_name=region, config=config)  # type: ignore[call-overload]

    async def run_in_pool(self, call: Callable[[], T]) -> T:
        """Runs a call that ends soon."""
        return await run_in(self._pool, call)

    async def run_in_thread(self, call: Callable[[], T], *, on_cancelled: Callable[[T], None] = lambda _: None) -> T:
        """Runs a call that may take long, in a thread of its own.

        Nothing can interrupt the call. If the caller was cancelled meanwhile, `on_cancelled` gets the answer.
        """
        cancelled = threading.Event()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def set_answer(value: T | None, error: BaseException | None) -> None:
            if answer.done():
                return
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(value)  # type: ignore[arg-type]

        def run() -> None:
            value, failure = None, None
            try:
                value = call()
                if cancelled.is_set():
                    on_cancelled(value)
            except BaseException as error:  # noqa: BLE001
                failure = presentable_error(error)
            try:
                loop.call_soon_threadsafe(set_answer, value, failure)
            except RuntimeError:
                return  # the loop was closed during the call: no caller is left

        threading.Thread(target=run, name=f"{self._thread_name}-slow", daemon=True).start()
        try:
            return await answer
        except asyncio.CancelledError:
            cancelled.set()
            raise

    def close(self) -> None:
        """Ends the pool. Calls in flight end by themselves."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _make(self, service: str, *, region: str | None, config: Config, role: Role | None) -> Any:
        return self._sessions.of(role).client(  # type: ignore[call-overload]
            service, region_name=region, endpoint_url=self._endpoint_url, config=config
        )
