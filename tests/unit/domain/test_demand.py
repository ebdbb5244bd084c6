"""The index always says what a count over all workbenches would say."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from seatpool.domain.demand import DemandIndex, PoolSelector, WorkbenchFact
from seatpool.domain.need import Need

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
ACTIVE = frozenset({"pending", "running"})


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def workbench(
    key: str, owner: str = "ann", *, kind: str = "vew-m", state: str = "running", since: int = 0, namespace: str = "a"
) -> WorkbenchFact:
    return WorkbenchFact(key, namespace, owner, kind, state, at(since))


def pool(key: str, *types: str, namespaces: tuple[str, ...] = ("a",), states: frozenset[str] = ACTIVE) -> PoolSelector:
    return PoolSelector(key, "a", frozenset(namespaces), types or ("vew-m",), states)


@pytest.fixture
def index() -> DemandIndex:
    index = DemandIndex()
    index.put_pool(pool("m"))
    index.put_pool(pool("all", "*", namespaces=("*",)))
    index.put_pool(pool("other", "vew-x"))
    return index


def test_a_start_makes_a_need_in_the_pools_of_its_type(index: DemandIndex) -> None:
    assert index.put(workbench("w1")) == {"m", "all"}
    assert index.needs("m") == {"ann": Need("ann", at(0))}
    assert index.needs("other") == {}
    assert index.pools_of("w1") == {"m", "all"}


def test_pending_that_becomes_running_changes_nothing(index: DemandIndex) -> None:
    index.put(workbench("w1", state="pending"))
    assert index.put(workbench("w1", state="running")) == set()


def test_the_same_fact_again_changes_nothing(index: DemandIndex) -> None:
    index.put(workbench("w1"))
    assert index.put(workbench("w1")) == set()


def test_a_need_goes_on_until_the_last_workbench_stops(index: DemandIndex) -> None:
    index.put(workbench("w1", since=1))
    assert index.put(workbench("w2", since=5)) == {"m", "all"}
    assert index.workbenches_of("m", "ann") == {"w1", "w2"}
    index.put(workbench("w1", since=1, state="stopped"))
    assert index.needs("m") == {"ann": Need("ann", at(5))}
    assert index.put(workbench("w2", since=5, state="stopping")) == {"m", "all"}
    assert index.needs("m") == {}
    assert index.workbenches_of("m", "ann") == frozenset()


def test_the_eldest_workbench_is_found_while_another_one_restarts_all_day(index: DemandIndex) -> None:
    index.put(workbench("w1", since=5))
    index.put(workbench("w2", since=0))
    for minute in range(10, 100):
        index.put(workbench("w3", since=minute))
        assert index.needs("m") == {"ann": Need("ann", at(0))}
    index.remove("w2")
    assert index.needs("m") == {"ann": Need("ann", at(5))}
    index.remove("w1")
    assert index.needs("m") == {"ann": Need("ann", at(99))}


def test_a_stopped_workbench_still_knows_its_pools(index: DemandIndex) -> None:
    index.put(workbench("w1", state="stopped"))
    assert index.pools_of("w1") == {"m", "all"}
    assert index.remove("w1") == set()
    assert index.pools_of("w1") == frozenset()


def test_a_new_owner_takes_the_need_over(index: DemandIndex) -> None:
    index.put(workbench("w1", "ann"))
    assert index.put(workbench("w1", "bob", since=3)) == {"m", "all"}
    assert index.needs("m") == {"bob": Need("bob", at(3))}


def test_a_new_type_moves_the_need_to_other_pools(index: DemandIndex) -> None:
    index.put(workbench("w1"))
    assert index.put(workbench("w1", kind="vew-x")) == {"m", "other"}
    assert (index.needs("m"), set(index.needs("other"))) == ({}, {"ann"})


def test_a_pool_without_namespaces_serves_its_own(index: DemandIndex) -> None:
    index.put_pool(pool("own", namespaces=()))
    index.put(workbench("w1"))
    index.put(workbench("w2", "bob", namespace="b"))
    assert set(index.needs("own")) == {"ann"}
    assert set(index.needs("all")) == {"ann", "bob"}


def test_a_pools_own_active_states_decide(index: DemandIndex) -> None:
    index.put_pool(pool("m", states=frozenset({"stopped"})))
    assert index.put(workbench("w1", state="stopped")) == {"m"}
    assert index.put(workbench("w1", state="running")) == {"m", "all"}


def test_what_is_unknown_has_no_demand() -> None:
    index = DemandIndex()
    assert index.needs("m") == {}
    assert index.workbenches("m") == {}
    assert index.workbenches_of("m", "ann") == frozenset()
    assert index.pools_of("w1") == frozenset()
    assert index.remove("w1") == set()
    index.remove_pool("m")


def test_needs_cannot_be_changed_from_outside(index: DemandIndex) -> None:
    with pytest.raises(TypeError):
        index.needs("m")["eve"] = Need("eve", at(0))  # type: ignore[index]


@dataclass
class Truth:
    """Counts everything anew for every question."""

    facts: dict[str, WorkbenchFact] = field(default_factory=dict)
    pools: dict[str, PoolSelector] = field(default_factory=dict)

    def serves(self, key: str, fact: WorkbenchFact) -> bool:
        selector = self.pools[key]
        here = fact.namespace in selector.namespaces or "*" in selector.namespaces
        return here and any(fnmatchcase(fact.type, pattern) for pattern in selector.types)

    def workbenches(self, key: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for fact in self.facts.values():
            if self.serves(key, fact) and fact.state in self.pools[key].active_states:
                found.setdefault(fact.owner, set()).add(fact.key)
        return found

    def needs(self, key: str) -> dict[str, Need]:
        return {
            user: Need(user, min(self.facts[name].active_since for name in names))
            for user, names in self.workbenches(key).items()
        }

    def answers(self) -> dict[str, object]:
        return {key: (self.needs(key), self.workbenches(key)) for key in self.pools}


FACTS = st.builds(
    WorkbenchFact,
    key=st.sampled_from(["w1", "w2", "w3", "w4", "w5", "w6"]),
    namespace=st.sampled_from(["a", "b"]),
    owner=st.sampled_from(["ann", "bob"]),
    type=st.sampled_from(["vew-m", "vew-x", "lab"]),
    state=st.sampled_from(["pending", "running", "stopped"]),
    active_since=st.integers(0, 4).map(at),
)
SELECTORS = st.builds(
    PoolSelector,
    key=st.sampled_from(["p1", "p2", "p3"]),
    namespace=st.just("a"),
    namespaces=st.sets(st.sampled_from(["a", "b", "*"]), min_size=1).map(frozenset),
    types=st.lists(st.sampled_from(["vew-*", "vew-m", "lab", "*", "[lv]*"]), min_size=1, max_size=2).map(tuple),
    active_states=st.sampled_from([ACTIVE, frozenset({"running"}), frozenset({"stopped", "running"})]),
)


class Changes(RuleBasedStateMachine):
    """Random news, compared with a count over everything after each."""

    def __init__(self) -> None:
        super().__init__()
        self.index = DemandIndex()
        self.truth = Truth()

    @rule(fact=FACTS)
    def put(self, fact: WorkbenchFact) -> None:
        before = self.truth.answers()
        self.truth.facts[fact.key] = fact
        self.compare_dirty(before, self.index.put(fact))

    @rule(key=st.sampled_from(["w1", "w2", "w3", "w4", "w5", "w6"]))
    def remove(self, key: str) -> None:
        before = self.truth.answers()
        self.truth.facts.pop(key, None)
        self.compare_dirty(before, self.index.remove(key))

    def compare_dirty(self, before: dict[str, object], dirty: set[str]) -> None:
        now = self.truth.answers()
        changed = {key for key in now if now[key] != before[key]}
        assert changed <= dirty

    @rule(fact=FACTS)
    def repeat(self, fact: WorkbenchFact) -> None:
        self.put(fact)
        assert self.index.put(fact) == set()

    @rule(times=st.integers(10, 40), data=st.data())
    def restart_again_and_again(self, times: int, data: st.DataObject) -> None:
        fact = data.draw(FACTS)
        for minute in range(times):
            state = "running" if minute % 2 else "stopped"
            self.put(WorkbenchFact(fact.key, fact.namespace, fact.owner, fact.type, state, at(minute // 2)))

    @rule(selector=SELECTORS)
    def put_pool(self, selector: PoolSelector) -> None:
        self.truth.pools[selector.key] = selector
        self.index.put_pool(selector)

    @rule(key=st.sampled_from(["p1", "p2", "p3"]))
    def remove_pool(self, key: str) -> None:
        self.truth.pools.pop(key, None)
        self.index.remove_pool(key)

    @invariant()
    def the_index_says_what_a_count_says(self) -> None:
        for key in ("p1", "p2", "p3"):
            known = key in self.truth.pools
            assert dict(self.index.needs(key)) == (self.truth.needs(key) if known else {})
            workbenches = self.truth.workbenches(key) if known else {}
            assert dict(self.index.workbenches(key)) == workbenches
            for user in ("ann", "bob"):
                assert self.index.workbenches_of(key, user) == workbenches.get(user, set())
        for name in ("w1", "w2", "w3", "w4", "w5", "w6"):
            fact = self.truth.facts.get(name)
            served = {key for key in self.truth.pools if fact is not None and self.truth.serves(key, fact)}
            assert self.index.pools_of(name) == served


Changes.TestCase.settings = settings(max_examples=60, stateful_step_count=25)
TestChanges = Changes.TestCase
