"""Generation `completed`: a mask in the task's cache remembers who was called."""

from typing import Final

from ..entry import Entry, Verdict

_SOURCE: Final = "kernel/unwind/deferred.c, M:8814913534"

ENTRIES: Final = (
    Entry(
        id="completed-comment",
        title="the comment still promises a second call",
        generation="completed",
        source=f"{_SOURCE}, the comment of unwind_deferred_request()",
        verdict=Verdict.NOT_AN_INTERLEAVING,
        story=(
            "The comment above unwind_deferred_request() says that a tracer which asks again is called again.",
            "With unwind_completed it is not: a request after the callback returns 1, and no call follows.",
            "Who relies on the comment waits for a callback that has been.",
        ),
        seen=True,
    ),
)
