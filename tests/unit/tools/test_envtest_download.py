"""Ready-made control-plane programs from an index like envtest's, served here on loopback."""

import hashlib
import io
import tarfile
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from envtest_download import download
from progress import SetupError

from seatpool.sim import binaries

ARCHIVE = f"envtest-v{binaries.KUBERNETES_VERSION}-{binaries.target()}.tar.gz"


def archive_of(*names: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(name)
            archive.addfile(member, io.BytesIO(name.encode()))
    return stream.getvalue()


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Put an archive and an index that names it on a web server."""
    site = tmp_path / "site"
    site.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(site))  # type: ignore[arg-type]

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("SEATPOOL_ENVTEST_INDEX", f"{address}/index.yaml")
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    def put(content: bytes, *, name: str = ARCHIVE, sha512: str | None = None) -> None:
        (site / name).write_bytes(content)
        (site / "index.yaml").write_text(
            "releases:\n"
            "  v1.28.0:\n"
            "    envtest-v1.28.0-linux-amd64.tar.gz:\n"
            f"      hash: {'0' * 128}\n"
            f"      selfLink: {address}/absent.tar.gz\n"
            f"  v{binaries.KUBERNETES_VERSION}:\n"
            f"    {name}:\n"
            f"      hash: {sha512 or hashlib.sha512(content).hexdigest()}\n"
            f"      selfLink: {address}/{name}\n"
        )

    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield put
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def into(tmp_path: Path) -> Path:
    (tmp_path / "into").mkdir()
    return tmp_path / "into"


def test_the_programs_come_out_of_the_archive_and_nothing_else_does(publish: Callable[..., None], into: Path) -> None:
    wanted = [f"controller-tools/envtest/{name}" for name in binaries.PROGRAMS]
    publish(archive_of(*wanted, "controller-tools/envtest/README", "../../escaped"))
    assert download(into)
    assert binaries.missing(into) == ()
    assert sorted(path.name for path in into.iterdir()) == sorted(binaries.PROGRAMS)
    assert (into / "etcd").read_text() == "controller-tools/envtest/etcd"


def test_an_archive_that_differs_from_its_sha512_is_refused(publish: Callable[..., None], into: Path) -> None:
    publish(archive_of(*binaries.PROGRAMS), sha512="f" * 128)
    with pytest.raises(SetupError, match="damaged or changed"):
        download(into)
    assert list(into.iterdir()) == []


def test_a_version_that_the_index_does_not_have_is_said_and_not_fetched(
    publish: Callable[..., None], into: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(archive_of(*binaries.PROGRAMS), name="envtest-v1.2.3-linux-amd64.tar.gz")
    assert not download(into)
    assert f"no ready-made {ARCHIVE}" in capsys.readouterr().err


def test_an_archive_that_lacks_a_program_is_said_and_not_used(
    publish: Callable[..., None], into: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(archive_of("etcd", "kubectl"))
    assert not download(into)
    assert "the archive lacks kube-apiserver" in capsys.readouterr().err


def test_a_network_without_a_way_there_is_said_in_one_line(
    into: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("SEATPOOL_ENVTEST_INDEX", "http://127.0.0.1:1/index.yaml")
    assert not download(into)
    assert capsys.readouterr().err.count("\n") == 1
