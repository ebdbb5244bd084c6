"""The mirror's Workbench objects: the only place that writes and deletes them.

In:
* `writer`: the objects in memory, and the compare-and-swap writes.
* `entry`: one object in memory, its conversion from and to a spec, and the results of a write.
* `message_context`: which messages caused a write, until a watch delivers the object.
* `tombstones`: deletes objects of terminated instances after a while.
* `orphans`: counts objects of accounts that are no longer configured.

Not in: which of two facts is newer (`mirror.event_order`), and statuses of Workbenches (`control.status`).

Read `entry`, `writer`, then the rest in any order.
"""
