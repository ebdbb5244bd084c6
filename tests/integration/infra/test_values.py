"""The values that are synthesised beside the templates, given to the chart."""

import subprocess
from pathlib import Path

import yaml

from seatpool.sim import binaries
from seatpool_infra.__main__ import EXAMPLE
from seatpool_infra.operator_settings import SETTINGS, VALUES, write_settings
from seatpool_infra.site import load_site

CHART = Path(__file__).parents[3] / "charts" / "seatpool"


def test_the_chart_takes_them_and_mounts_the_same_settings(tmp_path: Path) -> None:
    site = load_site(EXAMPLE)
    write_settings(site, tmp_path)
    helm = binaries.find_helm()
    assert helm is not None, "no helm: run make bootstrap"
    command = [helm, "template", "seatpool", CHART, "--namespace", "seatpool", "--values", tmp_path / VALUES]
    rendered = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    objects = [each for each in yaml.safe_load_all(rendered) if each]
    (account,) = (each for each in objects if each["kind"] == "ServiceAccount")
    assert account["metadata"]["name"] == site.license.service_account
    assert account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"] == site.operator_role_arn
    mounted = [
        yaml.safe_load(text) for each in objects if each["kind"] == "ConfigMap" for text in each["data"].values()
    ]
    wanted = yaml.safe_load((tmp_path / SETTINGS).read_text())
    assert any(wanted.items() <= settings.items() for settings in mounted if isinstance(settings, dict))
