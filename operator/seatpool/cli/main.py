"""The command line: the operator, the demo, and what has to be installed beside them.

Each command imports what it needs when it runs, so that `--help` answers at once and a container without the demo's
packages starts all the same. An error that a person can act on is one line on standard error and exit code 2.
"""

import asyncio
import os
import signal
import sys
import threading
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from seatpool.cli import compare_pipeline, dlq, history, verbs
from seatpool.cli import plan as planning
from seatpool.cli import report as reporting
from seatpool.domain.errors import SeatpoolError

if TYPE_CHECKING:
    from seatpool.control.runtime.operator import Operator
    from seatpool.settings.settings import Settings

ERROR = 2
PLUGIN = "kubectl-seatpool"
NO_FILES = ":4"  # kubectl's word for: these are all, do not offer files
KILLED_BY_SECOND_SIGNAL = 130
ENDING = (signal.SIGTERM, signal.SIGINT)

app = typer.Typer(
    name="seatpool",
    help="Kubernetes operator that lets named-user software licenses serve as if they were floating.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(verbs.app)
app.add_typer(planning.app)
app.add_typer(reporting.app)
app.add_typer(dlq.app)
app.add_typer(history.app, name="history")
app.command("import")(compare_pipeline.import_)


class LogFormatOption(StrEnum):
    """As in the settings, which are not imported for `--help`."""

    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"


class LogLevelOption(StrEnum):
    """As in the settings."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class RunCommand(TyperCommand):
    """Its help ends with every setting there is, taken from the settings themselves."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        super().format_help(ctx, formatter)
        from seatpool.cli.settings_table import print_settings

        print_settings()


@app.command(cls=RunCommand)
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
        str | None, typer.Option(help="Address to serve /healthz, /readyz and /metrics on. Default: 0.0.0.0.")
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
    flags: dict[str, Any] = {}
    for key, value in given.items():
        if value is not None:
            _put(flags, key, value)
    for text in others or ():
        _put(flags, *_read_assignment(text))
    _run(config, flags)


@app.command()
def demo(
    *,
    once: Annotated[
        bool,
        typer.Option(
            "--once", help="End after the story or the replay; the default when standard output is no terminal."
        ),
    ] = False,
    replay: Annotated[
        Path | None,
        typer.Option(help="Replay a file of EventBridge envelopes, one a line (.jsonl or .jsonl.gz), instead."),
    ] = None,
    speed: Annotated[
        float,
        typer.Option(help="Replay: seconds of the file that pass in one; 0 is as fast as the queue takes them.", min=0),
    ] = 2000,
    seats: Annotated[
        list[str] | None,
        typer.Option(metavar="TYPE=N", help="Replay: seats for a workbench type. Default: enough for everybody."),
    ] = None,
    linger: Annotated[
        str,
        typer.Option(metavar="DURATION", help="Replay: how long seats are kept, in the file's own time, e.g. 15m."),
    ] = "0s",
    directory: Annotated[
        Path, typer.Option(help="Where logs, settings, the license server's disk and summary.json are kept.")
    ] = Path(".demo"),
) -> None:
    """See it work: a real Kubernetes API, a stand-in for AWS whose commands really run, and the operator.

    Plays a story of half a minute, or with --replay a file of events, and judges by the license server's own record.
    The exit code is 0 only if every list was right.
    """
    try:
        from seatpool.sim.demo.options import DemoOptions
        from seatpool.sim.demo.show import show
    except ImportError as error:
        raise SeatpoolError(
            f"the demo needs a package that is not installed ({error.name}): pip install 'seatpool[sim]'"
        ) from error
    options = DemoOptions.read(
        once=once or not sys.stdout.isatty(),
        replay=replay,
        speed=speed,
        seats=seats or (),
        linger=linger,
        directory=directory,
    )
    raise typer.Exit(show(options))


@app.command()
def crds(
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write one file for each kind into this folder.")
    ] = None,
) -> None:
    """Print the CustomResourceDefinitions, or write them into a folder."""
    from seatpool.api import crd

    if out is None:
        typer.echo("---\n".join(text for _, text in crd.files()), nl=False)
        return
    try:
        changed = crd.write(out)
    except OSError as error:
        raise SeatpoolError(f"--out {out}: {error.strerror or error}; name a folder that can be written to") from error
    for path in changed:
        typer.echo(f"wrote {path}")


@app.command()
def document() -> None:
    """Print the SSM document that license servers run, as it has to be uploaded."""
    from seatpool.servers.document import document_json

    typer.echo(document_json(), nl=False)


@app.command()
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    typer.echo(installed("seatpool"))


def main() -> None:
    """What the scripts `seatpool` and `kubectl-seatpool` call."""
    try:
        app(prog_name="kubectl seatpool" if Path(sys.argv[0]).name == PLUGIN else "seatpool")
    except SeatpoolError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        typer.echo(f"seatpool: {'; '.join(lines).replace(':; ', ': ')}", err=True)
        raise SystemExit(ERROR) from None


def complete() -> None:
    """What the script `kubectl_complete-seatpool` calls: kubectl has it complete what comes after `kubectl seatpool`."""
    words = ["seatpool", *sys.argv[1:]]
    asked = {"_SEATPOOL_COMPLETE": "complete_bash", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    os.environ.update(asked)
    try:
        app(prog_name="seatpool")
    finally:
        typer.echo(NO_FILES)


def _run(config: Path | None, flags: dict[str, Any]) -> None:
    from seatpool.control.runtime import gc_tuning

    gc_tuning.disable_until_loaded()
    from kubernetes.aio.config import ConfigException

    from seatpool.cli.logging_setup import configure_logging
    from seatpool.control.runtime.operator import Operator
    from seatpool.settings.settings import load_settings
    from seatpool.tracing.starting import start_tracing

    settings = load_settings(file=config, flags=flags)
    configure_logging(settings.log)
    traces = start_tracing(settings.tracing)
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        asyncio.run(until_signal(Operator(settings, traces=traces)))
    except ConfigException as error:
        raise SeatpoolError(
            f"no way to the Kubernetes API: {error}; name a file with --kubeconfig, or run in a pod"
        ) from error
    except OSError as error:
        raise SeatpoolError(f"{_address(settings)}: {error.strerror or error}") from error
    finally:
        traces.close()


async def until_signal(operator: "Operator") -> None:
    """Kopf takes the event loop's signal handlers for itself, so signals are awaited beside the loop."""
    loop = asyncio.get_running_loop()

    def wait() -> None:
        signal.sigwait(ENDING)
        loop.call_soon_threadsafe(operator.stop)
        signal.sigwait(ENDING)
        os._exit(KILLED_BY_SECOND_SIGNAL)

    threading.Thread(target=wait, name="signals", daemon=True).start()
    await operator.run()


def _address(settings: "Settings") -> str:
    return f"http.host {settings.http.host} http.port {settings.http.port}"


def _read_assignment(text: str) -> tuple[str, Any]:
    import yaml

    key, equals, value = text.partition("=")
    if not equals or not key:
        raise SeatpoolError(f"--set {text}: write KEY=VALUE, for example --set mirror.receivers=8")
    try:
        return key, yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise SeatpoolError(f"--set {text}: the value is not YAML: {error}") from error


def _put(flags: dict[str, Any], key: str, value: Any) -> None:
    *parents, name = key.split(".")
    for parent in parents:
        flags = flags.setdefault(parent, {})
        if not isinstance(flags, dict):
            raise SeatpoolError(f"--set {key}: {parent} was already given as a whole; give either the whole or parts")
    flags[name] = value
