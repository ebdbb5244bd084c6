"""Lets one of several processes write: the holder of a Lease.

Read in this order:

1. `lease`: content of a Lease, and when it may be acquired. Pure.
2. `leadership`: whether this process leads at this moment. Every writer checks it.
3. `election`: acquires, renews and releases the Lease.

Not here: what a process does when it begins to lead (`control/runtime/start_leading.py`), and how a reconciler waits for the
Lease (`control/reconcile/wait_for_lease.py`). The fence on the license server needs no leader at all.
"""
