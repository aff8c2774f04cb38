"""A seed means the same on every machine: numbers, schedules and what comes of them are golden."""

from collections import Counter
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import islice, pairwise
from typing import Final

import pytest

from stackweave.core import Interpreter, ModelError, Program, RandomWalk, Word
from stackweave.core.prng import GAMMA, LARGEST, mix, stream, stream_seed

from .programs import cas_program, lost_update_program, mixed_program


def test_the_mixer_is_splitmix64() -> None:
    # the published output for seed 1234567
    wanted = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert [mix((1234567 + i * GAMMA) % 2**64) for i in range(1, 6)] == wanted


def test_executions_have_streams_of_their_own() -> None:
    seeds = [stream_seed(seed, execution) for seed in range(30) for execution in range(30)]
    assert len(set(seeds)) == 900
    assert seeds[:3] == [0, 16294208416658607535, 7960286522194355700]
    assert stream_seed(-1, 0) == stream_seed(2**64 - 1, 0)


def numbers(state: int) -> Iterator[int]:
    """The numbers below 2**30 that a state's draws consist of."""
    while True:
        state = (state + GAMMA) % 2**64
        yield mix(state) // 2**4 % 2**30
        yield mix(state) // 2**34


def reference(state: int, sizes: list[int]) -> list[int]:
    """The stream as its description has it, in plain integers."""
    source = numbers(state)
    drawn, value, left = [], 0, 0
    for n in sizes:
        number = 0
        if n > 1:
            while left < 2**15 or value >= left // n * n:
                value, left = next(source), 2**30
            left //= n
            value, number = divmod(value, n)
        drawn.append(number)
    return drawn


def test_one_draw_serves_several_choices() -> None:
    sizes = [2, 3, 7, 1, 64, 1000, LARGEST, 2, 5, LARGEST, LARGEST - 1, 9, 20_000] * 200
    draw = stream(99)
    assert [draw(range(n)) for n in sizes] == reference(99, sizes)
    draw = stream(0)
    assert "".join(draw("abcdef") for _ in range(20)) == "caeffccaffadffdabeaf"


def test_a_choice_is_exact() -> None:
    # of 2**30 numbers, those past the last multiple of n are dropped: a state whose first is one of them
    n = 30_001
    limit = 2**30 // n * n
    state = next(state for state in range(10**6) if next(numbers(state)) >= limit)
    first, second = islice(numbers(state), 2)
    assert stream(state)(range(n)) == second % n != first % n


@pytest.mark.parametrize("n", [2, 3, 5, 7, 10, 16])
def test_numbers_and_their_pairs_are_uniform(n: int) -> None:
    draws = 40_000
    draw = stream(stream_seed(1, n))
    drawn = [draw(range(n)) for _ in range(draws)]
    for seen, cells in ((Counter(drawn), n), (Counter(pairwise(drawn)), n * n)):
        expected = draws / cells
        square = sum((count - expected) ** 2 / expected for count in seen.values())
        freedom = cells - 1
        # about five standard deviations of the chi-square distribution; the seed is fixed
        assert len(seen) == cells
        assert abs(square - freedom) < 5 * (2 * freedom) ** 0.5


def test_weights_are_shares() -> None:
    program = Program("weights")
    word = program.layout.word("word")

    async def thread() -> None:
        await word.load()

    for weight in (1, 2, 5):
        program.thread(f"weight{weight}", thread, weight=weight)
    interpreter, walk = Interpreter(program), RandomWalk(4)
    firsts = Counter(interpreter.run(walk, i).schedule[0] for i in range(8000))
    assert [round(firsts[i] / 1000, 1) for i in range(3)] == [1.0, 2.0, 5.0]


def digest(program: Program, seed: int) -> str:
    """Of ten executions: everything that was decided and everything that came of it."""
    interpreter, walk = Interpreter(program), RandomWalk(seed)
    runs = [interpreter.run(walk, execution) for execution in range(10)]
    return sha256(repr(runs).encode()).hexdigest()[:16]


GOLDEN_DIGESTS: Final = {
    ("cas_program", 0): "68c63143cd5baa58",
    ("cas_program", 1): "f099733506c4ba04",
    ("cas_program", 2**64 - 1): "0fcc934b456b080a",
    ("lost_update_program", 0): "ed42d13f2f5dd176",
    ("lost_update_program", 1): "b3b8c89f911eb553",
    ("lost_update_program", 2**64 - 1): "2ce8da2c3931cb68",
    ("mixed_program", 0): "a762529287932a92",
    ("mixed_program", 1): "1a80d04e33855f59",
    ("mixed_program", 2**64 - 1): "c5a3393ea9005bd1",
}
"""Equal on CPython 3.11, 3.12 and 3.13. A change here means that every recorded seed means something else."""

PROGRAMS: Final[dict[str, Callable[[], Program]]] = {
    "cas_program": lambda: cas_program(2, 5),
    "lost_update_program": lambda: lost_update_program(3),
    "mixed_program": mixed_program,
}


@pytest.mark.parametrize(("name", "seed"), GOLDEN_DIGESTS)
def test_a_seed_means_the_same_executions_everywhere(name: str, seed: int) -> None:
    assert digest(PROGRAMS[name](), seed) == GOLDEN_DIGESTS[name, seed]


def test_the_largest_weights_are_drawn_among() -> None:
    """Weights beyond the range of the numbers would never be drawn: they are refused, and these still run."""
    program = Program("heavy")

    async def moves(word: Word) -> None:
        for _ in range(20):
            await word.load()

    word = program.layout.word("word")
    for number in range(4):
        program.thread(f"thread{number}", moves, word, weight=LARGEST)
    assert Interpreter(program).run(RandomWalk(0)).operations == 80
    with pytest.raises(ModelError, match="from 1 to 32768"):
        program.thread("heavier", moves, word, weight=LARGEST + 1)
