"""Annotations and finalizers of Seatpool: by these, admins speak to the operator, and the operator to the next one."""

from seatpool.api.base import GROUP

APPROVE_CHANGE = f"{GROUP}/approve-change"
"""On a LicenseServer: the token of the held change that an admin approves."""
TAKE_OVER = f"{GROUP}/take-over"
"""On a LicenseServer: the id of the installation whose lists may be taken over."""
VERIFY = f"{GROUP}/verify"
"""On a LicenseServer: any new value asks for reading all its lists back now."""
INVENTORIED = f"{GROUP}/inventoried"
"""On the Lease: its holder has asked EC2 for all workbenches, so the next leader need not wait for that."""
CLEAR_LIST = f"{GROUP}/clear-list"
"""Finalizer of a LicensePool: its list is emptied before it goes (`spec.onDelete: Clear`)."""
