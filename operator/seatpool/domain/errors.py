"""The one root of every error that Seatpool raises on purpose."""


class SeatpoolError(Exception):
    """Something that a person can act on; the message names the object, the field, the value and what to do."""
