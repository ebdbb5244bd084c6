"""Runs `make audit`: pip-audit over the locked versions in the image, for known vulnerabilities.

pip-audit asks the package index. An index without information about vulnerabilities would look like "none found". So
pip-audit runs in strict mode: what cannot be audited is a failure.
"""

import os
import sys
import tempfile
from pathlib import Path

import python_environment
from progress import SetupError, run, say

REPOSITORY = Path(__file__).resolve().parent.parent
PIP_AUDIT = "pip-audit==2.10.1"
OF_THE_IMAGE = ("--no-default-groups", "--extra=history", "--extra=tracing", "--extra=web", "--no-emit-project")


def main() -> int:
    try:
        uv = python_environment.ensure_uv()
        with tempfile.TemporaryDirectory() as directory:
            locked = Path(directory) / "requirements.txt"
            export = [uv, "export", "--frozen", "--quiet", *OF_THE_IMAGE, f"--output-file={locked}"]
            run("locked versions", export, cwd=REPOSITORY, environ=os.environ)
            audit = [uv, "tool", "run", PIP_AUDIT, "--strict", "--disable-pip", "--require-hashes", "-r", locked]
            run("pip-audit", audit, cwd=REPOSITORY, environ=os.environ)
    except SetupError as error:
        say(f"error: {error}")
        return 1
    say("no known vulnerabilities")
    return 0


if __name__ == "__main__":
    sys.exit(main())
