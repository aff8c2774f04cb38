"""`stackweave unwind`: backtraces of a core file's threads, from the programs' SFrame data."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from stackweave.core.sframe import (
    Backtrace,
    CoreFile,
    CoreThread,
    ElfError,
    Frame,
    Module,
    SFrameError,
    StopReason,
)
from stackweave.exits import Exit

Json = dict[str, object]
Trace = tuple[CoreThread, Backtrace]

_RETURN_ADDRESS_SIZE: Final = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("core", metavar="CORE", type=Path, help="an AMD64 ELF core file")
    parser.add_argument(
        "--elf",
        metavar="FILE",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        help="programs and libraries the core has mapped, matched by build id or name",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Print the backtraces; 0 if the core could be read, 2 if an input is bad."""
    try:
        modules = [_open_module(path) for path in arguments.elf]
        core = CoreFile.open(arguments.core, modules)
        if not core.threads:
            missing = "; ".join(core.missing)
            raise ElfError(f"{arguments.core}: no thread to unwind; missing: {missing}")
    except ElfError as error:
        print(f"stackweave unwind: {_printable(str(error))}", file=sys.stderr)
        return Exit.USAGE
    if arguments.json:
        print(json.dumps(_as_json(core, modules)))
    else:
        for line in _as_text(core, modules):
            print(_printable(line))
    return Exit.CLEAN


def _open_module(path: Path) -> Module:
    try:
        return Module.open(path)
    except SFrameError as error:
        raise ElfError(f"{path}: {error}") from error


def _unwound(core: CoreFile) -> Iterator[Trace]:
    """The threads' backtraces, until there are more frames than return addresses fit in the core.

    Sound stacks do not overlap, so only a damaged core has so many. There, every thread may walk
    one and the same stack, and what they took together would not depend on the core's size.
    """
    left = len(core.image.data) // _RETURN_ADDRESS_SIZE
    for thread in core.threads:
        if left <= 0:
            return
        trace = core.unwind(thread)
        left -= len(trace.frames)
        yield thread, trace


def _as_text(core: CoreFile, modules: list[Module]) -> Iterator[str]:
    unwound = 0
    for thread, trace in _unwound(core):
        unwound += 1
        yield f"Thread {thread.lwp}"
        for level, frame in enumerate(trace.frames):
            yield f"#{level:<2} {_describe(core, frame, _is_trampoline(trace, level))}"
        yield f"stopped: {_stop_text(core, trace)}"
        yield ""
    yield from _remarks(core, modules, unwound)


def _describe(core: CoreFile, frame: Frame, trampoline: bool) -> str:
    """`0x... function+0x12 (module)`."""
    function, offset = _function(frame, trampoline)
    place = f"{function}+{offset:#x}" if function else "??"
    mark = " [signal]" if trampoline else ""
    return f"{frame.pc:#018x} {place} ({_file_name(core, frame) or '?'}){mark}"


def _is_trampoline(trace: Backtrace, level: int) -> bool:
    """Whether the frame's caller was not calling: a signal interrupted it."""
    return level + 1 < len(trace.frames) and trace.frames[level + 1].is_exact


def _function(frame: Frame, trampoline: bool) -> tuple[str | None, int]:
    """The function's name and the pc's distance from its start, as gdb counts it.

    A trampoline's entry begins one byte early for the sake of look-ups by pc - 1; its symbol
    does not.
    """
    address = frame.pc if trampoline else frame.lookup_pc
    symbol = frame.module.symbol(address) if frame.module else None
    return (symbol.name, frame.pc - symbol.address) if symbol else (None, 0)


def _file_name(core: CoreFile, frame: Frame) -> str | None:
    mapping = core.space.find_mapping(frame.lookup_pc)
    return mapping.basename if mapping else None


def _stop_text(core: CoreFile, trace: Backtrace) -> str:
    if trace.cause is not None:
        return f"{trace.stop.value}: {trace.cause}"
    name = _file_name(core, trace.frames[-1])
    if trace.stop is StopReason.NO_MODULE and name:
        if any(module.name == name for module in core.mismatched):
            return f"the {name} given with --elf has another build id"
        return f"{name} was not given with --elf"
    return trace.stop.value


def _remarks(core: CoreFile, modules: list[Module], unwound: int) -> Iterator[str]:
    """What is missing or does not fit, one line each."""
    if unwound < len(core.threads):
        yield f"{len(core.threads) - unwound} more threads not unwound: the stacks overlap"
    for what in core.missing:
        yield f"core incomplete: {what}"
    absent = core.absent_files()
    if absent:
        yield f"not given with --elf: {', '.join(absent)}"
    for module in modules:
        if module in core.mismatched:
            yield f"{module.name}: its build id is not the one in the core; not used"
        elif module not in core.used_modules():
            yield f"{module.name}: not mapped by the core; not used"


def _as_json(core: CoreFile, modules: list[Module]) -> Json:
    threads = [
        {
            "lwp": thread.lwp,
            "frames": [_frame_json(core, trace, level) for level in range(len(trace.frames))],
            "stop": trace.stop.name.lower().replace("_", "-"),
            "why": _stop_text(core, trace),
        }
        for thread, trace in _unwound(core)
    ]
    return {
        "core": core.image.name,
        "threads": threads,
        "absent": list(core.absent_files()),
        "remarks": list(_remarks(core, modules, len(threads))),
    }


def _frame_json(core: CoreFile, trace: Backtrace, level: int) -> Json:
    frame = trace.frames[level]
    trampoline = _is_trampoline(trace, level)
    function, offset = _function(frame, trampoline)
    return {
        "level": level,
        "pc": f"{frame.pc:#x}",
        "sp": f"{frame.sp:#x}",
        "fp": None if frame.fp is None else f"{frame.fp:#x}",
        "function": function,
        "offset": offset if function else None,
        "module": _file_name(core, frame),
        "signal": trampoline,
    }


def _printable(text: str) -> str:
    """Names come from untrusted files: nothing in them may steer the terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
