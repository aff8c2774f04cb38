"""`stackweave sframe check`: what is wrong with a table, and what is only strange."""

import argparse
import json

from stackweave.core.sframe.checking import Finding, Profile, Severity
from stackweave.core.sframe.checking_file import check
from stackweave.exits import Exit
from stackweave.printable import printable

from .arguments import add_source
from .showing import Json, hexadecimal
from .source import Source, source_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    add_source(parser)
    parser.add_argument(
        "--profile",
        choices=[profile.value for profile in Profile],
        default=Profile.SPECIFICATION.value,
        help="kernel: also what the kernel's reader refuses (default: specification)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """1 if there are violations; what is only suspicious is 0."""
    source = source_of(arguments)
    profile = Profile(arguments.profile)
    findings = check(source.image, source.contents, source.address, profile)
    violations = sum(each.rule.severity is Severity.VIOLATION for each in findings)
    if arguments.json:
        print(json.dumps(_document(source, profile, findings, violations)))
    else:
        for finding in findings:
            for line in _lines(source, finding):
                print(printable(line))
        plural = "" if violations == 1 else "s"
        print(f"{violations:,} violation{plural}, {len(findings) - violations:,} suspicious")
    return Exit.VIOLATION if violations else Exit.CLEAN


def _lines(source: Source, finding: Finding) -> list[str]:
    rule = finding.rule
    where = "" if finding.offset is None else f" at {finding.offset:#x}"
    function = "" if finding.function is None else f", in {_name(source, finding.function)}"
    return [
        f"{rule.severity.value} {rule.label}{where}: {finding.field}: {finding.detail}{function}",
        f"    {rule.meaning} [{rule.reference}]",
    ]


def _name(source: Source, address: int) -> str:
    symbol = source.symbol(address)
    name = f" {symbol.name}" if symbol and symbol.address == address else ""
    return f"the function at {hexadecimal(address)}{name}"


def _document(
    source: Source, profile: Profile, findings: tuple[Finding, ...], violations: int
) -> Json:
    return {
        "file": source.name,
        "profile": profile.value,
        "violations": violations,
        "suspicious": len(findings) - violations,
        "findings": [_finding_json(source, finding) for finding in findings],
    }


def _finding_json(source: Source, finding: Finding) -> Json:
    rule, start = finding.rule, finding.function
    symbol = None if start is None else source.symbol(start)
    return {
        "rule": rule.label,
        "severity": rule.severity.value,
        "meaning": rule.meaning,
        "reference": rule.reference,
        "offset": finding.offset,
        "field": finding.field,
        "detail": finding.detail,
        "function": None if start is None else hexadecimal(start),
        "symbol": symbol.name if symbol else None,
    }
