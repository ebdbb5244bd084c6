"""The image that holds a pod's namespaces open, written by hand: one program in one layer."""

import hashlib
import io
import json
import platform
import tarfile
from pathlib import Path

__all__ = ["write"]

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def write(program: Path, *, name: str, into: Path) -> None:
    """An archive as `docker save` makes it."""
    layer = _tar({"pause": (program.read_bytes(), 0o755)})
    settings = {
        "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {"Entrypoint": ["/pause"], "User": "65535:65535"},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    config = json.dumps(settings).encode()
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = json.dumps([{"Config": config_name, "RepoTags": [name], "Layers": ["layer.tar"]}]).encode()
    contents = {config_name: config, "layer.tar": layer, "manifest.json": manifest}
    into.write_bytes(_tar({file: (content, 0o644) for file, content in contents.items()}))


def _tar(files: dict[str, tuple[bytes, int]]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, (content, mode) in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
