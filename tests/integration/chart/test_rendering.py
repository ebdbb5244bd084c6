"""What comes out of the chart for which values, and what it refuses before anything reaches a cluster."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.integration.chart.conftest import CHART, REPOSITORY, Body, Helm, HelmError, only

from seatpool.control.leader.alive_lease import SUFFIX
from seatpool.settings.settings import LeaderElectionSettings, Settings, load_settings

DIGEST = f"sha256:{'a' * 64}"
ELSEWHERE = {"account": "111111111111", "regions": ["eu-west-1"]}
NAMESPACED = {"watchNamespaces": ["team-a", "team-b"], "config": {"installation": "prod-1"}}


def container(objects: list[Body]) -> Body:
    found: Body = only(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    return found


def settings(objects: list[Body], tmp_path: Path, *, name: str = "seatpool") -> Settings:
    file = tmp_path / "settings.yaml"
    file.write_text(only(objects, "ConfigMap", name)["data"]["settings.yaml"])
    return load_settings(file=file)


def test_lint_has_nothing_to_say(helm: Helm) -> None:
    assert "0 chart(s) failed" in helm.run("lint", "--strict", CHART)


def test_the_chart_is_of_the_version_of_the_operator() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert chart["appVersion"] == project["version"]


@pytest.mark.parametrize(
    ("image", "wanted"),
    [
        ({}, "seatpool:0.1.0"),
        ({"registry": "registry.example/", "tag": "1.2"}, "registry.example/seatpool:1.2"),
        ({"repository": "team/seatpool", "digest": DIGEST}, f"team/seatpool@{DIGEST}"),
        ({"repository": "registry.example:5000/team/seatpool"}, "registry.example:5000/team/seatpool:0.1.0"),
        ({"tag": "1.2", "digest": DIGEST}, f"seatpool:1.2@{DIGEST}"),
    ],
)
def test_the_image_is_named_in_every_usual_way(helm: Helm, image: dict[str, str], wanted: str) -> None:
    objects = helm.template({"image": image})
    assert container(objects)["image"] == wanted
    assert only(objects, "Pod")["spec"]["containers"][0]["image"] == wanted


def test_a_parent_chart_may_share_its_registry_and_switch_this_one_by_enabled(helm: Helm) -> None:
    objects = helm.template({"global": {"imageRegistry": "shared.example", "other": 1}, "enabled": True})
    assert container(objects)["image"] == "shared.example/seatpool:0.1.0"


def test_config_becomes_the_operators_settings_beside_what_the_chart_decides(helm: Helm, tmp_path: Path) -> None:
    account = {"account": "111122223333", "regions": ["eu-central-1"], "namespace": "team-a"}
    config = {
        "installation": "prod-1",
        "log": {"level": "debug"},
        "http": {"host": "::"},
        "mirror": {"accounts": [account]},
    }
    election = {"leaseDuration": "20s", "renewDeadline": "15s", "retryPeriod": "3s"}
    objects = helm.template({**NAMESPACED, "config": config, "port": 9090, "leaderElection": election})
    made = settings(objects, tmp_path)
    assert made.namespaces == ("team-a", "team-b")
    assert (made.http.host, made.http.port) == ("::", 9090)
    assert made.mirror.accounts[0].account == "111122223333"
    assert made.leader_election.enabled
    assert made.leader_election.namespace == "seatpool"
    assert made.leader_election.lease_duration.total_seconds() == 20


@pytest.mark.parametrize("name", ["resync_interval", "audit_interval"])
def test_a_setting_is_taken_by_its_old_name_too(helm: Helm, tmp_path: Path, name: str) -> None:
    made = settings(helm.template({"config": {"watch": {name: "90s"}}}), tmp_path)
    assert made.watch.resync_interval.total_seconds() == 90


@pytest.mark.parametrize("elected", [True, False], ids=["with an election", "without one"])
def test_the_lease_that_is_named_is_the_one_that_may_be_written_and_be_read_by_everybody(
    helm: Helm, tmp_path: Path, elected: bool
) -> None:
    election = {"leaderElection": {"enabled": elected}, **({} if elected else {"replicas": 1})}
    objects = helm.template({"fullnameOverride": "licenses", **election})
    made = settings(objects, tmp_path, name="licenses").leader_election
    lease = made.name if elected else f"{made.name}{SUFFIX}"
    for role, verbs in (("licenses-lease", ["get", "update"]), ("licenses-alive", ["get"])):
        named = [rule for rule in only(objects, "Role", role)["rules"] if "resourceNames" in rule]
        assert [(rule["resourceNames"], rule["verbs"]) for rule in named] == [([lease], verbs)]
    assert made.namespace == "seatpool"


def test_pods_are_replaced_when_a_setting_changes_and_only_then(helm: Helm) -> None:
    def checksum(values: dict[str, Any]) -> str:
        template = only(helm.template(values), "Deployment")["spec"]["template"]
        return str(template["metadata"]["annotations"]["checksum/settings"])

    assert checksum({}) == checksum({"replicas": 3})
    assert checksum({}) != checksum({"config": {"log": {"level": "debug"}}})


def test_a_namespaced_installation_has_no_cluster_wide_right(helm: Helm) -> None:
    objects = [one for one in helm.template(NAMESPACED) if "ClusterRole" in one["kind"]]
    assert objects == []
    roles = [one["metadata"] for one in helm.template(NAMESPACED) if one["kind"] == "Role"]
    assert {one["namespace"] for one in roles if one["name"] == "seatpool"} == {"team-a", "team-b"}


def people(helm: Helm, values: dict[str, Any], *flags: str) -> dict[str, Body]:
    """The roles for people, by name."""
    text = helm.run("template", "seatpool", CHART, *flags, values=values)
    found = [one for one in yaml.safe_load_all(text) if one and one["kind"] in ("Role", "ClusterRole")]
    return {
        one["metadata"]["name"]: one for one in found if one["metadata"]["name"].endswith(("-viewer", "-license-admin"))
    }


@pytest.mark.parametrize("aggregate", [False, True])
def test_roles_for_people_are_part_of_no_other_role_unless_asked_for(helm: Helm, aggregate: bool) -> None:
    roles = people(helm, {"rbac": {"aggregate": True}} if aggregate else {})
    labels = {name: [key for key in role["metadata"]["labels"] if "aggregate" in key] for name, role in roles.items()}
    added = {
        "seatpool-viewer": ["rbac.authorization.k8s.io/aggregate-to-view"],
        "seatpool-license-admin": ["rbac.authorization.k8s.io/aggregate-to-admin"],
    }
    assert labels == (added if aggregate else {name: [] for name in added})


@pytest.mark.parametrize(
    ("values", "flags", "has_role", "has_policy"),
    [
        ({}, (), True, True),
        ({"rbac": {"decisionPolicy": "present"}}, (), True, False),
        ({"rbac": {"decisionPolicy": "none"}}, (), False, False),
        ({"rbac": {"people": False}}, (), False, False),
        ({}, ("--kube-version=1.29.4",), False, False),
        (NAMESPACED, (), False, False),
        (NAMESPACED | {"rbac": {"decisionPolicy": "present"}}, (), True, False),
        (NAMESPACED | {"rbac": {"decisionPolicy": "install"}}, (), True, True),
    ],
)
def test_nobody_may_patch_where_nothing_keeps_them_to_decisions(
    helm: Helm, values: dict[str, Any], flags: tuple[str, ...], has_role: bool, has_policy: bool
) -> None:
    assert ("seatpool-license-admin" in people(helm, values, *flags)) is has_role
    kinds = {
        one["kind"] for one in yaml.safe_load_all(helm.run("template", "seatpool", CHART, *flags, values=values)) if one
    }
    assert ({"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"} <= kinds) is has_policy


def test_a_cluster_that_is_too_old_for_the_policy_is_refused_when_it_is_asked_for(helm: Helm) -> None:
    with pytest.raises(HelmError, match=r"Kubernetes is v1\.29\.4: ValidatingAdmissionPolicy needs 1\.30"):
        people(helm, {"rbac": {"decisionPolicy": "install"}}, "--kube-version=1.29.4")


def test_the_example_has_the_roles_and_the_policy_of_the_chart(helm: Helm) -> None:
    example = list(yaml.safe_load_all((REPOSITORY / "examples" / "install" / "people.yaml").read_text()))
    rendered = helm.template()
    for one in example:
        ours = only(rendered, one["kind"], one["metadata"]["name"])
        assert {key: ours[key] for key in ours if key != "metadata"} == {
            key: one[key] for key in one if key != "metadata"
        }
        assert not any("aggregate" in label for label in one["metadata"].get("labels", {}))


def test_settings_may_be_in_a_secret(helm: Helm) -> None:
    objects = helm.template({"configKind": "Secret"})
    assert [one for one in objects if one["kind"] == "ConfigMap"] == []
    text = only(objects, "Secret", "seatpool")["stringData"]["settings.yaml"]
    assert text == only(helm.template(), "ConfigMap", "seatpool")["data"]["settings.yaml"]
    volumes = only(objects, "Deployment")["spec"]["template"]["spec"]["volumes"]
    assert {"name": "settings", "secret": {"secretName": "seatpool"}} in volumes


def test_numbers_and_switches_in_the_environment_become_text(helm: Helm) -> None:
    given = {"A": 3, "B": 1000000, "C": 0.5, "D": True, "E": "007", "F": 12345678901, "G": "", "H": 0}
    values = {"extraEnv": [{"name": name, "value": value} for name, value in given.items()]}
    made = {one["name"]: one.get("value") for one in container(helm.template(values))["env"]}
    assert made == {"POD_NAME": None, "A": "3", "B": "1000000", "C": "0.5", "D": "true", "E": "007", "F": "12345678901",
                    "G": "", "H": "0"}  # fmt: skip


def test_all_objects_follow_another_namespace(helm: Helm) -> None:
    kinds = ("serviceMonitor", "prometheusRule", "dashboard")
    values = {"namespaceOverride": "elsewhere", "monitoring": {kind: {"enabled": True} for kind in kinds},
              "networkPolicy": {"enabled": True}}  # fmt: skip
    objects = helm.template(values)
    assert {one["metadata"].get("namespace", "elsewhere") for one in objects} == {"elsewhere"}
    assert {one["namespace"] for role in objects for one in role.get("subjects", ()) if one["kind"] != "Group"} == {
        "elsewhere"
    }
    settings_file = yaml.safe_load(only(objects, "ConfigMap", "seatpool")["data"]["settings.yaml"])
    assert settings_file["leader_election"]["namespace"] == "elsewhere"


def test_pods_go_where_the_parent_chart_says_too(helm: Helm) -> None:
    taint = {"key": "tools", "operator": "Exists"}
    shared = {
        "imagePullSecrets": ["shared", {"name": "mine"}],
        "nodeSelector": {"pool": "tools"},
        "tolerations": [taint],
    }
    objects = helm.template({"global": shared, "imagePullSecrets": [{"name": "mine"}], "nodeSelector": {"disk": "ssd"}})
    for pod in (only(objects, "Deployment")["spec"]["template"]["spec"], only(objects, "Pod")["spec"]):
        assert pod["imagePullSecrets"] == [{"name": "mine"}, {"name": "shared"}]
        assert pod["nodeSelector"] == {"pool": "tools", "disk": "ssd"}
        assert pod["tolerations"] == [taint]


def test_pods_in_the_nodes_network_still_find_the_names_of_the_cluster(helm: Helm) -> None:
    pod = only(helm.template({"hostNetwork": True}), "Deployment")["spec"]["template"]["spec"]
    assert (pod["hostNetwork"], pod["dnsPolicy"]) == (True, "ClusterFirstWithHostNet")


@pytest.mark.parametrize(
    ("budget", "made"),
    [
        ({}, {"maxUnavailable": 1}),
        ({"maxUnavailable": 2}, {"maxUnavailable": 2}),
        ({"minAvailable": "50%"}, {"minAvailable": "50%"}),
    ],
)
def test_a_disruption_budget_has_the_number_that_is_given(
    helm: Helm, budget: dict[str, Any], made: dict[str, Any]
) -> None:
    spec = only(helm.template({"replicas": 3, "podDisruptionBudget": budget}), "PodDisruptionBudget")["spec"]
    assert {name: spec[name] for name in ("minAvailable", "maxUnavailable") if name in spec} == made


def test_a_namespace_that_denies_by_default_lets_the_pod_of_helm_test_out(helm: Helm) -> None:
    objects = helm.template({"networkPolicy": {"enabled": True, "apiServerPorts": [8443]}})
    policy = only(objects, "NetworkPolicy", "seatpool-test")
    labels = only(objects, "Pod")["metadata"]["labels"]
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
    assert policy["metadata"]["annotations"]["helm.sh/hook"] == "test"
    ports = [port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]]
    assert ports == [8443, 53, 53]


ON_A_VOLUME = {"volume": "emptyDir"}


@pytest.mark.parametrize(
    "values",
    [
        {"history": ON_A_VOLUME, "config": {"history": {"location": "/var/lib/seatpool"}}},
        {"history": ON_A_VOLUME | {"mountPath": "/data/"}, "config": {"history": {"location": "/data/./history"}}},
        {"config": {"history": {"location": "s3://bucket/history", "spool": "/tmp/spool"}}},
        {"config": {"audit": {"file": "/tmp/audit.jsonl"}}},
        {
            "config": {"audit": {"file": "/logs/audit.jsonl"}},
            "extraVolumeMounts": [{"name": "a", "mountPath": "/logs"}],
        },
        {"config": {"audit": {"file": "/anywhere"}}, "securityContext": {"readOnlyRootFilesystem": False}},
        {
            "config": {"history": {"salt_file": "/etc/seatpool-files/salt"}},
            "extraVolumeMounts": [
                {"name": "a", "mountPath": "{{ printf `/etc/%s-files` .Release.Name }}", "readOnly": True}
            ],
        },
        {"config": {"identity": {"mapping_file": "/usr/share/owners.csv"}}},  # one that the image brings
        {"config": {"http": {"host": "0.0.0.0"}}},
        {"leaderElection": {"leaseDuration": "1m30s", "renewDeadline": "1m29s", "retryPeriod": "44500ms"}},
    ],
)
def test_what_can_work_is_not_refused(helm: Helm, values: dict[str, Any]) -> None:
    only(helm.template(values), "Deployment")


def test_the_lengths_of_the_lease_that_the_chart_compares_are_the_operators_own() -> None:
    own = {name: field.default.total_seconds() for name, field in LeaderElectionSettings.model_fields.items()
           if name in ("lease_duration", "renew_deadline", "retry_period")}  # fmt: skip
    text = (CHART / "templates" / "_refusals.tpl").read_text()
    found = {name: float(re.search(rf'default "(\d+)s" \$v\.leaderElection\.{key}', text)[1])  # type: ignore[index]
             for name, key in (("lease_duration", "leaseDuration"), ("renew_deadline", "renewDeadline"),
                               ("retry_period", "retryPeriod"))}  # fmt: skip
    assert found == own


def test_a_single_replica_has_no_disruption_budget_and_is_replaced_without_overlap(helm: Helm) -> None:
    objects = helm.template({"replicas": 1, "leaderElection": {"enabled": False}})
    assert [one for one in objects if one["kind"] == "PodDisruptionBudget"] == []
    assert only(objects, "Deployment")["spec"]["strategy"] == {"type": "Recreate"}
    assert "topologySpreadConstraints" not in only(objects, "Deployment")["spec"]["template"]["spec"]


def test_there_is_a_memory_limit_and_no_cpu_limit(helm: Helm) -> None:
    assert set(container(helm.template())["resources"]["limits"]) == {"memory"}


def test_labels_of_a_user_never_replace_those_by_which_pods_are_found(helm: Helm) -> None:
    mine = {"app.kubernetes.io/name": "mine", "team": "cad"}
    objects = helm.template({"commonLabels": mine, "podLabels": mine})
    deployment, service = only(objects, "Deployment"), only(objects, "Service")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert service["spec"]["selector"].items() <= labels.items()
    assert labels["team"] == "cad"


def test_the_pod_of_helm_test_is_not_taken_for_the_operator(helm: Helm) -> None:
    objects = helm.template()
    selector = only(objects, "Service")["spec"]["selector"]
    assert not selector.items() <= only(objects, "Pod")["metadata"]["labels"].items()


def test_extra_objects_and_variables_go_through_tpl(helm: Helm) -> None:
    one = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "{{ .Release.Name }}-map"}}
    text = 'apiVersion: v1\nkind: Secret\nmetadata: {name: {{ include "seatpool.fullname" . }}-text}'
    variables = [{"name": "WHERE", "value": "{{ .Release.Namespace }}"}]
    objects = helm.template({"extraObjects": [one, text], "extraEnv": variables})
    assert [found["metadata"]["name"] for found in objects if found["kind"] == "Secret"] == [
        "seatpool-map",
        "seatpool-text",
    ]
    assert {"name": "WHERE", "value": "seatpool"} in container(objects)["env"]


@pytest.mark.parametrize("kind", ["ServiceMonitor", "PodMonitor", "PrometheusRule"])
def test_monitors_are_made_when_asked_for_though_no_cluster_says_that_it_knows_them(helm: Helm, kind: str) -> None:
    name = kind[0].lower() + kind[1:]
    only(helm.template({"monitoring": {name: {"enabled": True}}}), kind)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"replica": 3}, r"additional properties 'replica' not allowed"),
        ({"config": {"mirror": {"quue": "q"}}}, r"'/config/mirror': additional properties 'quue' not allowed"),
        ({"config": {"mirror": {"queue": 5}}}, r"'/config/mirror/queue': got number, want string"),
        ({"config": {"log": {"level": "loud"}}}, r"'/config/log/level': value must be one of 'debug'"),
        ({"image": {"digest": "latest"}}, r"'/image/digest': 'latest' does not match pattern"),
        ({"aws": {"roleArn": "seatpool"}}, r"'/aws/roleArn': 'seatpool' does not match"),
        ({"replicas": "two"}, r"'/replicas': got string, want integer"),
        ({"podLabels": {"a": 1}}, r"'/podLabels/a': got number, want string"),
        ({"config": {"namespaces": ["a"]}}, r"config\.namespaces is decided by watchNamespaces"),
        ({"config": {"leader_election": {}}}, r"config\.leader_election is decided by leaderElection"),
        ({"config": {"http": {"port": 1}}}, r"config\.http\.port is decided by port"),
        ({"leaderElection": {"enabled": False}}, r"replicas is 2 and leaderElection\.enabled is false"),
        ({"rbac": {"decisionPolicy": "yes"}}, r"'/rbac/decisionPolicy': value must be one of '', 'install', 'present', 'none'"),
        ({"config": {"servers": {"allowed": [{"targets": []}]}}}, r"/servers/allowed/0': missing property 'namespaces'"),
        ({"watchNamespaces": ["a"]}, r"watchNamespaces is set and config\.installation is not"),
        (
            {**NAMESPACED, "config": {"installation": "x", "mirror": {"accounts": [ELSEWHERE]}}},
            r"account 111111111111 writes to namespace default, which is not one of watchNamespaces \(team-a, team-b\)",
        ),
        ({"history": {"volume": "claim", "accessModes": ["ReadWriteOnce"]}}, r"which only one node can mount, and replicas is 2"),
        (
            {"monitoring": {"serviceMonitor": {"enabled": True}, "podMonitor": {"enabled": True}}},
            r"every metric would be read twice",
        ),
        ({"monitoring": {"serviceMonitor": {"enabled": True}}, "service": {"enabled": False}}, r"needs a Service"),
        ({"config": {"history": {"location": "/data/x"}}}, r"config\.history\.location is /data/x, which can never be written"),
        ({"config": {"history": {"location": "history"}}}, r"config\.history\.location is history, which can never be written"),
        (
            {"history": {"volume": "emptyDir"}, "config": {"history": {"location": "/var/lib/seatpool/../x"}}},
            r"can never be written.*below history\.mountPath \(/var/lib/seatpool\)",
        ),
        (
            {"history": {"volume": "emptyDir"}, "config": {"history": {"location": "/var/lib/seatpool2"}}},
            r"can never be written",
        ),
        (
            {"config": {"history": {"location": "s3://bucket/x", "spool": "/var/lib/seatpool/spool"}}},
            r"config\.history\.spool is /var/lib/seatpool/spool, which can never be written",
        ),
        ({"config": {"audit": {"file": "/var/log/a.jsonl"}}}, r"config\.audit\.file is /var/log/a\.jsonl, which can never"),
        (
            {
                "config": {"audit": {"file": "/logs/a.jsonl"}},
                "extraVolumeMounts": [{"name": "a", "mountPath": "/logs", "readOnly": True}],
            },
            r"config\.audit\.file is /logs/a\.jsonl, which can never",
        ),
        (
            {"config": {"notify": {"webhook": {"url": "https://h.example", "secret_file": "/etc/hook/key"}}}},
            r"config\.notify\.webhook\.secret_file is /etc/hook/key, which is on no volume",
        ),
        ({"config": {"history": {"salt_file": "/etc/salt"}}}, r"config\.history\.salt_file is /etc/salt, which is on no volume"),
        (
            {"config": {"identity": {"mapping_file": "/etc/seatpool/owners.csv"}}},
            r"config\.identity\.mapping_file is /etc/seatpool/owners\.csv, which is on no volume",
        ),
        (
            {"extraVolumeMounts": [{"name": "a", "mountPath": "/etc/seatpool/secret"}]},
            r"extraVolumeMounts: /etc/seatpool/secret is in /etc/seatpool",
        ),
        ({"config": {"http": {"host": "127.0.0.1"}}}, r"config\.http\.host is 127\.0\.0\.1: the kubelet probes"),
        (
            {"service": {"ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv6", "IPv4"]}},
            r"service\.ipFamilyPolicy is SingleStack and service\.ipFamilies has IPv6 and IPv4",
        ),
        ({"dnsPolicy": "None"}, r"dnsPolicy is None and dnsConfig\.nameservers is empty"),
        ({"hostNetwork": True, "networkPolicy": {"enabled": True}}, r"hostNetwork and networkPolicy\.enabled are both true"),
        (
            {"monitoring": {"podMonitor": {"scrapeTimeout": "1m", "interval": "59s"}}},
            r"monitoring\.podMonitor\.scrapeTimeout 1m is longer than its interval 59s",
        ),
        (
            {"leaderElection": {"leaseDuration": "7s"}},
            r"renewDeadline 7s must be at least twice retryPeriod \(2s\) and shorter than leaseDuration \(7s\)",
        ),
        ({"leaderElection": {"retryPeriod": "4s"}}, r"renewDeadline 7s must be at least twice retryPeriod \(4s\)"),
        (
            {"replicas": 1, "leaderElection": {"enabled": False}, "strategy": {"type": "RollingUpdate"}},
            r"during an update two pods would work at once",
        ),
        ({"podDisruptionBudget": {"minAvailable": 1, "maxUnavailable": 1}}, r"are both set; Kubernetes takes one of them"),
        ({"podDisruptionBudget": {"minAvailable": 2}}, r"podDisruptionBudget lets no pod go"),
        ({"podDisruptionBudget": {"maxUnavailable": 0}}, r"podDisruptionBudget lets no pod go"),
        ({"podDisruptionBudget": {"maxUnavailable": "0%"}}, r"podDisruptionBudget lets no pod go"),
        ({"image": {"repository": "registry.example/seatpool:1.2"}}, r"'/image/repository': .* does not match pattern"),
        ({"image": {"repository": "seatpool@sha256"}}, r"'/image/repository': .* does not match pattern"),
        ({"extraEnv": [{"name": "A", "value": ["b"]}]}, r"'/extraEnv/0/value': got array"),
        (
            {"monitoring": {"prometheusRule": {"enabled": True, "alerts": {"SeatpoolSlowly": {"enabled": False}}}}},
            r"alerts\.SeatpoolSlowly: there is no such alert; there are SeatpoolOperatorAbsent, ",
        ),
        (
            {"monitoring": {"prometheusRule": {"enabled": True, "alerts": {"SeatpoolNoLeader": {"threshold": 2}}}}},
            r"alerts\.SeatpoolNoLeader\.threshold: this alert compares with no number",
        ),
        (
            {"monitoring": {"prometheusRule": {"alerts": {"SeatpoolSlow": {"threshold": "30s"}}}}},
            r"'/monitoring/prometheusRule/alerts/SeatpoolSlow/threshold': '30s' does not match pattern",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_refused_with_what_to_do(helm: Helm, values: dict[str, Any], message: str) -> None:
    with pytest.raises(HelmError, match=message):
        helm.template(values)


RULES = [
    {"name": "notebooks", "version": "v1", "kind": "pods", "owner": ".metadata.name", "type": "a", "namespaces": ["team-a"],
     "namespace": "team-a"},
    {"name": "machines", "group": "kubevirt.io", "version": "v1", "kind": "virtualmachines", "owner": ".metadata.name",
     "type": "b", "namespace": "team-b"},
]  # fmt: skip


def source_rules(objects: list[Body], kind: str) -> dict[str, list[tuple[str, str]]]:
    """What the operator may read besides, by namespace: group and resource."""
    return {
        one["metadata"].get("namespace", ""): [
            (rule["apiGroups"][0], rule["resources"][0])
            for rule in one["rules"]
            if rule["resources"][0] in ("pods", "virtualmachines") and rule["verbs"] == ["get", "list", "watch"]
        ]
        for one in objects
        if one["kind"] == kind and one["metadata"]["name"] == "seatpool" and len(one["rules"]) > 2
    }


def test_the_operator_may_read_the_objects_of_its_rules_and_no_others(helm: Helm) -> None:
    config = {"mirror": {"kubernetes": RULES}}
    both = [("", "pods"), ("kubevirt.io", "virtualmachines")]
    assert source_rules(helm.template({"config": config}), "ClusterRole") == {"": both}
    assert source_rules(helm.template({}), "ClusterRole") == {"": []}
    objects = helm.template(NAMESPACED | {"config": NAMESPACED["config"] | config})
    assert source_rules(objects, "Role") == {"team-a": both, "team-b": both[1:]}
    with pytest.raises(HelmError, match="kind"):
        helm.template({"config": {"mirror": {"kubernetes": [RULES[0] | {"kind": "Pod"}]}}})
    for asked in ({"seat_annotation": "seatpool.io/seat"}, {"scheduling_gate": "seatpool.io/seat"}):
        told = helm.template({"config": {"mirror": {"kubernetes": [RULES[0] | asked]}}})
        rules = [rule for one in told if one["kind"] == "ClusterRole" for rule in one["rules"]]
        assert [rule["verbs"] for rule in rules if rule["resources"] == ["pods"]] == [["get", "list", "watch", "patch"]]
