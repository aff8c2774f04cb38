"""Beside the peers that pip or apt install, on the same programs: `python bench/peers.py`, or with `--json`.

The programs are in bench/peer. Each peer runs in an environment and in a process of its own, a round of each in
turn, so that noise hits all alike. CPU seconds of the process and its children, without its start (SPIN's
simulation: with it); medians over rounds. Peers in Python run on the newest there is, we on our own. What does
not run here is listed with the reason.

A step is a load, store or compare-and-swap of a program, in all peers the same count, whatever they do for one.
`lost` is the share of executions that lost an update; `to the bug` how many of W2 it took until the peer reported
one, a mean over seeds. That depends on what a start is: here, in SPIN and for tasks, all threads are there before
the first step; peers that order real threads start them while others run.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import mean, median
from typing import Final, NamedTuple, TypedDict, TypeVar

from environments import Unavailable, environment, last_line, required
from measure import Row, table

ROUNDS: Final = 5
PATIENCE: Final = 300
"""Wall seconds of a round of one peer."""

HASHED: Final = "SPIN, pan -DHC4"
"""May take two states for one."""
RATES: Final = ("executions/s", "slowest", "fastest")
ALL_STATES: Final = "every state of 4 threads x 4 CAS increments"

_CHILD: Final = Path(__file__).parent / "peer" / "child.py"
_ROOT: Final = Path(__file__).parents[1]


class Peer(NamedTuple):
    """One that can be measured."""

    name: str
    """As the child knows it."""
    command: Callable[[], list[str]]
    """What runs the child. Raises `Unavailable`."""
    step: str
    """What it does in a step."""


def _own(*programs: str) -> Callable[[], list[str]]:
    def command() -> list[str]:
        required(*programs)
        return [sys.executable]

    return command


def _pip(requirement: str) -> Callable[[], list[str]]:
    return lambda: [str(environment(requirement) / "python")]


def _frontrun() -> list[str]:
    folder = environment("frontrun==0.7.0")
    return [str(folder / "frontrun"), str(folder / "python")]


_TURN: Final = "a task's turn; a simulated asyncio loop an execution"
_THREADS: Final = "real threads; a swap needs a lock"

EXPLORERS: Final = (
    Peer("engine", _own(), "an operation, compiled; monitors on"),
    Peer("interpreter", _own(), "an operation, interpreted; recorded, monitors on"),
    Peer("spin", _own("spin"), "a d_step, interpreted; all executions one run of spin -T"),
    Peer("detangle", _pip("detangle==0.1.0"), _TURN),
    Peer("simloop", _pip("simloop==0.2.2"), _TURN),
    Peer("simloom", _pip("simloom==0.5.0"), _TURN),
    Peer("seedloop", _pip("seedloop==0.4.1"), f"{_TURN}; always the same order"),
    Peer("interleave-test, opcodes", _pip("interleave-test==0.1.0"), f"opcodes of {_THREADS}"),
    Peer("interleave-test, lines", _pip("interleave-test==0.1.0"), f"lines of {_THREADS}"),
    Peer("frontrun, random", _frontrun, f"opcodes of {_THREADS}"),
    Peer("frontrun, DPOR", _frontrun, f"accesses by {_THREADS}; no order twice"),
    Peer("ploom", _pip("ploom==0.1.1"), f"{_THREADS}; depth first, a process an execution"),
)
VISITORS: Final = (
    Peer("stackweave, search", _own(), "compiled; fingerprints"),
    Peer("SPIN, pan", _own("spin", "gcc"), "compiled; whole states"),
    Peer(HASHED, _own("spin", "gcc"), "compiled; hashes"),
    Peer("rumur", _own("rumur", "gcc"), "compiled; whole states"),
    Peer("musil", _pip("musil==0.36.7"), "Python functions of a tuple"),
    Peer("minicheck", _pip("minicheck==0.4.0"), "Python functions of a tuple"),
)


class Counted(TypedDict):
    """Executions of one program in one round."""

    executions: int
    steps: int
    broken: int
    seconds: float


class Explored(TypedDict):
    """A round of a peer that executes."""

    programs: dict[str, Counted]
    hunts: list[int | None]
    """Executions to the bug, one figure a seed; None if it was not found."""


class Visited(TypedDict):
    """A round of a peer that visits all states."""

    states: int
    seconds: float


Answer = TypeVar("Answer")


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(prog="python bench/peers.py", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document")
    as_json = parser.parse_args().json
    executions = rounds("executions", EXPLORERS, read_explored)
    states = rounds("states", VISITORS, read_visited)
    same_states(states)
    parts = {
        "random executions": [row for peer in EXPLORERS for row in explored(peer, executions)],
        ALL_STATES: [visited(peer, states) for peer in VISITORS],
    }
    if as_json:
        print(json.dumps(parts, indent=2))
        return
    for name, rows in parts.items():
        print(f"{name}\n{table(rows)}\n")


def read_explored(text: str) -> Explored:
    """What a child printed."""
    answer: Explored = json.loads(text)
    return answer


def read_visited(text: str) -> Visited:
    """What a child printed."""
    answer: Visited = json.loads(text)
    return answer


def rounds(
    kind: str, peers: Sequence[Peer], read: Callable[[str], Answer]
) -> dict[str, list[Answer] | str]:
    """The answers of each peer, one a round, or why there are none."""
    commands: dict[str, list[str]] = {}
    answers: dict[str, list[Answer]] = {}
    absent: dict[str, str] = {}
    for peer in peers:
        try:
            commands[peer.name] = peer.command()
        except Unavailable as why:
            absent[peer.name] = str(why)
    for number in range(ROUNDS):
        for name in [name for name in commands if name not in absent]:
            print(f"round {number + 1} of {ROUNDS}: {name}", file=sys.stderr)
            try:
                printed = _ask([*commands[name], str(_CHILD), kind, name, str(number)])
                answers.setdefault(name, []).append(read(printed))
            except Unavailable as why:
                absent[name] = str(why)
    return {**answers, **absent}


def _ask(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(
            command, cwd=_ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired as failed:
        raise Unavailable(f"no answer in {PATIENCE} seconds") from failed
    if done.returncode:
        raise Unavailable(last_line(done.stderr))
    return last_line(done.stdout)


def explored(peer: Peer, answers: Mapping[str, Sequence[Explored] | str]) -> list[Row]:
    """One row a program."""
    mine = answers[peer.name]
    if isinstance(mine, str):
        columns = ("program", *RATES, "steps/s", "steps", "lost", "to the bug")
        return [{"peer": peer.name, **dict.fromkeys(columns, "-"), "a step": _not_measured(mine)}]
    hunts = [count for each in mine for count in each["hunts"]]
    return [
        _program_row(peer, program, [each["programs"][program] for each in mine], hunts)
        for program in mine[0]["programs"]
    ]


def _program_row(
    peer: Peer, program: str, counted: Sequence[Counted], hunts: Sequence[int | None]
) -> Row:
    executions = sum(each["executions"] for each in counted)
    lost = sum(each["broken"] for each in counted)
    racy = program == "W2"
    if lost and not racy:
        raise SystemExit(f"{peer.name}: {program} lost updates: not the same program")
    return {
        "peer": peer.name,
        "program": program,
        **_spread([each["executions"] / each["seconds"] for each in counted], RATES),
        "steps/s": round(median(each["steps"] / each["seconds"] for each in counted)),
        "steps": round(sum(each["steps"] for each in counted) / executions, 1),
        "lost": round(lost / executions, 3),
        "to the bug": _to_the_bug(hunts) if racy else "",
        "a step": peer.step,
    }


def _to_the_bug(hunts: Sequence[int | None]) -> str:
    found = [count for count in hunts if count is not None]
    if not found:
        return "none"
    return f"{mean(found):.1f}" + (
        f" ({len(found)} of {len(hunts)})" if len(found) < len(hunts) else ""
    )


def visited(peer: Peer, answers: Mapping[str, Sequence[Visited] | str]) -> Row:
    """A row."""
    mine = answers[peer.name]
    columns = ("states/s", *RATES[1:])
    if isinstance(mine, str):
        blank = dict.fromkeys(("states", *columns), "-")
        return {"peer": peer.name, **blank, "a state": _not_measured(mine)}
    rates = [each["states"] / each["seconds"] for each in mine]
    states = mine[0]["states"]
    return {"peer": peer.name, "states": states, **_spread(rates, columns), "a state": peer.step}


def same_states(answers: Mapping[str, Sequence[Visited] | str]) -> None:
    """Ends the benchmark where peers that miss no state count differently."""
    counts = {
        name: each["states"]
        for name, mine in answers.items()
        if name != HASHED and not isinstance(mine, str)
        for each in mine
    }
    if len(set(counts.values())) > 1:
        raise SystemExit(f"{counts}: not the same program")


def _spread(rates: Sequence[float], columns: Sequence[str]) -> dict[str, int]:
    figures = (median(rates), min(rates), max(rates))
    return {column: round(figure) for column, figure in zip(columns, figures, strict=True)}


def _not_measured(why: str) -> str:
    return f"not measured: {why}"


if __name__ == "__main__":
    main()
