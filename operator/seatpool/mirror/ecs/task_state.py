"""Says which state of an instance a task's `lastStatus` is. A task that ends never starts again."""

from collections.abc import Mapping

from seatpool.api.workbench import InstanceState

STATES: Mapping[str, InstanceState] = {
    "PROVISIONING": InstanceState.PENDING,
    "PENDING": InstanceState.PENDING,
    "ACTIVATING": InstanceState.PENDING,
    "RUNNING": InstanceState.RUNNING,
    "DEACTIVATING": InstanceState.SHUTTING_DOWN,
    "STOPPING": InstanceState.SHUTTING_DOWN,
    "DEPROVISIONING": InstanceState.SHUTTING_DOWN,
    "STOPPED": InstanceState.TERMINATED,
    "DELETED": InstanceState.TERMINATED,
}
