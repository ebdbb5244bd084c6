"""`python -m seatpool` is the same as `seatpool`."""

from seatpool.cli.entry import main

if __name__ == "__main__":
    main()
