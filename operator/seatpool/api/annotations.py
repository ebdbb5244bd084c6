"""Names the annotations and finalizers of Seatpool. Admins set some of them, and the operator sets others."""

from seatpool.api.base import GROUP

APPROVE_CHANGE = f"{GROUP}/approve-change"
"""On a LicenseServer: the token of the held change that an admin approves. It is worth something once."""
TAKE_OVER = f"{GROUP}/take-over"
"""On a LicenseServer: `INSTALLATION@REVISION`: the lists that this installation wrote, up to this revision, may be taken over."""
VERIFY = f"{GROUP}/verify"
"""On a LicenseServer: any new value requests that all its lists are read back now."""
OVERWRITE_UNREADABLE = f"{GROUP}/overwrite-unreadable"
"""On a LicenseServer: tokens of lists with entries that are no user ids, and that may be overwritten all the same."""
INVENTORIED = f"{GROUP}/inventoried"
"""On the Lease: its holder has a full inventory from EC2, so the next leader need not wait for one."""
CLEAR_LIST = f"{GROUP}/clear-list"
"""Finalizer of a LicensePool: its list is emptied before the pool is deleted (`spec.onDelete: Clear`)."""
