"""How fast, how large and how long: each claim with the ruler beside it. `python -m benchmarks --help`."""
