"""Random life with faults, and a checker that shares nothing with the operator. `python -m benchmarks.soak --minutes 20`."""
