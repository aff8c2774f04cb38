"""Entries that the tests of the gallery plant."""

from stackweave.gallery.entry import Case, Entry, Verdict


def planted(verdict: Verdict, case: Case, *signatures: str) -> Entry:
    """An entry that claims something of a program."""
    return Entry(
        id="planted-0",
        title="planted",
        generation="upstream",
        source="nowhere",
        verdict=verdict,
        story=("One.", "Two.", "Three."),
        case=case,
        signatures=signatures,
        executions=50,
    )
