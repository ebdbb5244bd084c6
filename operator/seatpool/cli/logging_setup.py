"""Sets up logging: JSON lines in a container, coloured text on a terminal."""

import logging
import sys
from typing import Any

import structlog

from seatpool.settings.settings import LogFormat, LogSettings

QUIET = ("kopf", "asyncio", "botocore", "boto3", "urllib3", "aiohttp.access", "werkzeug")


def configure_logging(settings: LogSettings) -> None:
    """Sends structlog and the standard library's logging to one stream on standard error."""
    as_json = settings.format is LogFormat.JSON or (settings.format is LogFormat.AUTO and not sys.stderr.isatty())
    level = getattr(logging, settings.level.value.upper())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Any
    if as_json:
        renderer = structlog.processors.JSONRenderer()
        shared.append(structlog.processors.format_exc_info)
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in QUIET:
        # They log every request and every object at debug and info.
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
