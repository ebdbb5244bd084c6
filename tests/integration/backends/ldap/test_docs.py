"""The example of docs/backends/ldap.md, carried out as it is written."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from tests.conftest import REPOSITORY
from tests.integration.backends.conformance import run_one, write
from tests.integration.backends.ldap.slapd import ROOT, ROOT_PASSWORD, running_slapd
from tests.integration.backends.site import TIMEOUT, UNDISTURBED, direct_backend

from seatpool.api.licenseserver import LicenseServer
from seatpool.api.list_backends import LdapSettings
from seatpool.servers.ldap.factory import make_target

PAGE = REPOSITORY / "docs" / "backends" / "ldap.md"
HOST = "ldaps://directory.example.com"


def block(kind: str) -> str:
    found = re.search(rf"^```{kind}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert found is not None, kind
    return found[1]


def carry_out(command: str, folder: Path, authority: Path) -> None:
    environment = {"LDAPTLS_CACERT": str(authority), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command.split(), cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


async def test_the_example_makes_a_list(tmp_path: Path) -> None:
    if shutil.which("ldapadd") is None:
        pytest.skip("ldapadd is not installed (Debian: apt-get install ldap-utils)")
    tree = (
        "dn: dc=example,dc=com\nobjectClass: dcObject\nobjectClass: organization\no: Example\n\n"
        + "".join(
            f"dn: ou={unit},dc=example,dc=com\nobjectClass: organizationalUnit\n\n"
            for unit in ("people", "groups", "services")
        )
        + "dn: uid=ann,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\ncn: Ann\nsn: Example\n"
    )
    (tmp_path / "tree.ldif").write_text(tree)
    (tmp_path / "seatpool.ldif").write_text(block("ldif"))
    add = next(line for line in block("sh").splitlines() if line.startswith("ldapadd "))
    with running_slapd(rights=block("text")) as slapd:
        url = f"ldaps://127.0.0.1:{slapd.tls_port}"
        assert f"-D {ROOT} " in add
        add = add.replace(HOST, url).replace(" -W ", f" -w {ROOT_PASSWORD} ")
        for command in (add.replace("seatpool.ldif", "tree.ldif"), add):
            carry_out(command, tmp_path, slapd.folder / "ca.pem")
        settings = LicenseServer.model_validate(yaml.safe_load(block("yaml"))).spec.settings
        assert isinstance(settings, LdapSettings)
        assert settings.url == HOST
        target = make_target(
            settings.model_copy(update={"url": url}),
            secrets={"directory/ca.crt": slapd.authority.pem, "directory/password": "change-me"},
            timeout=TIMEOUT,
        )
        backend = direct_backend(target, names=None, timeout=TIMEOUT, disturbance=UNDISTURBED)
        for revision, users in enumerate((("ann",), (), ("ann",)), start=1):
            result = await run_one(backend, write(revision, *users, product="matlab"))
            assert (result.users, result.fence, result.detail) == (users, revision, "")
        await target.close()
