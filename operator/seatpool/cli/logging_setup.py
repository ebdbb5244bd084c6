"""Sets up logging: JSON lines in a container, coloured text on a terminal.

A value in a line may be foreign text. So what is not printable is escaped.
"""

import json
import logging
import sys
from io import StringIO
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, ExcInfo, WrappedLogger

from seatpool.settings.settings import LogFormat, LogSettings
from seatpool.text import escape_json, escape_unprintable

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
    renderers: list[Any]
    if as_json:
        renderers = [structlog.processors.JSONRenderer(_json_line)]
        shared.append(structlog.processors.format_exc_info)
    else:
        renderers = [
            _escape_values,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=_escaped_traceback),
        ]
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
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in QUIET:
        # They log every request and every object at debug and info.
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def _json_line(event: EventDict, **settings: Any) -> str:
    """Returns a line of the log as JSON, in printable ASCII."""
    return escape_json(json.dumps(event, **settings))


def _escape_values(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Escapes the texts of a line for a terminal. All other values are shown as in Python, which escapes them."""
    return {
        escape_unprintable(name): escape_unprintable(value) if isinstance(value, str) else value
        for name, value in event.items()
    }


def _escaped_traceback(out: TextIO, error: ExcInfo) -> None:
    """Writes a traceback. The message of an exception may be foreign text."""
    whole = StringIO()
    structlog.dev.plain_traceback(whole, error)
    out.write(escape_unprintable(whole.getvalue(), keep_lines=True))
