"""Metrics of the mirror. Labels come from closed sets, never from an instance, a user or a message id."""

from prometheus_client import CollectorRegistry

from seatpool.meters import PREFIX, Meters

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)


class MirrorMetrics:
    """Metrics of one mirror, on the registry that the process serves."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.meters = Meters(registry, PREFIX + "mirror_")
        counter, gauge = self.meters.counter, self.meters.gauge
        self.received = counter("received", "Messages received, repeated receives included.", "kind", "outcome")
        self.malformed = counter("malformed", "Messages that cannot be handled, by reason.", "flaw")
        self.irrelevant = counter("irrelevant", "Good messages that changed nothing, by reason.", "reason")
        self.handled = counter("handled", "Instances handled from batches of messages, by result.", "result")
        self.deleted = counter("deleted", "Messages deleted from the queue.")
        self.delete_failed = counter("delete_failed", "Messages that SQS refused to delete.")
        self.parked = counter("parked", "Messages written to the dead-letter queue with their reason.", "reason")
        self.dead_letters = gauge("dead_letters", "Messages in the dead-letter queue, as SQS estimates it.")
        self.refused_sources = gauge(
            "refused_sources", "Accounts and regions that sent events in the last hour and are not configured."
        )
        self.unlisted_objects = gauge(
            "unlisted_objects",
            "Workbench objects of accounts, regions, sources and rules that are no longer configured.",
        )
        self.message_age = self.meters.histogram(
            "message_age_seconds", "Time from a message's arrival in the queue to its object.", buckets=_SECONDS
        )
        self.event_lag = self.meters.histogram(
            "event_lag_seconds", "Time from an event's own time to its object.", buckets=_SECONDS
        )
        self.queue_depth = gauge("queue_depth", "Messages in the queue, as SQS estimates it.", "messages")
        self.queue_age = gauge(
            "queue_oldest_message_age_seconds",
            "Age of the oldest message that was received and not acknowledged. 0 without one.",
        )
        self.events_connected = gauge("events_connected", "1 if the queue answers, or if there is no queue.")
        self.queue_redrive = gauge("queue_redrive", "1 if the queue has a dead-letter queue.")
        self.writes = counter("writes", "Writes of Workbench objects.", "verb", "result")
        self.objects = gauge("objects", "Workbench objects of the mirror.")
        self.inventories = counter("inventories", "Inventories, by result.", "account", "region", "result")
        self.inventory_fresh = gauge(
            "inventory_fresh", "1 if the last inventory was accepted and is not too old.", "account", "region"
        )
        self.inventory_at = gauge(
            "inventory_last_success_timestamp_seconds", "End of the last complete inventory.", "account", "region"
        )
        self.future_times = counter(
            "future_times",
            "Times that were not believed because they are in the future, by where they were.",
            "found_in",
        )
        self.corrections = counter("resync_corrections", "Objects that inventories corrected.", "direction")
        self.seat_tag_calls = counter("seat_tag_calls", "Calls that set or removed the seat tag.", "action", "result")
        self.seat_tags_open = gauge("seat_tags_open", "Instances whose seat tag still has to be written.")
        self.seat_tags_failing = gauge(
            "seat_tags_failing", "1 if the last call that set or removed seat tags failed.", "account", "region"
        )
        self.restarts = counter("restarts", "Restarts of parts of the mirror after a bug.", "part")
        self.log_suppressed = counter("log_suppressed", "Log lines left out by the rate limit.", "event")
