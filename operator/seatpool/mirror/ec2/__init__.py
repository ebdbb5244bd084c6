"""Calls to EC2: reading instances, and writing the seat tag. Everything runs through assumed roles.

In:
* `describe`: DescribeInstances in three forms. These functions block.
* `describe_batcher`: one DescribeInstances for many messages, with pauses after failures.
* `inventory`: the full inventory of one region, and the rules that keep it from releasing users by mistake.
* `inventory_scheduler`: one inventory task a region.
* `tag_writer`: writes the seat tag onto instances, in batches.

Not in: the writes of Workbench objects (`mirror.workbenches`), and the value of the seat tag (`control.sinks`).

Read `describe`, `inventory`, `describe_batcher`, `tag_writer`.
"""
