"""Makes the virtual environment, exactly as in uv.lock.

uv is installed from the package index in a pinned version, because an installed uv may not know the revision of the
lock file. Only its program is kept. Unlike its virtual environment it can be moved.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from progress import SetupError, run, say
from whole import exclusive, folder

from seatpool.sim.binaries import cache_dir, target

UV_VERSION = "0.13.9"

STAMP = ".seatpool-stamp"


def ensure(repository: Path) -> None:
    """Makes or renews .venv, unless the same Python made it from the same files in the same place."""
    wanted = _fingerprint(repository)
    if _is_current(repository, wanted):
        return
    place = hashlib.sha256(os.fsencode(repository)).hexdigest()[:12]
    with exclusive(f"venv-{place}", cache=cache_dir()):
        if _is_current(repository, wanted):
            return
        uv = ensure_uv()
        _stamp(repository).unlink(missing_ok=True)
        environ = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
        settings = {"UV_PROJECT_ENVIRONMENT": ".venv", "UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"}
        run(
            "Python environment (.venv from uv.lock)",
            [uv, "sync", "--frozen", "--all-extras", "--python", sys.executable],
            cwd=repository,
            environ=environ | settings,
        )
        _stamp(repository).write_text(wanted)


def ensure_uv() -> Path:
    """Returns the pinned uv in the cache, and installs it if it is missing."""
    cache = cache_dir()
    home = cache / f"uv-{UV_VERSION}-{target()}"
    if os.access(home / "uv", os.X_OK):
        return home / "uv"
    with exclusive(home.name, cache=cache):
        if os.access(home / "uv", os.X_OK):
            return home / "uv"
        with folder(home) as partial:
            _install_uv(partial / "venv")
            (partial / "venv" / "bin" / "uv").rename(partial / "uv")
            shutil.rmtree(partial / "venv")
    return home / "uv"


def _install_uv(venv: Path) -> None:
    made = subprocess.run([sys.executable, "-m", "venv", venv], capture_output=True, text=True, check=False)
    if made.returncode:
        raise SetupError(
            f"{sys.executable} cannot make a virtual environment (on Debian: apt-get install python3-venv). "
            f"It said:\n    {(made.stdout + made.stderr).strip()}"
        )
    run(
        f"uv {UV_VERSION} from the package index",
        [venv / "bin" / "python", "-m", "pip", "install", "--quiet", "--only-binary=:all:", f"uv=={UV_VERSION}"],
        cwd=venv,
        environ=os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"},
    )


def _stamp(repository: Path) -> Path:
    return repository / ".venv" / STAMP


def _fingerprint(repository: Path) -> str:
    """Returns what .venv depends on. Its scripts have its absolute path, so a moved clone needs a new one too."""
    digest = hashlib.sha256(f"{UV_VERSION}\n{sys.version}\n{sys.executable}\n{repository}\n".encode())
    for name in ("pyproject.toml", "uv.lock"):
        try:
            digest.update((repository / name).read_bytes())
        except OSError as error:
            raise SetupError(f"{repository / name} cannot be read ({error.strerror}): not a whole clone?") from error
    return digest.hexdigest()


def _is_current(repository: Path, wanted: str) -> bool:
    try:
        current = _stamp(repository).read_text() == wanted
    except OSError:
        return False
    if current and not os.access(repository / ".venv" / "bin" / "python", os.X_OK):
        say(".venv has lost its Python; making it again")
        return False
    return current
