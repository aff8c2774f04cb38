"""The command line, and which kind of recording the file is."""

import argparse
import sys
from pathlib import Path

from stackweave.core.sframe import CoreFile, ElfError, Module, SFrameError
from stackweave.core.sframe.dump_file import DumpFile, is_dump
from stackweave.core.sframe.elf import map_file, parse_elf
from stackweave.core.sframe.errors import DumpError
from stackweave.core.sframe.perf import PerfFile, PerfSession, is_perf_data
from stackweave.exits import Exit

from . import cores, dumps, perf
from .showing import Report, print_report, printable


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
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Print the backtraces; 0 if the recording could be read, 2 if an input is bad."""
    try:
        modules = [_open_module(path) for path in arguments.elf]
        report = _report(arguments.recording, modules, not arguments.no_merge_callchains)
        print_report(report, as_json=arguments.json)
    except (ElfError, DumpError) as error:
        print(f"stackweave unwind: {printable(str(error))}", file=sys.stderr)
        return Exit.USAGE
    return Exit.CLEAN


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


def _open_module(path: Path) -> Module:
    try:
        return Module.open(path)
    except SFrameError as error:
        raise ElfError(f"{path}: {error}") from error
