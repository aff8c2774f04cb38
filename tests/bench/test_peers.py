"""The benchmark's programs are the same program for every peer, and what cannot be measured is said."""

import asyncio
from collections import deque
from pathlib import Path
from statistics import mean

import asynchronous
import environments
import ours
import peers
import pytest
import simulated
import states
import workload
from measure import table

from stackweave.core.explore.search import Searcher

from ..spin.minimised import minimised_states
from ..spin.programs import make
from ..spin.promela import require_spin
from .driving import as_ours, as_tasks, as_threads

PROGRAMS = list(workload.SHAPES)
SEEDS = range(40)
Answers = dict[str, list[peers.Explored] | str]


@pytest.mark.parametrize("program", PROGRAMS)
def test_same_choices_give_the_same(program: str) -> None:
    expected = [as_ours(program, seed) for seed in SEEDS]
    assert [as_tasks(program, seed) for seed in SEEDS] == expected
    assert [as_threads(program, seed) for seed in SEEDS] == expected
    least = workload.SHAPES[program].least
    assert min(ended.steps for ended in expected) >= least
    wrong = sum(ended.word != workload.SHAPES[program].end for ended in expected)
    assert (wrong > 0) == (program == "W2")


@pytest.mark.parametrize("program", ["W1", "W3"])
def test_a_swap_that_does_not_compare_is_another_program(
    program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def store(word: workload.Word, seen: int, new: int) -> bool:
        word.value = new
        return True

    monkeypatch.setattr(workload.Word, "swap", store)
    assert [as_tasks(program, seed) for seed in SEEDS] != [as_ours(program, seed) for seed in SEEDS]


@pytest.mark.parametrize("program", PROGRAMS)
def test_engine_and_interpreter_count_the_same(program: str) -> None:
    tally = ours.interpreter(program, 300, 7, stop=False)
    assert ours.engine(program, 300, 7, stop=False) == tally
    assert tally.executions == 300
    stopped = [explore(program, 300, 7, stop=True) for explore in (ours.engine, ours.interpreter)]
    assert len({each.executions for each in stopped}) == 1


@pytest.mark.parametrize("program", PROGRAMS)
def test_spin_simulates_the_same(program: str) -> None:
    require_spin()
    theirs = simulated.spin(program, 20_000, 1, stop=False)
    assert theirs.executions == 20_000
    mine = ours.engine(program, 20_000, 1, stop=False)
    # both walk at random over the same steps
    assert theirs.steps / 20_000 == pytest.approx(mine.steps / 20_000, abs=0.1)
    assert theirs.broken / 20_000 == pytest.approx(mine.broken / 20_000, abs=0.01)


def test_spin_stops_at_the_bug() -> None:
    require_spin()
    hunts = [simulated.spin("W2", 100, seed, stop=True) for seed in range(20)]
    assert all(hunt.broken == 1 for hunt in hunts)
    assert 1 < mean(hunt.executions for hunt in hunts) < 2


def test_tasks_stop_at_the_bug() -> None:
    tally = workload.Tally()
    # asyncio's own order: all load before any stores
    asyncio.run(asynchronous.execution("W2", tally, stop=False)())
    with pytest.raises(AssertionError):
        asyncio.run(asynchronous.execution("W2", tally, stop=True)())
    assert tally == workload.Tally(executions=2, steps=12, broken=2)


def _reached() -> set[states.State]:
    reached, waiting = {states.INITIAL}, deque([states.INITIAL])
    while waiting:
        for _, after in states.moves(waiting.popleft()):
            if after not in reached:
                reached.add(after)
                waiting.append(after)
    return reached


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "THREADS", 2)
    monkeypatch.setattr(states, "INITIAL", (0, *(0, states.TIMES, 0) * 2))


@pytest.mark.usefixtures("small")
def test_visitors_are_given_our_states() -> None:
    searcher = Searcher(make("counter", {"THREADS": 2, "TIMES": states.TIMES}).program, keep=True)
    searcher.explore()
    reached = _reached()
    assert len(reached) == minimised_states(searcher)
    assert all(map(states.is_right, reached))


@pytest.mark.usefixtures("small")
def test_visitors_are_given_a_property_that_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = states.move

    def stored(thread: int, state: states.State) -> states.State:
        seen, left, loaded = state[3 * thread + 1 : 3 * thread + 4]
        if not loaded:
            return compared(thread, state)
        same = compared(thread, (seen, *state[1:]))
        assert left
        return same

    monkeypatch.setattr(states, "move", stored)
    assert not all(map(states.is_right, _reached()))


def _cannot() -> list[str]:
    raise environments.Unavailable("there is none")


def test_absent_peers_are_listed_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "ROUNDS", 1)
    absent = peers.Peer("absent", _cannot, "")
    failing = peers.Peer("failing", peers.EXPLORERS[0].command, "")
    answers = peers.rounds("executions", [absent, failing], peers.read_explored)
    rows = [*peers.explored(absent, answers), *peers.explored(failing, answers)]
    assert [row["a step"] for row in rows] == [
        "not measured: there is none",
        "not measured: KeyError: 'failing'",
    ]
    assert peers.visited(absent, {"absent": "there is none"})["states/s"] == "-"


def test_what_peers_need_is_said_when_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("PATH", "PYENV_ROOT"):
        monkeypatch.setenv(variable, str(tmp_path))
    environments.newest_python.cache_clear()
    with pytest.raises(environments.Unavailable, match=r"needs Python 3\.13"):
        environments.newest_python()
    with pytest.raises(environments.Unavailable, match="apt-get install spin gcc"):
        environments.required("spin", "gcc")


def _answer(program: str, broken: int) -> peers.Explored:
    counts = peers.Counted(executions=10, steps=60, broken=broken, seconds=2.0)
    return peers.Explored(programs={program: counts}, hunts=[3, None])


def test_rows_have_the_same_columns() -> None:
    peer, absent = peers.EXPLORERS[:2]
    answers: Answers = {peer.name: [_answer("W2", 5)], absent.name: "there is none"}
    rows = [*peers.explored(peer, answers), *peers.explored(absent, answers)]
    assert len(table(rows).splitlines()) == 3
    assert rows[0]["lost"] == 0.5
    assert rows[0]["to the bug"] == "3.0 (1 of 2)"


def test_lost_updates_of_a_swap_stop_the_benchmark() -> None:
    peer = peers.EXPLORERS[0]
    with pytest.raises(SystemExit, match="not the same program"):
        peers.explored(peer, {peer.name: [_answer("W1", 1)]})


def test_states_that_differ_stop_the_benchmark() -> None:
    exact, other, hashed = peers.VISITORS[:3]
    counts = {exact.name: 100, other.name: 100, hashed.name: 99}
    answers = {name: [peers.Visited(states=count, seconds=1.0)] for name, count in counts.items()}
    peers.same_states(answers)
    answers[other.name] = answers[hashed.name]
    with pytest.raises(SystemExit, match="not the same program"):
        peers.same_states(answers)
