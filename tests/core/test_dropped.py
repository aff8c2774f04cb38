"""Protocols that are dropped half-way."""

from collections.abc import Callable
from types import TracebackType

import pytest

from stackweave.core import (
    Interpreter,
    ModelError,
    Program,
    RandomWalk,
    Word,
    pause,
)
from stackweave.core.context import Protocol, discard


class Scope:
    """Cleans up with operations."""

    def __init__(self, word: Word, log: list[str]) -> None:
        self.word = word
        self.log = log

    async def __aenter__(self) -> None:
        await self.word.store(1)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.log.append("cleanup begins")
        await self.word.store(0)
        self.log.append("cleanup ends")


def scoped(log: list[str]) -> Program:
    program = Program("scoped")
    word = program.layout.word("word")

    async def thread() -> None:
        try:
            async with Scope(word, log):
                await word.wait(2, 2)
        finally:
            log.append("finally")
            await word.load()
            log.append("finally ends")

    program.thread("thread", thread)
    return program


def test_a_dropped_protocol_performs_nothing_of_its_cleanup() -> None:
    log: list[str] = []
    interpreter = Interpreter(scoped(log))
    outcome = interpreter.run(RandomWalk(0))
    assert [violation.signature for violation in outcome.violations] == ["deadlock"]
    # each block ran up to its first operation, and none was performed; the first "finally" is of the
    # coroutine that stood at the start, in __aenter__, when the execution began anew
    assert log == ["finally", "cleanup begins", "finally"]
    assert (outcome.operations, outcome.words[-1]) == (1, 1)


def test_a_protocol_that_resists_is_named() -> None:
    resisting = True

    async def resists() -> None:
        while resisting:
            try:
                await pause()
            except BaseException:
                continue

    protocol = resists()
    protocol.send(None)
    with pytest.raises(ModelError, match=r"resists.* goes on after it was discarded"):
        discard(protocol)
    resisting = False
    protocol.close()


async def fails_to_clean_up() -> None:
    try:
        await pause()
    finally:
        raise OSError


async def holds_on_for_a_while() -> None:
    for _ in range(50):
        try:
            await pause()
        except BaseException:
            continue


@pytest.mark.parametrize("body", [fails_to_clean_up, holds_on_for_a_while, pause])
@pytest.mark.parametrize("started", [False, True])
def test_others_end(body: Callable[[], Protocol], started: bool) -> None:
    async def protocol() -> None:
        await body()

    suspended = protocol()
    if started:
        suspended.send(None)
    discard(suspended)
    with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
        suspended.send(None)
