"""The engine's arrays: made of a program's declarations, and grown as automata grow."""

from collections.abc import Callable, Sequence
from math import prod

import numpy as np

from .. import memory
from ..context import ContextSpec
from ..machine import Level
from ..machine import State as Standing
from ..program import Program as Declared
from .edges import add_edge
from .layout import ABSENT, MOST_CHOICES, NODE_FIELDS, PRIVATE, Program, Register, State, Words

_STANDINGS = {standing: number for number, standing in enumerate(Standing)}


def _words(values: Sequence[int]) -> Words:
    unsigned = np.array([value & (1 << 64) - 1 for value in values], dtype=np.uint64)
    return unsigned.view(np.int64)


def program_arrays(
    program: Declared,
    starts: Sequence[int],
    epilogue: int,
    monitor_starts: Sequence[int],
    state: State,
) -> Program:
    """A program's declarations, and the state that its executions begin in."""
    layout, contexts = program.layout, program.contexts
    firsts = [*layout.first_object, len(layout.objects)]
    pools = [pool.index for pool in layout.pools for _ in pool.objects]
    uniform = all(spec.weight == 1 for spec in contexts)
    live = sum(spec.level is Level.TASK and spec.state is not Standing.NEW for spec in contexts)
    return Program(
        pristine=state.vector.copy(),
        owner=_words(layout.owner),
        level=_of(contexts, lambda spec: int(spec.level)),
        home=_of(contexts, lambda spec: spec.cpus[0]),
        weight=_of(contexts, lambda spec: spec.weight),
        start_node=_words(starts),
        current=_words(program.current_words()),
        first_object=_words(firsts),
        object_address=_words([item.address for item in layout.objects]),
        object_pool=_words(pools),
        capacity=_words([box.capacity for box in layout.mailboxes]),
        ready=_words([box.ready.address for box in layout.mailboxes]),
        monitor_start=_words(monitor_starts),
        parameters=_words(
            [program.bound, program.choices_are_points, uniform, epilogue, live, 0, 0, 0]
        ),
        counts=np.zeros((1, 1), dtype=np.int64),
    )


def _of(contexts: Sequence[ContextSpec], of: Callable[[ContextSpec], int]) -> Words:
    return _words([of(spec) for spec in contexts])


def state_arrays(program: Declared, messages: Sequence[Sequence[int]]) -> State:
    """The state that executions begin in; one more context than declared, which runs the program's end.

    `messages` are the numbers of what is in each mailbox.
    """
    contexts, layout = len(program.contexts) + 1, program.layout
    boxes = len(layout.mailboxes)
    largest = max((box.capacity for box in layout.mailboxes), default=1)
    shapes: dict[str, tuple[int, ...]] = {
        "words": (len(layout.initial),),
        "node": (contexts,),
        "state": (contexts,),
        "cpu": (contexts,),
        "allowed": (contexts,),
        "saved_irqs": (contexts,),
        "condition": (contexts, 3),
        "paused_at": (contexts,),
        "switched_out": (contexts,),
        "stack": (max(program.cpus, 1), 4),
        "depth": (program.cpus,),
        "irqs_on": (program.cpus,),
        "live": (len(layout.objects),),
        "generation": (len(layout.objects),),
        "messages": (boxes, largest),
        "head": (boxes,),
        "filled": (boxes,),
        "monitor": (len(program.monitors),),
        "mover": (1,),
    }
    vector = np.zeros(sum(map(prod, shapes.values())), dtype=np.int64)
    parts: dict[str, Words] = {}
    start = 0
    for name, shape in shapes.items():
        end = start + prod(shape)
        parts[name] = vector[start:end].reshape(shape)
        start = end
    state = State(
        registers=np.zeros(len(Register), dtype=np.int64),
        watched=np.zeros(len(layout.initial), dtype=np.int64),
        enabled=np.zeros(contexts, dtype=np.int64),
        cumulative=np.zeros(contexts, dtype=np.int64),
        script=np.zeros((MOST_CHOICES, 2), dtype=np.int64),
        priority=np.zeros(contexts, dtype=np.int64),
        points=np.zeros(0, dtype=np.int64),
        vector=vector,
        **parts,
    )
    _begin(program, state, messages)
    return state


def _begin(program: Declared, state: State, messages: Sequence[Sequence[int]]) -> None:
    """Before anybody has begun: who runs is on its CPU, and the messages are there."""
    state.words[:] = _words(program.layout.initial)
    state.state[-1] = _STANDINGS[Standing.RUNNING]
    state.paused_at[:] = ABSENT
    state.irqs_on[:] = 1
    state.monitor[:] = ABSENT
    contexts, current = program.contexts, program.current_words()
    state.state[:-1] = _of(contexts, lambda spec: _STANDINGS[spec.state])
    state.cpu[:-1] = _of(contexts, lambda spec: spec.cpus[0])
    state.allowed[:-1] = _of(contexts, lambda spec: sum(1 << cpu for cpu in spec.cpus))
    for context, spec in enumerate(contexts):
        cpu = spec.cpus[0]
        if spec.state is Standing.RUNNING:
            state.stack[cpu, state.depth[cpu]] = context
            state.depth[cpu] += 1
            if current[cpu]:
                state.words[current[cpu]] = context + 1
    for number, (box, each) in enumerate(zip(program.layout.mailboxes, messages, strict=True)):
        state.messages[number, : len(each)] = each
        state.filled[number] = len(each)
        if each:
            state.words[box.ready.address] = 1


class Edges:
    """A table of nodes, each with its first edges in its row and the others in a hash table."""

    def __init__(self, fields: int) -> None:
        """`fields` of a row come before its edges."""
        self._fields = fields
        self._used = 0
        self.count = 0
        self.rows = np.full((256, fields + 4), ABSENT, dtype=np.int64)
        self.keys = np.zeros((256, 2), dtype=np.int64)
        self.nodes = np.full(256, ABSENT, dtype=np.int64)

    def add_nodes(self, labels: Sequence[tuple[int, ...]]) -> None:
        """More nodes, with what comes before their edges."""
        while self.count + len(labels) > len(self.rows):
            self.rows = np.concatenate([self.rows, np.full_like(self.rows, ABSENT)])
        for label in labels:
            self.rows[self.count, : self._fields] = label[: self._fields]
            self.count += 1

    def add(self, node: int, sent: int, target: int) -> None:
        """An edge that is not there."""
        if 2 * self._used >= len(self.nodes):
            self._rehash()
        self._used += add_edge(self.rows, self.keys, self.nodes, node, sent, target, self._fields)

    def edges(self) -> list[tuple[int, int, int]]:
        """All of them: (node, sent, target)."""
        found = []
        for first in (self._fields, self._fields + 2):
            for node in np.flatnonzero(self.rows[: self.count, first + 1] != ABSENT).tolist():
                found.append((node, *self.rows[node, first : first + 2].tolist()))
        for at in np.flatnonzero(self.nodes != ABSENT):
            found.append((*self.keys[at].tolist(), int(self.nodes[at])))
        return found

    def _rehash(self) -> None:
        keys, nodes = self.keys, self.nodes
        self.keys = np.zeros((2 * len(nodes), 2), dtype=np.int64)
        self.nodes = np.full(2 * len(nodes), ABSENT, dtype=np.int64)
        for at in np.flatnonzero(nodes != ABSENT):
            add_edge(
                self.rows, self.keys, self.nodes, keys[at, 0], keys[at, 1], nodes[at], self._fields
            )


assert NODE_FIELDS == 8
assert PRIVATE == memory.PRIVATE
