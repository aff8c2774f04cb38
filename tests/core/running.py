"""Driving an interpreter by hand."""

from stackweave.core import Context, Interpreter


def by_name(interpreter: Interpreter, name: str) -> Context:
    return next(context for context in interpreter.contexts if context.name == name)


def drive(interpreter: Interpreter, *names: str) -> None:
    """Let these contexts move, in this order."""
    for name in names:
        interpreter.step(by_name(interpreter, name))


def enabled(interpreter: Interpreter) -> list[str]:
    return [context.name for context in interpreter.enabled()]
