"""Holds what a process knows of the cluster's objects, in memory.

In: `store`, with the pools, servers and workbenches as they were last seen, the demand index that follows from them, and
callbacks for changes; `claims`, which of several pools manages a list.
Not in: how the objects arrive (`control/watch` for the operator, `explain/snapshot` for a command), and what the reconcilers
decide (`control`).

A new object replaces an older one. The cache never writes to the cluster.
"""
