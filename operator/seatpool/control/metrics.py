"""Metrics of the operator. A label holds the name of an object that an admin made, or a word of a closed set. Never a user.

The labels `pool` and `server` are `namespace/name`, as in statuses and logs. They need no label `namespace`: a scrape sets that
one to the namespace of the operator's own pod.
"""

from prometheus_client import CollectorRegistry, Counter

from seatpool.meters import Meters

_SECONDS = (0.1, 0.25, 0.5, 0.75, 1, 1.5, 2.5, 5, 10, 30, 60, 300)
_FROM_EVENT = (0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60, 300, 1800)
_WAITS = (1, 10, 60, 300, 900, 1800, 3600, 7200, 14400, 28800)


class RenamedCounter:
    """Counts under its new name and, as long as that is promised, under its old name too."""

    def __init__(self, new: Counter, old: Counter) -> None:
        self._counters = (new, old)

    def labels(self, *values: str) -> "RenamedCounter":
        """Returns the counter with these label values. Both names have the same labels."""
        new, old = self._counters
        return RenamedCounter(new.labels(*values), old.labels(*values))

    def inc(self, amount: float = 1) -> None:
        """Adds to both names."""
        for counter in self._counters:
            counter.inc(amount)


class ControlMetrics:
    """Creates the metrics of one operator on the registry that its process serves."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.meters = Meters(registry)
        self.build = self.meters.gauge("build_info", "1, labelled with the running version.", "version")
        self._create_pools(self.meters)
        self._create_latency(self.meters)
        self._create_servers(self.meters)
        self._create_operator(self.meters)

    def _create_pools(self, meters: Meters) -> None:
        gauge, counter, histogram = meters.gauge, meters.counter, meters.histogram
        self.seats = gauge("pool_seats", "Seats of a pool.", "pool", "server")
        self.used = gauge("pool_seats_used", "Seats in use.", "pool", "server")
        self.waiting = gauge("pool_users_waiting", "Users who wait for a seat.", "pool", "server")
        self.waiting_since = gauge(
            "pool_oldest_wait_start_timestamp_seconds",
            "Start of the longest current wait. Absent if no user waits.",
            "pool",
            "server",
        )
        self.pool_in_sync = gauge(
            "pool_in_sync", "1 if the list that was read back is the desired one.", "pool", "server"
        )
        self.budget = gauge(
            "pool_reassignments_allowed",
            "Reassignments that the pool allows in its window. Absent if it has no budget.",
            "pool",
            "server",
        )
        self.spent = gauge(
            "pool_reassignments_used",
            "Reassignments in the current window. Absent if the pool has no budget.",
            "pool",
            "server",
        )
        self.grants = counter("grants", "Seats given.", "pool")
        self.releases = counter("releases", "Seats freed, by rule.", "pool", "reason")
        self.waits = counter("waits", "Users who began to wait.", "pool")
        self.wait_seconds = histogram(
            "wait_seconds",
            "Time that users had waited when they got a seat. 0 s if they were never in line, however late the event was.",
            "pool",
            buckets=_WAITS,
        )

    def _create_latency(self, meters: Meters) -> None:
        counter, histogram = meters.counter, meters.histogram
        self.event_to_list = histogram(
            "event_to_list_seconds",
            "Time from the timestamp of an event until the list that it changed was read back.",
            "server",
            buckets=_FROM_EVENT,
        )
        self.message_to_list = histogram(
            "message_to_list_seconds",
            "Time from the arrival of a message in the queue until the list that it changed was read back.",
            "server",
            buckets=_FROM_EVENT,
        )
        self.to_list_seconds = histogram(
            "change_to_list_seconds",
            "Time from the watch event that changed a pool's answer until the list was read back.",
            "server",
            buckets=_SECONDS,
        )
        self.events_followed = RenamedCounter(
            counter("events_followed", "Messages that were followed to a pool's list, by outcome.", "outcome"),
            counter("journeys", "Deprecated, use seatpool_events_followed_total: it has the same values.", "outcome"),
        )

    def _create_servers(self, meters: Meters) -> None:
        gauge, counter, histogram = meters.gauge, meters.counter, meters.histogram
        self.commands = counter(
            "ssm_commands", "Commands sent to license servers, by result.", "server", "action", "result"
        )
        self.list_writes = counter(
            "list_writes",
            "Lists sent to license servers, by reason: in_doubt, older_revision, owner_changed, differs, placeholder.",
            "server",
            "reason",
        )
        self.command_seconds = histogram(
            "ssm_command_seconds", "Time from sending a command to its result.", "server", "action", buckets=_SECONDS
        )
        self.passes = counter("reconcile_passes", "Passes of a server's reconciler, by result.", "server", "result")
        self.pass_seconds = histogram("reconcile_seconds", "Duration of a pass.", "server", buckets=_SECONDS)
        self.drift = counter(
            "drift_detected", "Lists that were changed without a command of Seatpool.", "server", "pool"
        )
        self.in_sync = gauge("server_in_sync", "1 if all lists of the server are the desired ones.", "server")
        self.reachable = gauge("server_reachable", "1 if the server answered the last command.", "server")
        self.guarded = gauge("server_guarded", "1 if the guard holds a change back.", "server")

    def _create_operator(self, meters: Meters) -> None:
        gauge, counter = meters.gauge, meters.counter
        self.writes = counter("kube_writes", "Writes to the Kubernetes API, except those of the mirror.", "what")
        self.events = counter("events", "Kubernetes Events, by result.", "result")
        self.ghosts = counter("cache_ghosts_pruned", "Deleted objects whose deletion no watch had shown.", "kind")
        self.repairs = counter("cache_repairs", "Objects that a watch had missed or shown in an older version.", "kind")
        self.refused = counter("objects_refused", "Objects that could not be parsed.", "kind")
        self.watch_age = gauge(
            "watch_heartbeat_age_seconds", "Seconds since the watch of a kind was last seen alive.", "kind"
        )
        self.last_event = gauge(
            "watch_last_event_timestamp_seconds", "Instant of the last event of a kind's watch.", "kind"
        )
        self.settings_valid = gauge("settings_valid", "0 if the settings files were refused.")
        self.settings_waiting = gauge("settings_waiting", "Changed settings that need a restart.")
        self.settings_reloads = counter("settings_reloads", "Changes of the settings files, by result.", "result")
        self.leader = gauge("leader", "1 if this process leads, 0 if it stands by.")
        self.lease_writes = counter("lease_writes", "Tries to acquire or to renew the Lease, by result.", "result")
        self.sink_failures = counter(
            "sink_failures", "Facts that a sink failed to handle, because of a bug in Seatpool.", "sink"
        )
        self.restarts = counter(
            "task_restarts", "Tasks of the operator that failed, because of a bug in Seatpool.", "task"
        )

    def init_pool(self, pool: str, server: str) -> None:
        """Creates the counters of a pool with 0. If a counter appeared with its first count, it would not show an increase."""
        self.grants.labels(pool)
        self.waits.labels(pool)
        self.wait_seconds.labels(pool)
        self.drift.labels(server, pool)

    def init_server(self, server: str) -> None:
        """Creates the counters of a server with 0, for the same reason as `init_pool`."""
        for result in ("ok", "conflict", "kubernetes", "fault"):
            self.passes.labels(server, result)
        for histogram in (self.event_to_list, self.message_to_list, self.to_list_seconds):
            histogram.labels(server)

    def remove_pool(self, pool: str) -> None:
        """Removes the gauges of a deleted pool."""
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

    def remove_server(self, server: str) -> None:
        """Removes the gauges of a deleted server."""
        for gauge in (self.in_sync, self.reachable, self.guarded):
            gauge.remove_by_labels({"server": server})
