"""Defines the command line.

A command takes its options from Typer, reads the cluster, a file or a history, and prints the result. Computations are
in other packages: `explain` for the cluster, `planner` and `reports` for the past, `statement` for the vendor,
`control` for the operator itself. Only `admin` changes an object.

Read in this order:
- `entry`, `main`: the entry points of the scripts, and the list of all commands
- `failures`: every way in which a command can end, as one line and an exit code
- `run`, `web`, `demo`: the programs that go on
- `cluster_options`: the options that every command has that needs a cluster
- `verbs`: the commands that need a cluster; `inspect_verbs`, `admin` and `statement` run them
- `inspect_setup`: `check` and `support_bundle`
- `dlq`, `history`, `compare_pipeline`, `plan`, `report`: one module a command or group
- `status_screen`, `line_screens`, `who_screen`, `settings_table`: what is printed for people
- `cluster`, `completion`, `help`, `logging_setup`, `command_classes`: shared parts

Heavy modules are imported inside the functions that need them. `--help` must not import Kopf, boto3, Kubernetes or
pydantic, and a test checks it.
"""
