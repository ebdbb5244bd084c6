"""What goes into the image and what stays out."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import image_root
import pytest
from image_root import AWS_SERVICES, LEFT_OUT_OF_PACKAGES, LEFT_OUT_OF_PYTHON, Root

PACKAGE = Path(__file__).resolve().parents[3] / "operator" / "seatpool"


def clients_made() -> Iterator[str]:
    for file in PACKAGE.rglob("*.py"):
        if "sim" in file.relative_to(PACKAGE).parts:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "client":
                yield from (argument.value for argument in node.args[:1] if isinstance(argument, ast.Constant))


def test_the_models_of_exactly_the_services_that_the_code_has_clients_for_are_in_the_image() -> None:
    assert sorted(set(clients_made())) == sorted(AWS_SERVICES)


@pytest.mark.parametrize(
    "path",
    [
        "botocore/data/dynamodbstreams/2012-08-10/service-2.json.gz",
        "botocore/data/s3control/2018-08-20/service-2.json.gz",
        "kubernetes/client/models/v1_pod.py",
        "kubernetes/aio/client/api/core_v1_api.py",
        "seatpool/sim/aws.py",
        "yaml/__pycache__/loader.cpython-311.pyc",
        "multidict/tests/test_types.py",
        "duckdb/__init__.pyi",
    ],
)
def test_of_the_packages_this_stays_out(path: str) -> None:
    assert LEFT_OUT_OF_PACKAGES.match(path)


@pytest.mark.parametrize(
    "path",
    [
        "botocore/data/endpoints.json",
        "botocore/data/sqs/2012-11-05/service-2.json.gz",
        "kubernetes/client/models/__init__.py",
        "kubernetes/aio/config/incluster_config.py",
        "seatpool/servers/ssm/apply.sh",
        "seatpool/simulation.py",
        "yaml/loader.py",
    ],
)
def test_of_the_packages_this_is_taken(path: str) -> None:
    assert not LEFT_OUT_OF_PACKAGES.match(path)


def test_of_python_itself_pip_and_its_own_tests_stay_out() -> None:
    names = ["ensurepip/__init__.py", "test/test_os.py", "site-packages/pip/__main__.py", "json/__pycache__/x.pyc"]
    assert [name for name in names if not LEFT_OUT_OF_PYTHON.match(name)] == []
    assert not LEFT_OUT_OF_PYTHON.match("unittest/case.py")


def test_a_file_behind_links_is_found_under_both_names(tmp_path: Path) -> None:
    system = tmp_path / "system"
    (system / "usr" / "lib").mkdir(parents=True)
    (system / "usr" / "lib" / "libz.so.1.2").write_text("code")
    (system / "usr" / "lib" / "libz.so.1").symlink_to("libz.so.1.2")
    (system / "lib").symlink_to("usr/lib")
    root = Root(tmp_path / "root")
    root.add(system / "lib" / "libz.so.1")
    copied = root.at(system)
    assert (copied / "lib").readlink() == Path("usr/lib")
    assert (copied / "usr" / "lib" / "libz.so.1").readlink() == Path("libz.so.1.2")
    assert (copied / "lib" / "libz.so.1").read_text() == "code"


def test_a_tree_is_taken_but_for_what_is_left_out(tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    for name in ("kubernetes/client/models/v1_pod.py", "kubernetes/client/rest.py", "yaml/loader.pyi"):
        (packages / name).parent.mkdir(parents=True, exist_ok=True)
        (packages / name).touch()
    root = Root(tmp_path / "root")
    root.add_tree(packages, but=LEFT_OUT_OF_PACKAGES)
    copied = root.at(packages)
    assert [path.relative_to(copied).as_posix() for path in copied.rglob("*.py*")] == ["kubernetes/client/rest.py"]


@pytest.mark.skipif(sys.platform != "linux", reason="ldd is Linux's")
def test_the_libraries_of_a_program_are_those_that_its_loader_finds() -> None:
    found = set(image_root.libraries([Path(sys.executable).resolve()]))
    assert all(path.exists() for path in found)
    assert any(path.name.startswith("libc.so") for path in found)
