"""What the real API server refuses at `kubectl apply`, and with which words."""

import json
from typing import Any

import pytest

from seatpool.sim.controlplane import ControlPlane, KubectlError

Spec = dict[str, Any]

POOL: Spec = {"serverRef": {"name": "licenses"}, "product": "matlab", "seats": 3, "workbenchTypes": ["vew-matlab"]}
SERVER: Spec = {"target": {"instanceId": "i-0123456789abcdef0"}, "region": "eu-central-1"}
WORKBENCH: Spec = {
    "instanceId": "i-1", "account": "123456789012", "region": "eu-central-1", "owner": "ann", "type": "vew-matlab",
    "state": "running", "stateChangedAt": "2026-01-01T00:00:00Z",
}  # fmt: skip


def apply(plane: ControlPlane, namespace: str, kind: str, spec: Spec, *, name: str = "x") -> str:
    body = {"apiVersion": "seatpool.io/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}
    return plane.kubectl("apply", "-n", namespace, "-f", "-", input=json.dumps(body))


BAD_POOLS: dict[str, tuple[Spec, str]] = {
    "more reserved than there are": (
        {"reservations": [{"name": "a", "seats": 2, "users": ["ann"]}, {"name": "b", "seats": 2, "userPattern": "b*"}]},
        "the reservations together have more seats than the pool",
    ),
    "a reservation for nobody": ({"reservations": [{"name": "a", "seats": 1}]}, "give either users or userPattern"),
    "a reservation for two kinds": (
        {"reservations": [{"name": "a", "seats": 1, "users": ["ann"], "userPattern": "a*"}]},
        "give either users or userPattern",
    ),
    "a window without a count": ({"maxReassignments": {"window": "365d"}}, "count"),
    "a count without a window": ({"maxReassignments": {"count": 4}}, "window"),
    "a type with a blank": ({"workbenchTypes": ["vew matlab"]}, "can match nothing"),
    "a type with a slash": ({"workbenchTypes": ["vew/*"]}, "can match nothing"),
    "an empty type": ({"workbenchTypes": [""]}, "can match nothing"),
    "no types": ({"workbenchTypes": []}, "workbenchTypes"),
    "more protected people than seats": (
        {"protectedUsers": ["a", "b", "c", "d"]},
        "there are more protectedUsers than seats",
    ),
    "protected and denied": (
        {"protectedUsers": ["a"], "deniedUsers": ["a"]},
        "both in protectedUsers and in deniedUsers",
    ),
    "a reservation of more seats than users": (
        {"reservations": [{"name": "a", "seats": 2, "users": ["ann"]}]},
        "more seats than users: nobody could have the others",
    ),
    "a reservation for nobody's pattern": (
        {"reservations": [{"name": "a", "seats": 1, "userPattern": "["}]},
        "can match nobody",
    ),
    "a pattern that no user id begins with": (
        {"reservations": [{"name": "a", "seats": 1, "userPattern": "-phd*"}]},
        "can match nobody",
    ),
    "a pattern with a blank": ({"reservations": [{"name": "a", "seats": 1, "userPattern": "a b"}]}, "can match nobody"),
    "an empty pattern": ({"reservations": [{"name": "a", "seats": 1, "userPattern": ""}]}, "can match nobody"),
    "two reservations with one pattern": (
        {
            "reservations": [
                {"name": "a", "seats": 1, "userPattern": "phd-*"},
                {"name": "b", "seats": 1, "userPattern": "phd-*"},
            ]
        },
        "two reservations have the same userPattern",
    ),
    "two priorities with one pattern": (
        {
            "order": "Priority",
            "priorities": [{"userPattern": "a*", "weight": 1}, {"userPattern": "a*", "weight": 2}],
        },
        "two priorities have the same userPattern",
    ),
    "priorities that are not used": (
        {"priorities": [{"userPattern": "a*", "weight": 1}]},
        "priorities are only used with order: Priority",
    ),
    "seats below none": ({"seats": -1}, "seats"),
    "more seats than are possible": ({"seats": 5001}, "seats"),
    "an unknown order": ({"order": "Random"}, '"FirstCome", "Priority"'),
    "a duration in words": ({"linger": "a while"}, "linger"),
    "a user with a blank": ({"deniedUsers": ["a b"]}, "deniedUsers"),
    "a product that is a path": ({"product": "../../etc/passwd"}, "product"),
}


@pytest.mark.parametrize("case", BAD_POOLS)
def test_a_bad_pool_is_refused_with_words_that_say_what_is_right(
    control_plane: ControlPlane, namespace: str, case: str
) -> None:
    change, words = BAD_POOLS[case]
    with pytest.raises(KubectlError) as refused:
        apply(control_plane, namespace, "LicensePool", POOL | change)
    assert words in str(refused.value)


GOOD_POOLS: dict[str, Spec] = {
    "the least": {},
    "as many reserved as there are": {"reservations": [{"name": "a", "seats": 3, "userPattern": "phd-*"}]},
    "a budget": {"maxReassignments": {"count": 4, "window": "365d"}},
    "globs": {"workbenchTypes": ["vew-*", "[abc]-big", "?ew", "*"]},
    "priorities": {"order": "Priority", "priorities": [{"userPattern": "oncall-*", "weight": 10}]},
    "every kind of user pattern": {
        "order": "Priority",
        "priorities": [
            {"userPattern": one, "weight": 1} for one in ("ann", "*", "?nn", "[ab]nn", "[!x]*", "a.b_c@d+e-*", "PHD-[0-9]")
        ],
    },
    "all knobs": {
        "minimumHold": "30d", "linger": "15m", "seatCoolDown": "1h30m", "readmitAfter": "24h",
        "protectedUsers": ["boss"], "deniedUsers": ["guest"], "emptyList": "KeepPlaceholder", "onDelete": "Clear",
    },
}  # fmt: skip


@pytest.mark.parametrize("case", GOOD_POOLS)
def test_a_good_pool_is_taken(control_plane: ControlPlane, namespace: str, case: str) -> None:
    assert "created" in apply(control_plane, namespace, "LicensePool", POOL | GOOD_POOLS[case])


def test_server_and_product_of_a_pool_cannot_change(control_plane: ControlPlane, namespace: str) -> None:
    apply(control_plane, namespace, "LicensePool", POOL)
    for change, words in (
        ({"serverRef": {"name": "other"}}, "serverRef cannot change"),
        ({"product": "ansys"}, "product cannot change"),
    ):
        with pytest.raises(KubectlError, match=words):
            apply(control_plane, namespace, "LicensePool", POOL | change)
    apply(control_plane, namespace, "LicensePool", POOL | {"seats": 9})


BAD_SERVERS: dict[str, tuple[Spec, str]] = {
    "no target": ({"target": {}}, "give either instanceId, or tag and value"),
    "two targets": (
        {"target": {"instanceId": "i-0123456789abcdef0", "tag": "a", "value": "b"}},
        "give either instanceId, or tag and value",
    ),
    "half a tag": ({"target": {"tag": "a"}}, "tag and value go together"),
    "an external id without a role": ({"externalId": "abc"}, "externalId is only used together with roleArn"),
    "a role that is none": ({"roleArn": "admin"}, "roleArn"),
    "a region that is none": ({"region": "europe"}, "region"),
    "a debounce that is too long": ({"debounce": "6s"}, "must be at most 5s"),
    "a timeout that agents replace": ({"timeout": "4999ms"}, "must be 5s to 2d"),
    "a timeout of no time": ({"timeout": "0d"}, "must be 5s to 2d"),
    "a timeout of two days and a bit": ({"timeout": "48h1ms"}, "must be 5s to 2d"),
    "a timeout that nobody can compute with": ({"timeout": "99999999d"}, "must be 5s to 2d"),
    "a timeout that no 64 bits hold": ({"timeout": "9999999999999999999999h"}, "timeout"),
    "a read-back without a pause": ({"verifyInterval": "0s"}, "must be 1s to 30d"),
    "a read-back that never comes": ({"verifyInterval": "999999999d"}, "must be 1s to 30d"),
    "a pause between commands of two days": ({"minInterval": "2d"}, "must be 0s to 1d"),
    "an apply without a file": (
        {"xlc": {"apply": ["xlc", "{product}"]}},
        "must have an argument that contains {file}",
    ),
    "a list without a product": ({"xlc": {"list": ["xlc"]}}, "must have an argument that contains {product}"),
    "a regex format without a pattern": ({"xlc": {"listFormat": {"type": "Regex"}}}, "type Regex needs a pattern"),
    "a state folder with a blank": ({"xlc": {"stateDir": "/var/lib/seat pool"}}, "stateDir"),
    "an unknown adapter": ({"adapter": "dongle"}, "adapter"),
    "a guard of nothing": ({"guard": {"maxReleasePercent": 0}}, "maxReleasePercent"),
}


@pytest.mark.parametrize("case", BAD_SERVERS)
def test_a_bad_server_is_refused_with_words_that_say_what_is_right(
    control_plane: ControlPlane, namespace: str, case: str
) -> None:
    change, words = BAD_SERVERS[case]
    with pytest.raises(KubectlError) as refused:
        apply(control_plane, namespace, "LicenseServer", SERVER | change)
    assert words in str(refused.value)


SCIM: Spec = {"url": "https://example.com/scim/v2", "token": {"name": "scim", "key": "token"}}
OAUTH: Spec = {"url": "https://example.com/token", "clientId": "a", "clientSecret": {"name": "scim", "key": "secret"}}
BAD_SCIM: dict[str, tuple[Spec, str]] = {
    "a URL in the clear": ({"url": "http://example.com/scim"}, "must be https://HOST[:PORT]/PATH without user"),
    "a URL with a password": ({"url": "https://u:p@example.com/scim"}, "must be https://HOST[:PORT]/PATH without user"),
    "a URL with a query": (
        {"url": "https://example.com/scim?tenant=a"},
        "must be https://HOST[:PORT]/PATH without user",
    ),
    "a URL with a line break": ({"url": "https://example.com/\n"}, "must be https://HOST[:PORT]/PATH without user"),
    "two kinds of credentials": ({"oauth": OAUTH}, "give either token or oauth"),
    "no credentials": ({"token": None}, "give either token or oauth"),
    "a token endpoint in the clear": (
        {"token": None, "oauth": OAUTH | {"url": "http://example.com/token"}},
        "must be https://HOST[:PORT]/PATH without user",
    ),
    "a group without a product": ({"group": "licensed"}, "must contain {product}"),
    "an attribute that is a filter": ({"userAttribute": "userName eq x or id"}, "userAttribute"),
}


@pytest.mark.parametrize("case", BAD_SCIM)
def test_a_bad_scim_section_is_refused_with_words_that_say_what_is_right(
    control_plane: ControlPlane, namespace: str, case: str
) -> None:
    change, words = BAD_SCIM[case]
    with pytest.raises(KubectlError) as refused:
        apply(control_plane, namespace, "LicenseServer", {"scim": _given(SCIM | change)})
    assert words in str(refused.value)


def test_a_good_scim_section_is_taken(control_plane: ControlPlane, namespace: str) -> None:
    urls = ("https://example.com", "https://[fd00::1]:8443/scim/v2/", "https://a.example/~x%20y/v2")
    for number, url in enumerate(urls):
        spec = {"scim": SCIM | {"url": url, "userAttribute": "emails.value"}}
        assert "created" in apply(control_plane, namespace, "LicenseServer", spec, name=f"x{number}")
    assert "created" in apply(
        control_plane,
        namespace,
        "LicenseServer",
        {"scim": _given(SCIM | {"token": None, "oauth": OAUTH})},
        name="oauth",
    )


def _given(spec: Spec) -> Spec:
    return {key: value for key, value in spec.items() if value is not None}


GOOD_DURATIONS = [
    *(("timeout", text) for text in ("5s", "5000ms", "1m30s", "1d", "2d", "48h")),
    *(("verifyInterval", text) for text in ("1s", "1h30m", "7d", "30d", "720h")),
    *(("minInterval", text) for text in ("0s", "0d", "1d", "24h")),
]


@pytest.mark.parametrize(("field", "text"), GOOD_DURATIONS)
def test_a_duration_within_its_bounds_is_taken(
    control_plane: ControlPlane, namespace: str, field: str, text: str
) -> None:
    assert "created" in apply(control_plane, namespace, "LicenseServer", SERVER | {field: text})


def test_a_good_server_gets_its_defaults(control_plane: ControlPlane, namespace: str) -> None:
    apply(control_plane, namespace, "LicenseServer", SERVER)
    stored = json.loads(control_plane.kubectl("get", "licsrv", "x", "-n", namespace, "-o", "json"))
    spec = stored["spec"]
    assert (spec["mode"], spec["timeout"], spec["verifyInterval"], spec["debounce"]) == ("Enforce", "1m", "5m", "250ms")
    assert spec["guard"] == {"maxReleasePercent": 50, "minUsers": 10, "window": "10m"}
    assert stored["status"]["observedGeneration"] == -1
    assert stored["status"]["conditions"] == []


TASK = {"kind": "ECS", "reference": f"arn:aws:ecs:eu-central-1:123456789012:task/benches/{'0' * 32}"}
POD = {"kind": "Kubernetes", "reference": "notebooks/hub/jupyter-ann"}
BAD_WORKBENCHES: dict[str, tuple[Spec, str]] = {
    "an account that is none": ({"account": "12"}, "account"),
    "an unknown state": ({"state": "asleep"}, '"pending", "running"'),
    "no owner": ({"owner": ""}, "owner"),
    "a time that is none": ({"stateChangedAt": "yesterday"}, "stateChangedAt"),
    "an instance without its account": ({"account": None}, "an EC2 instance needs instanceId, account and region"),
    "an instance that says so without its id": (
        {"instanceId": None, "source": {"kind": "EC2", "reference": "i-1"}},
        "an EC2 instance needs instanceId, account and region",
    ),
    "a task with an instance id": ({"source": TASK}, "has no instanceId"),
    "a Pod with an account": ({"source": POD, "instanceId": None}, "has no account, region or instanceId"),
    "a source that is none": ({"source": {"kind": "Azure", "reference": "x"}}, '"EC2", "ECS"'),
    "a source without a reference": ({"source": {"kind": "External"}}, "reference"),
}
OTHER_SOURCES: dict[str, Spec] = {
    "ECS": {"source": TASK, "instanceId": None},
    "Kubernetes": {"source": POD, "instanceId": None, "account": None, "region": None},
    "External": {
        "source": {"kind": "External", "reference": "rack 7"},
        "instanceId": None,
        "account": None,
        "region": None,
    },
    "External in an account": {"source": {"kind": "External", "reference": "ws-1"}, "instanceId": None},
    "EC2 that says so": {"source": {"kind": "EC2", "reference": "i-1"}},
}


@pytest.mark.parametrize("case", OTHER_SOURCES)
def test_a_workbench_has_the_fields_of_its_source_and_never_another_source(
    control_plane: ControlPlane, namespace: str, case: str
) -> None:
    spec = {key: value for key, value in (WORKBENCH | OTHER_SOURCES[case]).items() if value is not None}
    apply(control_plane, namespace, "Workbench", spec)
    apply(control_plane, namespace, "Workbench", spec | {"state": "stopped"})
    for other in ({"source": {"kind": spec["source"]["kind"], "reference": "other"}}, {"source": None}):
        with pytest.raises(KubectlError, match="source cannot change"):
            apply(control_plane, namespace, "Workbench", {k: v for k, v in (spec | other).items() if v is not None})


@pytest.mark.parametrize("case", BAD_WORKBENCHES)
def test_a_bad_workbench_is_refused(control_plane: ControlPlane, namespace: str, case: str) -> None:
    change, words = BAD_WORKBENCHES[case]
    spec = {key: value for key, value in (WORKBENCH | change).items() if value is not None}
    with pytest.raises(KubectlError) as refused:
        apply(control_plane, namespace, "Workbench", spec)
    assert words in str(refused.value)


LONG, UNPRINTABLE = "x" * 61 + "!", "a\x1b[2Jb\nc"
ILL_FORMED: list[tuple[str, Spec, str, str]] = [
    *(
        (
            "LicensePool",
            {"linger": text},
            "spec.linger",
            f'must be a duration such as 250ms, 15m, 1h30m or 365d: whole numbers, each with a unit; it is "{text}"',
        )
        for text in ("5", "5 minutes", "PT5M", "1.5h")
    ),
    (
        "LicensePool",
        {"maxReassignments": {"count": 1, "window": "1y"}},
        "spec.maxReassignments.window",
        'each with a unit; it is "1y"',
    ),
    ("LicensePool", {"seats": -1}, "spec.seats", "should be greater than or equal to 0"),
    (
        "LicensePool",
        {"product": "mat lab"},
        "spec.product",
        'at most 63, beginning with a letter or digit; it is "mat lab"',
    ),
    (
        "LicensePool",
        {"serverRef": {"name": "EDA"}},
        "spec.serverRef.name",
        'such as eda-licenses: small letters, digits, dots and hyphens; it is "EDA"',
    ),
    (
        "LicensePool",
        {"protectedUsers": ["ann", "a b"]},
        "spec.protectedUsers[1]",
        'letters, digits and . _ @ + -, at most 128, beginning with a letter or digit; it is "a b"',
    ),
    ("LicensePool", {"deniedUsers": [LONG]}, "spec.deniedUsers[0]", "beginning with a letter or digit\n"),
    ("LicensePool", {"deniedUsers": [UNPRINTABLE]}, "spec.deniedUsers[0]", "beginning with a letter or digit\n"),
    (
        "LicensePool",
        {"workbenchNamespaces": ["lab_1"]},
        "spec.workbenchNamespaces[0]",
        'must be the name of a namespace, or * for all of them; it is "lab_1"',
    ),
    ("LicenseServer", {"timeout": "5 minutes"}, "spec.timeout", 'each with a unit; it is "5 minutes"'),
    ("LicenseServer", {"debounce": "soon"}, "spec.debounce", 'each with a unit; it is "soon"'),
    ("LicenseServer", {"guard": {"window": "10 m"}}, "spec.guard.window", 'each with a unit; it is "10 m"'),
    (
        "LicenseServer",
        {"region": "europe"},
        "spec.region",
        'must be an AWS region such as eu-central-1; it is "europe"',
    ),
    (
        "LicenseServer",
        {"roleArn": "admin"},
        "spec.roleArn",
        'such as arn:aws:iam::123456789012:role/seatpool-license-servers; it is "admin"',
    ),
    (
        "LicenseServer",
        {"target": {"instanceId": "host"}},
        "spec.target.instanceId",
        'such as i-0123456789abcdef0 or mi-0123456789abcdef0; it is "host"',
    ),
    (
        "LicenseServer",
        {"document": "a b"},
        "spec.document",
        'such as Seatpool-ApplyUserLists: letters, digits and _ . : / -, 3 to 128; it is "a b"',
    ),
    (
        "LicenseServer",
        {"xlc": {"stateDir": "var"}},
        "spec.xlc.stateDir",
        'must be an absolute path such as /var/lib/seatpool: letters, digits and . _ / -, at most 255; it is "var"',
    ),
    ("LicenseServer", {"xlc": {"placeholderUser": "no one"}}, "spec.xlc.placeholderUser", 'it is "no one"'),
    (
        "Workbench",
        {"account": "12"},
        "spec.account",
        'must be an AWS account number of 12 digits, in quotes; it is "12"',
    ),
    ("Workbench", {"region": "europe"}, "spec.region", 'must be an AWS region such as eu-central-1; it is "europe"'),
    (
        "Workbench",
        {"instanceId": "i_1"},
        "spec.instanceId",
        'must be an instance id such as i-0123456789abcdef0; it is "i_1"',
    ),
]
GOOD: dict[str, Spec] = {"LicensePool": POOL, "LicenseServer": SERVER, "Workbench": WORKBENCH}


@pytest.mark.parametrize(("kind", "change", "field", "words"), ILL_FORMED)
def test_a_value_of_a_wrong_form_is_refused_with_the_field_the_value_and_what_is_right(
    control_plane: ControlPlane, namespace: str, kind: str, change: Spec, field: str, words: str
) -> None:
    with pytest.raises(KubectlError) as refused:
        apply(control_plane, namespace, kind, GOOD[kind] | change)
    told = f"{refused.value}\n"
    assert f"{field}: Invalid value:" in told
    assert words in told
    assert "should match" not in told
    assert told.count("Invalid value:") == 1, "one mistake, one message"


def test_kubectl_explain_reads_well(control_plane: ControlPlane) -> None:
    text = " ".join(control_plane.kubectl("explain", "licensepool.spec").split())
    for words in (
        "One licensed product: its seats, who gets them, and the vendor's rules.",
        "How many named users the license has: the list is never longer.",
        "Vendor's rule: a freed seat is blocked for other people so long; the same person may come back.",
    ):
        assert words in text


def test_kubectl_explain_shows_format_limits_and_default(control_plane: ControlPlane) -> None:
    for field, words in (
        ("licensepool.spec.linger", "Must be a duration such as 250ms, 15m, 1h30m or 365d: "),
        ("licensepool.spec.protectedUsers", "Each must be a user id such as ann"),
        ("licensepool.spec.seats", "the list is never longer. From 0 to 5000."),
        ("licensepool.spec.activeStates", "At most 6 entries. Default: pending, running."),
        ("licenseserver.spec.timeout", "Must be 5s to 2d, for example 60s;"),
    ):
        assert words in " ".join(control_plane.kubectl("explain", field).split())


def test_workbenches_are_found_by_owner_type_and_state(control_plane: ControlPlane, namespace: str) -> None:
    apply(control_plane, namespace, "Workbench", WORKBENCH, name="i-1")
    apply(control_plane, namespace, "Workbench", WORKBENCH | {"owner": "bob", "state": "stopped"}, name="i-2")
    for selector, name in (
        ("spec.owner=bob", "i-2"), ("spec.state=running", "i-1"), ("spec.type=vew-matlab,spec.owner=ann", "i-1"),
    ):  # fmt: skip
        found = control_plane.kubectl("get", "wb", "-n", namespace, "--field-selector", selector, "-o", "name")
        assert found.split() == [f"workbench.seatpool.io/{name}"]


def test_kubectl_get_shows_all_pools_of_a_workbench_in_one_column(control_plane: ControlPlane, namespace: str) -> None:
    apply(control_plane, namespace, "Workbench", WORKBENCH, name="i-1")
    status = {"status": {"user": "ann", "summary": "1 of 2; addon: 3rd, PoolFull"}}
    control_plane.kubectl(
        "patch", "wb", "i-1", "-n", namespace, "--subresource=status", "--type=merge", "-p", json.dumps(status)
    )
    head, line = control_plane.kubectl("get", "wb", "-n", namespace).splitlines()
    assert head.split() == ["NAME", "OWNER", "TYPE", "STATE", "SEATS", "READY", "AGE"]
    assert "1 of 2; addon: 3rd, PoolFull" in line
    found = control_plane.kubectl("get", "wb", "-n", namespace, "--field-selector", "status.user=ann", "-o", "name")
    assert found.split() == ["workbench.seatpool.io/i-1"]
