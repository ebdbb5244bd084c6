"""Seatpool: named-user software licenses that serve as if they were floating."""
