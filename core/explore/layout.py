"""Where the engine keeps what: the numbers that Python and the compiled loop share.

All state of an execution lies in arrays, so that the loop can return to Python in the middle of anything, for a
missing edge say, and go on from there. `Register` numbers the scalars.
"""

from enum import IntEnum, auto
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..machine import Level

Words = NDArray[np.int64]

NODE_FIELDS: Final = 8
"""Of a row of the node table: kind, address, a, b, then two edges: result, node, result, node."""

FIRST_EDGE: Final = 4
SECOND_EDGE: Final = 6
ABSENT: Final = -1
ENDED_MONITOR: Final = -2
FIRST_VIOLATION: Final = -3
"""As the target of a monitor's edge: violation number n is FIRST_VIOLATION - n."""

NEW: Final = 0
RUNNABLE: Final = 1
RUNNING: Final = 2
SLEEPING: Final = 3
AWAY: Final = 4
DEAD: Final = 5
"""`core.machine.State`, by number."""

DEADLOCK: Final = 0
NULL_POINTER: Final = 1
POOL_VIOLATIONS: Final = 2
"""Numbers of the violations that the loop itself reports; then five for each pool, as follows."""
USE_AFTER_FREE: Final = 0
USE_BEFORE_ALLOC: Final = 1
DOUBLE_FREE: Final = 2
NULL_OBJECT: Final = 3
WILD_OBJECT: Final = 4
OF_POOL: Final = 5

BEGIN: Final = 0
SPAWN: Final = 1
MAIN: Final = 2
ADVANCE: Final = 3
ARRIVED: Final = 4
"""A context has come to a node."""

PARENT: Final = 5
"""A child has started: its parent goes on."""

FINISH: Final = 6
EPILOGUE: Final = 7
COUNT: Final = 8
END: Final = 1
TASK: Final = int(Level.TASK)
NO_RESULT: Final = -(1 << 62)
"""A task came to a CPU or left it, and has not performed anything yet. No operation's result is like that."""


PRIVATE: Final = -2
"""`core.memory.PRIVATE`. A copy: what the compiled loop is made of is in the digest of its sources."""


REFUSED: Final = 2
"""In `FINISHED`: the program cannot be."""


MOST_VIOLATIONS: Final = 62
"""Distinct signatures of one program: a set of them is one word."""


MOST_CHOICES: Final = 64
"""Choices of one move that a search can enumerate."""


class Register(IntEnum):
    """Scalars of the loop's state."""

    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[int]) -> int:
        return count

    PHASE = auto()
    NEXT = auto()
    """The phase after a context has come to its next operation."""
    EXECUTION = auto()
    END = auto()
    """One more than the last execution."""
    CONTEXT = auto()
    RESULT = auto()
    PARENT = auto()
    SPAWNING = auto()
    MONITOR = auto()
    """1 + how many monitors have seen the event at hand; 0 before it is recorded."""
    LIVE = auto()
    FINISHED = auto()
    DIRTY = auto()
    ENABLED = auto()
    TOTAL = auto()
    """Weight of the enabled contexts."""
    ITERATION = auto()
    LENGTH = auto()
    """Schedule entries of this execution."""
    MOVES = auto()
    BROKEN = auto()
    """The set of violations of this execution."""
    SEED = auto()
    DRAW = auto()
    VALUE = auto()
    LEFT = auto()
    SECOND = auto()
    OPERATIONS = auto()
    """Of all executions so far."""
    INCOMPLETE = auto()
    SETS = auto()
    """Distinct sets of violations so far."""
    TRACING = auto()
    EVENTS = auto()
    FOUND = auto()
    """Violations recorded while tracing."""
    OVERRUN = auto()
    """Whether a trace had more than there was room for; what was too much was not written."""
    SCRIPTED = auto()
    """Whether a search drives: one move at a time, choices as its script says."""
    CHOICES = auto()
    """Of the script, so far."""
    LOWEST = auto()
    """PCT: the priority of who paused last."""
    LOCATION = auto()
    """SURW: where operations are interesting."""
    DRAWN = auto()
    """SURW: who performs the next interesting operation."""
    LAST = auto()
    """Preemption bounding: who moved last."""
    COVERING = auto()
    """Whether the states and transitions that are reached are noted."""
    NOTED = auto()
    """The moves before the state that was noted last, `STATE`; -1 for none."""
    STATE = auto()
    MOVED = auto()
    """Who moved last, while covering."""
    CODE = auto()
    """A hash of what the move has chosen so far."""
    REACHED = auto()
    """States that were noted."""
    CROSSED = auto()
    """Transitions that were noted."""


class Parameter(IntEnum):
    """Of `Program.parameters`."""

    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[int]) -> int:
        return count

    BOUND = auto()
    CHOICES_ARE_POINTS = auto()
    UNIFORM = auto()
    """Whether the random walk weighs all contexts alike."""
    EPILOGUE = auto()
    """Its start node, or `ABSENT`."""
    LIVE = auto()
    """Tasks that are live at first."""
    METHOD = auto()
    """The strategy, a `core.strategies.Method`."""
    STRATEGY_BOUND = auto()
    STRATEGY_LENGTH = auto()
    """The length that it reckons with."""


class Program(NamedTuple):
    """What does not change: the program's declarations."""

    pristine: Words
    """`State.vector` as executions begin."""
    owner: Words
    level: Words
    home: Words
    weight: Words
    start_node: Words
    current: Words
    """Of each CPU: the address of its `current`, 0 for none."""
    first_object: Words
    """Of each pool, and one more."""
    object_address: Words
    object_pool: Words
    capacity: Words
    ready: Words
    monitor_start: Words
    parameters: Words
    """By `Parameter`."""
    counts: Words
    """Of each location that SURW may draw: itself, then how often each context touches it."""


class Automata(NamedTuple):
    """What grows: nodes with their first two edges, and a hash table of the others."""

    rows: Words
    keys: Words
    """Pairs (node, result)."""
    nodes: Words
    identity: Words
    """Of each node, where coverage is counted."""


class Monitors(NamedTuple):
    """The same of monitors, and which of them an event goes to."""

    rows: Words
    keys: Words
    nodes: Words
    route_start: Words
    routes: Words
    identity: Words
    """Of each node, where coverage is counted."""
    object_identity: Words


class State(NamedTuple):
    """One execution."""

    registers: Words
    words: Words
    node: Words
    state: Words
    cpu: Words
    allowed: Words
    saved_irqs: Words
    condition: Words
    paused_at: Words
    switched_out: Words
    stack: Words
    depth: Words
    irqs_on: Words
    live: Words
    generation: Words
    messages: Words
    head: Words
    filled: Words
    """Of each mailbox: how many messages it holds."""
    monitor: Words
    watched: Words
    enabled: Words
    cumulative: Words
    vector: Words
    """All that tells states apart, whose parts `words` to `monitor` are, and `mover`."""
    mover: Words
    """1 + who moved last, where a search minds it."""
    script: Words
    """A search's choices: pairs (choice, among how many)."""
    priority: Words
    """Of each context: its priority, or under SURW how many interesting operations it has left."""
    points: Words
    """Moves at which priorities change or somebody is preempted."""


class Output(NamedTuple):
    """What comes of executions: sets of violations with how often and when first, and one execution's trace."""

    sets: Words
    """Pairs (set + 1, count), hashed."""
    first: Words
    schedule: Words
    events: Words
    """Triples (schedule entries before it, context, event)."""
    found: Words
    """Triples (violation, context, moves)."""
    reached: Words
    """Fingerprints of states, hashed."""
    states: Words
    """In the order of their discovery: pairs (fingerprint, execution)."""
    crossed: Words
    crossings: Words
    """The same of transitions."""
    roles: Words
    """Of each position of `State.vector`, what kind of number is there (`covering`)."""
    scratch: Words


class Status(IntEnum):
    """Why the loop returned."""

    DONE = 0
    MISSING_EDGE = 1
    MISSING_MONITOR_EDGE = 2
    FULL = 3
    """A buffer or table of `Output` has no room."""
    SETTLE = 5
    """A context is to be brought to its next operation: never returned by the loop."""
    CROWDED = 6
    """A table of what is covered has no room."""
    MODEL_ERROR = 4
    """The program cannot be; the interpreter says why."""
