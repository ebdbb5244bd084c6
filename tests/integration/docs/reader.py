"""A reader of the documentation, who runs what a page says in a clone of the repository."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.integration.docs.pages import Block

from seatpool.sim.aws import AwsProcess
from seatpool.sim.controlplane import ControlPlane

MINUTE = 60
WELL = (0,)
WELL_OR_LOOK_AT_IT = (0, 1)
"""An answer of `seatpool` with code 1 says that there is something to look at, and grep that it found nothing."""
PLACEHOLDER = re.compile(r"\b(NAMESPACE|NAME|POOL|SERVER|USER|MESSAGE)\b")
OPTIONAL = ("promtool",)
"""Programs that are used where they are installed."""


@dataclass
class Reader:
    """Runs blocks as they are written, and in their order."""

    clone: Path
    environ: dict[str, str]
    plane: ControlPlane
    aws: AwsProcess
    names: Mapping[str, str] = field(default_factory=dict)
    """What the reader writes instead of the words in capitals."""
    well: tuple[int, ...] = WELL
    """Exit codes with which a script of the page may end."""
    values: dict[str, dict[str, Any]] = field(default_factory=dict)

    def bash(self, commands: str, *, well: tuple[int, ...] = WELL) -> str:
        """Runs commands; what they print on both ways. A code that is not well fails the test."""
        done = self._run(commands)
        assert done.returncode in well, f"{commands}\ncode {done.returncode}\n{done.stdout}\n{done.stderr}"
        complaint = re.search(r"^(error|Error)\b.*", done.stderr, re.MULTILINE)
        assert not (done.returncode and complaint), f"{commands}\n{done.stderr}"
        return done.stdout + done.stderr

    def follow(self, block: Block) -> None:
        """Does what a block says."""
        if block.word == "make":
            self._make(block)
        elif block.language == "console":
            for command, shown in block.commands:
                self._compare(block, command, shown)
        elif block.language == "sh" and not block.word:
            self._script(block)
        self._keeps_values(block)

    def _run(self, commands: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=self.clone,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def _named(self, commands: str) -> str:
        return PLACEHOLDER.sub(lambda found: self.names[found[0]], commands)

    def _make(self, block: Block) -> None:
        """Building takes minutes and is done by other tests. Here the target and its variables have to exist."""
        for line in block.text.splitlines():
            if line.startswith("make "):
                self.bash(line.replace("make ", "make -n ", 1))

    def _script(self, block: Block) -> None:
        commands = self._named(block.text)
        if "kubectl explain" in commands:
            self._until_explained()
        assert "\n! " not in commands, f"{block}: a command that has to fail is a block of its own"
        if commands.startswith("! "):
            self._until_refused(commands.removeprefix("! "))
        if self.well == WELL:
            self.bash(commands)
            return
        for line in commands.replace("\\\n", " ").splitlines():
            self.bash(line, well=self.well)

    def _compare(self, block: Block, command: str, shown: str) -> None:
        """What is shown is what is printed. In an example the command has to work, and may print something else."""
        command = self._named(command)
        if command.split()[0] in OPTIONAL and shutil.which(command.split()[0]) is None:
            return
        if " top " in f"{command} ":
            command = f"timeout --signal=INT 10 {command} || test $? = 124"
        printed = self.bash(command, well=WELL_OR_LOOK_AT_IT)
        if block.word != "example":
            assert _fits(shown, printed), f"{block}: {command}\n--- the page\n{shown}\n--- printed\n{printed}"

    def _until_explained(self) -> None:
        """Waits for the schema of a new kind: the API server publishes it some seconds after the kind itself."""
        _until(lambda: self._run("kubectl explain licensepool.spec").returncode == 0)

    def _until_refused(self, commands: str) -> None:
        """Runs a command that has to be refused, until it is: a new policy takes effect a moment after it is stored."""

        def is_refused() -> bool:
            done = self._run(commands)
            assert not done.returncode or "forbidden" in done.stderr, done.stderr
            return done.returncode != 0

        _until(is_refused)

    def _keeps_values(self, block: Block) -> None:
        """No block takes away a value that an earlier one gave to a release."""
        if "helm " not in block.text or block.word:
            return
        found = {}
        for release in json.loads(self.bash("helm list --all-namespaces --output json")):
            name, namespace = release["name"], release["namespace"]
            text = self.bash(f"helm get values {name} --namespace {namespace} --output json")
            found[f"{namespace}/{name}"] = json.loads(text) or {}
        for release, values in found.items():
            lost = _paths(self.values.get(release, {})) - _paths(values)
            assert not lost, f"{block}: release {release} loses what the page has set before: {sorted(lost)}"
        self.values = found


def _until(condition: Any) -> None:
    deadline = time.monotonic() + 2 * MINUTE
    while not condition():
        assert time.monotonic() < deadline, condition
        time.sleep(0.5)


def _paths(values: Mapping[str, Any], above: str = "") -> set[str]:
    found: set[str] = set()
    for key, value in values.items():
        found |= _paths(value, f"{above}{key}.") if isinstance(value, dict) else {f"{above}{key}"}
    return found


def _fits(shown: str, printed: str) -> bool:
    """Whether a text is the shown one. A line of three dots stands for any lines."""
    parts = [re.escape("\n".join(line.rstrip() for line in part.strip("\n").splitlines())) for part in _split(shown)]
    pattern = "(?:.*\n)*".join(f"{part}\n" for part in parts)
    text = "".join(f"{line.rstrip()}\n" for line in printed.strip("\n").splitlines())
    return re.fullmatch(pattern, text) is not None


def _split(shown: str) -> list[str]:
    return re.split(r"^\.\.\.\n", shown + "\n", flags=re.MULTILINE)
