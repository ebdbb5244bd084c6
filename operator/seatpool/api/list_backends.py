"""Defines the settings of the ways to reach lists. A LicenseServer has the settings of exactly one.

* `xlc`, `flexnet`, `listFile`: a program or a file on a machine, by SSM Run Command.
* `ldap`, `scim`: a server that takes requests.
* `custom`: whatever a package of your site reaches.
"""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from seatpool.api.base import Model, cel, rules
from seatpool.api.expressions import Expression
from seatpool.domain.identity import PLACEHOLDER

Arg = Annotated[str, Field(min_length=1, max_length=1024)]
StateDir = Annotated[str, Field(pattern=r"^/[A-Za-z0-9._/-]{1,254}$")]
FilePath = Annotated[str, Field(pattern=r"^/([A-Za-z0-9._/+-]|\{product\}){1,254}$")]
Command = Annotated[tuple[Arg, ...], Field(max_length=32)]
PlaceholderUser = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$")]
DistinguishedName = Annotated[str, Field(min_length=1, max_length=1024)]
HostUrl = Annotated[str, Field(min_length=8, max_length=1024)]


class ListFormatType(StrEnum):
    """How the client prints a list."""

    LINES = "Lines"
    JSON = "Json"
    REGEX = "Regex"


class ListFormat(Model):
    """How to read the users from what the list command prints."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel(
                "self.type != 'Regex' || has(self.pattern)",
                "type Regex needs a pattern with one group that matches the user, for example '^user: (\\\\S+)$'",
            ),
        )
    )

    type: ListFormatType = ListFormatType.LINES
    """Lines: one user a line. Json: an array of strings, or of objects with the user under `field`, at `path`.
    Regex: `pattern` is searched in every line."""
    path: Annotated[tuple[Arg, ...], Field(max_length=8)] = ()
    """Json: keys that lead to the array, from the top."""
    field: Arg | None = None
    """Json: the key of the user in each element, when the elements are objects."""
    pattern: Arg | None = None
    """Regex: a regular expression whose first group is the user, in the syntax of RE2."""
    ignore: Arg | None = None
    """Lines: lines that match this regular expression of RE2 are skipped, for example '^#'."""

    @model_validator(mode="after")
    def _expressions_can_be_used(self) -> Self:
        for field, text in (("pattern", self.pattern), ("ignore", self.ignore)):
            if text is None:
                continue
            try:
                groups = Expression(text).groups
            except ValueError as error:
                raise ValueError(f"listFormat.{field} {error}") from error
            if field == "pattern" and groups < 1:
                raise ValueError(f"listFormat.pattern {text!a} has no group that matches the user")
        return self


_TEMPLATE = cel("self.exists(a, a.contains('{product}'))", "must have an argument that contains {product}")


class XlcSettings(Model):
    """How the vendor's license client (xLC) is called. Arguments are passed as they are, never through a shell."""

    apply: Annotated[
        tuple[Arg, ...],
        Field(
            min_length=1,
            max_length=32,
            json_schema_extra=rules(
                _TEMPLATE, cel("self.exists(a, a.contains('{file}'))", "must have an argument that contains {file}")
            ),
        ),
    ] = ("xlc", "apply", "--product", "{product}", "--file", "{file}")
    """Command and arguments that overwrite a product's whole list. {product} and {file} are replaced; the file has
    one user a line."""
    list: Annotated[tuple[Arg, ...], Field(min_length=1, max_length=32, json_schema_extra=rules(_TEMPLATE))] = (
        "xlc",
        "list",
        "--product",
        "{product}",
    )
    """Command and arguments that print a product's present list."""
    list_format: ListFormat = ListFormat()
    """How to read the users from what the list command prints."""
    state_dir: StateDir = "/var/lib/seatpool"
    """Folder on the license server that holds the revision fence and the lists."""
    placeholder_user: PlaceholderUser = PLACEHOLDER
    """The entry that is written instead of an empty list by pools with emptyList KeepPlaceholder. It must be no user's id:
    an owner of that name gets no seat."""


class SecretKey(Model):
    """A key of a Secret in the namespace of the LicenseServer. The operator reads it by name, and only if the chart's value
    backends.secrets names it."""

    name: Annotated[str, Field(min_length=1, max_length=253)]
    """Name of the Secret with it."""
    key: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,253}$")]
    """Key of the Secret that has the value."""


class ClientCertificate(Model):
    """A certificate and its private key, in the Secret's keys tls.crt and tls.key."""

    name: Annotated[str, Field(min_length=1, max_length=253)]
    """Name of the Secret with it."""


class LdapScope(StrEnum):
    """How deep users are searched."""

    SUBTREE = "Subtree"
    ONE_LEVEL = "OneLevel"


class LdapUsers(Model):
    """How users are found in the directory."""

    base: DistinguishedName
    """Entry below which users are searched, for example ou=people,dc=example,dc=com."""
    filter: Annotated[
        str,
        Field(
            min_length=1,
            max_length=1024,
            json_schema_extra=rules(
                cel(
                    "self.startsWith('(') && self.endsWith(')') && self.contains('{user}')",
                    "must be a filter in parentheses that contains {user}, such as (uid={user})",
                )
            ),
        ),
    ] = "(uid={user})"
    """Filter that finds one user. {user} is replaced by the name, escaped."""
    name_attribute: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$")] = "uid"
    """Attribute that has the user's name: uid, or sAMAccountName in Active Directory."""
    scope: LdapScope = LdapScope.SUBTREE
    """Subtree: all entries below base. OneLevel: those directly below it."""


class LdapSettings(Model):
    """A group of an LDAP directory or of Active Directory for each product."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel(
                "self.url.startsWith('ldaps://') || (self.url.startsWith('ldap://') && has(self.startTls) && self.startTls)",
                "url must be ldaps://HOST, or ldap://HOST with startTls: true: no password and no list travels in the clear",
            ),
            cel(
                "has(self.bindDn) == has(self.password)",
                "bindDn and password go together; without both, clientCertificate is used (SASL EXTERNAL)",
            ),
            cel("has(self.bindDn) || has(self.clientCertificate)", "give bindDn and password, or clientCertificate"),
        )
    )

    url: HostUrl
    """ldaps://HOST[:PORT], or ldap://HOST[:PORT] with startTls."""
    start_tls: bool = False
    """Begin TLS on the connection to ldap:// before anything else is sent."""
    ca: SecretKey | None = None
    """PEM certificates that the server's certificate is checked with. Absent: those of the system."""
    bind_dn: DistinguishedName | None = None
    """Account of the operator in the directory."""
    password: SecretKey | None = None
    """Password of that account."""
    client_certificate: ClientCertificate | None = None
    """Certificate for SASL EXTERNAL, instead of bindDn and password."""
    group: Annotated[
        str,
        Field(
            min_length=1,
            max_length=1024,
            json_schema_extra=rules(cel("self.contains('{product}')", "must contain {product}")),
        ),
    ]
    """Distinguished name of a product's group, for example cn=licensed-{product},ou=groups,dc=example,dc=com. The group must
    exist. {product} is replaced, escaped."""
    member_attribute: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$")] = "member"
    """Attribute that has the members: member, or uniqueMember of a groupOfUniqueNames."""
    users: LdapUsers
    """How users are found."""
    mark_attribute: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$")] = "description"
    """Attribute of the group in which the operator notes who wrote the list, and by which revision: description, or info in
    Active Directory. Values that are not the operator's stay."""
    placeholder_member: DistinguishedName | None = None
    """Member that stands for an empty list, if the directory refuses a group without members. It is no user."""


SERVICE_URL_PATTERN = "^https://[]A-Za-z0-9._:[-]+(/[A-Za-z0-9._~%!$&()*+,;=:@/-]*)?$"
SERVICE_URL_FORM = "https://HOST[:PORT]/PATH without user, query and fragment"
ServiceUrl = Annotated[
    str,
    Field(
        min_length=9,
        max_length=1024,
        json_schema_extra=rules(
            cel(
                f"self.matches('{SERVICE_URL_PATTERN}')",
                f"must be {SERVICE_URL_FORM}: no token and no list travels in the clear",
            )
        ),
    ),
]


class ScimToken(Model):
    """OAuth client credentials."""

    url: ServiceUrl
    """Token endpoint, https://..."""
    client_id: Annotated[str, Field(min_length=1, max_length=256)]
    """Client id of the operator."""
    client_secret: SecretKey
    """Its client secret."""
    scope: Annotated[str, Field(min_length=1, max_length=512)] | None = None
    """Scope that is asked for. Absent: none."""


class ScimSettings(Model):
    """A group of a SCIM 2.0 service for each product."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel("has(self.token) != has(self.oauth)", "give either token or oauth"),
        )
    )

    url: ServiceUrl
    """Base of the service, for example https://example.com/scim/v2."""
    ca: SecretKey | None = None
    """PEM certificates that the certificates of the service and of the token endpoint are checked with. Absent: those of the
    system."""
    token: SecretKey | None = None
    """Bearer token of the operator."""
    oauth: ScimToken | None = None
    """Client credentials, instead of token."""
    group: Annotated[
        str,
        Field(
            min_length=1,
            max_length=256,
            json_schema_extra=rules(cel("self.contains('{product}')", "must contain {product}")),
        ),
    ] = "{product}"
    """displayName of a product's group, with {product} for the product, in the same letters. Exactly one such group must
    exist."""
    user_attribute: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9.:-]{0,127}$")] = "userName"
    """Attribute that has the user's name: userName, externalId, emails.value, or that of an extension such as
    urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber."""
    keep_mark: bool = True
    """Note in the group's externalId who wrote the list, and by which revision. Off where that attribute has another use, or
    the service keeps none for groups: then nothing tells two operators apart, and no older revision is refused."""


class FlexnetSettings(Model):
    """A block for each product in the options file of a FlexNet vendor daemon, on a machine that SSM reaches. Everything
    else in the file stays. Not for RLM: its named-user licenses have no command that takes a whole list."""

    options_file: FilePath
    """Path of the options file, which must exist and be no link. {product} is replaced; several products can share a
    file."""
    feature: Annotated[str, Field(max_length=256, pattern=r"^[!$-\[\]-~]([ !$-\[\]-~]*[!$-\[\]-~])?$")] = "{product}"
    """Feature as INCLUDE names it. {product} is replaced. It can have qualifiers, such as {product}:VERSION=2.0, or
    {product} VERSION=2.0 for a name with colons, which is written in quotes."""
    group: Annotated[str, Field(pattern=r"^([A-Za-z0-9._-]|\{product\}){1,64}$")] = "seatpool_{product}"
    """Name of the group in the file. {product} is replaced. No other line of the file may name it. Without {product} the
    server can have one product only."""
    reread: Command = ("lmutil", "lmreread")
    """Command and arguments that make the daemon read the file. {product} and {file} are replaced. Empty: none."""
    status: Command = ()
    """Command and arguments that print who has checked out what, such as lmutil lmstat -f {product}. It shows who is off
    the list and still works. Empty: none."""
    state_dir: StateDir = "/var/lib/seatpool"
    """Folder on the machine that holds the revision fence, and the file as it was before the first and the last change."""
    placeholder_user: PlaceholderUser = PLACEHOLDER
    """The member of the group of an empty list, whatever the pool's emptyList is: without any INCLUDE the feature would be
    open to everybody. It must be no user's id."""


class ListFileFormat(StrEnum):
    """How a file has a list."""

    LINES = "Lines"
    INI = "Ini"
    JSON = "Json"
    CSV = "Csv"


class ListFileSettings(Model):
    """A file with a list, on a machine that SSM reaches, and the command that makes a program read it. The rest of the
    file stays."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel("self.format != 'Ini' || has(self.section)", "format Ini needs section"),
            cel("self.format != 'Csv' || has(self.column)", "format Csv needs column"),
        )
    )

    path: FilePath
    """Path of the file, which must exist and be no link. {product} is replaced. If {product} is neither here nor in section,
    keys or column, the server can have one product only."""
    format: ListFileFormat = ListFileFormat.LINES
    """Lines: one name a line; blank lines, and lines that begin with #, stay. Ini: the keys of a section; a new key gets the
    value of the last one. Json: the array of strings at keys. Csv: a column; a user who leaves takes the whole row along,
    and a new row has the name alone."""
    section: Annotated[str, Field(max_length=256, pattern=r"^[^\[\]\r\n]+$")] | None = None
    """Ini: the section, which must exist. {product} is replaced."""
    keys: Annotated[tuple[Arg, ...], Field(max_length=8)] = ()
    """Json: the keys that lead to the array, which must exist. {product} is replaced in each. Empty: the whole file is the
    array."""
    column: Annotated[str, Field(max_length=256, pattern=r"^[^\"\r\n]+$")] | None = None
    """Csv: the name of the column in the first line. {product} is replaced. Fields are parted by commas, semicolons or
    tabs, as in the first line."""
    reload: Command = ()
    """Command and arguments after the file was written. {product} and {file} are replaced. Empty: none."""
    state_dir: StateDir = "/var/lib/seatpool"
    """Folder on the machine that holds the revision fence, and the file as it was before the first and the last change."""
    placeholder_user: PlaceholderUser = PLACEHOLDER
    """The entry that is written instead of an empty list by pools with emptyList KeepPlaceholder."""


class CustomSettings(Model):
    """A way to reach lists that your site brings: a Python package in the operator's image."""

    adapter: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
    """Name of its entry point in the group seatpool.backends."""
    settings: Annotated[dict[str, Annotated[str, Field(max_length=1024)]], Field(max_length=32, default_factory=dict)]
    """Settings of the adapter, as texts."""
    secrets: Annotated[tuple[SecretKey, ...], Field(max_length=8)] = ()
    """Secrets that the adapter needs."""


ListBackendSettings = XlcSettings | LdapSettings | ScimSettings | FlexnetSettings | ListFileSettings | CustomSettings
SsmSettings = XlcSettings | FlexnetSettings | ListFileSettings
