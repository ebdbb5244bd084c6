"""Talks to license servers: sends whole lists of named users through SSM Run Command, and reads them back.

In:
* `commands`, `command_result`: what is asked of a license server, and what it answered. Plain values.
* `adapter`, `xlc`: turn a command into parameters of the SSM document and outputs into a result. Pure, no I/O.
* `payload`, `output_parser`, `list_parser`: the formats that adapters write and read.
* `document`, `apply.sh`: the SSM document and the script in it.
* `ssm`, `nodes`, `errors`: sending a command, waiting for its end, and why it failed.
* `client`: one LicenseServer, made of an adapter and the transport. Callers need only this one.

Not in: which list is sent and when (`control.reconcile`), and how the list is computed (`domain`).

Read `commands`, `command_result`, `client`, then `xlc` and `ssm`.
"""
