"""Runs `seatpool check`: asks the API server, and with the operator's settings AWS, whether all parts fit together.

Every line comes from a real request, and nothing is changed. A part that the caller may not ask about is not known: that is
no failure.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from seatpool.api.base import GROUP, VERSION, Resource
from seatpool.api.crd import RESOURCES
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.cli.cluster import ClusterAccess, CommandOptions, read_lives, reading_cluster
from seatpool.cli.failures import sentence
from seatpool.domain.errors import SeatpoolError
from seatpool.explain.operator_life import Life
from seatpool.explain.rights import RIGHTS, ROLE_NAMES, Right, Role, format_rights
from seatpool.explain.snapshot import Snapshot, read_snapshot
from seatpool.kube.errors import Forbidden, KubeError, NotFound
from seatpool.terminal.output import Line, Output, print_parts, write
from seatpool.text import format_names

if TYPE_CHECKING:
    from rich.console import Console

    from seatpool.mirror.aws_clients import AwsClients
    from seatpool.servers.ssm.nodes import Node
    from seatpool.servers.ssm.transport import SsmTransport
    from seatpool.settings.settings import Settings

ENV_VAR_SINCE = (3, 3, 2746, 0)
"""The first SSM agent that hands parameters over as environment variables. See `servers.document`."""


class Result(StrEnum):
    """Results of one check."""

    OK = "ok"
    FAILED = "failed"
    NOT_KNOWN = "not known"


STYLES = {Result.OK: "green", Result.FAILED: "bold red", Result.NOT_KNOWN: "magenta"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One line: what was looked at, what was found, and what to do."""

    what: str
    result: Result
    text: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """All lines of one check."""

    version: str
    """Version of this command."""
    namespace: str | None
    """None: all namespaces."""
    checks: tuple[Checked, ...]

    @property
    def is_well(self) -> bool:
        return all(one.result is not Result.FAILED for one in self.checks)


def ok(what: str, text: str) -> Checked:
    """Returns a line about something that is as it should be."""
    return Checked(what=what, result=Result.OK, text=text)


def failed(what: str, text: str, advice: str) -> Checked:
    """Returns a line about something that has to be mended."""
    return Checked(what=what, result=Result.FAILED, text=text, advice=advice)


def unknown(what: str, text: str, advice: str = "") -> Checked:
    """Returns a line about something that cannot be told."""
    return Checked(what=what, result=Result.NOT_KNOWN, text=text, advice=advice)


async def run_check(options: CommandOptions, *, role: Role, output: Output) -> bool:
    """Runs `seatpool check`. Returns False if a part failed."""
    servers: list[LicenseServer] = []
    async with reading_cluster(options) as cluster:
        checks = [await _guarded("API server", _api_server(cluster))]
        if checks[0].result is not Result.FAILED:
            kinds = (_guarded(f"CRD {kind.plural}", _definition(cluster, kind)) for kind in RESOURCES)
            checks += [*await asyncio.gather(*kinds), await _guarded("rights", _rights(cluster, role))]
            lines, servers = await _objects(cluster)
            checks += lines
        if options.config is not None:
            checks += await _aws(options.config, servers)
        else:
            text = "not looked at: the queue, the SSM document and the roles are in the operator's settings"
            checks.append(
                unknown("AWS", text, "name the settings file with --config, where there are credentials of AWS")
            )
    report = CheckReport(version("seatpool"), cluster.namespace, tuple(checks))
    write(report, output=output, screen=lambda screen, _wide: _draw(screen, report))
    return report.is_well


def _draw(screen: "Console", report: CheckReport) -> None:
    lines: list[Line] = []
    for one in report.checks:
        lines.append(Line(f"{one.what}: {one.text}", STYLES[one.result], label=f"{one.result.value:<9}"))
        if one.advice:
            lines.append(Line(one.advice, label=" " * 9))
    count = sum(one.result is Result.FAILED for one in report.checks)
    unknowns = sum(one.result is Result.NOT_KNOWN for one in report.checks)
    told = "Nothing failed" if not count else f"{count} failed"
    lines.append(Line(f"{told}{f', {unknowns} not known' if unknowns else ''} (seatpool {report.version}).", "bold"))
    print_parts(screen, lines)


async def _guarded(what: str, checking: Awaitable[Checked]) -> Checked:
    """Returns the line, or that it is not known because the caller may not ask."""
    try:
        return await checking
    except Forbidden as error:
        return unknown(what, sentence(error))
    except KubeError as error:
        return failed(what, sentence(error), "")


async def _api_server(cluster: ClusterAccess) -> Checked:
    found = await cluster.kube.get_raw("/version")
    return ok("API server", f"Kubernetes {found.get('gitVersion', 'of an unknown version')} answers")


async def _definition(cluster: ClusterAccess, kind: type[Resource]) -> Checked:
    from seatpool.control.runtime.crd_check import problem_of

    what = f"CRD {kind.plural}"
    apply = "apply the CRDs of this version: seatpool crds | kubectl apply --server-side -f -"
    try:
        problem = await problem_of(cluster.kube, kind)
    except Forbidden:
        return await _served(cluster, kind, apply)
    return ok(what, f"{VERSION} is served, with every field") if problem is None else failed(what, problem, apply)


async def _served(cluster: ClusterAccess, kind: type[Resource], apply: str) -> Checked:
    """Asks the discovery API, which every user may read. It does not show the fields."""
    what = f"CRD {kind.plural}"
    try:
        found = await cluster.kube.get_raw(f"/apis/{GROUP}/{VERSION}")
    except NotFound:
        return failed(what, f"{GROUP}/{VERSION} is not served", apply)
    if kind.plural not in {one["name"] for one in found["resources"]}:
        return failed(what, f"{VERSION} is not served", apply)
    return ok(what, f"{VERSION} is served; you may not read CRDs, so its fields were not compared")


async def _rights(cluster: ClusterAccess, role: Role) -> Checked:
    rights = RIGHTS[role]
    allowed = await asyncio.gather(*(_may(cluster, right) for right in rights))
    missing = [right for right, may in zip(rights, allowed, strict=True) if not may]
    where = "all namespaces" if cluster.namespace is None else f"namespace {cluster.namespace}"
    what = f"rights ({role})"
    if not missing:
        return ok(what, f"you may do all that the role {ROLE_NAMES[role]} permits, in {where}")
    binding = "ClusterRoleBinding" if cluster.namespace is None else "RoleBinding"
    return failed(
        what,
        f"you may not {format_rights(missing)} in {where}",
        f"have the role {ROLE_NAMES[role]} bound to you there ({binding}), or look elsewhere with -n",
    )


async def _may(cluster: ClusterAccess, right: Right) -> bool:
    attributes = {"group": right.group, "resource": right.resource, "verb": right.verb}
    if right.subresource:
        attributes["subresource"] = right.subresource
    if cluster.namespace is not None:
        attributes["namespace"] = cluster.namespace
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    found = await cluster.kube.create_raw("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
    return bool(found["status"]["allowed"])


async def _objects(cluster: ClusterAccess) -> tuple[list[Checked], list[LicenseServer]]:
    """Returns the lines about what is in the namespace and whether its operator lives, and the servers there."""
    try:
        seen = await read_snapshot(
            cluster.kube, namespace=cluster.namespace, identity=cluster.identity, now=cluster.now,
            ledgers=False, workbenches=False,
        )  # fmt: skip
    except NotFound:
        return [], []  # the lines of the CRDs say it
    except KubeError as error:
        return [unknown("objects", sentence(error))], []
    where = "all namespaces" if cluster.namespace is None else f"namespace {cluster.namespace}"
    pools, servers = len(seen.store.pools), len(seen.store.servers)
    lines = [_present(pools, servers, where), *(failed("objects", text, "correct it") for text in seen.unreadable)]
    if servers:
        lines += await _operators(cluster, seen)
    return lines, list(seen.store.servers.values())


def _present(pools: int, servers: int, where: str) -> Checked:
    if pools and servers:
        return ok("objects", f"LicensePools {pools}, LicenseServers {servers} in {where}")
    missing = " and ".join(
        kind.kind for kind, count in ((LicensePool, pools), (LicenseServer, servers)) if not count
    )  # fmt: skip
    return unknown("objects", f"there is no {missing} in {where}", "create them, or look elsewhere with -n or -A")


async def _operators(cluster: ClusterAccess, seen: Snapshot) -> list[Checked]:
    lines = []
    ours = version("seatpool")
    for life in await read_lives(cluster, seen.store.servers.values()):
        if life.life is Life.NOT_KNOWN:
            lines.append(unknown("operator", life.text))
        elif life.is_well:
            lines.append(ok("operator", life.text))
        else:
            lines.append(failed("operator", life.text, "look at its Deployment, and start it again"))
        if life.version and life.version != ours:
            text = f"the operator is {life.version} and this command {ours}"
            lines.append(unknown("versions", text, "take the same version for both, or answers may differ"))
    return lines


# -- AWS ---------------------------------------------------------------------------------------------------------------


async def _aws(config: Path, servers: list[LicenseServer]) -> list[Checked]:
    """Returns the lines about what the settings name, and about the nodes of these servers."""
    from seatpool.mirror.aws_clients import AwsClients
    from seatpool.settings.settings import load_settings

    try:
        settings = load_settings(file=config)
    except SeatpoolError as error:
        return [failed("settings", sentence(error), "correct the file")]
    clients = AwsClients(settings.mirror)
    try:
        return [
            ok("settings", f"{config} can be used"),
            await _queue(settings, clients),
            *await _accounts(settings, clients),
            *await _license_servers(settings, servers),
        ]
    finally:
        clients.close()


async def _asked(what: str, ask: Callable[[], Awaitable[Checked]]) -> Checked:
    """Returns the line, or what AWS refused and what helps."""
    from seatpool.aws.errors import ADVICE, AWS_ERRORS, AwsErrorReason, error_text, reason_of

    try:
        return await ask()
    except AWS_ERRORS as error:
        reason = reason_of(error)
        line = unknown if reason is AwsErrorReason.THROTTLED else failed
        return line(what, error_text(error), ADVICE[reason])


async def _queue(settings: "Settings", clients: "AwsClients") -> Checked:
    from seatpool.mirror.queue.sqs_queue import EventQueue

    if settings.mirror.queue is None:
        return unknown("queue", "mirror.queue is not set: there are inventories, and no events")
    queue = EventQueue(settings.mirror, clients)

    async def ask() -> Checked:
        await queue.open()
        depth = await queue.depth()
        told = f"{queue.url}: {depth['visible']} waiting, {depth['in_flight']} in work"
        if queue.redrive is False:
            return failed("queue", f"{told}; it has no dead-letter queue", "give it a RedrivePolicy (see infra/)")
        return ok("queue", f"{told}; dead letters go to {queue.dead_letter_arn or 'a queue that may not be read'}")

    return await _asked("queue", ask)


async def _accounts(settings: "Settings", clients: "AwsClients") -> list[Checked]:
    from seatpool.mirror.regions import ServedRegions

    regions = {served.key.account: served for served in ServedRegions(settings.mirror)}

    async def one(account: str) -> Checked:
        what, served = f"account {account}", regions[account]

        async def ask() -> Checked:
            found = await clients.run_in_thread(lambda: clients.account_number(served))
            if found != account:
                advice = "correct mirror.accounts: account and role_arn belong together"
                return failed(what, f"its credentials are those of account {found}", advice)
            return ok(what, f"{served.settings.role_arn or 'the own role'} can be used")

        return await _asked(what, ask)

    return list(await asyncio.gather(*(one(account) for account in sorted(regions))))


async def _license_servers(settings: "Settings", servers: Iterable[LicenseServer]) -> list[Checked]:
    from seatpool.policy.allowed_servers import refusal
    from seatpool.servers.ssm.nodes import Node
    from seatpool.servers.ssm.transport import SsmTransport

    transport = SsmTransport(endpoint_url=settings.servers.endpoint_url)
    lines: list[Checked] = []
    try:
        documents: dict[tuple[str, str | None, str | None, str], Node] = {}
        for server in servers:
            if not server.spec.uses_ssm:
                continue
            refused = refusal(server, settings.servers.allowed)
            if refused is not None:
                # A LicenseServer must not make this command use a role that the operator would not use either.
                what = f"agent of {server.key}"
                lines.append(failed(what, refused, "change the field, or allow it in servers.allowed"))
                continue
            node = Node.of(server.spec)
            documents[(node.region, node.role_arn, node.external_id, server.spec.document)] = node
            lines.append(await _agent(transport, server, node))
        for (*_, name), node in documents.items():
            lines.append(await _document(transport, settings, name, node))
    finally:
        transport.close()
    return lines


async def _agent(transport: "SsmTransport", server: LicenseServer, node: "Node") -> Checked:
    what = f"agent of {server.key}"

    async def ask() -> Checked:
        found = await transport.agents(node)
        if not found:
            text = f"SSM knows no {node}"
            return failed(
                what, text, "check spec.target and spec.region, and that the SSM agent runs and is registered"
            )
        if len(found) > 1:
            return failed(what, f"the tag is on several nodes: {format_names(found)}", "leave it on one")
        ((instance, (ping, agent)),) = found.items()
        told = f"{instance}: SSM agent {agent}, {ping}"
        if ping != "Online":
            return failed(what, told, "start the agent, and see that it reaches SSM")
        if _version(agent) < ENV_VAR_SINCE:
            wanted = ".".join(map(str, ENV_VAR_SINCE))
            return unknown(what, told, f"renew the agent: from {wanted} on parameters are environment variables")
        return ok(what, told)

    return await _asked(what, ask)


async def _document(transport: "SsmTransport", settings: "Settings", name: str, node: "Node") -> Checked:
    from botocore.exceptions import ClientError

    from seatpool.aws.errors import AwsErrorReason, reason_of
    from seatpool.servers.ssm.document import document_hash

    what = f"document {name} in {node.region}"

    async def ask() -> Checked:
        try:
            found = await transport.document_hash(node, name)
        except ClientError as error:
            if reason_of(error) is not AwsErrorReason.ACCESS_DENIED:
                raise
            text = (
                "you may not read it (ssm:DescribeDocument), and the operator need not: it names the hash when it sends"
            )
            return unknown(what, text)
        if found == document_hash():
            return ok(what, f"it is that of this version ({found[:12]})")
        text = f"its hash is {found[:12]}, and that of this version {document_hash()[:12]}"
        if not settings.servers.document_hash:
            return unknown(what, text, "servers.document_hash is false, so the operator takes any document")
        return failed(what, text, "find out who changed it, and upload what this prints: seatpool document")

    return await _asked(what, ask)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isascii() and part.isdigit())
