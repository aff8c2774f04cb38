"""Generation `completed`: a mask in the task's cache remembers who was called."""

from typing import Final

from ..entry import Case, Entry, Verdict

_SOURCE: Final = "kernel/unwind/deferred.c, M:8814913534"

ENTRIES: Final = (
    Entry(
        id="completed-spurious",
        title="no memory for the mask: spurious again",
        generation="completed",
        source=f"{_SOURCE}, unwind_deferred_task_work()",
        verdict=Verdict.REPRODUCED,
        story=(
            "Who was called is remembered in the task's cache, which the first unwind allocates.",
            "Where that fails there is no mask, and another tracer asks after the first one's callback.",
            "The task work runs again and calls both, as it did before there was a mask.",
        ),
        case=Case("no-cache"),
        signatures=("twice",),
        also=("bitmask", "upstream"),
        conditional="an allocation that may fail; a small GFP_KERNEL one hardly ever does",
    ),
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
