"""Where a node of our own cannot be, and what is said then."""

import os
import sys

import own_machine
import pytest
import system_packages
from progress import SetupError


def test_another_system_than_linux_is_refused_with_both_ways_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(SetupError, match=r"needs Linux and this is darwin: use a Linux machine, or install kind"):
        own_machine.check()


@pytest.mark.skipif(sys.platform != "linux", reason="refused before")
def test_a_user_who_is_not_root_is_refused_before_anything_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SetupError, match=r"needs root, and this is user 1000: use sudo, or install kind"):
        own_machine.check()


def test_a_missing_program_is_named_with_its_package_where_nothing_may_be_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    needed = {"sh": "dash", "no-such-program": "no-such-package"}
    with pytest.raises(SetupError, match=r"a node needs no-such-program: as root, apt-get install no-such-package$"):
        system_packages.ensure(needed, why="a node")


def test_where_every_program_is_there_nothing_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    system_packages.ensure({"sh": "no-such-package"}, why="a node")
