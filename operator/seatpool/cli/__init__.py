"""Defines the command line.

A command takes its options from Typer, reads the cluster, a file or a history, and prints the result. Computations are
in other packages: `explain` for the cluster, `planner` and `reports` for the past, `statement` for the vendor,
`control` for the operator itself. Only `admin` changes an object.

Read in this order:
- `main`: the list of all commands, and the entry points of the scripts
- `run`, `demo`: the two programs that go on
- `verbs`: options of the commands that need a cluster; `inspect_verbs`, `admin` and `statement` run them
- `dlq`, `history`, `compare_pipeline`, `plan`, `report`: one module a command or group
- `status_screen`, `line_screens`, `who_screen`, `settings_table`: what is printed for people
- `cluster`, `logging_setup`, `command_classes`: shared parts

Heavy modules are imported inside the functions that need them. `--help` must not import Kopf, boto3, Kubernetes or
pydantic, and a test checks it.
"""
