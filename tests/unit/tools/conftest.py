"""The modules of tools/ stand beside each other and outside the package, so they are found by path."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools"))
