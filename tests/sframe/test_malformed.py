"""Damaged sections: refused with `SFrameError`, or read as a careful reader does."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from stackweave.core.sframe import Backtrace, Module, SFrameError, StackDump
from stackweave.core.sframe.address_space import AddressSpace
from stackweave.core.sframe.elf import PF_X
from stackweave.core.sframe.lookup import SFrameSection
from stackweave.core.sframe.rules import FrameRule, RuleKind

from . import checks
from .recordings import DATA, OWN, OneModule, recording, unxz

HEADER_CASES: Final = 28
"""The header's length: patches of it concern the whole section."""


@dataclass(frozen=True, slots=True)
class Case:
    """Bytes to overwrite in a linked file, and what a careful reader does then."""

    source: Path
    base: str
    """The linked file that was damaged."""
    name: str
    expect: str
    first_patch: int
    """Offset of the first patch in the section."""
    data: bytes

    @property
    def tag(self) -> str:
        return tag_of(self.source)


def tag_of(source: Path) -> str:
    """The folder of the toolchain, such as `v3` or `v3-s390x`."""
    version, machine, *_ = source.name.split("-")
    return version if machine == "x86_64" else f"{version}-{machine}"


def cases(data: Path) -> list[Case]:
    return [
        Case(
            source,
            described["base"],
            case["name"],
            case["expect"],
            case["patches"][0][0] - described["sframe_file_offset"],
            patched(base_of(source, described["base"]), case["patches"]),
        )
        for source in sorted((data / "malformed").glob("*.malformed.json"))
        for described in [json.loads(source.read_text())]
        for case in described["cases"]
    ]


@cache
def base_of(source: Path, base: str) -> bytes:
    return unxz(source.parents[1] / "elf" / tag_of(source) / f"{base}.xz")


def patched(base: bytes, patches: list[tuple[int, str]]) -> bytes:
    data = bytearray(base)
    for offset, digits in patches:
        data[offset : offset + len(digits) // 2] = bytes.fromhex(digits)
    return bytes(data)


def opened(case: Case) -> Module | None:
    """The damaged file, or None if its section is refused as a whole."""
    try:
        return Module.parse(case.data, case.base)
    except SFrameError:
        return None


def section_of(module: Module) -> SFrameSection:
    assert module.sframe is not None
    return module.sframe


def refused_functions(section: SFrameSection) -> list[int]:
    refused = []
    for table in section.tables:
        for index in range(len(table)):
            try:
                checks.interpreted_rows(section, table, index)
            except SFrameError:
                refused.append(index)
    return refused


def every_rule(module: Module) -> dict[int, FrameRule | None]:
    """The rule at each address of the code, where it can be read."""
    rules: dict[int, FrameRule | None] = {}
    (code,) = (load for load in module.loads if load.flags & PF_X)
    for address in range(code.address, code.address + code.memory_size):
        try:
            rules[address] = section_of(module).rule_at(address)
        except SFrameError:
            continue
    return rules


@cache
def sound_rules(source: Path, base: str) -> dict[int, FrameRule | None]:
    return every_rule(Module.parse(base_of(source, base), base))


CASES = cases(DATA)
ALL = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.tag}-{case.name}")


def test_the_cases_are_there() -> None:
    assert CASES
    assert len(cases(OWN)) == 99


@ALL
def test_every_damaged_section_is_refused_or_read_as_expected(case: Case) -> None:
    module = opened(case)
    if module is None:
        assert not case.expect.startswith("accept-empty")
        return
    section = section_of(module)
    refused = refused_functions(section)
    count = sum(len(table) for table in section.tables)
    match case.expect:
        case "reject":
            pytest.fail("a section that must be refused was read")
        case "reject-fdes":
            assert refused
        case "reject-fde" | "reject-fre" | "reject-some":
            assert len(refused) >= 1
        case "accept-empty":
            assert count == 0
        case "accept":
            assert set(every_rule(module).values()) <= set(
                sound_rules(case.source, case.base).values()
            )
        case "accept-gap":  # its second row begins earlier, so refusing is right too
            assert len(refused) <= 1
        case _:
            assert len(refused) <= count


@ALL
def test_no_damage_makes_a_wrong_rule_elsewhere(case: Case) -> None:
    """Damage in one function's entry leaves every other function's rules as they were."""
    module = opened(case)
    if module is None or case.first_patch < HEADER_CASES or case.name.startswith(("all-", "fde-")):
        return
    sound = sound_rules(case.source, case.base)
    changed = [pc for pc, rule in every_rule(module).items() if rule != sound[pc]]
    assert not changed or max(changed) - min(changed) < 0x400


def test_what_accepting_means() -> None:
    """Single patches that are legal data: each must be read, and read rightly."""
    by_name = {(case.tag, case.name): case for case in cases(OWN)}

    def damaged(tag: str, name: str) -> Module:
        found = opened(by_name[tag, name])
        assert found is not None
        return found

    old, new = (
        sound_rules(by_name[tag, "fde-numfres-zero"].source, "mini-O2") for tag in ("v1", "v3")
    )
    for tag, sound in (("v1", old), ("v3", new)):
        assert every_rule(damaged(tag, "flags-unsorted")) == sound
        missing = every_rule(damaged(tag, "nfde-minus1"))
        assert {pc for pc, rule in missing.items() if rule != sound[pc]} != set()
        assert all(rule in (None, sound[pc]) for pc, rule in missing.items())
        empty = every_rule(damaged(tag, "fde-size-zero"))
        assert any(rule is None and sound[pc] for pc, rule in empty.items())
        assert all(rule in (None, sound[pc]) for pc, rule in empty.items())
        overlapping = every_rule(damaged(tag, "fde-size-huge"))
        assert all(overlapping[pc] == rule for pc, rule in sound.items() if rule)
    outermost = every_rule(damaged("v3", "fde-numfres-zero"))
    assert any(r and r.kind is RuleKind.OUTERMOST and r != new[pc] for pc, r in outermost.items())
    no_data = every_rule(damaged("v1", "fde-numfres-zero"))
    assert any(rule is None and old[pc] for pc, rule in no_data.items())


@ALL
def test_unwinding_with_a_damaged_section_ends(case: Case) -> None:
    """Never another exception, never without end."""
    try:
        module = Module.parse(case.data, case.base)
    except SFrameError:
        return
    recorded = recording(case.source.parents[1] / "steps" / case.tag / f"{case.base}.jsonl.xz")
    for sample in recorded.samples[:: len(recorded.samples) // 60]:
        trace = unwound(sample.dump, module, sample.space)
        assert trace.frames[0].pc == sample.dump.registers.pc
        assert len(trace.frames) < 200


def unwound(dump: StackDump, module: Module, space: AddressSpace) -> Backtrace:
    if isinstance(space, OneModule):
        return dump.unwind(OneModule(module))
    return dump.unwind(AddressSpace(space.mappings, dict.fromkeys(space.modules, module)))
