"""Sets up everything that `make` needs, on a machine with only Python, Go and git.

python3 tools/bootstrap.py [--no-controlplane] [--print-assets]

This file alone must work with any old Python, because it says which Python is needed. The work is in the modules beside
it, which only a new Python imports. A second run takes a fraction of a second.
"""

import os
import sys

NEEDED = (3, 11)


def refuse_old_python():
    found = sys.version_info[:2]
    if found < NEEDED:
        sys.exit(
            "bootstrap: Python {} or newer is needed, and {} is Python {}.\n"
            "Install a newer one and name it: PYTHON=python3.12 make test".format(
                ".".join(map(str, NEEDED)), sys.executable, ".".join(map(str, found))
            )
        )


def main():
    refuse_old_python()
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
    sys.path[:0] = [here, os.path.join(os.path.dirname(here), "operator")]  # noqa: PTH118, PTH120
    import setup_steps

    return setup_steps.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
