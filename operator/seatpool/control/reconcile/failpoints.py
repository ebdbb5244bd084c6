"""Names the points of a pass at which tests kill the process."""

from enum import StrEnum


class Failpoint(StrEnum):
    """A point of a pass. The next process repairs a crash at any of them."""

    BEFORE_INTENT = "before-intent"
    AFTER_INTENT = "after-intent"
    AFTER_SEND = "after-send"
    AFTER_APPLY = "after-apply"
    BEFORE_STATUS = "before-status"
