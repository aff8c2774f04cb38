"""Generation `upstream`: the open defects, by their numbers in the project's list."""

from typing import Final

from ..entry import Case, Entry, Verdict

_SOURCE: Final = "kernel/unwind/deferred.c @ yailabs/yai 5f6e5cf60127"
_BEFORE: Final = ("bitmask", "completed")

ENTRIES: Final = (
    Entry(
        id="upstream-1",
        title="a cancelled work asks with bit -1",
        generation="upstream",
        source=f"{_SOURCE}, unwind_deferred_request(); M:47930117290",
        verdict=Verdict.REPRODUCED,
        story=(
            "A cancelled work's bit is -1, and the test that should refuse it is made on an unsigned variable.",
            "A source that was not turned off in time asks: BIT(-1) is bit 63 on x86, and the request returns 0.",
            "Nobody is called, or whoever owns bit 63.",
        ),
        case=Case("cancelled-work-asks"),
        signatures=("undefined-behaviour:shift-out-of-bounds", "lost:cancelled"),
        also=_BEFORE,
        seen=True,
    ),
    Entry(
        id="upstream-2",
        title="a request returns its bit",
        generation="upstream",
        source=f"{_SOURCE}, unwind_deferred_request(), `return old & bit`",
        verdict=Verdict.REPRODUCED,
        story=(
            "A request looks whether its bit is set, and sets it by an atomic or a moment later.",
            "An NMI asks for the same tracer in between, and the or finds the bit set.",
            "The request returns `old & bit` as int, 4, 8 and so on, where its caller expects 0 or 1.",
        ),
        case=Case("request-returns-bit"),
        signatures=("return-value",),
        also=_BEFORE,
        seen=True,
    ),
    Entry(
        id="upstream-3",
        title="the bits to call are read before their owner changes",
        generation="upstream",
        source=f"{_SOURCE}, process_unwind_deferred()",
        verdict=Verdict.REPRODUCED,
        story=(
            "The bits to call are read before the unwind, which may sleep, and before the SRCU section.",
            "A tracer leaves meanwhile, as synchronize_srcu() has nobody to wait for, and another gets its bit.",
            "The new owner is called for what it never asked.",
        ),
        case=Case("stale-snapshot"),
        signatures=("inherited:stale-snapshot", "unrequested"),
        seen=True,
    ),
    Entry(
        id="upstream-4",
        title="the walk reads the bit of a cancelled work",
        generation="upstream",
        source=f"{_SOURCE}, process_unwind_deferred(), unwind_deferred_cancel()",
        verdict=Verdict.REPRODUCED,
        story=(
            "A cancel takes a work off the list and makes its bit -1 before it waits for readers.",
            "A walk that stands on the work goes on, and reads the bit.",
            "It tests bit -1 of the mask, beyond its bounds, and where that is set it calls, and marks BIT(-1).",
        ),
        case=Case("walker-reads-cancelled"),
        signatures=("undefined-behaviour:test_bit-out-of-bounds",),
        seen=True,
    ),
    Entry(
        id="upstream-6",
        title="a request sets a bit that its cancel has cleared",
        generation="upstream",
        source=f"{_SOURCE}, unwind_deferred_request(), unwind_deferred_cancel(); M:8160230015",
        verdict=Verdict.REPRODUCED,
        story=(
            "A request has read its work's bit.",
            "The whole cancel passes, its walk over the tasks included, and the request sets the bit after it.",
            "Whoever owns the bit next is called for it.",
        ),
        case=Case("request-races-cancel"),
        signatures=("inherited:racing-request",),
        also=_BEFORE,
        seen=True,
        conditional="tracers that may ask during their cancel: the contract says they must have stopped",
    ),
    Entry(
        id="upstream-7",
        title="a request inside the reset: cookie 0",
        generation="upstream",
        source=f"{_SOURCE}, unwind_reset_info() in include/linux/unwind_deferred.h",
        verdict=Verdict.REPRODUCED,
        story=(
            "The reset swaps the mask for 0, and only then stores 0 to the cookie.",
            "An NMI asks in between: it finds the old cookie, and a mask without PENDING.",
            "Its callback comes after the store, with cookie 0.",
        ),
        case=Case("cookie-zero"),
        signatures=("cookie-zero",),
        also=_BEFORE,
        seen=True,
    ),
    Entry(
        id="upstream-8",
        title="a request between exit loop and reset: no reset",
        generation="upstream",
        source=f"{_SOURCE}, unwind_reset_info() in include/linux/unwind_deferred.h",
        verdict=Verdict.REPRODUCED,
        story=(
            "The exit loop has taken its last look when an NMI asks.",
            "The reset sees PENDING and leaves everything as it is.",
            "The next entry inherits cookie, bits, trace and the mask of who was called.",
        ),
        case=Case("reset-skipped"),
        signatures=("late:no-reset",),
        also=_BEFORE,
        seen=True,
    ),
    Entry(
        id="upstream-after-reset",
        title="a cookie made after the reset",
        generation="upstream",
        source=f"{_SOURCE}, unwind_reset_info() in include/linux/unwind_deferred.h",
        verdict=Verdict.REPRODUCED,
        story=(
            "The reset has made the task's state empty, and the task is still in the kernel.",
            "An NMI asks: it is given a new cookie for the old entry.",
            "The callback comes in the next entry, with that entry's stack.",
        ),
        case=Case("cookie-after-reset"),
        signatures=("late:after-reset",),
        also=_BEFORE,
        seen=True,
    ),
)
