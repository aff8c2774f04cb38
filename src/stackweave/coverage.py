"""What a campaign's executions have covered, beside what there is: counts, growth, and the share of the whole."""

from typing import Final, NamedTuple

from stackweave.core import Program
from stackweave.core.explore.reached import Coverage
from stackweave.core.explore.search import search

_MOST: Final = 2_000_000
"""States that are searched for the whole: a few seconds."""


class Whole(NamedTuple):
    """All that there is, or as much as was looked for."""

    states: int
    transitions: int
    complete: bool


def whole_of(program: Program) -> Whole:
    """Search a fresh program, for a while."""
    found = search(program, most=_MOST)
    return Whole(found.states, found.transitions, found.complete)


def as_json(coverage: Coverage, whole: Whole | None, executions: int) -> dict[str, object]:
    """The part of a document."""
    return {
        "states": coverage.states,
        "transitions": coverage.transitions,
        "all_noted": coverage.complete,
        "newest_execution": coverage.newest,
        "exhaustive": None if whole is None or not whole.complete else whole._asdict(),
        "curve": [
            {"executions": point, "states": states, "transitions": transitions}
            for point, states, transitions in coverage.curve(executions)
        ],
    }


def as_text(coverage: Coverage, whole: Whole | None) -> str:
    """One line."""
    if not coverage.complete:
        return f"more than {coverage.states:,} states and {coverage.transitions:,} transitions"
    if whole is None:
        of_states = of_transitions = ""
    elif whole.complete:
        of_states = _share(coverage.states, whole.states)
        of_transitions = _share(coverage.transitions, whole.transitions)
    else:
        of_states, of_transitions = f" of more than {whole.states:,}", ""
    return (
        f"{coverage.states:,} states{of_states} and {coverage.transitions:,} transitions"
        f"{of_transitions} reached, the newest by execution {coverage.newest:,}"
    )


def _share(reached: int, there: int) -> str:
    share = 100 * reached / there if there else 100.0
    return f" of {there:,} ({share:.4g} %)" if reached < there else f" of {there:,} (all)"
