"""Brings the objects of the cluster into the cache.

- `kopf_handlers`: Kopf's watches, credentials and settings. Kopf is used for nothing else.
- `informer`: delivers an object to the cache and the mirror. Start here.
- `resync`: the first list of all objects, and a list from time to time that repairs what a watch missed.
- `heartbeats`: tracks whether each kind is still watched, for the liveness probe.

Not here: the cache itself (`cache/store.py`), and what a change leads to (`control/reconcile/controller.py`).
"""
