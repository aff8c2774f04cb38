"""What a search's schedules must show."""

from stackweave.core import Program
from stackweave.core.explore.search import Search

from ..core.running import played


def replays(program: Program, found: Search) -> None:
    """Every signature's schedule is an execution of the interpreter that shows it."""
    for signature, decisions in found.schedules.items():
        outcome = played(program, decisions)
        assert outcome.schedule == decisions
        assert signature in {each.signature for each in outcome.violations}
