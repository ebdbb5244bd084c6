"""The states of all pools, as statuses read them."""

from collections.abc import Iterator, Mapping

from seatpool.control.state.pool_state import PoolState


class PoolStates(Mapping[str, PoolState]):
    """The last published state of each pool by key. A pool belongs to the server whose reconciler published it last."""

    def __init__(self) -> None:
        self._states: dict[str, PoolState] = {}
        self._server_of: dict[str, str] = {}
        self._published: dict[str, Mapping[str, PoolState]] = {}

    def publish(self, server: str, states: Mapping[str, PoolState]) -> None:
        """Replaces all states that the reconciler of this server published before."""
        before = self._published.get(server, {})
        if states is before:
            return
        for key in before.keys() - states.keys():
            if self._server_of.get(key) == server:
                self.discard(key)
        for key, state in states.items():
            self._states[key], self._server_of[key] = state, server
        self._published[server] = states

    def discard(self, pool: str) -> None:
        """Forgets a pool that is gone, or whose server is."""
        self._states.pop(pool, None)
        self._server_of.pop(pool, None)

    def discard_server(self, server: str) -> None:
        """Forgets what the reconciler of a server that is gone published."""
        self.publish(server, {})
        self._published.pop(server, None)

    def __getitem__(self, pool: str) -> PoolState:
        return self._states[pool]

    def __iter__(self) -> Iterator[str]:
        return iter(self._states)

    def __len__(self) -> int:
        return len(self._states)
