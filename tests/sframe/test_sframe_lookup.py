"""`stackweave sframe lookup`: equations against the text of objdump, and why there are none."""

import re
from pathlib import Path

import pytest

from stackweave.core.sframe.constants import Abi
from stackweave.core.sframe.describe_rules import REGISTER_NAMES, equations, register_name, shape
from stackweave.core.sframe.rules import OUTERMOST, SIGNAL_ENTRY, FrameRule, Location, RuleKind

from . import recordings
from .commands import Commands
from .recordings import elf_path, label, paths, unxz
from .sections import Function, row, section
from .test_oracle import parsed

TEXTS = [path for path in paths("oracle", "*.objdump.txt.xz") if "edge" not in path.name]
SP_FP = {"x86-64": ("rsp", "rbp"), "aarch64": ("sp", "x29"), "s390": ("r15", "r11")}
COLUMN = re.compile(r"\(?(?:sp|fp|c|r\d+)(?:[+-]\d+)?\)?|RAundefined|[ufU]")


@pytest.mark.parametrize("text", TEXTS, ids=label)
def test_equations_are_those_of_objdumps_text(text: Path, sframe: Commands) -> None:
    """The first row of each function, put into words by another hand."""
    if text.name.endswith(".o.objdump.txt.xz"):
        return
    name, printed = text.name.removesuffix(".objdump.txt.xz"), unxz(text).decode()
    sp, fp = next(SP_FP[key] for key in SP_FP if key in printed.splitlines()[1])
    abi = abi_of(printed)
    functions = [function for function in parsed(printed) if function.rows and function.size]
    addresses = [f"{function.pc:x}" for function in functions]
    path = sframe.file(name, unxz(elf_path(text, name)))
    answers = sframe.json("lookup", path, *addresses)["addresses"]
    for function, answer in zip(functions, answers, strict=True):
        _, columns = function.rows[0]
        said = in_words(columns, abi, sp, fp)
        assert answer["rule"]["text"].partition("; r15 = ")[0].partition(" (sig")[0] == said
        assert (int(answer["function"], 16), answer["row"]) == (function.pc, 0)


def abi_of(text: str) -> Abi:
    """By the file format in the second line."""
    formats = {"x86-64": Abi.AMD64_ENDIAN_LITTLE, "s390": Abi.S390X_ENDIAN_BIG}
    return next((abi for key, abi in formats.items() if key in text.splitlines()[1]), Abi(2))


def in_words(columns: str, abi: Abi, sp: str, fp: str) -> str:
    """`sp+16c-16f` as equations."""
    if columns == "RAundefined":
        return "RA undefined"
    signed = columns.endswith("[s]")
    cfa, saved_fp, ra = COLUMN.findall(columns.removesuffix("[s]"))
    links = {Abi.AMD64_ENDIAN_LITTLE: "*(CFA - 8)", Abi.S390X_ENDIAN_BIG: "r14", Abi(2): "x30"}
    ra_text = links[abi] if ra in "ufU" else place(ra, abi, sp, fp)
    mask = " & 0xff80ffffffffffff" if signed else ""
    fp_text = f"{fp} unchanged" if saved_fp == "u" else f"{fp} = {place(saved_fp, abi, sp, fp)}"
    return f"CFA = {place(cfa, abi, sp, fp)}; RA = {ra_text}{mask}; {fp_text}"


def place(column: str, abi: Abi, sp: str, fp: str) -> str:
    """`c-16` is a place in memory, `(fp-8)` too, `sp+8` a value."""
    match = re.fullmatch(r"\(?(sp|fp|c|r(\d+))([+-]\d+)?\)?", column)
    assert match
    name = {"sp": sp, "fp": fp, "c": "CFA"}.get(match[1]) or register_name(abi, int(match[2]))
    offset = int(match[3] or 0)
    text = name + (f" {'-' if offset < 0 else '+'} {abs(offset)}" if offset else "")
    return f"*({text})" if column[0] in "(c" else text


def test_register_names_are_the_recordings() -> None:
    """Which were written down when the registers were captured."""
    machines = {
        "x86_64": Abi.AMD64_ENDIAN_LITTLE,
        "aarch64": Abi.AARCH64_ENDIAN_LITTLE,
        "aarch64_be": Abi.AARCH64_ENDIAN_BIG,
        "s390x": Abi.S390X_ENDIAN_BIG,
    }
    for machine, abi in machines.items():
        assert REGISTER_NAMES[abi] == recordings.REGISTER_NAMES[machine]
    assert register_name(Abi.AMD64_ENDIAN_LITTLE, 40) == "register 40"


def test_rules_in_words() -> None:
    amd64, s390x = Abi.AMD64_ENDIAN_LITTLE, Abi.S390X_ENDIAN_BIG
    rule = FrameRule(
        RuleKind.FRAME, Location(6, -8, True), Location(-1, -8, True), Location(6, 0, True), True
    )
    said = "CFA = *(rbp - 8); RA = *(CFA - 8); rbp = *(rbp) (signal trampoline)"
    assert equations(amd64, rule) == said
    said = "CFA = *(r6 + n); RA = *(CFA + n); r11 = *(r6 + n); r15 = CFA - 160 (signal trampoline)"
    assert shape(s390x, rule) == said
    assert equations(amd64, OUTERMOST) == "RA undefined"
    assert equations(amd64, SIGNAL_ENTRY) == "signal trampoline without rows"


RECUR = """\
0x10d3 main+0x13
  function 0x10c0, 257 bytes
  row from 0x13 on
  CFA = rsp + 48; RA = *(CFA - 8); rbp = *(CFA - 40)

0x1046 qsort@plt+0x6
  function 0x1030, 80 bytes, repeats every 16 bytes
  row from 0x0 on
  CFA = rsp + 8; RA = *(CFA - 8); rbp unchanged

0x11d0 _start+0x0
  no rule: the function before ends at 0x11c1, the next begins at 0x12c0

0x0
  no rule: not in an executable section
"""


def test_the_text(sframe: Commands) -> None:
    assert sframe("lookup", sframe.elf("v3/recur"), "0x10d3", "1046", "11D0", "0") == RECUR


def test_every_reason_why_there_is_no_rule(sframe: Commands) -> None:
    data = section(
        Function(0x1000, 16, (row(4, 8),)),
        Function(0x2000, 16),
        Function(0x3000, 16, (row(0, 8),), info=3),
        version=2,
    )
    reasons = {
        "fff": "the first function begins at 0x1000",
        "1003": "the function's first row begins 0x4 bytes into it",
        "1010": "the function before ends at 0x1010, the next begins at 0x2000",
        "2004": "the function has no rows",
        "3010": "the function before ends at 0x3010, and it is the last",
    }
    raw = ("lookup", "--raw", sframe.file("bytes", data))
    for address, why in reasons.items():
        assert sframe(*raw, address).splitlines()[-1] == f"  no rule: {why}"
        (answer,) = sframe.json(*raw, address)["addresses"]
        assert (answer["rule"], answer["why"]) == (None, why)
    assert (
        sframe(*raw, "1004").splitlines()[-1] == "  CFA = rsp + 8; RA = *(CFA - 8); rbp unchanged"
    )
    out = sframe(*raw, "3000", "1004", code=2)
    assert "  no rule: inconsistent SFrame data: FRE type" in out
    assert out.endswith("  CFA = rsp + 8; RA = *(CFA - 8); rbp unchanged\n")
    empty = ("lookup", "--raw", sframe.file("none", section(version=2)))
    assert sframe(*empty, "1").splitlines()[-1] == "  no rule: the table has no functions"
    no_data = sframe("lookup", sframe.elf("v3/edge-empty.o"), "1")
    assert no_data.splitlines()[-1] == "  no rule: the file has no SFrame data"


def test_addresses_that_are_none(sframe: Commands) -> None:
    path = sframe.elf("v3/recur")
    for text in ("main", "-1", "1" + "0" * 16, ""):
        with pytest.raises(SystemExit, match="2"):
            sframe("lookup", path, "--", text)
