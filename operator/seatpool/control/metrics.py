"""What the operator measures. Labels are names of objects that admins made, or words from closed sets; never users.

The labels `pool` and `server` are `namespace/name`, as in statuses and logs: a label `namespace` of ours would be the one
that a scrape puts on every sample for the operator's own pod.
"""

from prometheus_client import CollectorRegistry

from seatpool.meters import Meters

_SECONDS = (0.1, 0.25, 0.5, 0.75, 1, 1.5, 2.5, 5, 10, 30, 60, 300)
_FROM_EVENT = (0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60, 300, 1800)
_WAITS = (1, 10, 60, 300, 900, 1800, 3600, 7200, 14400, 28800)


class ControlMetrics:
    """One set for one operator, on the registry that the process serves."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.meters = Meters(registry)
        gauge, counter, histogram = self.meters.gauge, self.meters.counter, self.meters.histogram
        self.build = gauge("build_info", "1, with the version that runs.", "version")

        self.seats = gauge("pool_seats", "Seats of a pool.", "pool", "server")
        self.used = gauge("pool_seats_used", "Seats that are taken.", "pool", "server")
        self.waiting = gauge("pool_users_waiting", "People who wait for a seat.", "pool", "server")
        self.waiting_since = gauge(
            "pool_oldest_wait_start_timestamp_seconds",
            "Since when who has waited longest waits; no sample while nobody waits.",
            "pool",
            "server",
        )
        self.pool_in_sync = gauge(
            "pool_in_sync", "1 while a pool's list was seen to be as it should be.", "pool", "server"
        )
        self.budget = gauge(
            "pool_reassignments_allowed",
            "Budget of changes in a pool's window; only where there is one.",
            "pool",
            "server",
        )
        self.spent = gauge(
            "pool_reassignments_used", "How much of the budget is spent; only where there is one.", "pool", "server"
        )
        self.grants = counter("grants", "Seats given.", "pool")
        self.releases = counter("releases", "Seats freed, by rule.", "pool", "reason")
        self.waits = counter("waits", "People who had to wait.", "pool")
        self.wait_seconds = histogram(
            "wait_seconds", "How long those who were given a seat had waited, 0 s included.", "pool", buckets=_WAITS
        )

        self.event_to_list = histogram(
            "event_to_list_seconds",
            "From an event's own time to the read-back list that it changed.",
            "server",
            buckets=_FROM_EVENT,
        )
        self.message_to_list = histogram(
            "message_to_list_seconds",
            "From a message's arrival in the queue to the read-back list that it changed.",
            "server",
            buckets=_FROM_EVENT,
        )
        self.to_list_seconds = histogram(
            "change_to_list_seconds",
            "From the watch event that changed a pool's answer to the list being read back, whatever caused it.",
            "server",
            buckets=_SECONDS,
        )
        self.journeys = counter(
            "journeys", "Messages that were followed to a pool's list, by how that ended.", "outcome"
        )

        self.commands = counter(
            "ssm_commands", "Commands sent to license servers, by what came of them.", "server", "action", "result"
        )
        self.list_writes = counter(
            "list_writes",
            "Lists sent to license servers, by why: in_doubt, older_revision, owner_changed, differs, placeholder.",
            "server",
            "reason",
        )
        self.command_seconds = histogram(
            "ssm_command_seconds", "From sending a command to its result.", "server", "action", buckets=_SECONDS
        )
        self.passes = counter("reconcile_passes", "Passes of a server's reconciler.", "server", "result")
        self.pass_seconds = histogram("reconcile_seconds", "How long a pass took.", "server", buckets=_SECONDS)
        self.drift = counter("drift_detected", "Lists that somebody else had changed.", "server", "pool")
        self.in_sync = gauge("server_in_sync", "1 while all lists of a server are as they should be.", "server")
        self.reachable = gauge("server_reachable", "1 while a server answers.", "server")
        self.guarded = gauge("server_guarded", "1 while a change is held back.", "server")

        self.writes = counter("kube_writes", "Writes to the Kubernetes API, without those of the mirror.", "what")
        self.events = counter("events", "Kubernetes Events, by what became of them.", "result")
        self.ghosts = counter("cache_ghosts_pruned", "Objects that were gone without a watch having said so.", "kind")
        self.repairs = counter("cache_repairs", "Objects that a watch had missed or not brought up to date.", "kind")
        self.refused = counter("objects_refused", "Objects that could not be read.", "kind")
        self.watch_age = gauge(
            "watch_heartbeat_age_seconds", "How long ago the watch of a kind was seen alive.", "kind"
        )
        self.last_event = gauge("watch_last_event_timestamp_seconds", "When a watch last brought something.", "kind")
        self.settings_valid = gauge("settings_valid", "0 while the settings files hold something that was refused.")
        self.settings_waiting = gauge("settings_waiting", "Changed settings that wait for a restart.")
        self.settings_reloads = counter("settings_reloads", "Changes of the settings files, by result.", "result")
        self.leader = gauge("leader", "1 while this process leads, 0 while it stands by.")
        self.lease_writes = counter("lease_writes", "Tries to take or to renew the Lease, by result.", "result")
        self.sink_failures = counter("sink_failures", "Facts that a sink could not take, by a fault of ours.", "sink")
        self.restarts = counter("task_restarts", "Tasks of the operator that failed by a fault of ours.", "task")

    def begin_pool(self, pool: str, server: str) -> None:
        """Have its counters from the beginning: one that appears with its first count seems not to have grown."""
        self.grants.labels(pool)
        self.waits.labels(pool)
        self.wait_seconds.labels(pool)
        self.drift.labels(server, pool)

    def begin_server(self, server: str) -> None:
        """As for a pool."""
        for result in ("ok", "conflict", "kubernetes", "fault"):
            self.passes.labels(server, result)
        for histogram in (self.event_to_list, self.message_to_list, self.to_list_seconds):
            histogram.labels(server)

    def forget_pool(self, pool: str) -> None:
        """A pool is gone: its numbers are nobody's."""
        for gauge in (
            self.seats,
            self.used,
            self.waiting,
            self.waiting_since,
            self.pool_in_sync,
            self.budget,
            self.spent,
        ):
            gauge.remove_by_labels({"pool": pool})

    def forget_server(self, server: str) -> None:
        """A server is gone."""
        for gauge in (self.in_sync, self.reachable, self.guarded):
            gauge.remove_by_labels({"server": server})
