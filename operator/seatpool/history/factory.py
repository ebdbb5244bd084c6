"""From the settings to a recording; without a location there is none, and what it needs need not be installed."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from structlog.typing import FilteringBoundLogger

from seatpool.aws.sessions import SessionFactory
from seatpool.domain.errors import SeatpoolError
from seatpool.history.config import HistoryConfig

if TYPE_CHECKING:
    from seatpool.history.archive import Archive
    from seatpool.history.recording import Recording


class HistoryNotInstalled(SeatpoolError):
    """What reads and writes the history's files is not there."""

    def __init__(self, missing: str | None) -> None:
        super().__init__(
            f"the history needs a package that is not installed ({missing}): pip install 'seatpool[history]'"
        )


def make_recording(
    config: HistoryConfig,
    *,
    session_factory: SessionFactory,
    registry: CollectorRegistry,
    log: FilteringBoundLogger,
    clock: Callable[[], datetime],
) -> "Recording | None":
    """A recording to the location that the settings name."""
    if config.location is None:
        return None
    try:
        from seatpool.history.metrics import HistoryMetrics
        from seatpool.history.recording import Recording
    except ImportError as error:
        raise HistoryNotInstalled(error.name) from error
    archive = make_archive(config, session_factory=session_factory)
    return Recording(config, archive, metrics=HistoryMetrics(registry), log=log, clock=clock)


def make_archive(config: HistoryConfig, *, session_factory: SessionFactory) -> "Archive":
    """The place that the settings name."""
    from pathlib import Path

    assert config.location is not None  # noqa: S101
    if config.is_s3:
        from seatpool.history.bucket import BucketArchive

        return BucketArchive(config, session_factory=session_factory)
    from seatpool.history.archive import FolderArchive

    return FolderArchive(Path(config.location))
