"""Measures speed, size and delays, each beside a reference measured in the same run. `python -m benchmarks --help`.

Contents:
- `site`, `measured`, `fleet_of_many`: the environment, the processes, and the large installation
- `workloads`, `windows`, `ours`, `pipeline`, `side_by_side`: the operator beside the pipeline that it replaces
- `start_up`, `storm`, `answers`, `failover`, `history_year`, `micro`: one measurement each
- `naive_operator`, `plain_list`, `remote_server`: references and stand-ins
- `results`, `tables`, `plots`, `pages`: results.json, and the pages made from it
- `soak`: random load with faults
"""
