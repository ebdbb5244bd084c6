"""Adds what draws plots to .venv, for `make bench` alone."""

import os
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY / "tools"), str(REPOSITORY / "operator")]

from progress import run  # noqa: E402
from python_environment import ensure_uv  # noqa: E402

if __name__ == "__main__":
    run(
        "plots (matplotlib, from uv.lock)",
        [ensure_uv(), "sync", "--frozen", "--inexact", "--extra", "sim", "--group", "bench", "--python", sys.executable],
        cwd=REPOSITORY,
        environ=os.environ | {"UV_PROJECT_ENVIRONMENT": ".venv", "UV_PYTHON_DOWNLOADS": "never"},
    )
