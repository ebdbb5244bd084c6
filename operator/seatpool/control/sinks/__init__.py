"""Reports what happened. A reconciler publishes facts, and each sink handles those that concern it.

Read `facts` first, then `broadcaster`.

- For admins: `kubernetes_events` with `event_recorder`, `log_lines`, `pool_metrics`, `audit_trail`.
- For users and reports: `notifications` with `pending_notifications`, `history`.
- For other parts: `status_marks` (which statuses to render), `event_latency` (delay from an SQS message to its list).
- Without facts: `seat_tags` and `seat_notes` (from the cache to EC2 tags and annotations), `mirror_health` (from the mirror to
  Events) and `merged_owners` (from the cache to Events).

Not here: decisions. A sink changes no state of a reconciler, and one that fails costs only its own report.
"""
