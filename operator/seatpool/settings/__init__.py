"""Defines and loads the settings of the operator.

Contents:
- `settings`: every setting with its default, and the order flag, environment, file, default.
- `owner_mapping`: the file that maps owners to user ids.
- `web`: the section of `seatpool web`.
- `lost_entries`: whether a changed file lost too much to be taken over.

The sections `mirror`, `notify`, `audit`, `history` and `tracing` are defined in the packages that use them, each in its
`config` module. `catalogue` lists all settings for `seatpool run --help` and the reference page.

Read `settings` first.
"""
