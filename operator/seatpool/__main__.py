"""`python -m seatpool` is the same as `seatpool`."""

from seatpool.cli.main import main

main()
