"""Calls to EC2: reading instances, and writing the seat tag. Everything runs through assumed roles.

In:
* `instances`: DescribeInstances in four forms. These functions block.
* `tag_writer`: writes the seat tag onto instances, in batches.

Not in: what an answer means (`mirror.inventory`), the writes of Workbench objects (`mirror.workbenches`), and the value of
the seat tag (`control.sinks`).

Read `instances`, `tag_writer`.
"""
