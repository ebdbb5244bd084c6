"""Tells a restart of a license server's daemon from a reread, by the lines before it.

Both write `Server started on`. A restart ends all check-outs of the daemon, a reread ends none.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from seatpool.history.log_events import LogAction, LogEvent

LMGRD = "lmgrd"
REREAD_TAKES = timedelta(minutes=10)
"""A daemon serves again at most so long after the begin of a reread. After a longer time it was a restart."""


class DaemonStates:
    """What the lines so far say about each daemon.

    Several daemons of one name write their process ids, as `demo[24341]`. A new one replaces those that write no more.
    """

    def __init__(self, uses: Sequence[LogEvent]) -> None:
        """Creates the states for a log. Its later lines are only looked at for which processes go on writing."""
        self._last = {use.daemon: index for index, use in enumerate(uses)}
        self._started: dict[str, int] = {}
        self._rereads: dict[str, tuple[int, datetime]] = {}
        self.alive: dict[str, datetime] = {}
        """When each daemon last wrote a line before its restart, if there was one."""

    def heard(self, use: LogEvent) -> None:
        """Notes that the daemon was alive. The lines of its start do not count, because it was gone before them."""
        if use.act is not LogAction.STARTED:
            self.alive[use.daemon] = use.at

    def ended_by(self, index: int, use: LogEvent) -> list[str]:
        """Takes a line about a daemon, and returns the daemons whose check-outs it ended."""
        match use.act:
            case LogAction.STARTED:
                self._started[use.daemon] = index
            case LogAction.REREAD:
                self._rereads[use.daemon] = (index, use.at)
            case LogAction.SERVES if not self._is_reread(use):
                return [daemon for daemon in self.alive if self._replaces(index, use.daemon, daemon)]
        return []

    def _is_reread(self, use: LogEvent) -> bool:
        own, of_all = self._rereads.pop(use.daemon, None), self._rereads.get(LMGRD)
        rereads = [reread for reread in (own, of_all) if reread is not None]
        if not rereads:
            return False
        index, at = max(rereads)
        started = max(self._started.get(daemon, -1) for daemon in (use.daemon, _name(use.daemon), LMGRD))
        return started < index and use.at - at <= REREAD_TAKES

    def _replaces(self, index: int, fresh: str, old: str) -> bool:
        if fresh == old:
            return _name(old) == old  # with a process id it is the same process, which cannot have started again
        return _name(fresh) == _name(old) and self._last[old] < index


def _name(daemon: str) -> str:
    """Returns the name of a daemon without its process id."""
    return daemon.partition("[")[0]
