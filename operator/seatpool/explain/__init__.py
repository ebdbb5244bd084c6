"""Computes what `status`, `why`, `who`, `diff`, `events` and `approve` show, from the cluster's objects alone.

In: one read of the cluster (`snapshot`, `workbench_table`), and pure functions of it.
Not in: printing (`terminal`, `cli`), the running operator (`control`), and the rules themselves (`domain`).

Read in this order:

1. `snapshot`: the cluster at one moment, in the operator's own store. `observed_identity`: the settings behind it.
2. `problems` and `overview`: what is wrong, and the data of the status screen.
3. `messages` and `rule_text`: every text, and the text of a rule with the pool's numbers.
4. `simulation`, `wait_estimate`, `why`: the future of a pool, and one user's explanation. `who`: all users of a pool.
5. `operator_life`, `rights`: whether the operator is alive, and what each role may do.
6. `list_diff`, `recent_history`, `held_change`: one module for each other verb.
"""
