"""Values that the reconcilers publish and others read. Frozen, without I/O.

- `pool_state`: desired list, observed list and failure of one pool. Start here.
- `server_view`: everything that the status of a LicenseServer is rendered from.
- `pool_states`: the last published state of every pool, by key. The only mutable class of this package.
- `seat_durations`: how long seats were held lately.
- `moment`: an instant by both clocks.

Not here: the private state of a reconciler (`control/reconcile/server_state.py`), and the function that makes every next state
(`control/reconcile/advance.py`).
"""
