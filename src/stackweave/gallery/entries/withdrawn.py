"""Generations `bitmask_v12` and `bitmask_v12_patch8`: drafts of the mask that were not merged."""

from typing import Final

from stackweave.programs import Parameters

from ..entry import Case, Entry, Gone, Verdict

_SOURCE: Final = (
    "v12 and v13 of the series, unwind_deferred_request(), as quoted in the review of v13's patch 10 "
    "(20250715084932.0563f532@gandalf.local.home); M:8755941596, M:8407560590"
)

ENTRIES: Final = (
    Entry(
        id="bitmask_v12_patch8-live-lock",
        title="an event of the exit loop keeps it going",
        generation="bitmask_v12_patch8",
        source="v12 of the series, patch 8, unwind_deferred_task_work()",
        verdict=Verdict.REPRODUCED,
        story=(
            "A tracer's bit is cleared after its callback.",
            "The exit loop turns interrupts off, and a tracer of this event asks: its bit is clear.",
            "The loop runs the work, comes to the event again, and never ends.",
        ),
        case=Case("exit-event-asks", Parameters(generation="bitmask_v12_patch8")),
        signatures=("live-lock",),
        gone=tuple(
            Gone(
                generation,
                "bits that stay until the exit",
                Case("exit-event-asks", Parameters(generation=generation)),
            )
            for generation in ("bitmask_v12", "bitmask")
        ),
    ),
    Entry(
        id="bitmask_v12-live-lock",
        title="two tracers in turn keep the loop going",
        generation="bitmask_v12",
        source=_SOURCE,
        verdict=Verdict.REPRODUCED,
        story=(
            "The first request that finds PENDING clear replaces the mask by its own bit and PENDING.",
            "One tracer asks at an event of the exit loop, another at what the first one's callback does.",
            "Each takes the other's bit away, so each is called again, round after round.",
        ),
        case=Case("alternation"),
        signatures=("live-lock",),
        gone=(
            Gone(
                "bitmask",
                "requests that add their bit (be3d526a5b34)",
                Case("alternation", Parameters(generation="bitmask")),
            ),
        ),
    ),
    Entry(
        id="bitmask_v12-called-again",
        title="a tracer that was served is called again",
        generation="bitmask_v12",
        source=_SOURCE,
        verdict=Verdict.REPRODUCED,
        story=(
            "A tracer was served, and its bit stays to say so.",
            "Another tracer asks and replaces the mask; then the first one asks again.",
            "It is called a second time in the entry, and not told that it has been.",
        ),
        case=Case("alternation"),
        signatures=("twice",),
        gone=(
            Gone(
                "upstream",
                "the mask unwind_completed (M:8814913534)",
                Case("alternation", Parameters(generation="upstream")),
            ),
        ),
    ),
    Entry(
        id="bitmask_v12-spoilt-swap",
        title="a swap that fails is put down to an NMI",
        generation="bitmask_v12",
        source=_SOURCE,
        verdict=Verdict.REPRODUCED,
        story=(
            "A request looks at the mask and swaps it, and where that fails it only adds its bit.",
            "That is right for an NMI that has set PENDING, but here a cancel has cleared a bit.",
            "PENDING is not set, the request returns 0, and nobody is called.",
        ),
        case=Case("spoilt-swap"),
        signatures=("lost",),
        executions=4_000,
    ),
    Entry(
        id="bitmask_v12-zero-bit",
        title="a cleared work's bit is another tracer's",
        generation="bitmask_v12",
        source="v12 of the series, patch 8, unwind_deferred_init(), M:35668779971",
        verdict=Verdict.REPRODUCED,
        story=(
            "A registration clears the work, its bit included, before it waits for the mutex and takes a bit.",
            "A tracer leaves and comes back, and one of its sources asks while the bit is 0.",
            "That is the bit of the oldest tracer, which is called for what it never asked.",
        ),
        case=Case("registers-again"),
        signatures=("unrequested",),
        gone=(
            Gone(
                "bitmask",
                "bit 0 in no tracer's hands (be3d526a5b34)",
                Case("registers-again", Parameters(generation="bitmask")),
            ),
        ),
        also=("bitmask_v12_patch8",),
        conditional="tracers that may ask while they register: the contract says they must have stopped",
    ),
)
