"""Keeps lists on machines that SSM Run Command reaches.

In:
* `adapter`: the interface of one way to keep lists there; `xlc` (the vendor's client) and `file_adapter` (files) are such.
* `payload`, `output_parser`, `list_parser`: the formats that adapters write and read.
* `options_file`, `list_file`, `file_text`, `lmstat`: lists inside of files, and who uses a license. Pure.
* `document`, `apply.sh`: the SSM document and the script in it.
* `transport`, `nodes`, `errors`: sending a command, waiting for its end, and why it failed.
* `backend`: the `ListBackend` of one LicenseServer, made of an adapter and the transport.

Read `backend`, then `xlc` and `transport`.
"""
