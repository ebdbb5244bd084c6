"""Constructs for any stack: each makes a thing that is easy to make almost right, with everything that belongs to it."""
