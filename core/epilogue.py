"""What is left to judge when every task has ended: a protocol that runs alone, and is no part of the schedule."""

from collections.abc import Callable, Sequence

from .context import Body, Context, ContextSpec
from .errors import ModelError
from .machine import Level, State
from .operations import GUARDED, POINTS, Operation, kind_name
from .processors import Perform


async def _nothing() -> None:
    """The body of a context that is given its coroutine later."""


def alone() -> Context:
    """The context that it runs as."""
    return Context(ContextSpec("end", Level.TASK, _nothing, (0,), 1, State.RUNNING), -1)


def run_alone(
    context: Context,
    body: Body,
    answer: Callable[[Context, Operation], int],
    performers: Sequence[Perform],
) -> None:
    """Run a protocol to its end. Raises what it raises, and `ModelError` where it would have to wait."""
    context.coroutine = body()
    result: int | None = None
    try:
        while True:
            operation: Operation = context.coroutine.send(result)  # type: ignore[assignment]  # a protocol awaits only operations
            kind, address, a, b = operation
            if kind < POINTS:
                result = answer(context, operation)
            elif kind < GUARDED:
                result = performers[kind](context, address, a, b)  # type: ignore[arg-type]  # operands of words are integers
            else:
                raise ModelError(f"the end awaits {kind_name(kind)}")
    except StopIteration:
        return
