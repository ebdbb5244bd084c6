"""The steps of making a list right, named because crashes between them are what the tests are about."""

from enum import StrEnum


class Failpoint(StrEnum):
    """Where a pass is. A crash after any of these is answered by the next process."""

    BEFORE_INTENT = "before-intent"
    AFTER_INTENT = "after-intent"
    AFTER_SEND = "after-send"
    AFTER_APPLY = "after-apply"
    BEFORE_STATUS = "before-status"
