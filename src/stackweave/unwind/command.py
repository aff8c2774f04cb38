"""The command line, and which kind of recording the file is."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from io import TextIOWrapper
from pathlib import Path

from stackweave.core.sframe import CoreFile, ElfError, Module, SFrameError
from stackweave.core.sframe.debug_file import DEBUG_DIRECTORY
from stackweave.core.sframe.dump_file import DumpFile, is_dump
from stackweave.core.sframe.elf import map_file, parse_elf
from stackweave.core.sframe.errors import DumpError
from stackweave.core.sframe.perf import PerfFile, PerfSession, is_perf_data
from stackweave.exits import Exit
from stackweave.files import whole_file
from stackweave.pictures import WRITERS, write_page
from stackweave.printable import printable

from . import cores, dumps, perf
from .showing import Report, draw_report, print_report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "recording",
        metavar="FILE",
        type=Path,
        help="an ELF core file, a perf.data, or a stack dump (docs/dump.md)",
    )
    parser.add_argument(
        "--elf",
        metavar="FILE",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        help="programs and libraries that were mapped, matched by build id or name",
    )
    parser.add_argument(
        "--no-merge-callchains",
        action="store_true",
        help="perf.data: show deferred callchains by themselves, not with their samples",
    )
    parser.add_argument(
        "--debug-dir",
        metavar="DIR",
        type=Path,
        action="append",
        default=[],
        help=f"where separate debug files are, before {DEBUG_DIRECTORY}; may be repeated",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", type=Path, help="write there, not to the terminal"
    )
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--json", action="store_true", help="print one JSON object")
    forms.add_argument(
        "--format",
        choices=("text", *WRITERS),
        default="text",
        help="text (default), or what flame graphs, pprof, speedscope or Chrome's trace viewer read",
    )
    forms.add_argument(
        "--html", metavar="FILE", type=Path, help="write a flame graph as a page of its own"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the backtraces, or draw them; 0 if the recording could be read, 2 if an input is bad."""
    if arguments.html and arguments.output:
        print("stackweave unwind: --html names the file; -o cannot, too", file=sys.stderr)
        return Exit.USAGE
    directories = (*arguments.debug_dir, DEBUG_DIRECTORY)
    try:
        _check_directories(arguments.debug_dir)
        modules = [_open_module(path, directories) for path in arguments.elf]
        report = _report(arguments.recording, modules, not arguments.no_merge_callchains)
        _show(report, arguments)
    except (ElfError, DumpError) as error:
        print(f"stackweave unwind: {printable(str(error))}", file=sys.stderr)
        return Exit.USAGE
    return Exit.CLEAN


def _show(report: Report, arguments: argparse.Namespace) -> None:
    """In the form, and to the place, that was asked for."""
    write = write_page if arguments.html else WRITERS.get(arguments.format)
    path = arguments.html or arguments.output
    if path is None and write is None:
        print_report(report, sys.stdout, as_json=arguments.json)
        return
    remarks: list[str] = []
    with nullcontext(sys.stdout.buffer) if path is None else whole_file(path) as out:
        if write is not None:
            remarks = draw_report(report, write, out)
        else:
            text = TextIOWrapper(out, "utf-8", "backslashreplace")
            print_report(report, text, as_json=arguments.json)
            text.detach()
    for line in remarks:
        print(printable(line), file=sys.stderr)


def _report(path: Path, modules: list[Module], merge: bool) -> Report:
    """What there is to print of the file, by its first bytes."""
    data = map_file(path)
    if is_perf_data(data):
        return perf.Report(PerfSession(PerfFile(data, path.name), modules), merge)
    if is_dump(data):
        return dumps.Report(DumpFile(data, path.name, modules))
    if data[:4] != b"\x7fELF":
        raise DumpError(f"{path}: neither an ELF core file, a perf.data nor a stack dump")
    return cores.Report(CoreFile(parse_elf(data, path.name), modules))


def _check_directories(directories: Sequence[Path]) -> None:
    for directory in directories:
        if not directory.is_dir():
            raise ElfError(f"{directory}: not a directory of debug files")


def _open_module(path: Path, debug_directories: Sequence[Path]) -> Module:
    try:
        return Module.open(path, debug_directories)
    except SFrameError as error:
        raise ElfError(f"{path}: {error}") from error
