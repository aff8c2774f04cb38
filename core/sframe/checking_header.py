"""Headers, field by field. Unlike `header.parse_header` this goes on after a violation, as far as it can."""

import struct

from stackweave.core.sframe.checking import Rule
from stackweave.core.sframe.checking_report import Report
from stackweave.core.sframe.constants import DEFINED_FLAGS, Abi, Flag, Version
from stackweave.core.sframe.decode import behind_padding
from stackweave.core.sframe.header import FDE_SIZE, HEADER_SIZE, Header, starts_header
from stackweave.core.sframe.layout import HEADER
from stackweave.core.sframe.words import CONVENTIONS


def check_headers(report: Report, section: bytes, address: int, abi: Abi | None) -> list[Header]:
    """The headers whose functions can be looked at; `abi` is the file's."""
    headers: list[Header] = []
    at: int | None = 0
    while at is not None:
        if headers and not starts_header(section, at):
            size = len(section) - at
            report.add(Rule.TRAILING, at, "section", f"{size} bytes")
            break
        header = _check_header(report, section, at)
        if header is None:
            break
        _check_place(report, header, address, len(headers))
        expected = headers[0].abi if headers else abi
        if expected not in (None, header.abi):
            detail = f"{header.abi.name}, not {expected.name}"
            report.add(Rule.MACHINE, at + 4, "abi", detail)
        headers.append(header)
        at = behind_padding(section, header.end)
    return headers


def _check_header(report: Report, section: bytes, at: int) -> Header | None:
    """None: nothing behind it can be trusted."""
    left = len(section) - at
    if left < HEADER_SIZE:
        report.add(Rule.HEADER_CUT, at, "header", f"{left} bytes of {HEADER_SIZE}")
        return None
    if not starts_header(section, at):
        report.add(Rule.MAGIC, at, "magic", section[at : at + 2].hex(" "))
        return None
    order = "<" if section[at] == 0xE2 else ">"
    _, version, flags, abi, *rest = struct.unpack_from(order + HEADER, section, at)
    if version not in Version.__members__.values():
        report.add(Rule.VERSION, at + 2, "version", str(version))
        return None
    undefined = flags & ~DEFINED_FLAGS[Version(version)]
    if undefined:
        report.add(Rule.FLAGS, at + 3, "flags", f"bits {undefined:#x} in version {version}")
    known = abi in Abi.__members__.values()
    if not known:
        report.add(Rule.ABI, at + 4, "abi", str(abi))
    elif Abi(abi).is_big_endian != (order == ">"):
        report.add(Rule.BYTE_ORDER, at + 4, "abi", f"{Abi(abi).name} in the other byte order")
    # of an unknown ABI the areas can be judged all the same
    someone = Abi(abi) if known else Abi.AMD64_ENDIAN_LITTLE
    header = Header(at, order, Version(version), Flag(flags), someone, *rest)
    is_sound = _check_areas(report, header, len(section))
    if not known or not is_sound:
        return None
    _check_values(report, header)
    return header


def _check_areas(report: Report, header: Header, size: int) -> bool:
    """Whether both sub-sections lie where they can be read."""
    at = header.offset
    fdes_end = header.fdes_at + header.num_fdes * FDE_SIZE[header.version]
    if header.end > size:
        detail = f"ends at {header.end:#x}, the section at {size:#x}"
        report.add(Rule.FRE_AREA, at + 16, "FRE sub-section", detail)
    if fdes_end > header.fres_at:
        detail = f"ends at {fdes_end:#x}, the FREs begin at {header.fres_at:#x}"
        report.add(Rule.FDE_AREA, at + 8, "FDE sub-section", detail)
    return header.end <= size and fdes_end <= header.fres_at


def _check_values(report: Report, header: Header) -> None:
    at, flags = header.offset, header.flags
    offsets = (header.cfa_fixed_fp_offset, header.cfa_fixed_ra_offset)
    expected = (0, CONVENTIONS[header.abi].ra_offset)
    if header.auxhdr_len:
        detail = f"{header.auxhdr_len} bytes"
        report.add(Rule.AUXILIARY, at + 7, "auxiliary header length", detail)
        report.add(Rule.KERNEL_AUXILIARY, at + 7, "auxiliary header length", detail)
    if offsets != expected:
        detail = f"FP {offsets[0]}, RA {offsets[1]}; elsewhere {expected[0]} and {expected[1]}"
        report.add(Rule.FIXED_OFFSETS, at + 5, "fixed offsets", detail)
    if not header.num_fdes:
        report.add(Rule.NO_FUNCTIONS, at + 8, "number of FDEs", "0")
    if not header.num_fdes or not header.num_fres:
        detail = f"{header.num_fdes} FDEs, {header.num_fres} FREs"
        report.add(Rule.KERNEL_EMPTY, at + 8, "number of FDEs", detail)
    if header.version is not Version.V3:
        report.add(Rule.KERNEL_VERSION, at + 2, "version", f"{header.version}, not 3")
    if header.version is not Version.V1 and not flags & Flag.FDE_FUNC_START_PCREL:
        detail = f"FDE_FUNC_START_PCREL is clear in version {header.version}"
        report.add(Rule.PCREL_CLEAR, at + 3, "flags", detail)
    missing = (Flag.FDE_SORTED | Flag.FDE_FUNC_START_PCREL) & ~flags
    if missing:
        names = " and ".join(flag.name or "" for flag in Flag if flag in missing)
        report.add(Rule.KERNEL_FLAGS, at + 3, "flags", f"without {names}")


def _check_place(report: Report, header: Header, address: int, number: int) -> None:
    at = header.offset
    if (address + at) % 8:
        report.add(Rule.ALIGNMENT, at, "header", f"at address {address + at:#x}")
    if number:
        for rule in (Rule.SEVERAL_HEADERS, Rule.KERNEL_HEADERS):
            report.add(rule, at, "header", f"number {number + 1}")
