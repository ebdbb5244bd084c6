"""Limits what a LicenseServer may name: its commands, state folder, document, role and target.

The programs that a LicenseServer names run as root on the machine that it names, by the operator's rights in AWS. So a user
who may change a LicenseServer has more rights than RBAC shows. The setting `servers.allowed` bounds them for each namespace.
It belongs to the operator, so no user of a namespace can change it.

A field that a rule leaves out allows only the default of the LicenseServer's field.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from seatpool.api.licenseserver import DEFAULT_DOCUMENT, LicenseServer, LicenseServerSpec, Target
from seatpool.api.list_backends import (
    CustomSettings,
    FlexnetSettings,
    LdapSettings,
    ListFileSettings,
    ScimSettings,
    XlcSettings,
)

Pattern = Annotated[str, Field(min_length=1)]
Command = tuple[Pattern, ...]
WILDCARD = "*"
SHOWN_OF_A_VALUE = 200
SHOWN_OF_A_LIST = 5


class AllowedTarget(BaseModel):
    """A node that a LicenseServer may name, by its id or by its tag."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    instance_id: Pattern | None = Field(default=None, description="Id of the node; * stands for any text.")
    tag: Pattern | None = Field(default=None, description="Tag key that names the node; * stands for any text.")
    value: Pattern | None = Field(default=None, description="Tag value that names the node; * stands for any text.")
    region: Pattern = Field(default=WILDCARD, description="Region of the node; * stands for any text.")

    @model_validator(mode="after")
    def _one_way_to_name_it(self) -> Self:
        by_tag = (self.tag is not None, self.value is not None)
        if by_tag not in ((True, True), (False, False)) or (self.instance_id is not None) == all(by_tag):
            raise ValueError("give either instance_id, or tag and value")
        return self

    def matches(self, target: Target, region: str) -> bool:
        """Tells whether a LicenseServer may name this target in this region."""
        if not matches(self.region, region):
            return False
        pairs = ((self.instance_id, target.instance_id), (self.tag, target.tag), (self.value, target.value))
        return all(
            (pattern is None) == (given is None) and (pattern is None or given is None or matches(pattern, given))
            for pattern, given in pairs
        )


class AllowedServers(BaseModel):
    """What the LicenseServers of some namespaces may name. One rule has to allow all that a LicenseServer names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    namespaces: Annotated[tuple[Pattern, ...], Field(min_length=1)] = Field(
        description="Namespaces that the rule is for; * stands for any text."
    )
    targets: tuple[AllowedTarget, ...] = Field(
        default=(),
        description="Nodes that commands may be sent to. Empty: none, so only servers of `urls` are allowed.",
    )
    urls: tuple[Pattern, ...] = Field(
        default=(),
        description="URLs that spec.ldap and spec.scim may name. Empty: none. The Secrets' content is sent there.",
    )
    adapters: tuple[Pattern, ...] = Field(
        default=(), description="Adapters that spec.custom may name. Empty: none. What one reaches is its own matter."
    )
    files: tuple[Pattern, ...] = Field(
        default=(), description="Files that spec.flexnet.optionsFile and spec.listFile.path may name. Empty: none."
    )
    reloads: tuple[Command, ...] = Field(
        default=((), FlexnetSettings.model_fields["reread"].default),
        description="Commands that spec.flexnet.reread, spec.flexnet.status and spec.listFile.reload may have.",
    )
    apply: tuple[Command, ...] = Field(
        default=(XlcSettings().apply,),
        description="Commands that spec.xlc.apply may have, argument by argument; * stands for any text in one.",
    )
    list: tuple[Command, ...] = Field(
        default=(XlcSettings().list,),
        description="Commands that spec.xlc.list may have, argument by argument; * stands for any text in one.",
    )
    state_dirs: tuple[Pattern, ...] = Field(
        default=(XlcSettings().state_dir,), description="Folders that stateDir of xlc, flexnet and listFile may name."
    )
    documents: tuple[Pattern, ...] = Field(
        default=(DEFAULT_DOCUMENT,), description="SSM documents that spec.document may name."
    )
    role_arns: tuple[Pattern, ...] = Field(
        default=(),
        description="IAM roles of which spec.roleArn has to name one. Empty: it must name none, and the operator's own is used.",
    )

    @model_validator(mode="after")
    def _allows_anything(self) -> Self:
        if not self.targets and not self.urls and not self.adapters:
            raise ValueError("give targets, urls or adapters: a rule without them allows no LicenseServer at all")
        return self


def refusal(server: LicenseServer, allowed: Sequence[AllowedServers]) -> str | None:
    """Returns why a LicenseServer may not be used: each field, its value and what is allowed. None: it may be used.

    Without any rule every LicenseServer may be used. If none of the namespace's rules allows it, the answer is that of the
    rule with the fewest differences.
    """
    if not allowed:
        return None
    namespace = server.metadata.namespace
    rules = [rule for rule in allowed if _matches_any(rule.namespaces, namespace)]
    if not rules:
        return f"metadata.namespace: no LicenseServer of namespace {_shown(namespace)} is allowed"
    answers = [tuple(_differences(server.spec, rule)) for rule in rules]
    nearest = min(answers, key=len)
    return "; ".join(nearest) or None


def matches(pattern: str, value: str) -> bool:
    """Tells whether a value matches a pattern in which `*` stands for any text. It takes linear time.

    A value with `..` matches only if it is written in the pattern: `/opt/xlc/*` does not allow `/opt/xlc/../../bin/sh`.
    """
    first, *rest = pattern.split(WILDCARD)
    if not rest or ".." in value:
        return pattern == value
    if not value.startswith(first):
        return False
    *middle, last = rest
    position = len(first)
    for part in middle:
        found = value.find(part, position)
        if found < 0:
            return False
        position = found + len(part)
    return len(value) - len(last) >= position and value.endswith(last)


def _differences(spec: LicenseServerSpec, rule: AllowedServers) -> Iterator[str]:
    """Yields a sentence for each field that the rule does not allow."""
    if spec.uses_ssm:
        yield from _node_differences(spec, rule)
    match spec.settings:
        case XlcSettings() as xlc:
            yield from _commands((("spec.xlc.apply", xlc.apply, rule.apply), ("spec.xlc.list", xlc.list, rule.list)))
            yield from _texts((("spec.xlc.stateDir", xlc.state_dir, rule.state_dirs),))
        case FlexnetSettings() as flexnet:
            yield from _texts(
                (
                    ("spec.flexnet.optionsFile", flexnet.options_file, rule.files),
                    ("spec.flexnet.stateDir", flexnet.state_dir, rule.state_dirs),
                )
            )
            yield from _commands(
                (
                    ("spec.flexnet.reread", flexnet.reread, rule.reloads),
                    ("spec.flexnet.status", flexnet.status, rule.reloads),
                )
            )
        case ListFileSettings() as file:
            yield from _texts(
                (
                    ("spec.listFile.path", file.path, rule.files),
                    ("spec.listFile.stateDir", file.state_dir, rule.state_dirs),
                )
            )
            yield from _commands((("spec.listFile.reload", file.reload, rule.reloads),))
        case LdapSettings() as ldap:
            yield from _texts((("spec.ldap.url", ldap.url, rule.urls),))
        case CustomSettings() as custom:
            yield from _texts((("spec.custom.adapter", custom.adapter, rule.adapters),))
        case ScimSettings() as scim:
            yield from _texts((("spec.scim.url", scim.url, rule.urls),))
            if scim.oauth is not None:
                yield from _texts((("spec.scim.oauth.url", scim.oauth.url, rule.urls),))


def _node_differences(spec: LicenseServerSpec, rule: AllowedServers) -> Iterator[str]:
    target, region = spec.node
    if not any(one.matches(target, region) for one in rule.targets):
        shown = target.model_dump(by_alias=True, exclude_none=True) | {"region": region}
        yield _sentence("spec.target", shown, (one.model_dump(exclude_none=True) for one in rule.targets))
    yield from _texts((("spec.document", spec.document, rule.documents),))
    if spec.role_arn is None and rule.role_arns:
        yield _sentence("spec.roleArn", None, rule.role_arns)
    if spec.role_arn is not None:
        yield from _texts((("spec.roleArn", spec.role_arn, rule.role_arns),))


def _commands(fields: Iterable[tuple[str, Sequence[str], Sequence[Sequence[str]]]]) -> Iterator[str]:
    for field, command, patterns in fields:
        if not any(_matches_command(pattern, command) for pattern in patterns):
            yield _sentence(field, command, patterns)


def _texts(fields: Iterable[tuple[str, str, Sequence[str]]]) -> Iterator[str]:
    for field, value, patterns in fields:
        if not _matches_any(patterns, value):
            yield _sentence(field, value, patterns)


def _matches_any(patterns: Iterable[str], value: str) -> bool:
    return any(matches(pattern, value) for pattern in patterns)


def _matches_command(pattern: Sequence[str], command: Sequence[str]) -> bool:
    return len(pattern) == len(command) and all(map(matches, pattern, command))


def _sentence(field: str, value: Any, allowed: Iterable[Any]) -> str:
    named = "is missing" if value is None else f"{_shown(value)} is not allowed"
    patterns = [_shown(one) for one in allowed]
    more = len(patterns) - SHOWN_OF_A_LIST
    shown = " or ".join(patterns[:SHOWN_OF_A_LIST]) or "none"
    return f"{field}: {named}; allowed: {shown}{f' or {more} more' if more > 0 else ''}"


def _shown(value: Any) -> str:
    """Returns a value as JSON, cut. It has no character that a terminal or a log would take for more than text."""
    text = json.dumps(value)
    return text if len(text) <= SHOWN_OF_A_VALUE else f"{text[:SHOWN_OF_A_VALUE]}…"
