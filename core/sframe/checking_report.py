"""What the checks of headers, functions, rows and files share: where they write, what they know."""

from dataclasses import dataclass, field

from stackweave.core.sframe.checking import Finding, Profile, Rule
from stackweave.core.sframe.checking_plt import PltEntries
from stackweave.core.sframe.describe_coverage import AddressSet


@dataclass(slots=True)
class Report:
    """The findings so far."""

    profile: Profile
    findings: list[Finding] = field(default_factory=list)

    def add(
        self, rule: Rule, offset: int | None, field: str, detail: str, function: int | None = None
    ) -> None:
        """Note that a rule is broken; the kernel's own count in its profile only."""
        if self.profile is Profile.KERNEL or not rule.is_kernels:
            self.findings.append(Finding(rule, offset, field, detail, function))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known of the file around the section; nothing, if its bytes came alone."""

    is_linked: bool = True
    """Functions have their final addresses."""
    code: AddressSet | None = None
    """What is executable."""
    plt: tuple[PltEntries, ...] = ()
    entry: int | None = None
    """Where execution begins."""
