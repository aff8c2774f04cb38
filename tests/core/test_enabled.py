"""Who may move is remembered as long as nothing can have changed it: what is remembered is what is so."""

from collections.abc import Callable
from typing import Final

import pytest

from stackweave.core import Interpreter, Program, RandomWalk
from stackweave.core import interpreter as module
from stackweave.programs import BUILTIN, Parameters

from .programs import mixed_program


def locks() -> Program:
    """Two threads that look at a word before each takes the lock."""
    program = Program("locks")
    word, lock = program.layout.word("word"), program.layout.word("lock")

    async def takes() -> None:
        for _ in range(3):
            await word.load()
            await lock.acquire(0, 1)
            await word.load()
            await lock.store(0)

    program.thread("one", takes)
    program.thread("two", takes)
    return program


PROGRAMS: Final[dict[str, Callable[[], Program]]] = {
    "mixed": mixed_program,
    "locks": locks,
    "actors": lambda: BUILTIN["default"](Parameters("upstream")),
    "mutex": lambda: BUILTIN["default"](Parameters("mutex_list")),
}


def stale(program: Program, executions: int) -> int:
    """Steps of random executions at which what is remembered is not what is so."""
    found = 0
    walk, interpreter = RandomWalk(0), Interpreter(program)
    for execution in range(executions):
        walk.begin(execution, interpreter.contexts)
        interpreter.reset(walk)
        while not interpreter.finished:
            remembered = interpreter.enabled()
            interpreter._enabled = None
            enabled = interpreter.enabled()
            found += remembered != enabled
            if not enabled:
                break
            interpreter.step(walk.pick(enabled))
    return found


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_remembered_is_so(name: str) -> None:
    assert stale(PROGRAMS[name](), 10) == 0


@pytest.mark.parametrize(
    ("bound", "wrong"), [("_FIRST_WRITE", 1000), ("_BEYOND_WORDS", 1000), ("_BEYOND_WAITS", 0)]
)
def test_a_change_that_is_not_noticed_would_be_seen(
    bound: str, wrong: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, bound, wrong)
    assert sum(stale(program(), 10) for program in PROGRAMS.values()) > 0
