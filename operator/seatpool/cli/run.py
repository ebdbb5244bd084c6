"""Runs `seatpool run`: reads the settings, starts logging and tracing, and runs the operator until a signal.

Heavy modules are imported when the command runs, so that `--help` answers at once.
"""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer
from typer.core import TyperCommand

from seatpool.domain.errors import SeatpoolError

if TYPE_CHECKING:
    from seatpool.settings.settings import Settings

KILLED_BY_SECOND_SIGNAL = 130
CRASHED = 1
ENDING = (signal.SIGTERM, signal.SIGINT)


class LogFormatOption(StrEnum):
    """Values of log.format. The settings have the same; they are not imported for `--help`."""

    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"


class LogLevelOption(StrEnum):
    """Values of log.level. The settings have the same."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class RunCommand(TyperCommand):
    """Adds a table of every setting to the help of `run`."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            if isinstance(error, SeatpoolError | typer.Exit | typer.Abort):
                raise
            # The log of an operator needs to say where it happened.
            sys.excepthook(type(error), error, error.__traceback__)
            raise typer.Exit(CRASHED) from error

    def format_help(self, ctx: Any, formatter: Any) -> None:
        super().format_help(ctx, formatter)
        from seatpool.cli.settings_table import print_settings

        print_settings()


def run(
    *,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="YAML file with settings.")] = None,
    kubeconfig: Annotated[
        Path | None, typer.Option(help="kubeconfig file; in a pod the service account is used.")
    ] = None,
    namespaces: Annotated[
        list[str] | None,
        typer.Option("--namespace", "-n", help="Namespace to serve, once for each; without it all are served."),
    ] = None,
    installation: Annotated[
        str | None, typer.Option(help="Who owns the lists. Default: the uid of the namespace kube-system.")
    ] = None,
    queue: Annotated[str | None, typer.Option(help="SQS queue of the events: its URL, ARN or name.")] = None,
    queue_region: Annotated[str | None, typer.Option(help="Region of the queue, when only its name is given.")] = None,
    endpoint_url: Annotated[
        str | None, typer.Option(help="Another AWS endpoint for everything, for a stand-in.")
    ] = None,
    http_host: Annotated[
        str | None, typer.Option(help="Address to serve /healthz, /readyz and /metrics on. Default: all addresses.")
    ] = None,
    http_port: Annotated[
        int | None, typer.Option(help="Port to serve them on. Default: 8080.", min=0, max=65535)
    ] = None,
    log_format: Annotated[
        LogFormatOption | None, typer.Option(help="Default: console on a terminal and json elsewhere.")
    ] = None,
    log_level: Annotated[LogLevelOption | None, typer.Option(help="From which level on lines are written.")] = None,
    others: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Any other setting, for example --set mirror.receivers=8."),
    ] = None,
) -> None:
    """Run the operator until SIGTERM or SIGINT.

    A setting is taken from the flags, else from the environment, else from the --config file, else its default.
    """
    given = {
        "kubeconfig": kubeconfig,
        "namespaces": namespaces or None,
        "installation": installation,
        "mirror.queue": queue,
        "mirror.region": queue_region,
        "mirror.endpoint_url": endpoint_url,
        "servers.endpoint_url": endpoint_url,
        "http.host": http_host,
        "http.port": http_port,
        "log.format": log_format,
        "log.level": log_level,
    }
    _run(config, flags_of(given, others or ()))


def flags_of(given: Mapping[str, Any], assignments: Iterable[str]) -> dict[str, Any]:
    """Returns settings by section from the flags that were given (None: it was not) and from texts KEY=VALUE."""
    flags: dict[str, Any] = {}
    for key, value in given.items():
        if value is not None:
            put_setting(flags, key, value)
    for text in assignments:
        put_setting(flags, *read_assignment(text))
    return flags


def _run(config: Path | None, flags: dict[str, Any]) -> None:
    from seatpool.control.runtime import gc_tuning

    gc_tuning.disable_until_loaded()
    from seatpool.cli.logging_setup import configure_logging
    from seatpool.control.runtime.operator import Operator
    from seatpool.settings.settings import load_settings
    from seatpool.tracing.starting import start_tracing

    settings = load_settings(file=config, flags=flags)
    configure_logging(settings.log)
    _warn_of_old_names(settings)
    traces = start_tracing(settings.tracing)
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        asyncio.run(until_signal(Operator(settings, traces=traces)))
    except OSError as error:
        raise SeatpoolError(f"{_address(settings)}: {error.strerror or error}") from error
    finally:
        traces.close()


class Stoppable(Protocol):
    """A program that runs until it is stopped."""

    def stop(self) -> None: ...

    async def run(self) -> None: ...


async def until_signal(program: Stoppable) -> None:
    """Runs the operator, or another program, until the first signal. A second signal ends the process at once.

    Kopf takes the signal handlers of the event loop for itself. So a thread waits for the signals.
    """
    loop = asyncio.get_running_loop()

    def wait() -> None:
        signal.sigwait(ENDING)
        loop.call_soon_threadsafe(program.stop)
        signal.sigwait(ENDING)
        os._exit(KILLED_BY_SECOND_SIGNAL)

    threading.Thread(target=wait, name="signals", daemon=True).start()
    await program.run()


def _warn_of_old_names(settings: "Settings") -> None:
    import structlog

    from seatpool.settings.settings import RENAMED

    for old in settings.old_names:
        structlog.get_logger().warning(
            "a setting is given by its old name, which will be removed; write the new one", old=old, new=RENAMED[old]
        )


def _address(settings: "Settings") -> str:
    return f"http.host {settings.http.host or '(all addresses)'} http.port {settings.http.port}"


def read_assignment(text: str) -> tuple[str, Any]:
    """Parses KEY=VALUE of `--set`. Raises SeatpoolError."""
    import yaml

    key, equals, value = text.partition("=")
    if not equals or not key:
        raise SeatpoolError(f"--set {text}: write KEY=VALUE, for example --set mirror.receivers=8")
    try:
        return key, yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise SeatpoolError(f"--set {text}: the value is not YAML: {error}") from error


def put_setting(flags: dict[str, Any], key: str, value: Any) -> None:
    """Puts a value into nested settings, under a key such as `web.port`. Raises SeatpoolError."""
    *parents, name = key.split(".")
    for parent in parents:
        flags = flags.setdefault(parent, {})
        if not isinstance(flags, dict):
            raise SeatpoolError(f"--set {key}: {parent} was already given as a whole; give either the whole or parts")
    flags[name] = value
