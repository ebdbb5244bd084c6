"""Growing pauses after failures, with jitter, so that many who failed together do not come back together."""

import random
import time
from collections.abc import Callable, Collection


class Backoff:
    """How long to wait before the next try of one thing."""

    def __init__(
        self,
        rng: random.Random,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        first: float = 1.0,
        longest: float = 60.0,
    ) -> None:
        self.failures = 0
        """In a row."""
        self._rng = rng
        self._monotonic = monotonic
        self._first = first
        self._longest = longest
        self._until = float("-inf")

    def failed(self) -> None:
        """Another failure: the pause doubles."""
        pause = min(self._longest, self._first * 2.0 ** min(self.failures, 30))
        self.failures += 1
        self._until = self._monotonic() + pause * self._rng.uniform(0.75, 1.25)

    def succeeded(self) -> None:
        """All is well again."""
        self.failures = 0
        self._until = float("-inf")

    def remaining(self) -> float:
        """Seconds until the next try is due, 0 when it is."""
        return max(0.0, self._until - self._monotonic())


class Backoffs:
    """Those of one license server: one for reaching it at all, and one for each product that fails by itself."""

    def __init__(self, rng: random.Random, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.server = Backoff(rng, monotonic=monotonic)
        self._rng = rng
        self._monotonic = monotonic
        self._products: dict[str, Backoff] = {}

    def failed(self, product: str) -> None:
        """Another failure of this product."""
        self._products.setdefault(product, Backoff(self._rng, monotonic=self._monotonic)).failed()

    def succeeded(self, product: str) -> None:
        """The product is well again."""
        self._products.pop(product, None)

    def remaining(self, product: str) -> float:
        """Seconds until the product may be tried again, 0 when it may."""
        backoff = self._products.get(product)
        return 0.0 if backoff is None else backoff.remaining()

    def keep_only(self, products: Collection[str]) -> None:
        """Forget the products that are not served any more."""
        self._products = {product: backoff for product, backoff in self._products.items() if product in products}
