"""A license server as the apply script sees one: a folder, a client program, and a shell that runs the script."""

import os
import resource
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from seatpool.api.list_backends import ListFormat, XlcSettings
from seatpool.servers.command_result import CommandResult, ProductResult
from seatpool.servers.commands import ListChange, ListCommand
from seatpool.servers.ssm.document import script
from seatpool.servers.ssm.xlc import XlcAdapter

# The vendor's part in it: `apply` reads the file and then keeps it, `list` prints it; files beside it make it fail,
# lie or wait.
CLIENT = """#!/bin/sh
home=$(dirname "$0")
echo "$@" >>"$home/calls"
[ "$1" = apply ] && cp "$3" "$home/taken.$$"
[ -e "$home/slow.$1" ] && { : >"$home/began"; sleep "$(cat "$home/slow.$1")"; }
case $1 in
    apply)
        [ -e "$home/fail.$2" ] && { cat "$home/fail.$2" >&2; exit 3; }
        [ -e "$home/daemon" ] && { sleep 60 >/dev/null 2>&1 & }
        [ -e "$home/talking.daemon" ] && { sleep 60 & }
        [ -e "$home/hang.$2" ] && { sh -c "sleep 60; touch $home/survived" & wait; }
        [ -e "$home/lie" ] || mv "$home/taken.$$" "$home/list.$2"
        echo "took $2"
        ;;
    list)
        [ -e "$home/hang.list.$2" ] && sleep 60
        [ -e "$home/prints.$2" ] && exec cat "$home/prints.$2"
        [ ! -e "$home/list.$2" ] || cat "$home/list.$2"
        ;;
esac
"""


def shells() -> list[str]:
    """The shells of this machine that license servers have as sh."""
    return [shell for shell in ("dash", "busybox", "bash") if shutil.which(shell)]


@dataclass
class ServerOnDisk:
    """Runs payloads as the SSM agent would."""

    home: Path
    shell: str = "dash"
    list_format: ListFormat = field(default_factory=ListFormat)
    seconds: int = 60
    """The time limit of a command."""
    path: str = os.environ["PATH"]
    room: int | None = None
    """Bytes that a file may have: what is more is refused as by a full disk. None: no limit."""

    def __post_init__(self) -> None:
        self.home.mkdir(exist_ok=True)
        client = self.home / "xlc"
        client.write_text(CLIENT)
        client.chmod(0o755)
        self.script = self.home / "_script.sh"
        self.script.write_text(script())

    @property
    def state(self) -> Path:
        return self.home / "state"

    @property
    def adapter(self) -> XlcAdapter:
        client = str(self.home / "xlc")
        return XlcAdapter(
            XlcSettings(
                apply=(client, "apply", "{product}", "{file}"),
                list=(client, "list", "{product}"),
                list_format=self.list_format,
                state_dir=str(self.state),
            )
        )

    def start(self, payload: str) -> subprocess.Popen[str]:
        shell = shutil.which(self.shell) or self.shell
        words = [shell, "sh"] if self.shell == "busybox" else [shell]
        return subprocess.Popen(
            [*words, str(self.script)],
            cwd=self.home,
            env={"PATH": self.path, "SSM_Payload": payload, "seatpool_seconds": str(self.seconds)},
            preexec_fn=self._fill_disk,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def _fill_disk(self) -> None:
        if self.room is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.room, self.room))

    def run(self, payload: str) -> str:
        process = self.start(payload)
        output, errors = process.communicate(timeout=60)
        assert errors == ""
        assert len(output) < 24_000
        return output

    def outputs(self, command: ListCommand) -> list[str]:
        """All outputs until the lists are whole, as the link gathers them."""
        *ahead, last = self.adapter.parameters(command)
        for parameters in ahead:
            self.run(parameters["Payload"][0])
        outputs = [self.run(last["Payload"][0])]
        while unread := self.adapter.parse(outputs).unread:
            outputs.append(self.run(self.adapter.more(unread)["Payload"][0]))
        return outputs

    def do(self, command: ListCommand) -> CommandResult:
        return self.adapter.parse(self.outputs(command))

    def apply(
        self, *users: str, revision: int, owner: str = "here", takeover: str | None = None, product: str = "vew"
    ) -> ProductResult:
        change = ListChange(product=product, users=users)
        command = ListCommand(revision=revision, owner=owner, takeover=takeover, changes=(change,))
        return self.do(command).products[product]

    def licensed(self, product: str = "vew") -> list[str]:
        """What the vendor's side has."""
        return (self.home / f"list.{product}").read_text().split()
