"""Lists in an options file and in list files, by the real script in a real shell behind the stand-in of SSM."""

import logging
from collections.abc import Iterator

import pytest
from tests.integration.backends.conformance import *  # noqa: F403
from tests.integration.backends.files.site import CsvSite, FileSite, IniSite, JsonSite, LinesSite, OptionsSite

from seatpool.servers.ssm.document import document_json
from seatpool.sim.aws import AwsStandIn
from seatpool.sim.site import Site as SsmSite

LIVES = "test_a_random_life_"


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsStandIn]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with AwsStandIn(tmp_path_factory.mktemp("aws")) as aws:
        yield aws


KINDS = (
    OptionsSite,
    LinesSite,
    *(pytest.param(kind, marks=pytest.mark.thorough) for kind in (IniSite, JsonSite, CsvSite)),
)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def site(stand_in: AwsStandIn, request: pytest.FixtureRequest) -> Iterator[FileSite]:
    if request.param is not OptionsSite and request.node.name.startswith(LIVES):
        pytest.skip("a list file goes the way of an options file, which lives this life")
    stand_in.control.reset()
    made = SsmSite.create(stand_in, document=document_json(), queue=None)
    site = request.param(made, made.add_license_server())
    yield site
    site.close()
    stand_in.control.reset()
