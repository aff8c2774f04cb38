"""Generation `upstream`: the open defects, by their numbers in the project's list; 1 to 6 are about bits."""

from typing import Final

from stackweave.programs import Parameters

from ..entry import Case, Entry, Gone, Verdict

_SOURCE: Final = "kernel/unwind/deferred.c @ yailabs/yai 5f6e5cf60127"
_DRAFTS: Final = ("bitmask_v12_patch8", "bitmask_v12")
_BEFORE: Final = ("bitmask", "completed")
_INT: Final = Parameters(flavour="int-bit")

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
        gone=(
            Gone(
                "upstream, int-bit",
                "Carpenter's v2 (M:46843013890)",
                Case("cancelled-work-asks", _INT),
            ),
        ),
        also=_BEFORE,
        seen=True,
    ),
    Entry(
        id="upstream-1-int",
        title="the repair of 1 loses the bits from 32 on",
        generation="upstream",
        source="Carpenter's v2, M:46843013890, on unwind_deferred_request()",
        verdict=Verdict.REPRODUCED,
        story=(
            "The variable becomes an int, so that the test for a negative bit holds.",
            "The same variable then takes BIT(bit), and an int has no bit 32 or above.",
            "Such a tracer's request sets PENDING alone, returns 0, and nobody is called.",
        ),
        case=Case("high-bit-asks", _INT),
        signatures=("lost",),
        gone=(Gone("upstream", "an unsigned long, as it was and is", Case("high-bit-asks")),),
        conditional="the repair as it was posted; it was not merged",
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
        id="upstream-2-bit-31",
        title="a request returns the most negative number",
        generation="upstream",
        source=f"{_SOURCE}, unwind_deferred_request(), `return old & bit`",
        verdict=Verdict.REPRODUCED,
        story=(
            "As upstream-2, and the tracer's bit is 31.",
            "As an int that bit is the sign.",
            "The request returns -2147483648, which callers take for a refusal, and the callback comes.",
        ),
        case=Case("request-returns-bit-31"),
        signatures=("return-value",),
        also=_BEFORE,
        seen=True,
    ),
    Entry(
        id="upstream-2-bit-32",
        title="a request of bit 32 returns its bit",
        generation="upstream",
        source=f"{_SOURCE}, unwind_deferred_request(), `return old & bit`",
        verdict=Verdict.REFUTED,
        story=(
            "As upstream-2, and the tracer's bit is 32, which an int does not have.",
            "The request returns 0 where 1 is meant, and promises the callback that the NMI's request promised.",
            "Every execution of the program keeps to the documented values.",
        ),
        case=Case("request-returns-bit-32"),
        signatures=("return-value",),
        conditional="0 and 1 meaning the same to the caller, as to perf: a callback comes",
    ),
    Entry(
        id="upstream-3",
        title="bits to call are read before they change hands",
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
        id="upstream-3-null",
        title="called before its function is set",
        generation="upstream",
        source=f"{_SOURCE}, unwind_deferred_init(), process_unwind_deferred()",
        verdict=Verdict.REPRODUCED,
        story=(
            "A registration takes its bit and publishes its work on the list before it sets the function.",
            "A walk whose bits were read when the bit had another owner comes by.",
            "It calls a null pointer.",
        ),
        case=Case("null-function"),
        signatures=("null-pointer:func",),
        conditional="the order of stores in unwind_deferred_init(), which recordings show",
    ),
    Entry(
        id="upstream-3-swallowed",
        title="a new owner's own request is swallowed",
        generation="upstream",
        source=f"{_SOURCE}, process_unwind_deferred()",
        verdict=Verdict.REPRODUCED,
        story=(
            "As upstream-3: the new owner of a bit was called for what it never asked, and counts as called.",
            "Now it does ask, in the same entry, and the request returns 0.",
            "The walk leaves it out, so the promised callback never comes.",
        ),
        case=Case("swallowed-callback"),
        signatures=("lost", "inherited:swallowed"),
        also=("completed",),
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
        gone=(
            Gone(
                "bitmask",
                "the one mutex of walks and cancels (before 357eda2d7450)",
                Case("walker-reads-cancelled", Parameters(generation="bitmask")),
            ),
        ),
        also=_DRAFTS,
        seen=True,
    ),
    Entry(
        id="upstream-5",
        title="a walk's plain or undoes a cancel's clear",
        generation="upstream",
        source=f"{_SOURCE}, process_unwind_deferred(), unwind_deferred_cancel()",
        verdict=Verdict.REPRODUCED,
        story=(
            "A walk marks who was called by a plain or: a load of `completed`, and a store.",
            "A cancel clears its tracer's bit there in between, and the store brings it back.",
            "The bit's next owner asks in the same entry, is told 0, and is not called.",
        ),
        case=Case("lost-clear"),
        signatures=("inherited:swallowed",),
        conditional="a walk that began after the cancel's grace period, so a third one in the entry",
    ),
    Entry(
        id="upstream-6",
        title="a request sets its bit after the cancel's walk",
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
        also=(*_DRAFTS, *_BEFORE),
        seen=True,
        conditional="tracers that may ask during their cancel: the contract says they must have stopped",
    ),
    Entry(
        id="upstream-6-double-cancel",
        title="a second cancel follows poison",
        generation="upstream",
        source=f"{_SOURCE}, unwind_deferred_cancel(); M:8160230015",
        verdict=Verdict.REPRODUCED,
        story=(
            "A cancelled work's bit is -1, which is no reserved bit, so a second cancel does all of it again.",
            "list_del_rcu() has poisoned the link to the work's predecessor.",
            "The second cancel follows it.",
        ),
        case=Case("double-cancel"),
        signatures=("wild-pointer:list_head",),
        also=(*_DRAFTS, *_BEFORE),
        conditional="a tracer that cancels twice: the contract says once",
    ),
)
