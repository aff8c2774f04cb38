"""Generation `bitmask`: a bit for each tracer, and nothing that remembers who was called."""

from typing import Final

from stackweave.programs import Parameters

from ..entry import Case, Entry, Gone, Verdict

_SOURCE: Final = "kernel/unwind/deferred.c @ be3d526a5b34"
_SPURIOUS: Final = "spurious-callback"
_STALE: Final = Case("stale-snapshot", Parameters(generation="bitmask"))

ENTRIES: Final = (
    Entry(
        id="bitmask-spurious",
        title="a tracer that was served is called again",
        generation="bitmask",
        source=f"{_SOURCE}, unwind_deferred_task_work(); told by the commit that mends it, M:8814913534",
        verdict=Verdict.REPRODUCED,
        story=(
            "A tracer's bit stays in the task's mask until the task returns to user mode.",
            "After its callback another tracer asks, in the same entry, and the task work runs once more.",
            "It calls every tracer whose bit is set, so the first one gets its trace a second time.",
        ),
        case=Case(_SPURIOUS, Parameters(generation="bitmask")),
        signatures=("twice",),
        gone=(
            Gone(
                "completed",
                "the mask unwind_completed (M:8814913534)",
                Case(_SPURIOUS, Parameters(generation="completed")),
            ),
            Gone(
                "upstream",
                "the mask unwind_completed (M:8814913534)",
                Case(_SPURIOUS, Parameters(generation="upstream")),
            ),
        ),
    ),
    Entry(
        id="bitmask-3",
        title="bits to call are read before they change hands",
        generation="bitmask",
        source=f"{_SOURCE}, unwind_deferred_task_work()",
        verdict=Verdict.REPRODUCED,
        story=(
            "The task work takes the bits to call, then unwinds, and only then takes the mutex of the list.",
            "While the unwind sleeps a tracer is cancelled, and another one is given its bit.",
            "The walk finds the bit set and calls the new owner, who never asked.",
        ),
        case=_STALE,
        signatures=("inherited:stale-snapshot", "unrequested"),
        also=("bitmask_v12", "completed"),
    ),
)
