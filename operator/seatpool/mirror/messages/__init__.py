"""Parses queue messages: EventBridge envelopes in, a closed set of outcomes out. Nothing here raises to its caller.

In:
* `parsed`: the outcomes and the closed sets of kinds and reasons. The values are also metric labels.
* `envelope`: the checks that all kinds share.
* One file a kind: `state_change`, `workbench_event`, `task_state_change`, `hub_instance`, `hub_task`, `tag_change`,
  `spot_interruption`, `scaling_action`, `scaling_termination`. A new kind is a new file and one line in `registry`.
* `registry`: picks the reader by source and detail-type, and checks account, region and time.

Not in: what is done with a parsed message (`mirror.queue`).

Read `parsed`, `registry`, `envelope`, then any kind.
"""
