"""What the longer patterns of fields and settings stand for, in words."""

from seatpool.api.base import DURATION_PATTERN
from seatpool.api.regions import REGION_PATTERN
from seatpool.mirror.config import QUEUE_PATTERN

PATTERNS = {
    DURATION_PATTERN: "a length of time such as 1h30m",
    REGION_PATTERN: "an AWS region",
    QUEUE_PATTERN: "URL, ARN or name of a queue",
}
