"""`make audit`: known vulnerabilities in what the image is made of, by pip-audit over the locked versions.

pip-audit asks the package index. With an index that does not answer about vulnerabilities it would find none and be
content, so it is told to be strict: what could not be audited is a failure, too.
"""

import os
import sys
import tempfile
from pathlib import Path

import python_environment
from progress import SetupError, run, say

REPOSITORY = Path(__file__).resolve().parent.parent
PIP_AUDIT = "pip-audit==2.10.1"
OF_THE_IMAGE = ("--no-default-groups", "--extra=history", "--extra=tracing", "--no-emit-project")


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
