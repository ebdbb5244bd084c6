"""The pages are followed as they are written and in their order, against a real API server that is new.

Each command has to work, and each output that a page shows has to be what is printed, unless the page calls it an
example. What cannot be run here says why in its first line: an AWS account, nodes, Argo CD, Flux, a download.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from tests.integration.cli.conftest import Board
from tests.integration.cli.test_deciding import guarded
from tests.integration.docs.pages import PAGES, REPOSITORY, Block, blocks, environment, make_clone
from tests.integration.docs.reader import WELL, WELL_OR_LOOK_AT_IT, Reader

from seatpool.api.crd import RESOURCES
from seatpool.settings.settings import Settings, load_settings
from seatpool.sim.aws import AwsProcess
from seatpool.sim.controlplane import ControlPlane
from seatpool.sim.site import Site
from seatpool_infra.site import Site as InfraSite

MARKS = {
    "aws": "# AWS",
    "node": "# node",
    "argocd": "# Argo CD",
    "flux": "# Flux",
    "download": "# downloads",
    "new": "# new cluster",
    "operator": "# .*with the operator running",
}
"""The first line of a block that is not run here, by the second word of its language."""
SHELLS = {"sh", "console"}
FOLLOWED_ELSEWHERE = {
    "docs/backends/ldap.md": "tests/integration/backends/ldap/test_docs.py",
    "docs/backup.md": "tests/integration/control/test_restore.py",
    "docs/web.md": "tests/integration/web/test_docs.py",
}
"""Pages whose blocks need an operator, a second cluster or a server of another kind."""


# -- what a reader has before the page begins ------------------------------------------------------------------------


def nothing(reader: Reader) -> None:
    """A new cluster."""


def crds(reader: Reader, *namespaces: str) -> None:
    for name in namespaces:
        reader.bash(f"kubectl create namespace {name}")
    reader.plane.install_crds(REPOSITORY / "crds")


def namespace_of_seatpool(reader: Reader) -> None:
    """The CRDs, and an empty namespace."""
    crds(reader, "seatpool")


def running_site(reader: Reader) -> None:
    """Pools in which users work and wait, with what an operator wrote about them."""
    crds(reader, "seatpool")
    board = Board(reader.plane, "seatpool")
    away = {"Reachable": ("False", "ServerUnreachable", "ConnectionLost: no answer")}
    server = board.server()
    second = server | {"metadata": server["metadata"] | {"name": "eda-licenses"}}
    board.put(
        server,
        second | {"status": board.server(conditions=away)["status"]},
        board.pool(seats=4, linger="15m"),
        board.pool("cad", seats=5),
        board.pool("eda", seats=20, serverRef={"name": "eda-licenses"}),
        board.pool("simulation", mode="DryRun"),
        board.ledger(
            assigned={"ann": board.ago(hours=3), "bob": board.ago(hours=2), "carl": board.ago(hours=1)},
            idle={"carl": board.ago(minutes=5)},
            waiting={"eve": board.ago(minutes=9)},
        ),
        board.ledger("eda", assigned={"dora": board.ago(minutes=4)}),
        *(board.workbench(number, user) for number, user in enumerate(("ann", "bob", "eve"))),
        board.workbench(7, "dora", kind="vew-eda"),
    )
    reader.bash(f"kubectl create --filename - <<'LEASE'\n{LEASE}LEASE")
    (reader.clone / "audit.jsonl").write_text("")
    events_queue(reader)


def held_change(reader: Reader) -> None:
    """The same, and the guard holds a change back."""
    running_site(reader)
    guarded(Board(reader.plane, "seatpool"))


def recorded_history(reader: Reader) -> None:
    """Three months of five pools."""
    lines = ["user,product,pool,type,account,start,end"]
    first = datetime(2025, 9, 1, 8, tzinfo=UTC)
    for day in range(90):
        for number, pool in enumerate(("cad", "fem", "simulation", "eda", "matlab")):
            for user in range(3):
                begin = first + timedelta(days=day, hours=user)
                name = f"user{user:04}"
                end = begin + timedelta(hours=4)
                row = (
                    name,
                    pool,
                    f"seatpool/{pool}",
                    f"vew-{pool}",
                    f"{number + 1:012}",
                    begin.isoformat(),
                    end.isoformat(),
                )
                lines.append(",".join(row))
    (reader.clone / "use.csv").write_text("\n".join(lines) + "\n")
    reader.bash("seatpool history import --format csv use.csv --into history")
    (reader.clone / "teams.csv").write_text("user,team\nuser0000,chassis\nuser0001,software\nuser0600,software\n")


def events_queue(reader: Reader) -> Site:
    """A queue with two dead letters, and the operator's settings that name it."""
    site = Site(reader.aws)
    site.make_queues("seatpool-events", max_receives=3)
    sqs = site.client("sqs")
    sent = [sqs.send_message(QueueUrl=site.dead_letter_url, MessageBody=body) for body in ("not json", "[]")]
    reader.names = {**reader.names, "MESSAGE": sent[1]["MessageId"]}
    settings = {"mirror": {"queue": "seatpool-events", "region": site.region}}
    (reader.clone / "settings.yaml").write_text(yaml.safe_dump(settings))
    return site


def migrating_site(reader: Reader) -> None:
    """A queue, the table of the published pipeline, and what an operator wrote."""
    site = events_queue(reader)
    dynamodb = site.client("dynamodb")
    keys = (("product", "HASH"), ("user-id", "RANGE"))
    dynamodb.create_table(
        TableName="workbench-counters",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
        BillingMode="PAY_PER_REQUEST",
    )
    for user, count in (("ann", "3"), ("bob", "1")):
        item = {"product": {"S": "matlab"}, "user-id": {"S": user}, "workbench-count": {"N": count}}
        dynamodb.put_item(TableName="workbench-counters", Item=item)
    crds(reader, "team-b")
    default = Board(reader.plane, "default")
    default.put(default.pool())
    board = Board(reader.plane, "team-b")
    server = board.server(conditions={"InventoryFresh": ("True", "Fresh", "")})
    board.put(server | {"status": server["status"] | {"observedGeneration": 1}}, board.workbench(1, "ann"))


def installed(reader: Reader) -> None:
    """The chart, and a pool with its server."""
    reader.bash("kubectl create namespace seatpool && kubectl create namespace team-a")
    values = "--values build/infra/values.yaml --set image.registry=registry.example"
    reader.bash(f"helm upgrade --install seatpool charts/seatpool --namespace seatpool {values}")
    reader.bash("kubectl wait --for=condition=Established crd --all")
    board = Board(reader.plane, "team-a")
    board.put(board.server(), board.pool(), board.ledger(assigned={"ann": board.ago(hours=1)}))


LEASE = """\
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: seatpool, namespace: seatpool}
spec: {holderIdentity: seatpool-7d9c5b6f4-abcde-31032-26dda7}
"""
NAMES = {"NAMESPACE": "seatpool", "NAME": "licenses", "SERVER": "licenses", "POOL": "matlab", "USER": "ann"}


@dataclass(frozen=True)
class Guide:
    """A page, and what its reader has."""

    page: str
    setup: Callable[[Reader], None] = nothing
    names: dict[str, str] = field(default_factory=dict)
    well: tuple[int, ...] = WELL


GUIDES = (
    Guide("README.md", running_site),
    Guide("CONTRIBUTING.md"),
    Guide("charts/seatpool/README.md"),
    Guide("docs/install-eks.md"),
    Guide("docs/gitops.md"),
    Guide("docs/security.md"),
    Guide("docs/people.md", running_site, well=WELL_OR_LOOK_AT_IT),
    Guide("docs/backends/scim.md", namespace_of_seatpool),
    Guide("docs/history.md", recorded_history),
    Guide("docs/planner.md"),
    Guide("docs/mirror.md", migrating_site),
    Guide("docs/sources.md", crds),
    Guide("docs/vew.md"),
    Guide("docs/aws.md"),
    Guide("docs/high-availability.md", running_site, NAMES, WELL_OR_LOOK_AT_IT),
    Guide("docs/observability.md", running_site, NAMES, WELL_OR_LOOK_AT_IT),
    Guide("docs/faq.md", running_site, well=WELL_OR_LOOK_AT_IT),
    Guide("docs/uninstall.md", installed),
    Guide("docs/runbook.md", held_change, NAMES, WELL_OR_LOOK_AT_IT),
)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    clone = tmp_path / "clone"
    clone.mkdir()
    make_clone(clone)
    with ControlPlane() as plane, AwsProcess(tmp_path / "aws") as aws:
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-central-1"}
        environ = environment(clone, plane, AWS_ENDPOINT_URL=aws.endpoint, **keys)
        yield Reader(clone, environ, plane, aws)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.page)
def test_a_page_can_be_followed_line_by_line(guide: Guide, reader: Reader) -> None:
    reader.names, reader.well = guide.names, guide.well
    guide.setup(reader)
    for block in blocks(guide.page):
        if block.language in SHELLS and block.word not in MARKS:
            reader.follow(block)


# -- of all pages ----------------------------------------------------------------------------------------------------


ALL = [block for page in PAGES for block in blocks(page)]
COMMANDS = [block for block in ALL if block.language in SHELLS]


def test_each_page_with_commands_is_followed_by_a_test() -> None:
    followed = {guide.page for guide in GUIDES} | FOLLOWED_ELSEWHERE.keys()
    assert {block.page for block in COMMANDS} == followed
    assert all(Path(REPOSITORY, test).is_file() for test in FOLLOWED_ELSEWHERE.values())


@pytest.mark.parametrize("block", COMMANDS, ids=str)
def test_what_is_not_run_or_not_compared_says_so_to_the_reader(block: Block) -> None:
    if block.word == "example":
        assert block.language == "console"
        assert re.search(r"\bexample\b", block.before, re.IGNORECASE), "the paragraph above has to call it an example"
    elif block.word == "make":
        assert any(line.startswith("make ") for line in block.text.splitlines())
    elif block.word:
        assert re.match(MARKS[block.word], block.text), f"the first line has to be {MARKS[block.word]!r}"
    if block.language == "console":
        assert block.commands, "a console block shows commands after '$ '; a script is a block of sh"


FILES = {"secret_file": "0123456789abcdef" * 4, "salt_file": "0123456789abcdef" * 4, "mapping_file": "ann,u1001\n"}
"""What is in a file that a setting names."""


@pytest.mark.parametrize("block", [block for block in ALL if block.language == "yaml"], ids=str)
def test_each_piece_of_yaml_is_what_it_is_for(block: Block, tmp_path: Path) -> None:
    """Objects fit their kinds, settings can be loaded, and values belong to the chart."""
    values = yaml.safe_load((REPOSITORY / "charts/seatpool/values.yaml").read_text())
    for document in yaml.safe_load_all(block.text):
        settings = document
        if "apiVersion" in document:
            kind = next(kind for kind in RESOURCES if kind.kind == document["kind"])
            kind.model_validate({"metadata": {}} | document)
            continue
        if document.keys() <= InfraSite.model_fields.keys() - Settings.model_fields.keys():
            InfraSite.model_validate(SITE | document)
            continue
        if not document.keys() <= Settings.model_fields.keys():
            assert document.keys() <= values.keys(), block
            settings = document.get("config", {})
        file = tmp_path / "settings.yaml"
        file.write_text(yaml.safe_dump(_with_files(settings, tmp_path)))
        load_settings(file=file)


SITE = yaml.safe_load((REPOSITORY / "infra/site.example.yaml").read_text())
"""The other values of a site of which a page shows some."""


def _with_files(settings: dict[str, object], folder: Path) -> dict[str, object]:
    """Settings that name files which exist."""
    made: dict[str, object] = {}
    for key, value in settings.items():
        made[key] = _with_files(value, folder) if isinstance(value, dict) else value
        if key in FILES:
            file = folder / Path(str(value)).name
            file.write_text(FILES[key])
            made[key] = str(file)
    return made


@pytest.mark.parametrize("page", PAGES)
def test_nothing_that_a_page_names_by_a_link_is_missing(page: str) -> None:
    text = re.sub(r"`[^`\n]*`", "", (REPOSITORY / page).read_text())
    for target in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        file = (REPOSITORY / page).parent / path if path else REPOSITORY / page
        assert file.exists(), f"{page}: {target}"
        if anchor and file.suffix == ".md":
            assert anchor in _anchors(file), f"{page}: {target}"


def _anchors(file: Path) -> set[str]:
    """Anchors as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES)
def test_no_page_tells_anybody_to_install_a_name_of_a_public_index_that_is_not_ours(page: str) -> None:
    text = (REPOSITORY / page).read_text()
    assert not re.search(r"(pip|pipx|uv tool|uvx|krew) install ['\"]?seatpool(?![-/\w.])", text)
    assert not re.search(r"helm (install|upgrade|repo add)[^\n]*\bhttps?://", text)


def test_no_message_of_the_program_tells_anybody_to_either() -> None:
    for file in (REPOSITORY / "operator").rglob("*.py"):
        assert not re.search(r"pip install ['\"]?seatpool(?![-/\w.])", file.read_text()), file


@pytest.mark.parametrize("block", COMMANDS, ids=str)
def test_logs_are_read_from_all_pods(block: Block) -> None:
    for line in block.text.replace("\\\n", " ").splitlines():
        if "kubectl logs" in line:
            assert re.search(r"(-l|--selector)[ =]", line), f"one of two pods only: {line}"
            assert "--prefix" in line, f"nobody sees which pod a line is from: {line}"


def test_no_page_puts_a_file_into_the_folder_of_the_settings() -> None:
    """The chart mounts a ConfigMap there, in which no other file can be mounted."""
    for page in PAGES:
        found = re.findall(r"_file: (/etc/seatpool/\S+)", (REPOSITORY / page).read_text())
        assert not found, page


def test_examples_name_the_roles_that_the_stacks_make() -> None:
    """One name for one role, wherever a reader looks."""
    files = [*(REPOSITORY / "examples").rglob("*.yaml"), *(REPOSITORY / page for page in PAGES)]
    named = {role for file in files for role in re.findall(r":role/(seatpool[\w-]*)", file.read_text())}
    assert named <= {"seatpool-operator", "seatpool-reader", "seatpool-license-server", "seatpool-license-servers"}
