"""Every state of 4 threads of 4 increments each, by the peers that visit all.

A state is the word, and for each thread what it has loaded (0 when that does not matter), how often it has still
to increment, and whether it has loaded. One step is a load or a compare-and-swap.
"""

import re
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

THREADS: Final = 4
TIMES: Final = 4
CONSTANTS: Final = {"THREADS": THREADS, "TIMES": TIMES}

State = tuple[int, ...]
FIELDS: Final = ("word", *(f"{of}{n}" for n in range(THREADS) for of in ("seen", "left", "loaded")))
INITIAL: Final[State] = (0, *(0, TIMES, 0) * THREADS)


class Visited(NamedTuple):
    """What a peer visited, and the CPU seconds of it where the peer's own start is left out."""

    states: int
    seconds: float | None = None


def may_move(thread: int, state: State) -> bool:
    """Whether a thread has still something to do."""
    return state[3 * thread + 2] > 0


def move(thread: int, state: State) -> State:
    """A thread's next step."""
    word, at = state[0], 3 * thread + 1
    seen, left, loaded = state[at : at + 3]
    if not loaded:
        seen, loaded = word, 1
    else:
        if word == seen:
            word, left = word + 1, left - 1
        seen = loaded = 0
    return (word, *state[1:at], seen, left, loaded, *state[at + 3 :])


def is_over(state: State) -> bool:
    """Whether no thread has anything left to do."""
    return not any(may_move(thread, state) for thread in range(THREADS))


def is_right(state: State) -> bool:
    """No increment is lost."""
    return not is_over(state) or state[0] == THREADS * TIMES


def moves(state: State) -> Iterator[tuple[str, State]]:
    """What may happen in a state."""
    for thread in range(THREADS):
        if may_move(thread, state):
            yield f"thread{thread}", move(thread, state)


def musil() -> Visited:
    """Its breadth-first check."""
    from musil import Action, Model, check

    actions = [
        Action(f"thread{thread}", partial(may_move, thread), partial(move, thread))
        for thread in range(THREADS)
    ]
    right = {"no-lost-update": is_right}
    result = check(Model(init=[INITIAL], actions=actions, invariants=right, terminal=is_over))
    if not result.ok or result.truncated:
        raise SystemExit(f"musil: {result}")
    return Visited(result.states_explored)


def minicheck() -> Visited:
    """Its breadth-first check of safety."""
    from minicheck import Protocol, check_safety

    protocol = Protocol(
        name="counter",
        candidate=False,
        fields=FIELDS,
        initial=INITIAL,
        transitions=lambda state: list(moves(state)),
        invariants={"no-lost-update": lambda fields: is_right(tuple(fields.values()))},
    )
    result = check_safety(protocol, max_states=1_000_000)
    if not result["exhaustive"] or not result["properties"]["no-lost-update"]["holds"]:
        raise SystemExit(f"minicheck: {result}")
    return Visited(result["reachable_states"])


def searcher() -> Visited:
    """Our search. The first one only loads its machine code."""
    from explore import visit

    visit("counter", CONSTANTS)
    return Visited(*visit("counter", CONSTANTS))


def pan(option: str) -> Visited:
    """SPIN's verifier."""
    from explore import compile_pan, run_pan

    with tempfile.TemporaryDirectory() as folder:
        compile_pan(folder, "counter", CONSTANTS, option)
        return Visited(*run_pan(folder))


def rumur() -> Visited:
    """Rumur's verifier, in one thread."""
    from explore import child_seconds, run_in

    with tempfile.TemporaryDirectory() as folder:
        options = ("--threads", "1", "--deadlock-detection", "off")
        source = str(Path(__file__).with_name("counter.m"))
        run_in(folder, "rumur", *options, "--output", "verifier.c", source)
        compiler = ("gcc", "-w", "-std=c11", "-O3", "-march=native", "-o", "verifier", "verifier.c")
        run_in(folder, *compiler, "-lpthread")
        before = child_seconds()
        printed = run_in(folder, "./verifier")
        seconds = child_seconds() - before
    found = re.search(r"No error found.*?(\d+) states", printed, re.DOTALL)
    if found is None:
        raise SystemExit(f"rumur: {printed[-200:]}")
    return Visited(int(found[1]), seconds)


VISITS: Final[dict[str, Callable[[], Visited]]] = {
    "stackweave, search": searcher,
    "SPIN, pan": partial(pan, ""),
    "SPIN, pan -DHC4": partial(pan, "-DHC4"),
    "rumur": rumur,
    "musil": musil,
    "minicheck": minicheck,
}
