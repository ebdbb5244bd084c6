"""Writes the audit trail: one JSON line for each grant, release, refusal, apply and approval.

Contents:
- `trail`: the writer
- `config`: the settings section `audit`

Which facts become lines is decided in `control.sinks.audit_trail`. The statement for the vendor is computed from the
lines in `statement`. "Audit" means this trail only. The relist that repairs watches is `control.watch.resync`.
"""
