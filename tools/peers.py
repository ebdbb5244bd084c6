"""Runs `make peers`: lists on a real Keycloak, which Maven fetches from Maven Central once.

It needs Java 17 or newer and Maven. Unknown arguments are passed to pytest.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from progress import SetupError, run, say
from whole import exclusive

from seatpool.sim.binaries import cache_dir

REPOSITORY = Path(__file__).resolve().parent.parent
VERSION = "26.7.3"
ARTIFACT = f"org.keycloak:keycloak-quarkus-dist:{VERSION}:zip"


def keycloak() -> Path:
    """Returns the folder of Keycloak. It is fetched if the cache has none."""
    home = cache_dir() / f"keycloak-{VERSION}"
    with exclusive(home.name, cache=home.parent):
        if not home.exists():
            for program in ("java", "mvn"):
                if shutil.which(program) is None:
                    raise SetupError(f"{program} is not on PATH: install it (Debian: default-jre-headless, maven)")
            with tempfile.TemporaryDirectory(dir=home.parent, prefix=".keycloak-") as folder:
                fetch = ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={ARTIFACT}", f"-DoutputDirectory={folder}"]
                run("Keycloak from Maven Central", fetch, cwd=Path(folder), environ=os.environ)
                with zipfile.ZipFile(Path(folder) / f"keycloak-quarkus-dist-{VERSION}.zip") as archive:
                    archive.extractall(folder)
                unpacked = Path(folder) / f"keycloak-{VERSION}"
                (unpacked / "bin" / "kc.sh").chmod(0o755)
                unpacked.rename(home)
    return home


def main() -> int:
    try:
        with tempfile.TemporaryDirectory(prefix="seatpool-peers-") as folder:
            mine = Path(folder) / "keycloak"  # the server writes into its own folder
            shutil.copytree(keycloak(), mine)
            tests = [sys.executable, "-m", "pytest", "tests/peers", *sys.argv[1:]]
            told = os.environ | {"SEATPOOL_KEYCLOAK": str(mine)}
            return subprocess.run(tests, env=told, cwd=REPOSITORY, check=False).returncode
    except SetupError as error:
        say(f"error: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
