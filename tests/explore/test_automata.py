"""Automata do what their coroutines do, merged or not; and what is no function of its results is refused."""

import gc
import random
import re
import time
from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from stackweave.core.context import discard
from stackweave.core.errors import ModelError
from stackweave.core.explore import encoding, liveness
from stackweave.core.explore.keys import Key
from stackweave.core.explore.lazy import Stop
from stackweave.core.prng import mix

from .grammar import protocol_of, write
from .naive import naive_key
from .protocols import AllLive, Body, Numbers, Unmerged, ask, step

WAYS: Final = 40
LONGEST: Final = 60


def results(seed: int, way: int) -> list[int]:
    """What is sent along one way."""
    return [mix(mix(seed) + way * LONGEST + at) % 4 for at in range(LONGEST)]


def of_coroutine(body: Body, told: list[int]) -> list[int]:
    """What a coroutine asks, and how it ends."""
    coroutine = body()
    asked, suspended = step(coroutine, None)
    found = [asked]
    for each in told:
        if not suspended:
            return found
        asked, suspended = step(coroutine, each)
        found.append(asked)
    if suspended:
        discard(coroutine)  # type: ignore[arg-type]  # what it returns does not matter
    return found


class Walker:
    """Follows an automaton as the engine does: each edge is made once."""

    def __init__(self, automaton: Numbers) -> None:
        self.automaton = automaton
        self._edges: dict[tuple[int, int], int] = {}

    def walk(self, told: list[int]) -> list[int]:
        node = self.automaton.starts[0]
        found = [self.automaton.labels[node][0]]
        for each in told:
            if found[-1] < 0:
                return found
            edge = node, each
            if edge not in self._edges:
                self._edges[edge] = self.automaton.follow(*edge)
            node = self._edges[edge]
            found.append(self.automaton.labels[node][0])
        return found


def check_equal(body: Body, seed: int, kind: type[Numbers]) -> int:
    """Whether an automaton and its coroutine agree along many ways; how many nodes that took."""
    walker = Walker(kind([body]))
    for way in range(WAYS):
        told = results(seed, way)
        assert walker.walk(told) == of_coroutine(body, told)
    walker.automaton.check()
    walker.automaton.discard()
    return len(walker.automaton.labels)


def source_of(seed: int) -> str:
    return write([mix(seed * 1000 + at) % 1_000_003 for at in range(1, 400)])


@pytest.mark.parametrize("seed", range(60))
def test_random_protocols(seed: int) -> None:
    body = protocol_of(source_of(seed))
    merged = check_equal(body, seed, Numbers)
    assert merged <= check_equal(body, seed, AllLive) <= check_equal(body, seed, Unmerged)


# fmt: off
UNBOUND_INSIDE_A_WITH = [
    93, 132, 1, 1093, 1484, 2679, 3230, 33, 280, 384, 401, 362, 1024, 7166, 1465, 644, 3674,
    192, 355, 1925, 395, 69, 3808, 215, 456, 100, 400, 89, 538, 510, 4243, 97, 453, 1946, 236,
    274, 522, 2092, 1, 165, 944, 3577, 603, 528, 3030, 10000, 929, 1032, 429, 266, 7609, 1675,
    22, 4992, 881, 310, 8333, 3940, 685, 1866, 377, 1205, 8243, 72, 6636, 10000, 99, 1814,
    116, 874, 61, 3862, 503, 437,
]
# fmt: on
"""A protocol that leaves an `async with` by a local that is unbound: in warm code, at another place."""


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(st.integers(0, 10_000), min_size=30, max_size=120))
@example(UNBOUND_INSIDE_A_WITH)
def test_found_protocols(choices: list[int]) -> None:
    check_equal(protocol_of(write(choices)), 1, Numbers)


def _fails(kind: type[Numbers], seeds: range) -> bool:
    for seed in seeds:
        try:
            check_equal(protocol_of(source_of(seed)), seed, kind)
        except (AssertionError, ModelError):
            return True
    return False


@pytest.mark.parametrize("omitting", ["stack", "place", "marks", "iterators", "cells", "chain"])
def test_random_protocols_find_a_naive_key(omitting: str) -> None:
    class Naive(Numbers):
        def _key(self, coroutine: object, stop: Stop[tuple[int]]) -> Key | None:
            return (stop.label, naive_key(coroutine, omitting)) if stop.suspended else stop.label

    assert _fails(Naive, range(60))


def test_random_protocols_find_a_wrong_liveness(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "live_places", lambda code, offset: frozenset())
    assert _fails(Numbers, range(60))


@pytest.mark.parametrize("omitted", ["LOAD_FAST", "DELETE_FAST"])
def test_random_protocols_find_an_unknown_read(
    omitted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a Python that reads locals otherwise, all would have to be live."""
    known = {"LOAD_FAST", "DELETE_FAST"} | set(liveness._READS)
    monkeypatch.setattr(liveness, "_READS", frozenset(known - {omitted}))
    code = protocol_of(source_of(0)).__code__
    assert liveness.live_places(code, 0) is None or omitted == "DELETE_FAST"


def _reads_all(side: int) -> Body:
    async def reads() -> int:
        hidden = side
        await ask()
        return len(locals())

    return reads


def test_a_protocol_that_reads_all_its_locals_has_no_dead_ones() -> None:
    code = _reads_all(1).__code__
    assert liveness.live_places(code, 0) is None


# what is no function of its results

CAPTURED: list[int] = []
TABLE: dict[int, int] = {}
PLAIN = 0


class Owner:
    shared = 0
    names: Final[list[int]] = []

    def __init__(self) -> None:
        self.count = 0

    async def attribute(self) -> None:
        self.count += await ask()
        await ask()

    async def of_class(self) -> None:
        Owner.shared += 1 + await ask()
        await ask()

    async def in_class(self) -> None:
        self.names.append(await ask())
        await ask()


async def global_list() -> None:
    CAPTURED.append(await ask())
    await ask()


async def global_dict() -> None:
    TABLE[len(TABLE)] = await ask()
    await ask()


async def plain_global() -> None:
    global PLAIN
    PLAIN += 1 + await ask()
    await ask()


def _bump() -> None:
    global PLAIN
    PLAIN += 1


async def through_a_function() -> None:
    await ask()
    _bump()
    await ask()


async def default(seen: list[int] = []) -> None:  # noqa: B006  # it is what is tested
    seen.append(await ask())
    await ask()


async def of_random() -> None:
    await ask(int(random.random() < 2))
    await ask()


def captured() -> Body:
    seen: list[int] = []

    async def remembers() -> None:
        seen.append(await ask())
        await ask()

    return remembers


def rebound() -> Body:
    count = 0

    async def counts() -> None:
        nonlocal count
        count += 1 + await ask()
        await ask()

    return counts


def through_a_method() -> Body:
    push = [0].append

    async def pushes() -> None:
        push(await ask())
        await ask()

    return pushes


def iterating() -> Body:
    numbers = iter(range(100))

    async def draws() -> None:
        await ask(next(numbers))
        await ask()

    return draws


def generating() -> Body:
    numbers = (number for number in range(100))

    async def draws() -> None:
        await ask(0 * next(numbers))
        await ask()

    return draws


def back_again() -> Body:
    """Changed, and changed back: between the two, others would see it."""
    owner = Owner()

    async def nests() -> None:
        owner.count += 1
        await ask()
        owner.count -= 1
        await ask()

    return nests


EFFECTS: Final[dict[str, tuple[Callable[[], Body], str]]] = {
    "a captured list": (captured, r"closes over seen"),
    "a captured variable": (rebound, r"closes over count"),
    "an attribute": (lambda: Owner().attribute, r"argument 0 self\.count"),
    "a class's attribute": (lambda: Owner().of_class, r"class Owner\.shared|Owner\.shared"),
    "a class's list": (lambda: Owner().in_class, r"Owner\.names"),
    "a global list": (
        lambda: global_list,
        r"global_list \(.*test_automata.py:\d+\) global CAPTURED",
    ),
    "a global dict": (lambda: global_dict, r"global TABLE"),
    "a rebound global": (lambda: plain_global, r"global PLAIN"),
    "a function's global": (lambda: through_a_function, r"_bump .* global PLAIN"),
    "a default argument": (lambda: default, r"default 0"),
    "a list's method": (through_a_method, r"closes over push self"),
    "random numbers": (lambda: of_random, r"global random\.random"),
    "an iterator": (iterating, r"closes over numbers"),
    "a generator": (generating, r"closes over numbers"),
    "what is changed back": (back_again, r"closes over owner\.count"),
}


@pytest.mark.parametrize("name", EFFECTS)
def test_hidden_effects_are_named(name: str) -> None:
    make, culprit = EFFECTS[name]
    with pytest.raises(ModelError, match=f"a protocol changes .*{culprit}.*lives longer"):
        _explore(make())


def _explore(body: Body) -> Numbers:
    walker = Walker(Numbers([body]))
    for way in range(WAYS):
        walker.walk(results(0, way))
    walker.automaton.check()
    walker.automaton.discard()
    return walker.automaton


async def of_time() -> None:
    now = time.perf_counter_ns()
    await ask()
    await ask(now % 2)


async def of_time_later() -> None:
    await ask()
    now = time.perf_counter_ns()
    await ask(1)
    await ask(now % 2)


async def of_addresses() -> None:
    here = id([])
    there: list[int] = []
    await ask(3)
    await ask((here + id(there)) % 3)


@pytest.mark.parametrize("body", [of_time, of_time_later, of_addresses])
def test_what_is_done_otherwise_when_repeated_is_refused(body: Body) -> None:
    with pytest.raises(ModelError, match=r"of_.* \(.*\) does not do the same when it is told"):
        _explore(body)


def test_no_effect_is_refused_where_there_is_none() -> None:
    """The same reachable things, only read."""
    owner, seen = Owner(), [1, 2]

    async def reads() -> int:
        return await ask(owner.count + seen[0] + len(CAPTURED) + len(TABLE) + PLAIN * 0)

    assert _explore(reads).labels[0] == (1 + len(CAPTURED) + len(TABLE),)


def test_unmergeable_states_are_right_and_named() -> None:
    async def matches() -> int:
        pattern = re.compile("a")
        found = 0
        while await ask(found % 3) != 3:
            found += len(pattern.findall("aa"))
        return found

    walker = Walker(Numbers([matches]))
    for way in range(WAYS):
        told = results(2, way)
        assert walker.walk(told) == of_coroutine(matches, told)
    (reason,) = walker.automaton.unmergeable
    assert re.fullmatch(
        r"pattern in .*matches \(.*test_automata.py:\d+\): a Pattern keeps .*", reason
    )
    walker.automaton.discard()


def test_a_spinning_protocol_has_one_node() -> None:
    async def spins() -> None:
        while not await ask(1):
            pass

    automaton = Numbers([spins])
    # the compiler tests the condition of a loop in two places
    inside = automaton.follow(automaton.starts[0], 0)
    assert automaton.follow(inside, 0) == inside
    assert len(automaton.labels) == 2
    automaton.discard()


def test_no_coroutine_is_left_suspended() -> None:
    """Else Python would run its cleanup when it is collected, and warn of what that awaits."""
    closed: list[str] = []

    async def cleans() -> None:
        try:
            await ask()
        finally:
            await ask(2)
            closed.append("effect")

    for discarded in (True, False):
        automaton = Numbers([cleans])
        if discarded:
            automaton.discard()
        del automaton
        gc.collect()
    assert closed == []
