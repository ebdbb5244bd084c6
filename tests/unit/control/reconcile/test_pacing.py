"""A product whose client hangs delays the others for a bounded time only, and is tried less and less often."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.control.objects import known, standing
from tests.unit.control.server_states import Clock, advanced, facts_of, moment, server_state

from seatpool.api.annotations import VERIFY
from seatpool.api.reasons import ConditionReason
from seatpool.control.reconcile.diff import Write, diff
from seatpool.control.reconcile.observed import is_verification_due, lists_done, lists_due
from seatpool.control.reconcile.pacing import STEADY, Pace, Work, next_batch
from seatpool.control.reconcile.requeue import has_more_to_do, requeue_after
from seatpool.control.reconcile.server_state import ServerState, WriteReason
from seatpool.control.reconcile.step_results import (
    CommandApplied,
    ListsInDoubt,
    ListsRead,
    ListsVerified,
    PassBegun,
    PassDone,
    ServerFailed,
    StepResult,
)
from seatpool.control.sinks import facts
from seatpool.control.state.moment import Moment
from seatpool.servers.backend import Capabilities, Fence
from seatpool.servers.command_result import CommandResult, Late, ProductResult, Result
from seatpool.servers.commands import ListChange
from seatpool.servers.errors import CommandFault, TransportError

NODE = "i-0123456789abcdef0"
TIMEOUT = 60.0
FOREVER = 10.0**9
HOURS = 2
LONGEST_PAUSE = 10 * TIMEOUT
OVERRUN = TransportError(CommandFault.EXECUTION_TIMED_OUT, "killed", maybe_applied=True, is_known_to_have_ended=True)
UNREACHABLE = TransportError(CommandFault.UNREACHABLE, "no answer", maybe_applied=False)


def late(kind: Late, users: tuple[str, ...] | None = None) -> ProductResult:
    return ProductResult(result=Result.FAILED, late=kind, users=users, exit_code=124, detail="stopped after 9 s")


def good(*users: str) -> ProductResult:
    return ProductResult(result=Result.APPLIED, users=users, fence=8, owner="ours")


def written(at: float = 0, **results: ProductResult) -> CommandApplied:
    writes = tuple(
        Write(ListChange(product=product, users=("ann",), seats=2), WriteReason.DIFFERS) for product in results
    )
    answer = CommandResult(revision=8, products=results)
    return CommandApplied(writes=writes, result=answer, command_id="c-1", node=NODE, at=moment(at))


def listed(at: float = 0, **results: ProductResult) -> ListsRead:
    answer = CommandResult(revision=1, products=results)
    return ListsRead(products=tuple(results), result=answer, node=NODE, at=moment(at))


def overrun(*products: str, work: Work = Work.WRITE, at: float = 0) -> ServerFailed:
    return ServerFailed(error=OVERRUN, products=products, work=work, at=moment(at))


def four() -> ServerState:
    """Four products, each of whose lists has to be written."""
    return server_state({name: standing("ann", observed=known("bob")) for name in "abcd"})


def batch(state: ServerState, *, at: float = 0) -> list[str]:
    writes = diff(state, {}, at=moment(at))
    return [
        write.change.product for write in next_batch(writes, lambda write: state.pace(write.change.product, Work.WRITE))
    ]


def failure(state: ServerState, product: str) -> ConditionReason | None:
    found = state.view.pool_states[f"lab/{product}"].failure
    return None if found is None else found.reason


# -- the size of the next command ------------------------------------------------------------------------------------------


def test_after_a_command_that_was_killed_as_a_whole_the_next_ones_carry_half_and_then_one() -> None:
    state, sizes = four(), []
    for _ in range(3):
        products = batch(state)
        sizes.append(len(products))
        state = advanced(state, overrun(*products))
    assert sizes == [4, 2, 2], "the two that were not in the second command go before those that were"
    assert batch(state) == ["a"]


def test_a_product_that_was_killed_alone_is_named_and_the_server_is_not_to_blame() -> None:
    state = advanced(four(), written(a=good("ann"), b=good("ann"), c=good("ann")))
    assert batch(state) == ["d"]
    told = facts_of(state, overrun("d"))
    (failed,) = [fact for fact in told if isinstance(fact, facts.ListFailed)]
    assert "'d'" in failed.message
    assert "ExecutionTimedOut" not in failed.message
    assert "raise spec.timeout" in failed.message
    assert facts.ServerUnreachable not in map(type, told)
    state = advanced(state, overrun("d"))
    assert failure(state, "d") is ConditionReason.APPLY_FAILED
    assert state.server_pause(moment()) == 0


def test_products_that_are_killed_alone_one_after_the_other_are_the_servers_failure() -> None:
    told = facts_of(four(), overrun("a"), overrun("b"))
    assert facts.ServerUnreachable in map(type, told)
    told = facts_of(four(), overrun("a"), listed(b=good("bob")), overrun("b"))
    assert facts.ServerUnreachable not in map(type, told)


@pytest.mark.parametrize("fault", [CommandFault.DELIVERY_TIMED_OUT, CommandFault.NO_REPLY, CommandFault.UNREACHABLE])
def test_a_command_that_was_not_killed_at_its_time_limit_makes_no_command_smaller(fault: CommandFault) -> None:
    error = TransportError(fault, "gone", maybe_applied=True)
    state = advanced(four(), ServerFailed(error=error, products=tuple("abcd"), work=Work.WRITE, at=moment()))
    assert batch(state) == list("abcd")


def test_a_product_that_was_stopped_in_company_goes_alone_and_has_not_failed() -> None:
    step = written(a=late(Late.STOPPED, ("bob",)), b=good("ann"), c=late(Late.UNBEGUN), d=late(Late.UNBEGUN))
    told = facts_of(four(), step)
    assert facts.ListFailed not in map(type, told)
    state = advanced(four(), step)
    assert [failure(state, name) for name in "acd"] == [None, None, None]
    assert state.view.observed["c"] == known("bob"), "nothing was done for it"
    assert batch(state) == ["c", "d"]
    state = advanced(state, written(c=good("ann"), d=good("ann")))
    assert batch(state) == ["a"]


def test_a_product_that_is_late_alone_fails_and_its_pause_begins_with_the_time_limit_and_grows() -> None:
    state, pauses = four(), []
    for _ in range(6):
        state = advanced(state, written(a=late(Late.STOPPED, ("bob",))))
        pauses.append(state.product_pause("a", moment()))
    assert failure(state, "a") is ConditionReason.APPLY_FAILED
    assert pauses == [60, 120, 240, 480, 600, 600]


@pytest.mark.parametrize(
    ("limit", "longest"), [(timedelta(seconds=5), 60), (timedelta(minutes=2), 1200), (timedelta(hours=1), 3600)]
)
def test_the_longest_pause_of_a_client_that_hangs_follows_the_time_limit(limit: timedelta, longest: float) -> None:
    pace = STEADY
    for _ in range(20):
        pace = pace.hung(moment(), time_limit=limit)
    assert pace.retry.remaining(moment().monotonic) == longest
    assert pace.company == 1


def test_results_in_time_bring_products_together_again() -> None:
    pace, sizes = Pace(company=1), []
    while pace.company is not None:
        sizes.append(pace.company)
        pace = pace.in_time()
    assert sizes == [1, 2, 4, 8, 16]


# -- a success of one kind ends no failure of another ----------------------------------------------------------------------


def test_a_list_that_can_be_read_does_not_end_the_pause_of_a_list_that_is_not_taken() -> None:
    refused = ProductResult(result=Result.FAILED, users=("bob",), exit_code=3)
    state, pauses = four(), []
    for _ in range(4):
        state = advanced(state, written(a=refused))
        pauses.append(state.product_pause("a", moment()))
        state = advanced(state, listed(a=ProductResult(result=Result.FAILED, detail="x")), listed(a=good("bob")))
    assert pauses == [1, 2, 4, 8]


def test_a_list_that_can_be_read_does_not_end_the_pause_of_a_server_that_takes_none() -> None:
    state, pauses, told = four(), [], []
    for _ in range(4):
        failed = ServerFailed(error=UNREACHABLE, products=tuple("abcd"), work=Work.WRITE, at=moment())
        told += facts_of(state, failed)
        state = advanced(state, failed)
        pauses.append(state.server_pause(moment()))
        state = advanced(
            state, listed(**{name: good("bob") for name in "abcd"}), ListsVerified(asked=None, at=moment())
        )
    assert pauses == [1, 2, 4, 8]
    assert [type(fact) for fact in told].count(facts.ServerUnreachable) == 1, "told once"
    assert state.view.reached is False
    state = advanced(state, written(a=good("ann")))
    assert (state.view.reached, state.server_retry.failures) == (True, 0)


def test_a_server_that_took_no_list_is_well_when_all_were_read_and_none_has_to_be_written() -> None:
    state = server_state({"a": standing("ann", observed=known("bob"))})
    state = advanced(state, ServerFailed(error=UNREACHABLE, products=("a",), work=Work.WRITE, at=moment()))
    state = advanced(state, listed(a=good("ann")))
    assert state.view.reached is False
    told = facts_of(state, ListsVerified(asked=None, at=moment()))
    assert facts.ServerRecovered in map(type, told)


def test_an_admin_who_asks_has_everything_tried_once_without_a_pause() -> None:
    state = four()
    for _ in range(3):
        state = advanced(state, written(a=late(Late.STOPPED, ("bob",))))
    failed = ServerFailed(error=UNREACHABLE, products=tuple("abcd"), work=Work.WRITE, at=moment())
    state = advanced(state, failed)
    assert state.product_pause("a", moment()) > 0
    asked = state.server.model_copy(
        update={"metadata": state.server.metadata.model_copy(update={"annotations": {VERIFY: "now"}})}
    )
    begun = PassBegun(
        capabilities=Capabilities(fence=Fence.SCRIPT), server=asked, pools=state.pools, foreign=False, at=moment()
    )
    state = advanced(state, begun)
    assert state.product_pause("a", moment()) == 0
    assert not state.held_off
    assert state.server_retry.failures == 1
    state = advanced(state, overrun("a"), begun)
    assert state.product_pause("a", moment()) > 60, "asked once, tried once, and how often it failed is known"


# -- a license server on which any products hang ---------------------------------------------------------------------------


@dataclass
class World:
    """A license server as the apply script makes it, with its clock. What a client needs is in seconds."""

    needs: Mapping[str, float]
    """How long the vendor's client takes, for each of its two calls."""
    kills_script: frozenset[str] = frozenset()
    """Products whose client cannot be stopped by the script, so that the agent kills all of it."""
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    commands: int = 0
    tried: Counter[str] = field(default_factory=Counter)

    def run(self, products: tuple[str, ...], *, writes: bool) -> dict[str, ProductResult]:
        """Runs a command. Raises TransportError if the agent kills it."""
        self.commands += 1
        self.tried.update(products)
        left, results = TIMEOUT - 4, {}
        for number, product in enumerate(products, start=1):
            granted = left if number == len(products) else left / 2
            need = self.needs[product]
            if granted < 0.2:
                results[product] = ProductResult(result=Result.FAILED, late=Late.UNBEGUN, detail="not begun")
                continue
            if product in self.kills_script:
                self.clock.seconds += left
                raise OVERRUN
            took, is_late = 0.0, False
            if writes:
                took, is_late = min(need, granted * 3 / 4), need > granted * 3 / 4
                if not is_late:
                    self.lists[product] = ("ann",)
            is_listed = took + need <= granted
            took = min(took + need, granted)
            result = Result.FAILED if is_late or (not writes and not is_listed) else Result.APPLIED
            results[product] = ProductResult(
                result=result, owner="ours", fence=1, late=Late.NO if is_listed and not is_late else Late.STOPPED,
                users=self.lists.get(product, ()) if is_listed else None, detail="stopped",
            )  # fmt: skip
            left -= took
            self.clock.seconds += took
        return results

    def make_pass(self, state: ServerState) -> ServerState:
        """Makes a pass with the reconciler's own steps."""
        state = self._to(
            state,
            PassBegun(
                capabilities=Capabilities(fence=Fence.SCRIPT),
                server=state.server,
                pools=state.pools,
                foreign=False,
                at=self._at,
            ),
        )
        if not state.held_off:
            state = self._write(self._read(state))
        return self._to(state, PassDone(mark=None, at=self._at))

    @property
    def _at(self) -> Moment:
        return self.clock.moment()

    def _to(self, state: ServerState, *steps: StepResult) -> ServerState:
        return advanced(state, *steps)

    def _read(self, state: ServerState) -> ServerState:
        everything = is_verification_due(state, at=self._at)
        left = lists_due(state, at=self._at)
        if not left:
            return state
        known_before, is_any_read = state.view.observed.keys(), False
        while left:
            asked = next_batch(left, lambda product: state.pace(product, Work.READ))  # noqa: B023
            try:
                results = self.run(asked, writes=False)
            except TransportError as error:
                state = self._to(state, ServerFailed(error=error, products=asked, work=Work.READ, at=self._at))
                left = () if len(asked) == 1 else left
                break
            is_any_read = True
            answer = CommandResult(revision=1, products=results)
            state = self._to(state, ListsRead(products=asked, result=answer, node=NODE, at=self._at))
            done = lists_done(asked, answer)
            left = tuple(product for product in left if product not in done)
        if everything and is_any_read and not known_before & set(left):
            state = self._to(state, ListsVerified(asked=None, at=self._at))
        return state

    def _write(self, state: ServerState) -> ServerState:
        writes = next_batch(diff(state, {}, at=self._at), lambda write: state.pace(write.change.product, Work.WRITE))
        if not writes:
            return state
        products = tuple(write.change.product for write in writes)
        try:
            results = self.run(products, writes=True)
        except TransportError as error:
            failed = ServerFailed(error=error, products=products, work=Work.WRITE, at=self._at)
            return self._to(state, ListsInDoubt(products=frozenset(products)), failed)
        answer = CommandResult(revision=1, products=results)
        applied = CommandApplied(writes=writes, result=answer, command_id="c", node=NODE, at=self._at)
        return self._to(state, applied)

    def rest(self, state: ServerState) -> None:
        if not has_more_to_do(state, at=self._at):
            self.clock.seconds += requeue_after(state, at=self._at)


PRODUCTS = st.dictionaries(
    st.sampled_from([f"p{number:02}" for number in range(14)]),
    st.one_of(st.floats(0.01, 20), st.just(FOREVER)),
    min_size=1,
    max_size=14,
)


@settings(max_examples=150, deadline=None)
@given(needs=PRODUCTS, kill=st.booleans())
def test_whichever_products_hang_every_other_list_is_written_and_they_are_tried_rarely(
    needs: dict[str, float], kill: bool
) -> None:
    hanging = {product for product, need in needs.items() if need == FOREVER}
    world = World(needs, kills_script=frozenset(hanging) if kill else frozenset())
    state = server_state({product: standing("ann") for product in needs})
    began = world.clock.seconds
    others = needs.keys() - hanging
    while any(world.lists.get(product) != ("ann",) for product in others):
        state = world.make_pass(state)
        world.rest(state)
        assert world.commands <= 5 * len(needs) + 5, "the others wait for a bounded number of commands"
    while world.clock.seconds < began + HOURS * 3600:
        state = world.make_pass(state)
        world.rest(state)
    for product in others:
        assert state.view.pool_states[f"lab/{product}"].in_sync
    for product in hanging:
        assert failure(state, product) in {ConditionReason.APPLY_FAILED, ConditionReason.READ_FAILED}
        assert world.tried[product] <= HOURS * 3600 / LONGEST_PAUSE + 14
