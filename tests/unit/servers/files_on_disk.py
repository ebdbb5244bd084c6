"""A license server whose lists are in files, as the apply script sees one."""

from dataclasses import dataclass, field
from pathlib import Path

from tests.unit.servers.server_on_disk import ServerOnDisk

from seatpool.api.list_backends import FlexnetSettings, ListFileFormat, ListFileSettings
from seatpool.api.list_names import ListNames
from seatpool.servers.command_result import CommandResult
from seatpool.servers.commands import ListChange, ListCommand
from seatpool.servers.names import NameRendering
from seatpool.servers.ssm.adapter import Adapter
from seatpool.servers.ssm.file_adapter import FlexnetAdapter, ListFileAdapter

# Reads the file again, as a daemon does; files beside it make it fail or wait.
DAEMON = """#!/bin/sh
home=$(dirname "$0")
echo "$@" >>"$home/rereads"
[ -e "$home/slow.reread" ] && sleep "$(cat "$home/slow.reread")"
[ -e "$home/fail.reread" ] && { echo 'cannot connect' >&2; exit 3; }
exit 0
"""
LMSTAT = """#!/bin/sh
home=$(dirname "$0")
[ ! -e "$home/slow.status" ] || sleep "$(cat "$home/slow.status")"
[ ! -e "$home/fail.status" ] || { echo 'no such server' >&2; exit 7; }
[ ! -e "$home/status" ] || cat "$home/status"
"""


@dataclass
class FilesOnDisk(ServerOnDisk):
    """The options file `etc/vendor.opt` and list files in the same folder."""

    format: ListFileFormat | None = None
    """None: the options file."""
    name: str = "vendor.opt"
    settings: dict[str, object] = field(default_factory=dict)
    names: ListNames = field(default_factory=ListNames)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.folder.mkdir(exist_ok=True)
        for name, text in (("reread", DAEMON), ("lmstat", LMSTAT)):
            program = self.home / name
            program.write_text(text)
            program.chmod(0o755)
        self._adapter = self._made()

    def _made(self) -> Adapter:
        names, reload = NameRendering.of(self.names), (str(self.home / "reread"), "{product}")
        shared = {"state_dir": str(self.state)} | self.settings
        if self.format is None:
            return FlexnetAdapter(
                names,
                settings=FlexnetSettings.model_validate(
                    {"options_file": str(self.file), "reread": reload} | shared, by_name=True
                ),
            )
        return ListFileAdapter(
            names,
            settings=ListFileSettings.model_validate(
                {"path": str(self.file), "format": self.format, "reload": reload} | shared, by_name=True
            ),
        )

    @property
    def folder(self) -> Path:
        return self.home / "etc"

    @property
    def file(self) -> Path:
        return self.folder / self.name

    @property
    def adapter(self) -> Adapter:  # type: ignore[override]
        return self._adapter

    def read_first(self, command: ListCommand) -> list[str]:
        reading = self.adapter.reading(command)
        return [] if reading is None else self._whole(reading["Payload"][0])

    def _whole(self, payload: str) -> list[str]:
        outputs = [self.run(payload)]
        while unread := self.adapter.parse(outputs).unread:
            outputs.append(self.run(self.adapter.more(unread)["Payload"][0]))
        return outputs

    def outputs(self, command: ListCommand) -> list[str]:
        *ahead, last = self.adapter.parameters(command, self.read_first(command))
        for parameters in ahead:
            self.run(parameters["Payload"][0])
        return self._whole(last["Payload"][0])

    def read(self, product: str = "vew") -> CommandResult:
        return self.do(ListCommand(revision=0, owner="here", products=(product,)))

    def prepared(self, *users: str, revision: int, product: str = "vew") -> list[str]:
        """The payloads of a command whose file was read now."""
        command = ListCommand(revision=revision, owner="here", changes=(ListChange(product=product, users=users),))
        sends = self.adapter.parameters(command, self.read_first(command))
        return [parameters["Payload"][0] for parameters in sends]

    def rereads(self) -> int:
        calls = self.home / "rereads"
        return len(calls.read_text().splitlines()) if calls.exists() else 0


def owner_and_mode(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_uid, found.st_gid, found.st_mode
