"""What the mirror counts. Labels come from closed sets only: never an instance, a user or a message id."""

from prometheus_client import CollectorRegistry

from seatpool.meters import PREFIX, Meters

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)


class MirrorMetrics:
    """One set for one mirror, on the registry that the process serves."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.meters = Meters(registry, PREFIX + "mirror_")
        counter, gauge = self.meters.counter, self.meters.gauge
        self.received = counter("received", "Messages received, again ones included.", "kind", "outcome")
        self.malformed = counter("malformed", "Messages that nobody can handle, by flaw.", "flaw")
        self.irrelevant = counter("irrelevant", "Messages that do not concern us, by reason.", "reason")
        self.handled = counter("handled", "Instances settled from a batch of messages, by result.", "result")
        self.deleted = counter("deleted", "Messages deleted from the queue.")
        self.delete_failed = counter("delete_failed", "Messages that the queue refused to delete.")
        self.parked = counter("parked", "Messages put into the dead-letter queue with their reason.", "reason")
        self.dead_letters = gauge("dead_letters", "Messages in the dead-letter queue, as SQS estimates it.")
        self.refused_sources = gauge(
            "refused_sources", "Accounts and regions whose events came in the last hour although they are not listed."
        )
        self.unlisted_objects = gauge(
            "unlisted_objects", "Workbench objects of accounts and regions that are not listed any more."
        )
        self.message_age = self.meters.histogram(
            "message_age_seconds", "From a message's arrival in the queue to its object.", buckets=_SECONDS
        )
        self.event_lag = self.meters.histogram(
            "event_lag_seconds", "From an event's own time to its object.", buckets=_SECONDS
        )
        self.queue_depth = gauge("queue_depth", "Messages in the queue, as SQS estimates it.", "messages")
        self.queue_age = gauge(
            "queue_oldest_message_age_seconds",
            "Age of the oldest message that was received and is not done with, 0 without one.",
        )
        self.events_connected = gauge("events_connected", "1 while the queue answers, or when there is none.")
        self.queue_redrive = gauge("queue_redrive", "1 if the queue has a dead-letter queue.")
        self.writes = counter("writes", "Writes of Workbench objects.", "verb", "result")
        self.objects = gauge("objects", "Workbench objects of the mirror.")
        self.inventories = counter("inventories", "Inventories, by result.", "account", "region", "result")
        self.inventory_fresh = gauge("inventory_fresh", "1 while the inventory is believed.", "account", "region")
        self.inventory_at = gauge(
            "inventory_last_success_timestamp_seconds", "When the last complete inventory ended.", "account", "region"
        )
        self.corrections = counter("resync_corrections", "What inventories had to correct.", "direction")
        self.seat_tag_calls = counter("seat_tag_calls", "Calls that set or removed the seat tag.", "action", "result")
        self.seat_tags_open = gauge("seat_tags_open", "Instances whose seat tag is not yet as it should be.")
        self.restarts = counter("restarts", "Parts of the mirror that failed by a fault of ours.", "part")
        self.log_suppressed = counter("log_suppressed", "Log lines left out because there were too many.", "event")
