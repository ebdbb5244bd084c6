"""Computes how many seats are enough: replays the past with other numbers of seats and other rules.

Input:
- `past`: which workbenches were active when
- `event_lines`, `recorded_past`: the past read from events or from a history
- `past_demand`: the needs of one pool
- `growth`: the same needs with more or fewer users

Computation:
- `replay`, `freed_seats`, `plain_replay`, `replay_result`: one number of seats
- `waits`, `trials`, `lower_bound`, `search`, `error_bars`, `target`: many numbers, and the smallest one that is enough
- `plan`, `parallel`: the plan of a pool, and of several pools at once

Output: `text`, `screen`, `page`, `picture`. The options of the command are read in `options` and `cli.plan`.

Who gets a seat is decided by the order and the checks of `domain`, as in `domain.allocate`. Figures of the past itself
are in `reports`. Read `plan` first.
"""
