"""The programs as threads, and the peers that order those: a compare-and-swap is made with a lock."""

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from workload import BASE, INCREMENTS, SHAPES, Tally


class LockedWord:
    """The shared word of threads that may be switched anywhere."""

    def __init__(self) -> None:
        self.value = 0
        self.failures = 0
        self._lock = threading.Lock()

    def swap(self, seen: int, new: int) -> bool:
        """Compare and swap."""
        with self._lock:
            if self.value != seen:
                self.failures += 1
                return False
            self.value = new
            return True


def increments(number: int, word: LockedWord) -> None:
    """A thread of W1."""
    for _ in range(INCREMENTS):
        seen = word.value
        while not word.swap(seen, seen + 1):
            seen = word.value


def increment(number: int, word: LockedWord) -> None:
    """A thread of W2."""
    seen = word.value
    word.value = seen + 1


def push_and_pop(number: int, word: LockedWord) -> None:
    """A thread of W3."""
    seen = word.value
    while not word.swap(seen, seen * BASE + number):
        seen = word.value
    seen = word.value
    while not word.swap(seen, seen // BASE):
        seen = word.value


WORKERS: Final[dict[str, Callable[[int, LockedWord], None]]] = {
    "W1": increments,
    "W2": increment,
    "W3": push_and_pop,
}


def threads(program: str) -> list[Callable[[LockedWord], None]]:
    """What its threads run."""
    numbers = range(1, SHAPES[program].threads + 1)
    return [partial(WORKERS[program], number) for number in numbers]


def interleave_test(
    granularity: str, program: str, executions: int, seed: int, *, stop: bool
) -> Tally:
    """Its random strategy."""
    from interleave_test import explore, spawn

    tally = Tally()
    workers = threads(program)

    def model() -> None:
        word = LockedWord()
        tasks = [spawn(worker, word) for worker in workers]
        for task in tasks:
            task.join()
        right = tally.count(program, word.value, word.failures)
        assert right or not stop

    options = {"seed": seed, "granularity": granularity, "raise_on_failure": False}
    explore(model, iterations=executions, **options)
    return tally


def frontrun(strategy: str, program: str, executions: int, seed: int, *, stop: bool) -> Tally:
    """Random schedules, or each different one once: then there may be fewer than asked for."""
    from frontrun import explore

    tally = Tally()

    def invariant(word: LockedWord) -> bool:
        right = tally.count(program, word.value, word.failures)
        return right or not stop

    if strategy == "random":
        options = {"strategy": strategy, "max_attempts": executions, "seed": seed}
    else:
        options = {"strategy": strategy, "max_executions": executions, "preemption_bound": None}
    explore(
        setup=LockedWord,
        workers=threads(program),
        invariant=invariant,
        reproduce_on_failure=0,
        **options,
    )
    return tally


def ploom(program: str, executions: int, seed: int, *, stop: bool) -> Tally:
    """Depth first. Each execution is a process of its own, which leaves what it came to in a file."""
    from ploom import Config, IncompleteExplorationError, ModelCheckError, check

    with TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        limits = Config(max_executions=executions, timeout=600.0, minimize_executions=0)
        # as many as were asked for, or the first that failed
        with suppress(IncompleteExplorationError, ModelCheckError):
            check(
                partial(ploom_execution, program, str(log), stop),
                config=limits,
                trace_dir=Path(folder),
                on_failure=lambda trace, path: None,
            )
        tally = Tally()
        for line in log.read_text().splitlines():
            value, failures = map(int, line.split())
            tally.count(program, value, failures)
        return tally


def ploom_execution(program: str, log: str, stop: bool) -> None:
    """One execution, in its process."""
    from ploom import Lock, SharedCell, Thread

    class Word(LockedWord):
        def __init__(self) -> None:
            self._cell = SharedCell(0)
            self.failures = 0
            self._lock = Lock()

        @property
        def value(self) -> int:
            return int(self._cell.read())

        @value.setter
        def value(self, new: int) -> None:
            self._cell.write(new)

    word = Word()
    tasks = [Thread(target=worker, args=(word,)) for worker in threads(program)]
    for task in tasks:
        task.start()
    for task in tasks:
        task.join()
    value = word.value
    with open(log, "a") as out:
        print(value, word.failures, file=out)
    assert value == SHAPES[program].end or not stop
