"""Reads objects of the operator's own cluster as workbenches: Pods, DevWorkspaces, virtual machines, whatever a rule names.

In:
* `json_path`: a value in an object, by the path that a rule names.
* `rule`: the rule, which is a setting: which objects, whose they are, of which type and in which state.
* `objects`: the objects of a rule by LIST and GET.
* `object_watch`: what a watch brings and lists show, by version. It is the source of the inventory, and writes.
* `seat_writer`: tells objects whether their owner has every seat.

Not in: the watch itself (`control.watch`), and what an answer means (`mirror.inventory`).

Read `rule`, `objects`, `object_watch`.
"""
