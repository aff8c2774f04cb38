"""Exhaustive search finds just what there is: states counted by hand, bounds, ends, what tells states apart."""

from collections import deque

import pytest

from stackweave.core import (
    Interpreter,
    ModelError,
    Program,
    RandomWalk,
    Word,
    check,
    choose,
    emit,
    pause,
    schedule,
)
from stackweave.core.explore.search import Searcher, search
from stackweave.programs import BUILTIN, Parameters

from ..core.programs import cas_program, lost_update_program, mixed_program, remembering_program
from .showing import replays


async def increment(word: Word) -> bool:
    old = await word.load()
    return await word.cmpxchg(old, old + 1) == old


async def increments(word: Word, left: int) -> None:
    while left:
        left -= await increment(word)


def increments_program(threads: int, times: int) -> Program:
    """Increments by compare and swap, without a variable that is kept for nothing."""
    program = Program("increments")
    word = program.layout.word("word")
    for number in range(threads):
        program.thread(f"thread{number}", increments, word, times)
    return program


def increments_states(threads: int, times: int) -> int:
    """The same counted by hand: (word, of each thread (increments left, value loaded))."""
    first: tuple[int, tuple[tuple[int, int | None], ...]] = (0, ((times, None),) * threads)
    seen = {first}
    waiting = deque([first])
    while waiting:
        word, locals_ = waiting.popleft()
        for number, (left, loaded) in enumerate(locals_):
            if left == 0:
                continue
            after = word + (loaded == word)
            moved = (left, word) if loaded is None else (left - (after - word), None)
            state = after, (*locals_[:number], moved, *locals_[number + 1 :])
            if state not in seen:
                seen.add(state)
                waiting.append(state)
    return len(seen)


@pytest.mark.parametrize(("threads", "times", "states"), [(2, 5, 371), (3, 3, 2476), (4, 2, 7473)])
def test_states_of_increments(threads: int, times: int, states: int) -> None:
    found = search(increments_program(threads, times))
    assert found.states == increments_states(threads, times) == states
    assert (found.ends, found.signatures) == (1, ())


def test_depth_is_that_of_the_longest_shortest_way() -> None:
    found = search(lost_update_program(3))
    assert (found.depth, found.ends) == (12, 5)


def grid(side: int) -> Program:
    program = Program("grid")
    word = program.layout.word("word")

    async def thread() -> None:
        for _ in range(side):
            await word.load()

    program.thread("a", thread)
    program.thread("b", thread)
    return program


@pytest.mark.parametrize("side", [1, 5, 40])
def test_equal_states_are_visited_once(side: int) -> None:
    found = search(grid(side))
    assert (found.states, found.transitions) == ((side + 1) ** 2, 2 * side * (side + 1))
    assert found.depth == 2 * side


def test_what_a_context_was_told_tells_states_apart() -> None:
    # the choice leaves no trace in memory: a search that forgets it would follow one answer alone
    program = Program("memory of a choice")
    word = program.layout.word("word")

    async def thread() -> None:
        answer = await choose(3)
        await word.load()
        await check(answer != 2, "two")

    program.thread("thread", thread)
    found = search(program)
    assert (found.complete, found.signatures) == (True, ("two",))
    assert found.schedules["two"] == (~2, 0)


def test_choices_at_the_end_are_all_tried() -> None:
    program = Program("end")
    word = program.layout.word("word")

    async def thread() -> None:
        await word.store(await choose(2))

    async def end() -> None:
        first, second = await choose(2), await choose(3)
        await check((await word.load(), first, second) != (1, 1, 2), "last")

    program.thread("thread", thread)
    program.finally_(end)
    found = search(program)
    assert (found.signatures, found.ends) == (("last",), 2)
    replays(program, found)


def test_a_deadlock_is_found() -> None:
    program = Program("deadlock")
    words = program.layout.word("first"), program.layout.word("second")

    async def thread(mine: int) -> None:
        for word in (words[mine], words[1 - mine]):
            await word.acquire(0, 1)
        for word in words:
            await word.store(0)

    for number in range(2):
        program.thread(f"thread{number}", thread, number)
    found = search(program)
    assert found.complete
    assert found.signatures == ("deadlock",)
    assert found.moves["deadlock"] == 2
    replays(program, found)


def test_a_loop_without_end_has_few_states() -> None:
    program = Program("spin", 1)

    async def task() -> None:
        while True:
            await schedule()

    program.task("task", task, cpus=[0])
    found = search(program)
    assert found.complete
    assert (found.states, found.ends) == (3, 0)


def test_who_has_paused_waits_for_another() -> None:
    program = Program("pause")
    word = program.layout.word("word")

    async def waits() -> None:
        while True:
            if await word.load():
                break
            await pause()

    async def stores() -> None:
        await word.load()
        await word.store(1)

    program.thread("waits", waits)
    program.thread("stores", stores)
    found = search(program)
    assert (found.complete, found.signatures) == (True, ())
    walk = RandomWalk(0)
    assert all(not Interpreter(program).run(walk, each).violations for each in range(50))
    assert found.states == count_of_pauses()


def count_of_pauses() -> int:
    """(where the waiting one is, whether it may go on, what the other has done), by hand."""
    seen = {("load", True, 0)}
    waiting = list(seen)
    while waiting:
        at, may, done = waiting.pop()
        after = []
        if done < 2:
            after.append((at, True, done + 1))
        if at == "load":
            after.append(("end", True, done) if done == 2 else ("pause", False, done))
        elif at == "pause" and may:
            after.append(("load", True, done))
        new = [state for state in after if state not in seen]
        seen.update(new)
        waiting += new
    return len(seen)


@pytest.mark.parametrize("most", [1, 10, 300])
def test_a_search_that_is_cut_short_says_so(most: int) -> None:
    found = search(cas_program(2, 5), most=most)
    assert (found.complete, found.states, found.bound) == (False, most, f"{most:,} states")


def test_a_search_without_memory_says_so() -> None:
    found = search(cas_program(4, 3), memory=1 << 20)
    assert (found.complete, found.bound) == (False, "1 MB")
    assert 1000 < found.states < 100_000


def test_no_more_moves_than_the_program_s_bound() -> None:
    program = grid(40)
    program.bound = 10
    found = search(program)
    assert (found.bound, found.depth) == ("10 operations", 10)


def test_what_was_searched_for_ends_the_search() -> None:
    program = BUILTIN["null-function"](Parameters())
    found = search(program, until=["null-pointer:func"])
    assert (found.complete, found.bound) == (False, "null-pointer:func was found")
    assert found.states < search(program).states
    replays(program, found)


def test_the_same_again() -> None:
    first, again = search(mixed_program()), search(mixed_program())
    assert first == again
    assert first.complete


def test_mailboxes_messages_are_told_apart() -> None:
    program = Program("messages")
    box = program.layout.mailbox("box", 3, int)

    async def sends() -> None:
        for _ in range(4):
            await box.send(await choose(2))

    async def receives() -> None:
        got = [await box.receive() for _ in range(4)]
        await check(got != [1, 0, 1, 1], "1011")

    program.thread("sends", sends)
    program.thread("receives", receives)
    found = search(program)
    assert (found.complete, found.signatures) == (True, ("1011",))
    replays(program, found)


def test_a_protocol_that_remembers_is_refused() -> None:
    with pytest.raises(ModelError, match="a protocol changes"):
        search(remembering_program())


def test_a_program_that_cannot_be_is_the_model_s_fault() -> None:
    program = Program("leaves", 1)
    cpu = program.cpu(0)

    async def task() -> None:
        async with cpu.nmi():
            pass

    program.task("task", task, cpus=[0])
    with pytest.raises(ModelError, match="task"):
        search(program)


def test_a_violation_ends_an_execution_or_not_as_in_the_interpreter() -> None:
    # a check that fails is an execution's end: what the thread would do then is never seen
    program = Program("check ends")
    word = program.layout.word("word")

    async def thread() -> None:
        await word.load()
        await emit("seen")
        await check(False, "first")
        await word.load()
        await check(False, "second")

    program.thread("thread", thread)
    found = search(program)
    assert (found.signatures, found.states, found.ends) == (("first",), 1, 0)


SMALL = [
    "spurious-callback",
    "no-cache",
    "cookie-zero",
    "request-races-cancel",
    "two-lists",
    "perf-migration",
]


@pytest.mark.parametrize("name", SMALL)
def test_random_walks_show_nothing_that_it_misses(name: str) -> None:
    program = BUILTIN[name](Parameters())
    found = search(program)
    assert found.complete
    interpreter, walk = Interpreter(program), RandomWalk(1)
    walked = {
        each.signature
        for execution in range(1500)
        for each in interpreter.run(walk, execution).violations
    }
    assert walked <= set(found.signatures)
    assert walked
    replays(program, found)


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("words", "two-lists"),
        ("node", "two-lists"),
        ("monitor", "two-lists"),
        ("paused_at", "cancel-frees"),
    ],
)
def test_a_fingerprint_that_ignores_something_misses_states(field: str, name: str) -> None:
    make = BUILTIN[name]
    sound = Searcher(make(Parameters()))
    sound.explore()
    flawed = Searcher(make(Parameters()))
    flawed.forget(field)
    flawed.explore()
    assert flawed.result().states < sound.result().states
