"""Talks to the Kubernetes API for everything except watches, which Kopf does.

Contents:
- `client`: reads and writes of our kinds, Events and raw paths
- `kubeconfig`: the kubeconfig, by the rules of kubectl
- `errors`: one class for each answer that callers treat differently
- `retry`: repeats a call until it succeeds
- `leases`: one Lease, read and written by compare-and-swap
- `pod`: name and namespace of the own pod

Nothing here knows what the objects mean. That is in `policy`, `cache` and `control`.

Read `errors` and then `client`.
"""
