"""Running built-in programs."""

from collections import Counter
from collections.abc import Iterator

from stackweave.core import Interpreter, Outcome, Program, RandomWalk
from stackweave.programs import BUILTIN, Parameters

SEED = 0


def build(name: str, generation: str | None = None) -> Program:
    """A built-in program with its own sizes."""
    return BUILTIN[name](Parameters(generation=generation))


def outcomes(program: Program, count: int, first: int = 0) -> Iterator[Outcome]:
    """The program's executions of one seed."""
    interpreter, strategy = Interpreter(program), RandomWalk(SEED)
    for execution in range(first, first + count):
        yield interpreter.run(strategy, execution)


def signatures(program: Program, count: int) -> Counter[str]:
    """In how many of the first executions each signature shows."""
    shown: Counter[str] = Counter()
    for outcome in outcomes(program, count):
        shown.update({violation.signature for violation in outcome.violations})
    return shown
