"""A kubeconfig is read as kubectl does it, and a broken one is one sentence and never another exception."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seatpool.kube.client import KubeClient, connect_as_kubectl, namespace_of
from seatpool.kube.kubeconfig import Kubeconfig, KubeconfigChoice, KubeconfigError

SECRET = "s3cret"
NAMES = st.sampled_from(["a", "b", ""])
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-1, 1), st.text(max_size=5), st.sampled_from(["https://h", "a"])
)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=5,
)


def one_of_two(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """Fields of the right names, each with what belongs there or with anything."""
    return st.one_of(ANYTHING, st.fixed_dictionaries({}, optional={k: v | ANYTHING for k, v in fields.items()}))


def named(part: str, fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    entry = st.fixed_dictionaries({"name": NAMES, part: one_of_two(fields)}) | ANYTHING
    return st.lists(entry, max_size=2) | ANYTHING


EXEC = one_of_two({
    "apiVersion": st.just("client.authentication.k8s.io/v1"), "command": st.sampled_from(["no-such-auth-plugin", "false"]),
    "args": st.lists(st.text(max_size=3), max_size=2), "env": st.lists(st.dictionaries(NAMES, NAMES), max_size=1),
    "installHint": st.text(max_size=5),
})  # fmt: skip
FIELDS_OF_CLUSTER = one_of_two({
    "certificate-authority": NAMES, "certificate-authority-data": st.text(max_size=6),
    "insecure-skip-tls-verify": st.booleans(), "proxy-url": NAMES,
})  # fmt: skip
FIELDS_OF_USER = one_of_two({
    "token": st.just(SECRET), "tokenFile": NAMES, "client-certificate-data": st.text(max_size=5),
    "client-certificate": NAMES, "username": NAMES, "password": st.just(SECRET), "exec": EXEC,
    "auth-provider": one_of_two({"name": st.sampled_from(["oidc", "gcp"]), "config": st.dictionaries(NAMES, NAMES)}),
})  # fmt: skip


def joined(cluster: Any, user: Any, server: Any) -> Any:
    """A kubeconfig in which the current context has a cluster and a user with these fields."""
    fields = {**cluster, "server": server} if isinstance(cluster, dict) else cluster
    return {
        "clusters": [{"name": "a", "cluster": fields}], "users": [{"name": "a", "user": user}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}], "current-context": "a",
    }  # fmt: skip


SERVERS = st.sampled_from(["https://127.0.0.1:1", "http://h", "://", "h:x", 3, ["https://h"]])
KUBECONFIGS = st.one_of(
    st.builds(joined, FIELDS_OF_CLUSTER, FIELDS_OF_USER, SERVERS),
    ANYTHING,
    st.fixed_dictionaries({}, optional={
        "current-context": NAMES | ANYTHING,
        "contexts": named("context", {"cluster": NAMES, "user": NAMES, "namespace": NAMES}),
        "clusters": named("cluster", {"server": SERVERS}),
        "users": named("user", {"token": st.text(max_size=4)}),
    }),
)  # fmt: skip


def connects(file: Path) -> bool:
    """Whether a client comes of it. Any exception but KubeconfigError fails the test."""

    async def connect() -> None:
        kube = await connect_as_kubectl(KubeconfigChoice(file=str(file)))
        await kube.close()

    try:
        namespace_of(KubeconfigChoice(file=str(file)))
        asyncio.run(connect())
    except KubeconfigError as error:
        told = str(error)
    else:
        return True
    assert told.startswith("no way to the Kubernetes API: ")
    assert "\n" not in told
    assert SECRET not in told
    return False


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=KUBECONFIGS)
def test_whatever_is_in_it_a_kubeconfig_can_be_used_or_is_refused_in_one_sentence(tmp_path: Path, content: Any) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(content))
    connects(file)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=40))
def test_bytes_that_are_no_yaml_are_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "kubeconfig"
    file.write_bytes(content)
    assert not connects(file)


def kubeconfig(file: Path, *contexts: str, **user: Any) -> Path:
    """A kubeconfig with a cluster and a user for each context. The first context is the current one."""
    config = {
        "clusters": [{"name": f"{one}-cluster", "cluster": {"server": f"http://{one}"}} for one in contexts],
        "users": [{"name": f"{one}-user", "user": user or {"token": f"{one}-token"}} for one in contexts],
        "contexts": [
            {"name": one, "context": {"cluster": f"{one}-cluster", "user": f"{one}-user", "namespace": f"{one}-space"}}
            for one in contexts
        ],
        "current-context": contexts[0],
    }
    file.write_text(yaml.safe_dump(config))
    return file


def chosen(**choice: str) -> tuple[str, str, str | None]:
    found = Kubeconfig(KubeconfigChoice(**choice))
    return found.namespace, found.cluster, found.user


def test_context_cluster_and_user_are_chosen_as_by_kubectl(tmp_path: Path) -> None:
    file = str(kubeconfig(tmp_path / "k", "one", "two"))
    assert chosen(file=file) == ("one-space", "one-cluster", "one-user")
    assert chosen(file=file, context="two") == ("two-space", "two-cluster", "two-user")
    assert chosen(file=file, user="two-user") == ("one-space", "one-cluster", "two-user")
    assert chosen(file=file, context="two", cluster="one-cluster") == ("two-space", "one-cluster", "two-user")


@pytest.mark.parametrize("part", ["context", "cluster", "user"])
def test_a_name_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path, part: str) -> None:
    file = str(kubeconfig(tmp_path / "k", "one", "two"))
    with pytest.raises(KubeconfigError, match=f"has no {part} three; there are: one.*, two"):
        Kubeconfig(KubeconfigChoice(file=file, **{part: "three"}))


def test_of_several_files_the_first_decides(tmp_path: Path) -> None:
    one, two = kubeconfig(tmp_path / "1", "one"), kubeconfig(tmp_path / "2", "two")
    both = f"{one}:{tmp_path / 'missing'}:{two}"
    assert chosen(file=both)[0] == "one-space"
    assert chosen(file=both, context="two")[0] == "two-space"


def test_credentials_of_the_chosen_user_are_sent(tmp_path: Path) -> None:
    async def read() -> tuple[str, str | None]:
        found = Kubeconfig(KubeconfigChoice(file=str(kubeconfig(tmp_path / "k", "one", "two")), user="two-user"))
        kube = await KubeClient.connect_by(found)
        access = await kube.access()
        await kube.close()
        return access.server, access.token

    assert asyncio.run(read()) == ("http://one", "two-token")


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("no-such-auth-plugin", "the credentials come from no-such-auth-plugin, which cannot be found"),
        ("false", "false gave no credentials: exec: process returned 1"),
        ("true", "true gave no credentials: exec: failed to decode process output"),
    ],
)
def test_a_credential_plugin_that_gives_none_is_an_error_and_not_an_anonymous_user(
    tmp_path: Path, command: str, told: str, capfd: pytest.CaptureFixture[str]
) -> None:
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": command}
    choice = KubeconfigChoice(file=str(kubeconfig(tmp_path / "k", "one", exec=plugin)))
    with pytest.raises(KubeconfigError, match=told):
        asyncio.run(connect_as_kubectl(choice))
    assert capfd.readouterr() == ("", "")


def test_no_token_is_in_a_message(tmp_path: Path) -> None:
    provider = {"name": "oidc", "config": {"refresh-token": SECRET}}
    choice = KubeconfigChoice(file=str(kubeconfig(tmp_path / "k", "one", **{"auth-provider": provider})))
    with pytest.raises(KubeconfigError, match="client-id") as refused:
        asyncio.run(connect_as_kubectl(choice))
    assert SECRET not in str(refused.value)


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pod with a service account, as far as the library looks at it."""
    certificates = Path(__file__).parent / "cluster-ca.pem"
    for name, content in (("token", "pod-token"), ("ca.crt", certificates.read_text())):
        (tmp_path / name).write_text(content)
    loader = "kubernetes.aio.config.incluster_config"
    monkeypatch.setattr(f"{loader}.SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(f"{loader}.SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt"))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)


async def server_of(connecting: Any) -> str:
    kube = await connecting
    await kube.close()
    return str(kube.configuration.host)


@pytest.mark.usefixtures("pod")
def test_in_a_pod_a_command_prefers_kubeconfig_as_kubectl_does_and_the_operator_its_service_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asyncio.run(server_of(connect_as_kubectl(KubeconfigChoice()))) == "https://10.0.0.1:443"
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path / "k", "one")))
    assert asyncio.run(server_of(connect_as_kubectl(KubeconfigChoice()))) == "http://one"
    assert asyncio.run(server_of(KubeClient.connect())) == "https://10.0.0.1:443"
