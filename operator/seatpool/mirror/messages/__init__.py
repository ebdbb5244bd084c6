"""What arrives in the queue, one file a kind. A new kind is a new file and one line in `registry.py`."""
