"""Implements SSM Run Command in front of moto's, which ends every command at once and runs none.

It answers the operations about commands and managed nodes. The rest of SSM (documents, parameters) is moto's. Nothing
of moto is replaced or patched.
"""

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from moto.core.exceptions import ServiceException
from moto.ssm.models import ssm_backends

from seatpool.sim.lifeline import Lifeline
from seatpool.sim.refusals import Refusal
from seatpool.sim.ssm.commands import Command, Invocation
from seatpool.sim.ssm.document import check
from seatpool.sim.ssm.nodes import Caller, Node, Nodes

__all__ = ["RunCommand"]

COMMENT_LIMIT = 100
COMMANDS_KEPT = 5000
Body = dict[str, Any]


class RunCommand:
    """Commands and nodes of every account in this process."""

    def __init__(self, lifeline: Lifeline) -> None:
        self._nodes = Nodes(lifeline)
        self._lock = threading.Lock()
        self._commands: dict[str, Command] = {}
        self.operations: Mapping[str, Callable[[Caller, Body], Body]] = {
            "SendCommand": self._send_command,
            "GetCommandInvocation": self._get_command_invocation,
            "ListCommands": self._list_commands,
            "ListCommandInvocations": self._list_command_invocations,
            "CancelCommand": self._cancel_command,
            "DescribeInstanceInformation": self._describe_instance_information,
        }

    def register(self, instance_id: str, home: Path) -> None:
        """Gives an instance an agent, whose disk is `home`. moto must know the instance."""
        self._nodes.register(instance_id, home)

    def reset(self) -> None:
        """Forgets every node and command. Commands that run are cancelled."""
        self._nodes.clear()
        with self._lock:
            commands = list(self._commands.values())
            self._commands.clear()
        for command in commands:
            for invocation in command.invocations.values():
                invocation.cancel()

    def close(self) -> None:
        self._nodes.close()
        self.reset()

    def _send_command(self, caller: Caller, body: Body) -> Body:
        if len(body.get("Comment", "")) > COMMENT_LIMIT:
            raise Refusal("ValidationException", f"Comment must have at most {COMMENT_LIMIT} characters.")
        name, version, content = _document(caller, body)
        nodes = self._targets(caller, body)
        command = Command(
            account=caller.account,
            region=caller.region,
            document=name,
            document_version=version,
            content=content,
            values=check(content, body.get("Parameters") or {}),
            request=body,
        )
        for node in nodes:
            hidden = node.agent.behavior.visible_after
            command.invocations[node.id] = Invocation(command, node.id, visible_after=hidden)
        self._keep(command)
        answer = command.describe()  # before the agents start: the real answer is never further than Pending
        for node in nodes:
            node.agent.deliver(command.invocations[node.id])
        return {"Command": answer}

    def _keep(self, command: Command) -> None:
        """Keeps the newest commands only. SSM keeps them for 30 days, which would fill the memory in a benchmark."""
        with self._lock:
            self._commands[command.id] = command
            oldest = next(iter(self._commands.values()))
            if len(self._commands) > COMMANDS_KEPT and oldest.phase.final:
                del self._commands[oldest.id]

    def _targets(self, caller: Caller, body: Body) -> list[Node]:
        wanted: list[str] = body.get("InstanceIds") or []
        if len(set(wanted)) != len(wanted):
            raise Refusal("DuplicateInstanceId", f"an instance id is given twice: {', '.join(wanted)}")
        nodes = self._nodes.reachable_by(caller)
        if unknown := [instance for instance in wanted if instance not in nodes]:
            raise Refusal(
                "InvalidInstanceId",
                f"Instances [[{', '.join(unknown)}]] not in a valid state for account {caller.account}",
            )
        targets = body.get("Targets") or []
        by_target = [node for node in nodes.values() if targets and all(map(node.matches, targets))]
        return [nodes[instance] for instance in wanted] or by_target

    def _get_command_invocation(self, caller: Caller, body: Body) -> Body:
        command = self._found(caller, body["CommandId"])
        invocation = command.invocations.get(body["InstanceId"]) if command else None
        if invocation is None or not invocation.visible:
            raise Refusal("InvocationDoesNotExist", "")
        answer = invocation.describe()
        if body.get("PluginName") not in {None, answer["PluginName"]}:
            raise Refusal("InvalidPluginName", "")
        return answer

    def _list_commands(self, caller: Caller, body: Body) -> Body:
        return _page("Commands", [command.describe() for command in self._selected(caller, body)], body)

    def _list_command_invocations(self, caller: Caller, body: Body) -> Body:
        details = bool(body.get("Details"))
        found = [
            invocation.summarise(details=details)
            for command in self._selected(caller, body)
            for invocation in command.invocations.values()
            if invocation.visible and body.get("InstanceId") in {None, invocation.instance_id}
        ]
        return _page("CommandInvocations", found, body)

    def _cancel_command(self, caller: Caller, body: Body) -> Body:
        command = self._found(caller, body["CommandId"])
        if command is None:
            raise Refusal("InvalidCommandId", "")
        for instance_id in body.get("InstanceIds") or command.invocations:
            if instance_id not in command.invocations:
                raise Refusal("InvalidInstanceId", f"{instance_id} has no invocation of command {command.id}")
            command.invocations[instance_id].cancel()
        return {}

    def _describe_instance_information(self, caller: Caller, body: Body) -> Body:
        old_style = body.get("InstanceInformationFilterList") or []
        filters = [
            *(body.get("Filters") or []),
            *({"Key": each["key"], "Values": each["valueSet"]} for each in old_style),
        ]
        nodes = [node for node in self._nodes.reachable_by(caller).values() if all(map(node.matches, filters))]
        return _page("InstanceInformationList", [node.describe() for node in nodes], body)

    def _found(self, caller: Caller, command_id: str) -> Command | None:
        command = self._commands.get(command_id)
        return command if command and (command.account, command.region) == (caller.account, caller.region) else None

    def _selected(self, caller: Caller, body: Body) -> list[Command]:
        """Returns the matching commands, the newest first."""
        wanted, instance = body.get("CommandId"), body.get("InstanceId")
        with self._lock:
            commands = list(self._commands.values())
        return [
            command
            for command in reversed(commands)
            if (command.account, command.region) == (caller.account, caller.region)
            and wanted in {None, command.id}
            and (instance is None or instance in command.invocations)
            and all(_passes(command, each) for each in body.get("Filters") or ())
        ]


def _document(caller: Caller, body: Body) -> tuple[str, str, Mapping[str, Any]]:
    """Returns name, version and content of the document with the requested hash."""
    name = str(body["DocumentName"]).rpartition("document/")[2]
    version = body.get("DocumentVersion")
    try:
        found = ssm_backends[caller.account][caller.region].get_document(
            name,
            document_version="" if version in {None, "$DEFAULT"} else str(version),
            version_name="",
            document_format="",
        )
    except ServiceException as error:
        raise Refusal("InvalidDocument", f"Document with name {name} does not exist.") from error
    if found["DocumentType"] != "Command":
        raise Refusal("InvalidDocument", f"Document {name} is of type {found['DocumentType']}, not Command.")
    text: str = found["Content"]
    kind, expected = body.get("DocumentHashType") or "Sha256", body.get("DocumentHash")
    if expected is not None and expected != hashlib.new(kind.lower(), text.encode()).hexdigest():
        raise Refusal("InvalidDocument", f"document hash {expected} does not match {kind}.")
    content = json.loads(text) if found["DocumentFormat"] == "JSON" else yaml.safe_load(text)
    return name, str(found["DocumentVersion"]), content


def _passes(command: Command, wanted: Mapping[str, str]) -> bool:
    key, value = wanted["key"], wanted["value"]
    if key == "Status":
        return value in command.phase.value
    if key == "DocumentName":
        return value == command.document
    sent = command.sent_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    if key == "InvokedAfter":
        return sent >= value
    if key == "InvokedBefore":
        return sent < value
    raise Refusal("InvalidFilterKey", f"the stand-in knows no filter {key!r}")


def _page(name: str, found: list[Body], body: Body) -> Body:
    start, size = int(body.get("NextToken") or 0), int(body.get("MaxResults") or 50)
    page: Body = {name: found[start : start + size]}
    if start + size < len(found):
        page["NextToken"] = str(start + size)
    return page
