"""Garbage collection is arranged for a process that asked for it, and for no other."""

import gc
from collections.abc import Iterator

import pytest

from seatpool.control.runtime import gc_tuning


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)
    gc.enable()


def test_what_is_there_is_set_aside_when_a_process_put_it_off() -> None:
    gc_tuning.disable_until_loaded()
    assert not gc.isenabled()
    gc_tuning.freeze_and_enable()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0
    assert gc.get_threshold() == gc_tuning.THRESHOLDS


def test_an_operator_in_the_process_of_another_leaves_the_collector_alone() -> None:
    thresholds, frozen = gc.get_threshold(), gc.get_freeze_count()
    gc_tuning.freeze_and_enable()
    assert (gc.get_threshold(), gc.get_freeze_count()) == (thresholds, frozen)
