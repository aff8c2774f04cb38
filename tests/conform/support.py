"""What the tests of `conform` share."""

from pathlib import Path

from stackweave.conform.compare import Group, compare
from stackweave.conform.recording import read_recording

DATA = Path(__file__).parents[1] / "data" / "kernel"

NAMES = (
    "inject_basic",
    "inject_bits",
    "inject_unwind_deferred_request",
    "stall_unwind_deferred_request",
)
RECORDINGS = tuple(DATA / f"{name}.txt.xz" for name in NAMES)


def groups_of(path: Path) -> list[Group]:
    """Every group of a file."""
    return list(compare(read_recording(path)))


def first_difference(*paths: Path) -> str | None:
    """The title of the first group in which kernel and emulation differ; later ones are not run."""
    for path in paths:
        for group in compare(read_recording(path)):
            if group.failed:
                return group.title
    return None
