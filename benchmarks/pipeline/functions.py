"""Implements the functions of the pipeline. Their AWS calls and the time are arguments."""

from collections.abc import Callable, Mapping, Sequence

from benchmarks.pipeline.tables import Tables
from benchmarks.workloads import Event

SendList = Callable[[str, Sequence[str]], None]
"""Sends one SSM command: a product and all its users."""


class Functions:
    """Three functions. A fourth one, which reads tags, comes before the custom event."""

    def __init__(self, products: Mapping[str, Sequence[str]], tables: Tables, send: SendList) -> None:
        self._products = products
        self._tables = tables
        self._send = send

    def count(self, event: Event) -> None:
        """Handles a custom event: +1 or -1 for each product, and the stream function for each change of an item."""
        for product in self._products[event.type]:
            self._tables.add(product, event.user, 1 if event.starts else -1)
            self.note_change(product, event.at)

    def note_change(self, product: str, at: float) -> None:
        """Handles a stream record."""
        self._tables.put_changed(product, at)

    def tick(self) -> list[str]:
        """Runs every minute and returns the products whose lists were sent."""
        changed, sent = self._tables.changed(), self._tables.sent()
        due = [product for product, at in sorted(changed.items()) if at != sent.get(product)]
        for product in due:
            self._send(product, self._tables.users(product))
            self._tables.put_sent(product, changed[product])
        return due
