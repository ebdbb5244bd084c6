"""Defines the options that choose the cluster, the namespace and the time zone. Every command that needs a cluster has them.

They have the names and meanings of kubectl's. A command declares one parameter `options` and is decorated:

    @app.command(cls=ShortLivedCommand)
    @cluster_options()
    def status(*, options: "CommandOptions", output: OutputFormat = OutputOption.TABLE) -> None:
"""

import functools
import inspect
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from seatpool.cli import completion

PANEL = "Cluster"
API_PANEL = "HTTP API"

Kubeconfig = Annotated[
    Path | None,
    typer.Option("--kubeconfig", help="kubeconfig file; default is the one that kubectl takes.", rich_help_panel=PANEL),
]
Namespace = Annotated[
    str | None,
    typer.Option(
        "--namespace",
        "-n",
        help="Namespace; default is that of the kubeconfig's context.",
        rich_help_panel=PANEL,
        autocompletion=completion.namespaces,
    ),
]
Everywhere = Annotated[
    bool, typer.Option("--all-namespaces", "-A", help="Look in all namespaces.", rich_help_panel=PANEL)
]
Context = Annotated[
    str | None,
    typer.Option(
        "--context", help="Context of the kubeconfig.", rich_help_panel=PANEL, autocompletion=completion.contexts
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        "--cluster", help="Cluster of the kubeconfig.", rich_help_panel=PANEL, autocompletion=completion.clusters
    ),
]
User = Annotated[
    str | None,
    typer.Option(
        "--user",
        help="User of the kubeconfig, whose credentials are taken.",
        rich_help_panel=PANEL,
        autocompletion=completion.kubeconfig_users,
    ),
]
As = Annotated[
    str | None, typer.Option("--as", metavar="USER", help="Act as this user of the API server.", rich_help_panel=PANEL)
]
AsGroup = Annotated[
    list[str] | None,
    typer.Option("--as-group", metavar="GROUP", help="Act as in this group; may be repeated.", rich_help_panel=PANEL),
]
RequestTimeout = Annotated[
    str,
    typer.Option(
        "--request-timeout", metavar="DURATION", help="Longest time that one request may take, such as 10s. 0: no limit.",
        rich_help_panel=PANEL,
    ),
]  # fmt: skip
TimeZone = Annotated[
    str | None,
    typer.Option(
        "--time-zone", metavar="ZONE", help="Zone of the times that are shown, such as Europe/Berlin. Default: here."
    ),
]
Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="The operator's settings file, if its identity settings are not the default."),
]

Server = Annotated[
    str | None,
    typer.Option(
        "--server",
        metavar="URL",
        help="Ask the HTTP API at this address instead of the cluster.",
        rich_help_panel=API_PANEL,
    ),
]
ServerCa = Annotated[
    Path | None,
    typer.Option(
        "--server-ca",
        metavar="FILE",
        help="CAs of its certificate. Default: those of the machine.",
        rich_help_panel=API_PANEL,
    ),
]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        metavar="FILE",
        help="Token or key for it. Default: SEATPOOL_TOKEN, or the token of the kubeconfig's user.",
        rich_help_panel=API_PANEL,
    ),
]

_SHARED: dict[str, tuple[Any, Any]] = {
    "time_zone": (TimeZone, None),
    "config": (Config, None),
    "namespace": (Namespace, None),
    "everywhere": (Everywhere, False),
    "kubeconfig": (Kubeconfig, None),
    "context": (Context, None),
    "cluster": (Cluster, None),
    "user": (User, None),
    "impersonate": (As, None),
    "groups": (AsGroup, None),
    "request_timeout": (RequestTimeout, "30s"),
}
_OF_API: dict[str, tuple[Any, Any]] = {
    "server": (Server, None),
    "server_ca": (ServerCa, None),
    "token_file": (TokenFile, None),
}
OPTIONS = "options"
_PREFIX = "shared_"
"""Beginning of the parameters' names, so that a command may have one of its own with the same name."""


def cluster_options(
    *, without: Collection[str] = (), api: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command the shared options, and hands them over as its parameter `options`.

    `without` names those that would have no meaning for it. `api`: it can ask the HTTP API too.
    """
    shared = {name: one for name, one in _SHARED.items() if name not in without} | (_OF_API if api else {})

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def called(**given: Any) -> None:
            from seatpool.cli.cluster import CommandOptions

            own = {name: value for name, value in given.items() if not name.startswith(_PREFIX)}
            command(options=CommandOptions.read(**shared_values(given)), **own)

        signature = inspect.signature(command)
        own = [one for name, one in signature.parameters.items() if name != OPTIONS]
        added = [
            inspect.Parameter(_PREFIX + name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            for name, (annotation, default) in shared.items()
        ]
        parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own] + added
        called.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        called.__annotations__ = {one.name: one.annotation for one in parameters} | {"return": None}
        return called

    return decorate


def shared_values(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the values of the shared options among the parameters of a command, by the names of CommandOptions."""
    return {name.removeprefix(_PREFIX): value for name, value in parameters.items() if name.startswith(_PREFIX)}
