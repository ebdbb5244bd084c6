"""What the operator measures. Labels are names of objects that admins made, or words from closed sets; never users."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.1, 0.25, 0.5, 0.75, 1, 1.5, 2.5, 5, 10, 30, 60, 300)
_WAITS = (1, 10, 60, 300, 900, 1800, 3600, 7200, 14400, 28800)


class ControlMetrics:
    """One set for one operator, on the registry that the process serves."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"seatpool_{name}", text, labels, registry=registry)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"seatpool_{name}", text, labels, registry=registry)

        self.seats = gauge("pool_seats", "Seats of a pool.", "pool")
        self.used = gauge("pool_seats_used", "Seats that are taken.", "pool")
        self.waiting = gauge("pool_users_waiting", "People who wait for a seat.", "pool")
        self.grants = counter("grants", "Seats given.", "pool")
        self.releases = counter("releases", "Seats freed.", "pool", "reason")
        self.waits = counter("waits", "People who had to wait.", "pool")
        self.wait_seconds = Histogram(
            "seatpool_wait_seconds",
            "How long those who were given a seat had waited.",
            buckets=_WAITS,
            registry=registry,
        )
        self.to_list_seconds = Histogram(
            "seatpool_change_to_list_seconds",
            "From the watch event that changed a pool's answer to the list being read back.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.commands = counter(
            "ssm_commands", "Commands sent to license servers, by what came of them.", "action", "result"
        )
        self.command_seconds = Histogram(
            "seatpool_ssm_command_seconds", "From sending a command to its result.", buckets=_SECONDS, registry=registry
        )
        self.passes = counter("reconcile_passes", "Passes of a server's reconciler.", "result")
        self.pass_seconds = Histogram(
            "seatpool_reconcile_seconds", "How long a pass took.", buckets=_SECONDS, registry=registry
        )
        self.drift = counter("drift_detected", "Lists that somebody else had changed.", "server")
        self.writes = counter("kube_writes", "Writes to the Kubernetes API, without those of the mirror.", "what")
        self.events = counter("events", "Kubernetes Events, by what became of them.", "result")
        self.in_sync = gauge("server_in_sync", "1 while all lists of a server are as they should be.", "server")
        self.reachable = gauge("server_reachable", "1 while a server answers.", "server")
        self.guarded = gauge("server_guarded", "1 while a change is held back.", "server")
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
        self.restarts = counter("task_restarts", "Tasks of the operator that failed by a fault of ours.", "task")
