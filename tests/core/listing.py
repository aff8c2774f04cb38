"""Every execution of a small program, by the interpreter alone."""

from collections.abc import Iterator, Sequence

from stackweave.core import Interpreter, Outcome, Program
from stackweave.core.context import Context


class Script:
    """Follows the first decisions as given, then takes the first of whatever there is; notes all alternatives."""

    def __init__(self, decisions: list[int]) -> None:
        self.decisions = decisions
        self.widths: list[int] = []

    def begin(self, execution: int, contexts: Sequence[Context]) -> None:
        self.widths = []

    def pick(self, enabled: Sequence[Context]) -> Context:
        return enabled[self.choose(len(enabled))]

    def choose(self, n: int) -> int:
        position = len(self.widths)
        self.widths.append(n)
        return self.decisions[position] if position < len(self.decisions) else 0


def executions(program: Program) -> Iterator[Outcome]:
    """Every execution of a program, depth first, each once."""
    interpreter = Interpreter(program)
    decisions: list[int] = []
    while True:
        script = Script(decisions)
        yield interpreter.run(script)
        decisions += [0] * (len(script.widths) - len(decisions))
        while decisions and decisions[-1] + 1 == script.widths[len(decisions) - 1]:
            decisions.pop()
        if not decisions:
            return
        decisions[-1] += 1
