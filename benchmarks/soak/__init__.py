"""Runs random load with faults, and a checker that shares no code with the operator.

`python -m benchmarks.soak --minutes 20`.

Read in this order: `__main__`, `life` (users and workbenches), `faults`, `decisions` (of an admin), `checker`, `statuses`.
"""
