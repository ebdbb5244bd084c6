"""Makes the root file system of the image: what the operator needs to run, and nothing else.

python3 tools/image_root.py /opt/seatpool /root

The first argument is a virtual environment with Seatpool. The second is the folder that becomes the image. It has no
shell, no package manager and no pip: what is not there need not be patched and cannot be misused. Two generated
packages would be more than a third of the image: the classes of every Kubernetes resource, and the models of every AWS
service. Only the used parts are copied. Every module of Seatpool is imported in the finished root. So a missing file
fails the build and not the pod.

It runs during the image build, with the Python of the base image and its standard library only.
"""

import compileall
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path
from py_compile import PycInvalidationMode

AWS_SERVICES = ("dynamodb", "ec2", "ecs", "events", "s3", "sqs", "ssm", "sts")
"""Services that Seatpool has clients for. A test compares this with the code."""

LEFT_OUT_OF_PYTHON = re.compile(
    r"(?:test|idlelib|tkinter|turtledemo|ensurepip|lib2to3|pydoc_data|config-[^/]*|dist-packages|site-packages)/"
    r"|(?:.*/)?__pycache__/"
)

LEFT_OUT_OF_PACKAGES = re.compile(
    rf"botocore/data/(?!(?:{'|'.join(AWS_SERVICES)})/)[^/]+/"
    r"|kubernetes/(?:aio/)?client/(?:api|models)/(?!__init__\.py$)"
    r"|seatpool/sim/|seatpool/cli/demo_pages"
    r"|(?:.*/)?(?:__pycache__|tests)/"
    r"|.*\.pyi$"
)

SYSTEM_FILES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/os-release", "/usr/share/zoneinfo")

ACCOUNTS = {
    "passwd": "root:x:0:0:root:/:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n",
    "group": "root:x:0:\nnogroup:x:65534:\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}

NOT_INSTALLED = ("cryptography", "matplotlib", "mcp", "moto", "werkzeug")
"""Packages of extras that the image does not have: reports with plots, tools for assistants, and the stand-ins."""

IMPORT_ALL = f"""
import importlib, pkgutil, seatpool
for found in pkgutil.walk_packages(seatpool.__path__, "seatpool."):
    try:
        importlib.import_module(found.name)
    except ModuleNotFoundError as error:
        if error.name.partition(".")[0] not in {NOT_INSTALLED}:
            raise
        print(f"image: {{found.name}} needs {{error.name}} and cannot be used in it")
"""


class Root:
    """A folder that becomes a root file system. Files keep their absolute paths, and links stay links."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True)

    def at(self, path: Path) -> Path:
        return self.directory / path.relative_to("/")

    def add(self, path: Path) -> None:
        """Adds a file and its parent folders. If a parent is a link, the link and its target are added."""
        for place in (*reversed(path.parents), path):
            copy = self.at(place)
            if place.is_symlink():
                if not copy.is_symlink():
                    copy.symlink_to(place.readlink())
                self.add(Path(os.path.normpath(place.parent / place.readlink() / path.relative_to(place))))
                return
            if place.is_dir():
                copy.mkdir(exist_ok=True)
            elif not copy.exists():
                shutil.copy2(place, copy)

    def add_tree(self, top: Path, *, but: "re.Pattern[str] | None" = None) -> None:
        """Adds every file below `top` whose relative path does not match `but`."""
        for directory, folders, files in os.walk(top):
            here = Path(directory)
            for name in (*files, *(name for name in folders if (here / name).is_symlink())):
                if but is None or not but.match((here / name).relative_to(top).as_posix()):
                    self.add(here / name)

    def binaries(self) -> list[Path]:
        """Returns the programs and binary modules, by their paths in the image."""
        files = (path for path in self.directory.rglob("*") if path.is_file() and not path.is_symlink())
        return [Path("/") / path.relative_to(self.directory) for path in files if _is_elf(path)]


def _is_elf(path: Path) -> bool:
    with path.open("rb") as content:
        return content.read(4) == b"\x7fELF"


def libraries(binaries: Iterable[Path]) -> Iterator[Path]:
    """Returns the shared libraries that these load, as the loader finds them here."""
    for binary in binaries:
        told = subprocess.run(["ldd", binary], capture_output=True, text=True, check=False).stdout
        if "not found" in told:
            sys.exit(f"image: {binary} needs a library that the base image lacks:\n{told}")
        yield from (Path(found) for found in re.findall(r"(/\S+) \(0x", told))


def add_python(root: Root, environment: Path) -> None:
    """Adds the interpreter with its library, and the virtual environment."""
    root.add_tree(Path(sysconfig.get_path("stdlib")), but=LEFT_OUT_OF_PYTHON)
    root.add_tree(environment / "bin")
    root.add(environment / "pyvenv.cfg")
    (packages,) = environment.glob("lib/python3*/site-packages")
    root.add_tree(packages, but=LEFT_OUT_OF_PACKAGES)


def add_system(root: Root) -> None:
    """Adds libraries, certificates, time zones, and the files that a C library reads."""
    needed = set(libraries(root.binaries()))
    # The C library loads it by its name when a thread ends, which ldd does not see.
    needed |= {library.with_name("libgcc_s.so.1") for library in needed if library.name == "libc.so.6"}
    for library in needed:
        root.add(library)
    for path in map(Path, SYSTEM_FILES):
        root.add_tree(path) if path.is_dir() else root.add(path)
    for name, content in ACCOUNTS.items():
        (root.directory / "etc" / name).write_text(content)
    (root.directory / "tmp").mkdir(exist_ok=True)
    (root.directory / "tmp").chmod(0o1777)


def add_package_names(root: Root) -> None:
    """Records which Debian packages the files are from, where vulnerability scanners look without dpkg."""
    if not shutil.which("dpkg-query"):
        return
    paths = [*root.binaries(), Path(sysconfig.get_path("stdlib"), "os.py"), Path("/usr/share/zoneinfo/UTC")]
    # A package may have a library by the path that it had before /lib became a link to /usr/lib.
    spelled = {*map(str, paths), *(str(path).removeprefix("/usr") for path in paths)}
    owners = subprocess.run(["dpkg-query", "--search", *spelled], capture_output=True, text=True, check=False).stdout
    directory = root.directory / "var" / "lib" / "dpkg" / "status.d"
    directory.mkdir(parents=True)
    for package in {line.partition(": ")[0] for line in owners.splitlines()}:
        stanza = subprocess.run(["dpkg-query", "--status", package], capture_output=True, text=True, check=True).stdout
        (directory / package.partition(":")[0]).write_text(stanza)


def compile_all(root: Root) -> None:
    """Compiles bytecode that is never compared with its source, because neither can change in an image."""
    mode = PycInvalidationMode.UNCHECKED_HASH
    if not compileall.compile_dir(
        root.directory, stripdir=root.directory, quiet=1, maxlevels=30, workers=0, invalidation_mode=mode
    ):
        sys.exit("image: some modules cannot be compiled; see above")


def check(root: Root, environment: Path) -> None:
    """Imports every module in the finished root."""
    subprocess.run(["chroot", root.directory, environment / "bin" / "python", "-c", IMPORT_ALL], check=True)


def main(environment: Path, directory: Path) -> None:
    root = Root(directory)
    add_python(root, environment)
    add_system(root)
    add_package_names(root)
    compile_all(root)
    check(root, environment)


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute(), Path(sys.argv[2]).absolute())
