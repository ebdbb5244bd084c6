"""What must be true of the tree itself."""

import ast
import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def test_the_folder_operator_is_no_package_that_would_hide_the_standard_librarys() -> None:
    assert not (REPOSITORY / "operator" / "__init__.py").exists()


def test_python_that_starts_in_the_repository_finds_the_standard_library() -> None:
    code = "import collections, operator; print(operator.__file__)"
    started = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert not Path(started.stdout.strip()).is_relative_to(REPOSITORY / "operator")


def test_one_module_hands_calls_to_executors() -> None:
    """Elsewhere a StopIteration in a thread would make its caller wait for ever."""
    found = set()
    for file in (REPOSITORY / "operator").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in {"run_in_executor", "to_thread", "wrap_future"}:
                found.add(file.relative_to(REPOSITORY / "operator/seatpool").as_posix())
    assert found == {"threads.py"}


def test_every_colour_of_a_screen_can_be_read_on_a_light_and_on_a_dark_terminal() -> None:
    unreadable = re.compile(r"(?:(?:bold|dim|on|not) )*(?:bright_)?(?:yellow|cyan|white|black)")
    for file in (REPOSITORY / "operator").rglob("*.py"):
        if "matplotlib" in (text := file.read_text()) or file.name == "help.py":
            continue  # a picture has its own background, and the help replaces the colours of Typer
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not unreadable.fullmatch(node.value), f"{file}: {node.value}"
