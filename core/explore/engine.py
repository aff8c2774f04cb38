"""The engine: a program's executions at compiled speed, the same ones that the interpreter runs.

It owns the automata of protocols and monitors and the arrays of one execution, and calls the compiled loop, which
returns where an edge is missing; the engine makes the edge and calls it again.
"""

from typing import Final, NamedTuple, cast

import numpy as np

from ..errors import ModelError
from ..interpreter import Interpreter
from ..outcome import Occurrence
from ..program import Program
from ..strategies import RANDOM_WALK, Tactic, strategy_of
from . import selftest
from .automaton import Automaton
from .cover import Cover, Identities
from .interning import Interning
from .kernel import run
from .layout import (
    ABSENT,
    BEGIN,
    ENDED_MONITOR,
    FIRST_EDGE,
    FIRST_VIOLATION,
    MOST_VIOLATIONS,
    Automata,
    Monitors,
    Output,
    Register,
    Status,
)
from .tables import Edges, program_arrays, state_arrays
from .tactics import with_tactic
from .tally import Breach, Tally, merged
from .watchers import VIOLATED, WATCHING, Watchers

selftest.self_test()

MOST_NODES: Final = 200_000
"""Of protocols: some 2 kB each. Beyond, the automata are made afresh."""
_SETS: Final = 1 << 12
_TRACE: Final = 1 << 12
"""Entries, events and violations of one execution that there is room for at first."""


_NO_TABLE: Final = np.zeros((0, 2), dtype=np.int64)


class Trace(NamedTuple):
    """One execution in full, as the interpreter tells it."""

    schedule: tuple[int, ...]
    events: tuple[Occurrence, ...]
    violations: tuple[tuple[str, str, str, int], ...]
    """(property, signature, context, operations before and with it)."""
    words: tuple[int, ...]


class Engine:
    """Runs a program's executions, decided by one strategy."""

    def __init__(
        self, program: Program, tactic: Tactic = RANDOM_WALK, *, covering: bool = False
    ) -> None:
        """`covering`: note which states and transitions executions reach."""
        program.layout.freeze()
        self.program = program
        self.tactic = tactic
        self._violations = Interning()
        self._name_violations()
        self._covering = covering
        self._build()
        self._cover = Cover(self._state) if covering else None

    def _build(self) -> None:
        """Automata of nothing yet, and the arrays that go with them."""
        program = self.program
        self._objects = Interning()
        bodies = [spec.body for spec in program.contexts]
        if program.epilogue is not None:
            bodies.append(program.epilogue)
        self._automaton = Automaton(bodies, self._objects, self._violations)
        self._watchers = Watchers(program.monitors, self._objects, self._violations)
        self._edges = Edges(FIRST_EDGE)
        self._watching = Edges(0)
        self._route_start = [0]
        self._routes: list[int] = []
        self._route_starts = np.zeros(1, dtype=np.int64)
        self._route_items = np.zeros(1, dtype=np.int64)
        starts = self._automaton.starts
        epilogue = ABSENT if program.epilogue is None else starts[-1]
        messages = [
            [self._objects.number(message) for message in box.initial]
            for box in program.layout.mailboxes
        ]
        state = state_arrays(program, messages)
        arrays = program_arrays(
            program, starts[: len(program.contexts)], epilogue, self._watchers.starts, state
        )
        self._program, self._state = with_tactic(program, self.tactic, arrays, state)
        self._identities = Identities(self._automaton.identity)
        self._monitor_identities = Identities(self._watchers.identity)
        self._object_identities = Identities(self._objects.identity)
        self._grow()

    def _build_afresh(self) -> None:
        """Between two executions: forget all nodes, and go on."""
        self._automaton.check()
        self.discard()
        registers = self._state.registers
        self._build()
        self._state.registers[:] = registers

    def _name_violations(self) -> None:
        """Those that the loop itself reports, at the numbers where it expects them."""
        self._violations.number(("deadlock", "deadlock"))
        self._violations.number(("null-pointer", "null-pointer"))
        for pool in self.program.layout.pools:
            for property, kind in (
                ("use-after-free", "use-after-free"),
                ("use-after-free", "use-before-alloc"),
                ("use-after-free", "double-free"),
                ("null-pointer", "null-pointer"),
                ("wild-pointer", "wild-pointer"),
            ):
                self._violations.number((property, f"{kind}:{pool.name}"))

    @property
    def nodes(self) -> int:
        """Nodes of protocols so far."""
        return len(self._automaton.labels)

    @property
    def edges(self) -> int:
        """Missing edges that were made so far."""
        return self._made

    _made = 0

    def run(self, seed: int, first: int, end: int) -> Tally:
        """The executions `first` to `end` - 1 of a seed."""
        output = self._output(0)
        self._begin(seed, first, end, tracing=False)
        if self._cover is not None:
            output = self._cover.begin(self._state.registers, output)
        self._go_on(output)
        self._automaton.check()
        registers = self._state.registers
        sets = np.flatnonzero(output.sets[:, 1]).tolist()
        return Tally(
            end - first,
            int(registers[Register.OPERATIONS]),
            int(registers[Register.INCOMPLETE]),
            merged(self._breach(output, at) for at in sets),
            None if self._cover is None else self._cover.take(registers),
        )

    def trace(self, seed: int, execution: int) -> Trace:
        """One execution in full."""
        room = _TRACE
        while True:
            output = self._output(room)
            self._begin(seed, execution, execution + 1, tracing=True)
            self._go_on(output)
            registers = self._state.registers
            if not registers[Register.OVERRUN]:
                break
            room *= 2
        names = [*(spec.name for spec in self.program.contexts), "end", ""]
        return Trace(
            tuple(map(int, output.schedule[: registers[Register.LENGTH]])),
            tuple(
                Occurrence(int(step), names[context], self._objects.value(event))
                for step, context, event in output.events[: registers[Register.EVENTS]]
            ),
            tuple(
                (*self._violations.value(violation), names[context], int(moves))  # type: ignore[misc]  # value: two texts
                for violation, context, moves in output.found[: registers[Register.FOUND]]
            ),
            tuple(int(word) for word in self._state.words.view(np.uint64)),
        )

    def discard(self) -> None:
        """Drop whatever is suspended."""
        self._automaton.discard()
        self._watchers.discard()

    def _output(self, room: int) -> Output:
        return Output(
            sets=np.zeros((_SETS, 2), dtype=np.int64),
            first=np.zeros(_SETS, dtype=np.int64),
            schedule=np.zeros(room, dtype=np.int64),
            events=np.zeros((room, 3), dtype=np.int64),
            found=np.zeros((room, 3), dtype=np.int64),
            reached=_NO_TABLE,
            states=_NO_TABLE,
            crossed=_NO_TABLE,
            crossings=_NO_TABLE,
            roles=np.zeros(0, dtype=np.int64),
            scratch=np.zeros(0, dtype=np.int64),
        )

    def _begin(self, seed: int, first: int, end: int, *, tracing: bool) -> None:
        registers = self._state.registers
        registers[:] = 0
        registers[Register.PHASE] = BEGIN
        registers[Register.EXECUTION] = first
        registers[Register.END] = end
        registers[Register.TRACING] = tracing
        registers[Register.SEED] = np.uint64(seed & (1 << 64) - 1).astype(np.int64)

    def _go_on(self, output: Output) -> None:
        """Run until the executions are done, making whatever is missing; with too many nodes, afresh."""
        registers = self._state.registers
        end = int(registers[Register.END])
        while True:
            if self.nodes > MOST_NODES:
                registers[Register.END] = registers[Register.EXECUTION] + 1
            status = run(self._program, *self._tables(), self._state, output)
            if status == Status.DONE:
                if registers[Register.EXECUTION] == end:
                    return
                registers[Register.END] = end
                self._build_afresh()
                registers = self._state.registers
                continue
            if status == Status.MISSING_EDGE:
                self._make_edge()
            elif status == Status.MISSING_MONITOR_EDGE:
                self._make_monitor_edge()
            elif status == Status.CROWDED and self._cover is not None:
                output = self._cover.enlarge(registers, output)
            else:
                self._complain()

    def _tables(self) -> tuple[Automata, Monitors]:
        """What has grown, as the loop takes it."""
        edges, watching = self._edges, self._watching
        return (
            Automata(edges.rows, edges.keys, edges.nodes, self._identities.words),
            Monitors(
                watching.rows,
                watching.keys,
                watching.nodes,
                self._route_starts,
                self._route_items,
                self._monitor_identities.words,
                self._object_identities.words,
            ),
        )

    def _make_edge(self) -> None:
        registers = self._state.registers
        node = int(self._state.node[registers[Register.CONTEXT]])
        result = int(registers[Register.RESULT])
        target = self._automaton.follow(node, result)
        self._grow()
        self._edges.add(node, result, target)
        self._made += 1

    def _make_monitor_edge(self) -> None:
        registers = self._state.registers
        event = int(self._edges.rows[self._state.node[registers[Register.CONTEXT]], 2])
        number = self._routes[self._route_start[event] + int(registers[Register.MONITOR]) - 1]
        node = int(self._state.monitor[number])
        target = self._watchers.follow(node, event)
        self._grow()
        label = self._watchers.labels[target]
        if label.kind == VIOLATED:
            target = FIRST_VIOLATION - label.violation
        elif label.kind != WATCHING:
            target = ENDED_MONITOR
        self._watching.add(node, event, target)

    def _grow(self) -> None:
        """Tables for the nodes and objects that have come."""
        self._edges.add_nodes(self._automaton.labels[self._edges.count :])
        new = len(self._watchers.labels) - self._watching.count
        self._watching.add_nodes([()] * new)
        if len(self._violations) > MOST_VIOLATIONS:
            raise ModelError(f"more than {MOST_VIOLATIONS} distinct signatures")
        while len(self._route_start) <= len(self._objects):
            event = self._objects.value(len(self._route_start) - 1)
            self._routes += self._watchers.routes(event)
            self._route_start.append(len(self._routes))
            self._route_starts = np.array(self._route_start, dtype=np.int64)
            self._route_items = np.array(self._routes, dtype=np.int64)
        if self._covering:
            self._identities.grow(len(self._automaton.labels))
            self._monitor_identities.grow(len(self._watchers.labels))
            self._object_identities.grow(len(self._objects))

    def _breach(self, output: Output, at: int) -> Breach:
        broken = int(output.sets[at, 0])
        shown = [
            cast("tuple[str, str]", self._violations.value(number))[1]
            for number in range(len(self._violations))
            if broken >> number & 1
        ]
        return Breach(tuple(sorted(shown)), int(output.sets[at, 1]), int(output.first[at]))

    def _complain(self) -> None:
        """The program cannot be: the interpreter says why."""
        registers = self._state.registers
        interpreter = Interpreter(self.program)
        seed = int(registers[Register.SEED]) & (1 << 64) - 1
        strategy = strategy_of(self.tactic, seed, self.program)
        interpreter.run(strategy, int(registers[Register.EXECUTION]))
        raise ModelError(f"{self.program.name}: the engine refuses what the interpreter does")
