"""A section with the file around it: all that `check` does, from the first header to the code.

    for finding in check(image, contents, address, Profile.KERNEL):
        print(finding.rule.label, finding.detail)

The rules are in `checking`; `checking_header`, `checking_functions` and `checking_rows` look at
the section's bytes. They read more than `decode` does, which ends at the first thing it refuses;
whatever it refuses is a violation here too.
"""

from stackweave.core.sframe.architectures import abi_of
from stackweave.core.sframe.checking import Finding, Profile, Rule
from stackweave.core.sframe.checking_functions import check_overlaps, check_table
from stackweave.core.sframe.checking_header import check_headers
from stackweave.core.sframe.checking_plt import plt_entries
from stackweave.core.sframe.checking_report import Report, Surroundings
from stackweave.core.sframe.constants import PT_GNU_SFRAME, Abi
from stackweave.core.sframe.decode import Table
from stackweave.core.sframe.describe_coverage import AddressSet, code_extents, coverage
from stackweave.core.sframe.elf import ET_REL, ElfImage, Section
from stackweave.core.sframe.errors import ElfError
from stackweave.core.sframe.header import MIN_FRE_SIZE
from stackweave.core.sframe.module import sframe_section

_SHF_ALLOC = 2
_ENTRY_AT = 24
"""e_entry, in the header of a 64-bit ELF file."""


def check(
    image: ElfImage | None, section: bytes, address: int, profile: Profile
) -> tuple[Finding, ...]:
    """All findings about the section linked at `address`, by offset; `image` is the file it is in."""
    report = Report(profile)
    abi = None
    if image is not None:
        abi = _abi(report, image)
        _check_place(report, image, section)
    if section:
        tables = _check_section(report, image, section, address, abi)
        if image is not None:
            _check_coverage(report, image, tables)
    return tuple(sorted(report.findings, key=_by_offset))


def _by_offset(finding: Finding) -> tuple[int, str]:
    return (-1 if finding.offset is None else finding.offset, finding.rule.label)


def _check_section(
    report: Report, image: ElfImage | None, section: bytes, address: int, abi: Abi | None
) -> list[Table]:
    headers = check_headers(report, section, address, abi)
    tables = [Table(section, address, header) for header in headers]
    around = Surroundings() if image is None else _surroundings(image, abi)
    most = len(section) // MIN_FRE_SIZE
    for table in tables:
        most -= check_table(report, table, around, most)
    if around.is_linked:
        check_overlaps(report, tables)
    return tables


def _surroundings(image: ElfImage, abi: Abi | None) -> Surroundings:
    if image.kind == ET_REL:
        return Surroundings(is_linked=False)
    code = AddressSet((start, start + size) for _, start, size in code_extents(image))
    plt = plt_entries(image) if abi is Abi.AMD64_ENDIAN_LITTLE else ()
    entry = int.from_bytes(image.contents(_ENTRY_AT, 8), image.byte_order)
    return Surroundings(True, code, plt, entry or None)


def _abi(report: Report, image: ElfImage) -> Abi | None:
    try:
        return abi_of(image)
    except ElfError as error:
        report.add(Rule.MACHINE, None, "e_machine", str(error))
        return None


def _check_place(report: Report, image: ElfImage, contents: bytes) -> None:
    index = sframe_section(image)
    section = None if index is None else image.sections[index]
    if not contents:
        rule = Rule.ABSENT if section is None else Rule.EMPTY
        report.add(rule, None, "section", "nothing to unwind by")
        return
    if section is None or image.kind == ET_REL:
        return
    if not section.flags & _SHF_ALLOC:
        report.add(Rule.NOT_LOADED, None, "sh_flags", f"{section.flags:#x}")
    _check_segment(report, image, section)


def _check_segment(report: Report, image: ElfImage, section: Section) -> None:
    segment = next((each for each in image.segments if each.type == PT_GNU_SFRAME), None)
    if segment is None:
        report.add(Rule.SEGMENT_MISSING, None, "program headers", "none of type PT_GNU_SFRAME")
    elif segment.address != section.address or segment.file_size < section.size:
        detail = (
            f"{segment.file_size:,} bytes at {segment.address:#x}, "
            f"the section has {section.size:,} at {section.address:#x}"
        )
        report.add(Rule.SEGMENT_ELSEWHERE, None, "PT_GNU_SFRAME", detail)
    elif segment.file_size > section.size:
        detail = f"{segment.file_size:,} bytes, the section has {section.size:,}"
        report.add(Rule.SEGMENT_LONGER, None, "PT_GNU_SFRAME", detail)


def _check_coverage(report: Report, image: ElfImage, tables: list[Table]) -> None:
    for each in coverage(image, tables):
        if each.described < each.size:
            missing = each.size - each.described
            detail = f"{missing:,} of {each.size:,} bytes of {each.name}"
            report.add(Rule.UNCOVERED, None, "functions", detail)
