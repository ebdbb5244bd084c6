"""Reads tasks of ECS as workbenches. Everything runs through assumed roles.

In:
* `task_arn`: what an ARN says of a task. `task_state`: ECS's states in EC2's words.
* `tasks`: ListTasks and DescribeTasks. These functions block.

Not in: the events (`mirror.messages`), and what an answer means (`mirror.inventory`, `mirror.queue`).

Read `task_arn`, `tasks`.
"""
