"""Runs `seatpool web`: reads the settings, starts logging, and serves the HTTP API until a signal."""

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer

from seatpool.cli.run import ENDING, flags_of, until_signal
from seatpool.domain.errors import SeatpoolError
from seatpool.text import missing_package


def web(
    *,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="YAML file with settings.")] = None,
    kubeconfig: Annotated[
        Path | None, typer.Option(help="kubeconfig file; in a pod the service account is used.")
    ] = None,
    namespaces: Annotated[
        list[str] | None,
        typer.Option("--namespace", "-n", help="Namespace to answer about, once for each; without it all."),
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port of the API. Default: 8081.", min=0, max=65535)] = None,
    others: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Any other setting, for example --set web.audience=licenses."),
    ] = None,
) -> None:
    """Serve the HTTP API until SIGTERM or SIGINT: pools, seats and waits for callers with a token of the cluster."""
    given = {"kubeconfig": kubeconfig, "namespaces": namespaces or None, "web.port": port}
    flags = flags_of(given, others or ())
    from seatpool.control.runtime import gc_tuning

    gc_tuning.disable_until_loaded()
    from seatpool.cli.logging_setup import configure_logging
    from seatpool.settings.settings import load_settings

    try:
        from seatpool.web.server import WebServer
    except ImportError as error:
        raise SeatpoolError(missing_package("the HTTP API needs", error.name, extra="web")) from error
    settings = load_settings(file=config, flags=flags)
    configure_logging(settings.log)
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        asyncio.run(until_signal(WebServer(settings)))
    except OSError as error:
        raise SeatpoolError(
            f"web.port {settings.web.port} or http.port {settings.http.port}: {error.strerror or error}"
        ) from error
