"""Creates the recording and the archive from the settings.

Without a location there is none, and the packages of the extra `history` need not be installed.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from structlog.typing import FilteringBoundLogger

from seatpool.aws.sessions import SessionFactory
from seatpool.domain.errors import SeatpoolError
from seatpool.history.config import HistoryConfig
from seatpool.text import missing_package

if TYPE_CHECKING:
    from seatpool.history.archive import Archive
    from seatpool.history.recording import Recording


class HistoryNotInstalled(SeatpoolError):
    """A package of the extra `history` is not installed."""

    def __init__(self, missing: str | None) -> None:
        super().__init__(missing_package("the history needs", missing, extra="history"))


def make_recording(
    config: HistoryConfig,
    *,
    session_factory: SessionFactory,
    registry: CollectorRegistry,
    log: FilteringBoundLogger,
    clock: Callable[[], datetime],
) -> "Recording | None":
    """Returns a recording to the location in the settings. None: no location is set."""
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
    """Returns the archive at the location in the settings."""
    from pathlib import Path

    assert config.location is not None  # noqa: S101
    if config.is_s3:
        from seatpool.history.bucket import BucketArchive

        return BucketArchive(config, session_factory=session_factory)
    from seatpool.history.archive import FolderArchive

    return FolderArchive(Path(config.location))
