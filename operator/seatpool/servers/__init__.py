"""Reaches the lists of named users, wherever they live: reads them, and makes them what they should be.

In:
* `backend`: the interface that the reconciler knows, `ListBackend`, and what a back end can do.
* `commands`, `command_result`, `errors`: what is asked, what came of it, and why it failed. Plain values.
* `names`: users as a server writes them, and back. Pure.
* `factory`: makes the back end of a LicenseServer.
* `ssm/`: lists on machines behind SSM Run Command: the vendor's client, options files, list files.
* `direct/`: lists on servers that take requests: one engine, and the interface of one kind of server.
* `ldap/`, `scim/`: kinds of such servers.

Not in: which list is written and when (`control.reconcile`), and how the list is computed (`domain`).

Read `backend`, `commands`, `command_result`, then `ssm/backend` or `direct/backend`.
"""
