"""Looks at something again and again, in a thread of its own."""

import threading
from types import TracebackType
from typing import Self


class Watcher:
    """Calls `look` from when it is entered until it is left. A failure of it is raised when it is left."""

    def __init__(self, name: str, *, every: float) -> None:
        self.violations: list[str] = []
        self._every = every
        self._end = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._watch, name=name, daemon=True)

    def look(self) -> None:
        """Looks once, and adds to `violations`."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()
        if self._failure is not None:
            raise RuntimeError(f"the {self._thread.name} failed") from self._failure

    def _watch(self) -> None:
        try:
            while not self._end.wait(self._every):
                self.look()
        except Exception as error:  # noqa: BLE001
            self._failure = error
