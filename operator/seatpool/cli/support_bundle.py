"""Runs `seatpool support-bundle`: writes objects, Events, Leases, settings and versions into one file, redacted.

User ids are everywhere: in specs, ledgers, statuses, and in the texts of conditions and Events. So every id that the
cluster knows is collected first, and then replaced wherever it stands. Secrets are left out by what they are: Kubernetes
Secrets are never read, and of the settings only the fields that hold none are taken.
"""

import asyncio
import gzip
import hashlib
import hmac
import io
import json
import platform
import re
import secrets
import sys
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from seatpool.api.apikey import APIKey
from seatpool.api.base import format_instant
from seatpool.api.crd import RESOURCES
from seatpool.api.identity import IdentitySettings
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.reasons import CONDITIONS, EVENTS
from seatpool.api.seatledger import SeatLedger
from seatpool.api.workbench import Workbench
from seatpool.cli.cluster import ClusterAccess, CommandOptions, reading_cluster
from seatpool.cli.failures import sentence
from seatpool.domain.errors import SeatpoolError
from seatpool.domain.identity import InvalidUser
from seatpool.kube.errors import KubeError
from seatpool.kube.leases import LeaseObject
from seatpool.terminal.output import yaml_text
from seatpool.text import redact_urls

Body = dict[str, Any]
HIDDEN = "(left out)"
_USER_FIELDS = frozenset({"user", "owner", "users", "protectedUsers", "deniedUsers", "add", "remove", "people"})
"""Fields of our resources whose texts are user ids."""
_GLOB = frozenset("*?[")
_SECRET_NAMES = re.compile(r"secret|token|password|passwd|credential|api_?key|external_?id|salt", re.IGNORECASE)
_KEEP = frozenset({"secret_file", "salt_file"})
"""Settings with such a name that are paths."""
_NAMES_USERS = frozenset({"users", "user", "added", "removed", "examples"})
"""Placeholders of messages that hold user ids, or what may be some."""
_DROPPED_METADATA = ("managedFields", "selfLink")
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_OURS = "seatpool.io/"


def _template(text: str) -> re.Pattern[str]:
    """Returns a pattern for a message. Its groups are the parts that hold user ids."""
    pieces = re.split(r"\{([a-z_]+)(?:![a-z])?\}", text)
    return re.compile(
        "".join(
            re.escape(piece) if number % 2 == 0 else "(.*?)" if piece in _NAMES_USERS else ".*?"
            for number, piece in enumerate(pieces)
        )
        + "$",
        re.DOTALL,
    )


_TEMPLATES = {
    str(reason): _template(text.message)
    for catalogue in (CONDITIONS, EVENTS)
    for reason, text in catalogue.items()
    if _NAMES_USERS & set(re.findall(r"\{([a-z_]+)", text.message))
}


class Redaction:
    """Replaces user ids by pseudonyms. They are the same within one bundle, and others in the next one."""

    def __init__(self, users: Iterable[str], *, identity: IdentitySettings) -> None:
        """Takes every spelling of every user."""
        key = secrets.token_bytes(32)
        self._names: dict[str, str] = {}
        for spelling in users:
            user = _user(spelling, identity)
            pseudonym = f"user-{hmac.new(key, user.encode(), hashlib.sha256).hexdigest()[:10]}"
            for one in {spelling, user}:
                self._names[one.casefold()] = pseudonym
        alternatives = "|".join(re.escape(one) for one in sorted(self._names, key=len, reverse=True) if one)
        # A user id is a word of its own: `ann` must not change `planning`.
        self._pattern = (
            re.compile(rf"(?<![\w.-])(?:{alternatives})(?![\w-]|\.\w)", re.IGNORECASE) if alternatives else None
        )

    def text(self, text: str) -> str:
        """Returns a text with a pseudonym for each user id in it."""
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda found: self._names[found[0].casefold()], text)

    def value(self, value: Any) -> Any:
        """Returns JSON-ready data with pseudonyms, in keys too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(name)): self.value(inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(inner) for inner in value]
        return value


async def write_bundle(options: CommandOptions, *, file: Path, names: bool) -> str:
    """Runs `seatpool support-bundle`. Returns what was written. Raises SeatpoolError."""
    async with reading_cluster(options) as cluster:
        objects, problems = await _objects(cluster)
        users = set() if names else {*_users(objects), *_users_in_messages(objects)}
        redaction = Redaction(users, identity=cluster.identity)
        files: dict[str, Any] = {f"objects/{kind}.yaml": items for kind, items in objects.items()}
        files["versions.yaml"] = await _versions(cluster, names=names)
        if options.config is not None:
            files["settings.yaml"] = _settings(options.config)
        if problems:
            files["not-read.yaml"] = problems
    try:
        _write(file, {name: yaml_text(redaction.value(content)) for name, content in files.items()})
    except FileExistsError as error:
        raise SeatpoolError(f"{file} exists already; name a new file") from error
    except OSError as error:
        raise SeatpoolError(f"{file}: {error.strerror or error}; name a file that can be written") from error
    whose = "with user ids" if names else f"with pseudonyms for {len(users)} spellings of user ids"
    left = f"; {len(problems)} parts could not be read (not-read.yaml)" if problems else ""
    return f"Written: {file} ({len(files)} files, {whose}{left}). Look into it before you hand it on: tar -tzf {file}"


async def _objects(cluster: ClusterAccess) -> tuple[dict[str, list[Body]], dict[str, str]]:
    """Returns the objects by kind, and the kinds that could not be read with the reason."""
    found: dict[str, list[Body]] = {}
    problems: dict[str, str] = {}

    async def read(name: str, reading: Any) -> None:
        try:
            found[name] = [_trimmed(item) for item in await reading]
        except KubeError as error:
            problems[name] = sentence(error)

    shown = [
        kind for kind in RESOURCES if kind is not APIKey
    ]  # no help needs hashes of keys and what users ask them for
    kinds = [read(kind.plural, cluster.kube.list_cached(kind, namespace=cluster.namespace)) for kind in shown]
    await asyncio.gather(*kinds, read("events", cluster.kube.events(namespace=cluster.namespace)))
    leases = {
        str(lease)
        for server in found.get(LicenseServer.plural, ())
        if (lease := (server.get("status", {}).get("operator") or {}).get("lease"))
    }
    for lease in sorted(leases):
        namespace, _, name = lease.partition("/")
        try:
            raw = await LeaseObject(kube=cluster.kube, namespace=namespace, name=name).read()
            found.setdefault("leases", []).extend([_trimmed(raw)] if raw is not None else [])
        except KubeError as error:
            problems[f"Lease {lease}"] = sentence(error)
    return found, problems


def _trimmed(raw: Body) -> Body:
    """Returns an object without what is of no use, and without annotations of others, which may hold anything."""
    metadata = {name: value for name, value in raw.get("metadata", {}).items() if name not in _DROPPED_METADATA}
    if "annotations" in metadata:
        metadata["annotations"] = {
            name: value if name.startswith(_OURS) else HIDDEN
            for name, value in metadata["annotations"].items()
            if name != _LAST_APPLIED
        }
    trimmed: Body = _without_secrets({**raw, "metadata": metadata})
    return trimmed


def _is_secret(name: str) -> bool:
    return _SECRET_NAMES.search(name) is not None and name not in _KEEP


def _without_secrets(value: Any) -> Any:
    """Returns data without the values of fields whose names say that they are secret, and with URLs cut to the host."""
    if isinstance(value, Mapping):
        return {
            name: HIDDEN if inner is not None and _is_secret(str(name)) else _without_secrets(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_without_secrets(inner) for inner in value]
    return redact_urls(value) if isinstance(value, str) else value


def _users(objects: Mapping[str, list[Body]]) -> Iterator[str]:
    """Yields every spelling of a user id in the objects."""
    for kind in (LicensePool, LicenseServer, SeatLedger, Workbench):
        for item in objects.get(kind.plural, ()):
            yield from _user_texts(item)


def _users_in_messages(objects: Mapping[str, list[Body]]) -> Iterator[str]:
    """Yields the users whom messages of Events and conditions name, and leaves out messages that cannot be taken apart.

    Users in Events may be in no object any more.
    """
    for items in objects.values():
        for item in items:
            conditions = item.get("status", {}).get("conditions", ())
            for told in (item, *conditions):
                template = _TEMPLATES.get(str(told.get("reason")))
                if template is None or not isinstance(told.get("message"), str):
                    continue
                found = template.search(told["message"])
                if found is None:
                    told["message"] = HIDDEN
                    continue
                for text in found.groups():
                    yield from _names_in(text)


def _names_in(text: str) -> Iterator[str]:
    for piece in re.split(r", | and [0-9]+ more", text):
        name = re.sub(r" \([A-Za-z]+\)$", "", piece).strip(" '\"")
        if name and not re.fullmatch(r"nobody|[0-9]+ users?", name):
            yield name


def _user_texts(value: Any, name: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for inner_name, inner in value.items():
            yield from _user_texts(inner, str(inner_name))
    elif isinstance(value, list):
        for inner in value:
            yield from _user_texts(inner, name)
    elif isinstance(value, str) and value.strip() and _is_user(name, value):
        yield value


def _is_user(field: str, value: str) -> bool:
    return field in _USER_FIELDS or (field == "userPattern" and not _GLOB & set(value))


def _user(spelling: str, identity: IdentitySettings) -> str:
    try:
        return identity.user(spelling)
    except InvalidUser:
        return spelling


async def _versions(cluster: ClusterAccess, *, names: bool) -> Body:
    try:
        server = str((await cluster.kube.get_raw("/version")).get("gitVersion", ""))
    except KubeError as error:
        server = sentence(error)
    return {
        "seatpool": version("seatpool"),
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "kubernetes": server,
        "made": format_instant(cluster.now.replace(microsecond=0)),
        "namespace": cluster.namespace or "all namespaces",
        "users": "as they are" if names else "pseudonyms",
        "packages": {name: version(name) for name in ("kopf", "kubernetes", "boto3", "pydantic")},
    }


def _settings(file: Path) -> Any:
    """Returns the settings as the operator reads them, without secrets and without names of users."""
    from seatpool.settings.settings import SECRETS, load_settings

    found = json.loads(load_settings(file=file).model_dump_json())
    for *sections, name in SECRETS:
        inner = found
        for section in sections:
            inner = inner.get(section) or {}
        if inner.get(name) is not None:
            inner[name] = HIDDEN
    identity = found.get("identity", {})
    if identity.get("mapping"):
        identity["mapping"] = f"{HIDDEN}: {len(identity['mapping'])} users"
    return _without_secrets(found)


def _write(file: Path, texts: Mapping[str, str]) -> None:
    """Writes the archive. It is for its owner only, and appears whole or not at all."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as archive:
        for name, text in sorted(texts.items()):
            content = text.encode()
            entry = tarfile.TarInfo(f"seatpool-support/{name}")
            entry.size, entry.mode = len(content), 0o600
            archive.addfile(entry, io.BytesIO(content))
    file.touch(mode=0o600, exist_ok=False)
    file.write_bytes(packed.getvalue())
