"""The chart installed on a node that really runs pods, between stand-ins that they reach over the network.

`make e2e` provides the node and runs this; `make test` passes it by, because it takes minutes and needs a machine of its
own. Times are told at the end and never judged.
"""

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.e2e_node.cluster.provided import Cluster, chosen
from tests.e2e_node.measures import Measures
from tests.e2e_node.office import Office
from tests.e2e_node.release import Release

from seatpool.servers.ssm.document import document_json
from seatpool.sim.aws import AwsProcess
from seatpool.sim.site import Site

PREPARED = "SEATPOOL_E2E" in os.environ

collect_ignore_glob = [] if PREPARED else ["test_*.py"]

MEASURES = pytest.StashKey[Measures]()
WITNESSES = pytest.StashKey[list[Callable[[], str]]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[MEASURES] = Measures()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if told := config.stash[MEASURES].lines():
        terminalreporter.section("measured")
        terminalreporter.write("\n".join(told) + "\n")


@pytest.fixture(scope="session")
def measures(request: pytest.FixtureRequest) -> Measures:
    return request.config.stash[MEASURES]


@pytest.fixture(scope="session")
def directory() -> Path:
    return Path(os.environ["SEATPOOL_E2E_DIRECTORY"])


@pytest.fixture(scope="session")
def cluster(directory: Path, measures: Measures) -> Iterator[Cluster]:
    with ExitStack() as ending:
        with measures.timed("cluster with one node, and the image on it"):
            provided = ending.enter_context(chosen(directory))
        yield provided


@pytest.fixture(scope="session")
def office(cluster: Cluster, directory: Path) -> Iterator[Office]:
    """People with workbenches, and the license server whose list they want to be on."""
    with AwsProcess(directory / "aws", host=cluster.stand_in_host) as aws:
        site = Site.create(aws, document=document_json())
        yield Office(site, site.add_license_server())


@pytest.fixture(scope="session")
def release(
    cluster: Cluster, office: Office, directory: Path, measures: Measures, request: pytest.FixtureRequest
) -> Release:
    """The chart, installed as a user does it, with what makes it work between stand-ins."""
    release = Release(cluster.kubeconfig, directory=directory)
    request.config.stash[WITNESSES] = [release.told, cluster.told]
    with measures.timed("helm install --wait"):
        release.install(office.values(namespace=release.namespace))
    release.kubectl("apply", "--server-side", "-f", "-", input=office.objects(namespace=release.namespace))
    return release


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What pods and node said, beside the failure: they are gone when somebody looks."""
    report = yield
    if report.failed:
        for witness in item.config.stash.get(WITNESSES, []):
            report.sections.append(("what the cluster told", witness()))
    return report
