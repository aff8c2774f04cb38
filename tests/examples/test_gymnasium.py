"""The Gymnasium environment: it is one, and its rewards are violations."""

from types import ModuleType

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from stackweave.core import Interpreter, Program, check

from .support import load


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return load("embed_gymnasium", monkeypatch)


def crossing() -> Program:
    """Two locks that two threads take crosswise."""
    program = Program("crossing")
    locks = [program.layout.word(name) for name in ("a", "b")]

    async def takes(first: int, second: int) -> None:
        await locks[first].acquire(0, 1)
        await locks[second].acquire(0, 1)
        await locks[second].store(0)
        await locks[first].store(0)

    program.thread("one", takes, 0, 1)
    program.thread("two", takes, 1, 0)
    return program


def endless() -> Program:
    program = Program("endless")
    word = program.layout.word("word")

    async def loads() -> None:
        while True:
            await check(await word.load() == 0, "no")

    program.thread("loads", loads)
    return program


def test_it_is_an_environment(example: ModuleType) -> None:
    check_env(example.Scheduler(example.treiber()), skip_render_check=True)


def test_a_violation_is_rewarded_and_replays(example: ModuleType) -> None:
    episodes, outcome = example.search(0.8, seed=2)
    assert episodes > 1
    [violation] = outcome.violations
    assert violation.signature == "popped-twice"
    replay = Interpreter(example.treiber())
    for index in outcome.schedule:
        replay.step(replay.contexts[index])
    assert replay.violations == [violation]


def test_the_seed_decides_everything(example: ModuleType) -> None:
    searches = [example.search(0.0, seed) for seed in (1, 1, 2)]
    assert searches[0] == searches[1] != searches[2]


def test_a_deadlock_is_found(example: ModuleType) -> None:
    env = example.Scheduler(crossing())
    env.reset(seed=0)
    assert env.step(0)[1:3] == (0.0, False)
    where, reward, ended, cut, info = env.step(1)
    assert (reward, ended, cut) == (1.0, True, False)
    assert list(info["action_mask"]) == [0, 0]
    assert env.observation_space.contains(where)


def test_who_may_not_move_does_not(example: ModuleType) -> None:
    env = example.Scheduler(crossing())
    env.reset(seed=0)
    env.step(0)
    before, _, _, _, info = env.step(0)  # it has both locks
    assert list(info["action_mask"]) == [1, 0]
    after, reward, ended, _, _ = env.step(1)
    assert np.array_equal(before, after)
    assert (reward, ended) == (0.0, False)


def test_an_episode_is_cut_short(example: ModuleType) -> None:
    env = example.Scheduler(endless())
    env.reset(seed=0)
    ends = [env.step(0)[2:4] for _ in range(example.LONGEST)]
    assert set(ends[:-1]) == {(False, False)}
    assert ends[-1] == (False, True)
