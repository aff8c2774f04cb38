"""Names of functions: own symbols, debug files, small debug files, stubs of the PLT."""

import lzma
import struct
from itertools import pairwise
from pathlib import Path

import pytest

from stackweave.core.sframe import Module, debug_file
from stackweave.core.sframe.elf import parse_elf
from stackweave.core.sframe.plt import plt_stubs

from .recordings import OWN, module, unxz
from .symbol_files import FOLDER, objdumps, unpacked
from .test_command import command, core, elf

NAMES = objdumps("shapes.objdump.txt")
PLT = {address: name for address, name in NAMES.items() if name.endswith("@plt")}
SUM = next(address for address, name in NAMES.items() if name == "_ZN6shapes3sumEd")
IDENTITY = Module.parse(unxz(FOLDER / "shapes.xz"), "shapes").build_id or b""
BY_BUILD_ID = f".build-id/{IDENTITY.hex()[:2]}/{IDENTITY.hex()[2:]}.debug"


def names(module: Module) -> dict[int, str]:
    """What the module calls the addresses that objdump has names for."""
    found = {address: module.symbols.find(address) for address in NAMES}
    return {a: symbol.name for a, symbol in found.items() if symbol and symbol.address == a}


def test_names_are_objdumps() -> None:
    assert len(PLT) == 4
    assert names(Module.parse(unxz(FOLDER / "shapes.xz"), "shapes")) == NAMES


def test_a_stripped_file_has_its_stubs() -> None:
    stripped = Module.parse(unxz(FOLDER / "shapes.stripped.xz"), "shapes")
    assert names(stripped) == PLT
    assert stripped.symbols.find(SUM) is None


@pytest.mark.parametrize(
    "place", ["bin/shapes.debug", "bin/.debug/shapes.debug", "debug/shapes.debug", BY_BUILD_ID]
)
def test_a_separate_debug_file_is_found(tmp_path: Path, place: str) -> None:
    program = unpacked(tmp_path, "shapes.stripped", "bin/shapes")
    unpacked(tmp_path, "shapes.debug", place)
    directories = (tmp_path / "debug", tmp_path)
    assert names(Module.open(program, directories)) == NAMES


def test_below_a_debug_directory_the_programs_own_path_is_tried(tmp_path: Path) -> None:
    program = unpacked(tmp_path, "shapes.stripped", "bin/shapes")
    unpacked(tmp_path, "shapes.debug", f"debug{program.parent}/shapes.debug")
    assert names(Module.open(program, (tmp_path / "debug",))) == NAMES


def test_without_a_directory_there_is_no_debug_file(tmp_path: Path) -> None:
    program = unpacked(tmp_path, "shapes.stripped", "bin/shapes")
    unpacked(tmp_path, "shapes.debug", "debug/shapes.debug")
    assert names(Module.open(program, ())) == PLT


@pytest.mark.parametrize("place", ["bin/shapes.debug", BY_BUILD_ID])
def test_a_debug_file_of_another_build_is_none(tmp_path: Path, place: str) -> None:
    """One byte of the code's checksum or of the build id differs."""
    program = unpacked(tmp_path, "shapes.stripped", "bin/shapes")
    debug = unpacked(tmp_path, "shapes.debug", place)
    data = bytearray(debug.read_bytes())
    data[data.index(IDENTITY)] ^= 1
    debug.write_bytes(data)
    assert names(Module.open(program, (tmp_path,))) == PLT


def test_a_debug_file_that_is_none_does_no_harm(tmp_path: Path) -> None:
    program = unpacked(tmp_path, "shapes.stripped", "bin/shapes")
    (tmp_path / "bin" / "shapes.debug").write_bytes(b"\x7fELF")
    (tmp_path / "bin" / ".debug").write_bytes(b"")
    assert names(Module.open(program, (tmp_path,))) == PLT


def test_a_link_may_not_leave_its_folder(tmp_path: Path) -> None:
    program = unpacked(tmp_path, "shapes.stripped", "bin/shapes")
    unpacked(tmp_path, "shapes.debug", "bin/x/es.debug")
    assert program.read_bytes().count(b"shapes.debug\0") == 1
    program.write_bytes(program.read_bytes().replace(b"shapes.debug\0", b"x//es.debug\0\0"))
    assert names(Module.open(program, (tmp_path,))) == PLT


def test_the_small_debug_file_inside() -> None:
    assert names(Module.parse(unxz(FOLDER / "shapes.mini.xz"), "shapes")) == NAMES


@pytest.mark.parametrize("at", [0, 40, 200])
def test_a_damaged_small_debug_file_is_none(at: int) -> None:
    data = bytearray(unxz(FOLDER / "shapes.mini.xz"))
    data[data.index(b"\xfd7zXZ") + at] ^= 0xFF
    assert names(Module.parse(bytes(data), "shapes")).items() >= PLT.items()


def test_a_small_debug_file_that_grows_without_end_is_cut() -> None:
    """16 MiB of zeros in some KiB."""
    data = unxz(FOLDER / "shapes.mini.xz")
    image = parse_elf(data, "shapes")
    (section,) = (s for s in image.sections if s.name == b".gnu_debugdata")
    bomb = lzma.compress(b"\x7fELF" + bytes(16 << 20))
    header = struct.pack("<QQ", section.offset, section.size)
    moved = data.replace(header, struct.pack("<QQ", len(data), len(bomb))) + bomb
    assert len(bomb) < 4096
    assert names(Module.parse(moved, "shapes")) == PLT
    assert debug_file.small_debug_file(parse_elf(moved, "shapes")) is None


@pytest.mark.parametrize(
    ("file", "stubs"),
    [
        ("v3/recur-nopie", "free qsort printf __isoc23_strtol malloc"),
        ("v3-aarch64/libplt.so", "lib_stop __cxa_finalize app_hook __gmon_start__"),
        (
            "v3-aarch64/recur-nopie",
            "__libc_start_main qsort malloc __gmon_start__ abort __isoc23_strtol free printf",
        ),
        ("v3-s390x/recur-nopie", "__libc_start_main printf free malloc __isoc23_strtol qsort"),
        ("v3/mini-O2", ""),
    ],
)
def test_stubs_of_every_machine(file: str, stubs: str) -> None:
    """In the order of the addresses; each is an instruction's start, and as long as to the next."""
    found = plt_stubs(module(OWN / "elf" / f"{file}.xz").image)
    assert [stub.name.decode() for stub in found] == stubs.split()
    for stub, following in pairwise(found):
        assert stub.address + stub.size == following.address


def test_a_stub_whose_relocation_is_elsewhere_has_no_name() -> None:
    data = unxz(FOLDER / "shapes.xz")
    image = parse_elf(data, "shapes")
    (plt,) = (s for s in image.sections if s.name == b".plt.sec")
    at = data.index(b"\xff\x25", plt.offset) + 2
    (displacement,) = struct.unpack_from("<i", data, at)
    moved = data[:at] + struct.pack("<i", displacement + 0x800) + data[at + 4 :]
    found = {stub.address: stub.name for stub in plt_stubs(parse_elf(moved, "shapes"))}
    assert plt.address not in found
    assert {address for address in PLT if address > plt.address} <= found.keys()


def test_stubs_stand_in_backtraces(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """gdb names them so, too."""
    path = core(tmp_path, "cores/v3/pltmain", "pltmain-plt")
    assert command(path, "--elf", elf(tmp_path, "v3/pltmain"), elf(tmp_path, "v3/libplt.so")) == 0
    assert "#0  0x" in (out := capsys.readouterr().out)
    assert "@plt+0x" in out.splitlines()[1]
