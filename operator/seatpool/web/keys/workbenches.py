"""Tells whether the workbench that a key is for is still there."""

from collections.abc import Callable

from seatpool.api.apikey import APIKey
from seatpool.web.cluster import LiveCluster, row_of
from seatpool.web.keys.index import workbench_of


def has_workbench(key: APIKey, cluster: LiveCluster, user_id: Callable[[str], str | None]) -> bool:
    """Tells whether the workbench of a key is active and its user's, or the key is for none.

    Another workbench that has the same name later is another one.
    """
    name = workbench_of(key)
    if name is None:
        return True
    view = cluster.store.workbenches.get(name)
    if view is None or key.status.workbench_uid not in (None, view.metadata.uid):
        return False
    row = row_of(view)
    return row.is_running and row.user is not None and row.user == user_id(key.spec.user)
