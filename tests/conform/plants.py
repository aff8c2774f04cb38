"""Planting a change in the kernel models: other text in one function, or in several.

What is planted is text, so that the change alone is said and not the function around it again. It must stand in
the function once: when a model is written otherwise, its plants fail loudly and are written otherwise too.
"""

import builtins
import dis
import inspect
import sys
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FunctionType

import pytest

Function = Callable[..., object]
"""A function or method of the models."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Other text in one function."""

    function: Function
    old: str
    new: str


def edit(function: Function, old: str, new: str) -> Edit:
    """`old` and `new` are dedented, so that they can be written as the source has them."""
    return Edit(function, textwrap.dedent(old).strip("\n"), textwrap.dedent(new).strip("\n"))


@dataclass(frozen=True, slots=True)
class Change:
    """One planted change."""

    name: str
    edits: tuple[Edit, ...]


def plant(monkeypatch: pytest.MonkeyPatch, change: Change) -> None:
    """Let the models be changed until the test ends."""
    for function in dict.fromkeys(each.function for each in change.edits):
        edits = [each for each in change.edits if each.function is function]
        _replace(monkeypatch, function, _rewritten(function, edits))


def _rewritten(function: Function, edits: Sequence[Edit]) -> Function:
    assert isinstance(function, FunctionType)
    source = textwrap.dedent(inspect.getsource(function))
    for each in edits:
        first = each.old.partition("\n")[0]
        line = next((line for line in source.splitlines() if first in line), "")
        old, new = (_indented(text, line) for text in (each.old, each.new))
        assert source.count(old) == 1, f"not once in {function.__qualname__}:\n{each.old}"
        source = source.replace(old, new)
    namespace: dict[str, object] = {}
    exec(compile(source, "<planted>", "exec"), function.__globals__, namespace)
    (planted,) = namespace.values()
    assert isinstance(planted, FunctionType)
    known = {**vars(builtins), **function.__globals__}
    # a name that is none would make any run differ
    loaded = [each for each in dis.get_instructions(planted) if each.opname == "LOAD_GLOBAL"]
    assert not [each.argval for each in loaded if each.argval not in known]
    return planted


def _indented(text: str, line: str) -> str:
    """All lines but the first indented like `line`."""
    indent = line[: len(line) - len(line.lstrip())]
    return text.replace("\n", "\n" + indent)


def _replace(monkeypatch: pytest.MonkeyPatch, function: Function, planted: Function) -> None:
    """In its class, or in every module of the models that has imported it."""
    assert isinstance(function, FunctionType)
    owner, _, name = function.__qualname__.rpartition(".")
    if owner:
        monkeypatch.setattr(vars(sys.modules[function.__module__])[owner], name, planted)
        return
    for module in [each for each in sys.modules if each.startswith("stackweave.core.kernel")]:
        if getattr(sys.modules[module], name, None) is function:
            monkeypatch.setattr(sys.modules[module], name, planted)
