"""Defines the base class of every error that Seatpool raises on purpose."""


class SeatpoolError(Exception):
    """An error that a user or admin can act on. The message names the object, the field, the value and what to do."""
