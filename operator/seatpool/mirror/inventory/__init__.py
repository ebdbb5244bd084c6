"""Full inventories of every place, and the rules that keep them from releasing users by mistake. The same for all sources.

In:
* `inventory`: the inventory of one place.
* `scheduler`: one inventory task a place.
* `describe_batcher`: one question for many messages, with pauses after failures.

Not in: how a source is asked (`mirror.ec2`, `mirror.ecs`, `mirror.kubernetes`), and the writes (`mirror.workbenches`).

Read `inventory`, `describe_batcher`, `scheduler`.
"""
