"""Known violations: which signature of which generation is which known defect."""

from typing import Final

KNOWN: Final[dict[tuple[str | None, str], str]] = {}
"""(generation, signature) to the defect's id; None is any generation."""


def identify(generation: str | None, signature: str) -> str | None:
    """The id of the known defect that shows as `signature` in `generation`."""
    return KNOWN.get((generation, signature)) or KNOWN.get((None, signature))
