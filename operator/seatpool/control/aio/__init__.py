"""Two helpers for asyncio tasks.

- `supervisor`: runs the background tasks of an operator. A failed vital task fails liveness.
- `shield`: runs a coroutine to its end even if the operator is stopping.

Not here: retries (`backoff.py`, `kube/retry.py`), and anything that knows pools or license servers.
"""
