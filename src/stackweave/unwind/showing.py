"""What the reports of all kinds of recordings share: frames as text and JSON, and the way to print them.

A report is printed as it is read, stack by stack, so its size does not matter.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

from stackweave.core.sframe import Backtrace, Frame, StopReason
from stackweave.core.sframe.errors import DumpError
from stackweave.core.sframe.module import LoadedModule

Json = dict[str, object]
Stack = tuple[list[str], Json]
"""One stack, as lines of text and as an object."""


class Report(ABC):
    """One recording, ready to print."""

    kind: ClassVar[str]
    """The key of the recording's name."""
    plural: ClassVar[str]
    """The key of its stacks."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The recording's file name."""

    @abstractmethod
    def stacks(self) -> Iterator[Stack]:
        """Every stack."""

    @abstractmethod
    def missing(self) -> list[str]:
        """What the recording should hold and does not, once all stacks were seen."""

    @abstractmethod
    def absent(self) -> list[str]:
        """Paths of mapped files that were not given."""

    @abstractmethod
    def remarks(self) -> list[str]:
        """What else a reader should know."""


def print_report(report: Report, *, as_json: bool) -> None:
    """Print it; raises `DumpError` before anything was printed if there is no stack."""
    stacks = report.stacks()
    first = next(stacks, None)
    if first is None:
        lacks = "; ".join(report.missing()) or "nothing"
        raise DumpError(f"{report.name}: no stack to unwind; missing: {lacks}")
    if as_json:
        _print_json(report, first, stacks)
    else:
        _print_text(report, first, stacks)


def _print_text(report: Report, first: Stack, stacks: Iterator[Stack]) -> None:
    lines, _ = first
    while lines:
        for line in lines:
            print(printable(line))
        print()
        lines, _ = next(stacks, ([], {}))
    for line in _remarks(report):
        print(printable(line))


def _print_json(report: Report, first: Stack, stacks: Iterator[Stack]) -> None:
    """One object, but never held as one."""
    print(f'{{"{report.kind}": {json.dumps(report.name)}, "{report.plural}": [', end="")
    print(json.dumps(first[1]), end="")
    for _, stack in stacks:
        print(", " + json.dumps(stack), end="")
    ending = {"absent": report.absent(), "remarks": _remarks(report)}
    print("], " + json.dumps(ending)[1:])


def _remarks(report: Report) -> list[str]:
    absent = report.absent()
    return [
        *(f"{report.kind} incomplete: {what}" for what in report.missing()),
        *([f"not given with --elf: {', '.join(absent)}"] if absent else []),
        *report.remarks(),
    ]


def is_trampoline(trace: Backtrace, level: int) -> bool:
    """Whether the frame's caller was not calling: a signal interrupted it."""
    return level + 1 < len(trace.frames) and trace.frames[level + 1].is_exact


def function_at(module: LoadedModule | None, pc: int, *, is_exact: bool) -> tuple[str | None, int]:
    """The function's name and the pc's distance from its start, as gdb counts it.

    A trampoline's entry begins one byte early for the sake of look-ups by pc - 1; its symbol
    does not, so its pc counts as exact here.
    """
    symbol = module.symbol(pc if is_exact else pc - 1) if module else None
    return (symbol.name, pc - symbol.address) if symbol else (None, 0)


def frame_lines(trace: Backtrace, files: list[str | None]) -> list[str]:
    """`#0  0x... function+0x12 (module)` for each frame."""
    return [f"#{level:<2} {_describe(trace, level, file)}" for level, file in enumerate(files)]


def frames_json(trace: Backtrace, files: list[str | None]) -> list[Json]:
    return [_frame_json(trace, level, file) for level, file in enumerate(files)]


def stop_name(stop: StopReason) -> str:
    return stop.name.lower().replace("_", "-")


def why_stopped(trace: Backtrace, file: str | None, *, is_mismatched: bool) -> str:
    """The reason, for people; `file` is mapped at the last frame."""
    if trace.cause is not None:
        return f"{trace.stop.value}: {trace.cause}"
    if trace.stop is StopReason.NO_MODULE and file:
        if is_mismatched:
            return f"the {file} given with --elf has another build id"
        return f"{file} was not given with --elf"
    return trace.stop.value


def printable(text: str) -> str:
    """Names come from untrusted files: nothing in them may steer the terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _function(frame: Frame, trampoline: bool) -> tuple[str | None, int]:
    return function_at(frame.module, frame.pc, is_exact=frame.is_exact or trampoline)


def _describe(trace: Backtrace, level: int, file: str | None) -> str:
    frame, trampoline = trace.frames[level], is_trampoline(trace, level)
    function, offset = _function(frame, trampoline)
    place = f"{function}+{offset:#x}" if function else "??"
    mark = " [signal]" if trampoline else ""
    return f"{frame.pc:#018x} {place} ({file or '?'}){mark}"


def _frame_json(trace: Backtrace, level: int, file: str | None) -> Json:
    frame, trampoline = trace.frames[level], is_trampoline(trace, level)
    function, offset = _function(frame, trampoline)
    return {
        "level": level,
        "pc": f"{frame.pc:#x}",
        "sp": f"{frame.sp:#x}",
        "fp": None if frame.fp is None else f"{frame.fp:#x}",
        "function": function,
        "offset": offset if function else None,
        "module": file,
        "signal": trampoline,
    }
