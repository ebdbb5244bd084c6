"""Renders the statuses of the resources and writes them.

- `pool`, `server`, `workbench`, `mirror`: pure functions from state to status or conditions. Start with `pool`.
- `condition_parts`: a condition without its times.
- `render`: renders the status of an object by its key, from the cache and the published states.
- `writer`: writes the marked statuses in batches. Only LicensePools and Workbenches are written by it.

Not here: the write of a LicenseServer's status, because it is the write-ahead log (`control/reconcile/write_ahead_log.py`). The
sentences of the reasons are in `api/reasons.py`.
"""
