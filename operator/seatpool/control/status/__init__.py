"""Renders the statuses of the resources and writes them.

- `pool`, `server`, `workbench`, `mirror`, `settings`: pure functions from state to status or conditions. Start with `pool`.
- `unreadable`: the status of an object that the API server admits and that cannot be read.
- `condition_parts`: a condition without its times.
- `render`: renders the status of an object by its key, from the cache and the published states.
- `writer`: writes the marked statuses in batches: those of LicensePools and Workbenches, and of LicenseServers that cannot
  be read.

Not here: the write of any other LicenseServer's status, because it is the write-ahead log
(`control/reconcile/write_ahead_log.py`). The sentences of the reasons are in `api/reasons.py`.
"""
