"""Sends notices about seats to an EventBridge bus and to a webhook.

Contents:
- `notices`: the five kinds of notices
- `outbox`: one bounded queue a receiver, with retries
- `eventbridge`, `webhook`: the two kinds of receivers
- `schemas`: JSON Schemas of the notices
- `config`, `factory`: the settings section `notify`, and the outbox made from it

Which facts become notices is decided in `control.sinks.notifications`.

Read `notices` and then `outbox`.
"""
