"""What the reports of all kinds of recordings share: frames as text and JSON, and the way to print them.

A report is printed as it is read, stack by stack, so its size does not matter.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO, ClassVar, Protocol, TextIO

from stackweave.core.sframe import Backtrace, Frame, SFrameError, StopReason
from stackweave.core.sframe.address_space import AddressSpace
from stackweave.core.sframe.choose import Chooser
from stackweave.core.sframe.demangle import can_demangle, demangled, is_mangled
from stackweave.core.sframe.errors import DumpError
from stackweave.core.sframe.module import LoadedModule
from stackweave.pictures import NamedFrame, NamedStack, Thread, Writer
from stackweave.printable import printable

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Stack:
    """One stack, in every form."""

    lines: list[str]
    json: Json
    named: NamedStack


class Report(ABC):
    """One recording, ready to print."""

    kind: ClassVar[str]
    """The key of the recording's name."""
    plural: ClassVar[str]
    """The key of its stacks."""
    has_mangled = False
    """A name was shown as linked, for want of the library that reads it."""

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


def print_report(report: Report, out: TextIO, *, as_json: bool) -> None:
    """Print it; raises `DumpError` before anything was printed if there is no stack."""
    stacks = _stacks(report)
    if as_json:
        _print_json(report, stacks, out)
    else:
        _print_text(report, stacks, out)


def draw_report(report: Report, write: Writer, out: BinaryIO) -> list[str]:
    """Write a picture, and return the remarks; raises `DumpError` before if there is no stack."""
    write((stack.named for stack in _stacks(report)), report.name, out)
    return _remarks(report)


def _stacks(report: Report) -> Iterator[Stack]:
    """The stacks, at least one."""
    stacks = report.stacks()
    first = next(stacks, None)
    if first is None:
        lacks = "; ".join(report.missing()) or "nothing"
        raise DumpError(f"{report.name}: no stack to unwind; missing: {lacks}")
    stacks = chain((first,), stacks)
    return stacks if can_demangle() else _noting(report, stacks)


def _noting(report: Report, stacks: Iterator[Stack]) -> Iterator[Stack]:
    """The stacks, while the report learns whether a name is mangled."""
    for stack in stacks:
        frames = stack.named.frames
        report.has_mangled |= any(is_mangled(f.function) for f in frames if f.function)
        yield stack


def _print_text(report: Report, stacks: Iterator[Stack], out: TextIO) -> None:
    for stack in stacks:
        print(*map(printable, stack.lines), sep="\n", end="\n\n", file=out)
    for line in _remarks(report):
        print(printable(line), file=out)


def _print_json(report: Report, stacks: Iterator[Stack], out: TextIO) -> None:
    """One object, but never held as one."""
    print(f'{{"{report.kind}": {json.dumps(report.name)}, "{report.plural}": ', end="", file=out)
    begin = "["
    for stack in stacks:
        print(begin + json.dumps(stack.json), end="", file=out)
        begin = ", "
    ending = {"absent": report.absent(), "remarks": _remarks(report)}
    print("], " + json.dumps(ending)[1:], file=out)


def _remarks(report: Report) -> list[str]:
    absent = report.absent()
    return [
        *(f"{report.kind} incomplete: {what}" for what in report.missing()),
        *([f"not given with --elf: {', '.join(absent)}"] if absent else []),
        *report.remarks(),
        *(["names as linked: multi-demangle is not installed"] if report.has_mangled else []),
    ]


def stack_of(
    trace: Backtrace,
    space: AddressSpace,
    chooser: Chooser,
    head: str,
    described: Json,
    thread: Thread,
) -> Stack:
    """A thread's only stack, under a line of its own; `described` is what the JSON says of the thread."""
    mappings = [space.find_mapping(frame.lookup_pc) for frame in trace.frames]
    files = [mapping.basename if mapping else None for mapping in mappings]
    why = why_stopped(trace, files[-1], chooser)
    frames = _named_frames(trace, files)
    return Stack(
        [head, *_frame_lines(frames), f"stopped: {why}"],
        {
            **described,
            "frames": _frames_json(trace, frames),
            "stop": stop_name(trace.stop),
            "why": why,
        },
        NamedStack(thread, frames, cut=cut(trace, why)),
    )


class Ended(Protocol):
    """What a backtrace says of its end."""

    @property
    def stop(self) -> StopReason: ...
    @property
    def cause(self) -> SFrameError | None: ...


def is_trampoline(trace: Backtrace, level: int) -> bool:
    """Whether the frame's caller was not calling: a signal interrupted it."""
    return level + 1 < len(trace.frames) and trace.frames[level + 1].is_exact


def named(
    module: LoadedModule | None, path: str | None, pc: int, *, is_exact: bool, is_trampoline: bool
) -> NamedFrame:
    """A frame with the function's name and the pc's distance from its start, as gdb counts it.

    A trampoline's entry begins one byte early for the sake of look-ups by pc - 1; its symbol
    does not, so its pc counts as exact here.
    """
    exact = is_exact or is_trampoline
    symbol = module.symbol(pc if exact else pc - 1) if module else None
    if symbol is None:
        return NamedFrame(pc, None, 0, path, is_trampoline)
    return NamedFrame(pc, demangled(symbol.name), pc - symbol.address, path, is_trampoline)


def _named_frames(trace: Backtrace, files: list[str | None]) -> tuple[NamedFrame, ...]:
    """The frames of a stack whose files are known by their names."""
    return tuple(
        named(
            frame.module,
            file,
            frame.pc,
            is_exact=frame.is_exact,
            is_trampoline=is_trampoline(trace, level),
        )
        for level, (frame, file) in enumerate(zip(trace.frames, files, strict=True))
    )


def _frame_lines(frames: tuple[NamedFrame, ...]) -> list[str]:
    """`#0  0x... function+0x12 (module)` for each frame."""
    return [f"#{level:<2} {_describe(frame)}" for level, frame in enumerate(frames)]


def _frames_json(trace: Backtrace, frames: tuple[NamedFrame, ...]) -> list[Json]:
    pairs = zip(trace.frames, frames, strict=True)
    return [_frame_json(level, *pair) for level, pair in enumerate(pairs)]


def stop_name(stop: StopReason) -> str:
    return stop.name.lower().replace("_", "-")


def why_stopped(trace: Ended, file: str | None, chooser: Chooser) -> str:
    """The reason, for people; `file` is mapped at the last frame."""
    if trace.cause is not None:
        return f"{trace.stop.value}: {trace.cause}"
    if trace.stop is StopReason.NO_MODULE and file:
        if any(module.name == file for module in chooser.mismatched):
            return f"the {file} given with --elf has another build id"
        return f"{file} was not given with --elf"
    return trace.stop.value


def cut(trace: Ended, why: str) -> str | None:
    """Why callers are missing; None if the walk came to the outermost frame."""
    return None if trace.stop is StopReason.OUTERMOST else why


def _describe(frame: NamedFrame) -> str:
    place = f"{frame.function}+{frame.offset:#x}" if frame.function else "??"
    mark = " [signal]" if frame.is_trampoline else ""
    return f"{frame.pc:#018x} {place} ({frame.module or '?'}){mark}"


def _frame_json(level: int, frame: Frame, named: NamedFrame) -> Json:
    return {
        "level": level,
        "pc": f"{frame.pc:#x}",
        "sp": f"{frame.sp:#x}",
        "fp": None if frame.fp is None else f"{frame.fp:#x}",
        "function": named.function,
        "offset": named.offset if named.function else None,
        "module": named.module,
        "signal": named.is_trampoline,
    }
