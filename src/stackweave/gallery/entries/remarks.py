"""Generation `per_work`: what else its authors and reviewers said of it, and what came before it."""

from typing import Final

from stackweave.campaign import Subject
from stackweave.core.events import CallbackBegin
from stackweave.core.operations import Kind
from stackweave.replaying import Step

from ..entry import Case, Cost, Entry, Gone, Verdict
from .per_work import SOURCE

_ANSWER: Final = "Poimboeuf's answer to the review, 23 January 2025"


def _unwinds(step: Step, subject: Subject) -> bool:
    """A fresh trace is kept in a task's cache."""
    kind, address, _, _ = step.operation
    return (
        step.number > 0
        and not step.is_arrival
        and kind & ~3 == Kind.STORE
        and subject.program.layout.name_of(address).endswith(".entries")
    )


def _calls(step: Step, subject: Subject) -> bool:
    return any(isinstance(event, CallbackBegin) for event in step.events)


ENTRIES: Final = (
    Entry(
        id="per_work-cache",
        title="each work unwinds the stack again",
        generation="per_work",
        source=f"{SOURCE}, unwind_deferred_task_work()",
        verdict=Verdict.DESIGN_COST,
        story=(
            "The array of entries is kept, and the number of entries in it is not.",
            "Two tracers ask in one entry.",
            "The stack is unwound for each callback, where once would do.",
        ),
        case=Case("two-unwinds"),
        cost=Cost("callbacks for which the stack was unwound", _unwinds, _calls, ("mutex_list",)),
        executions=100,
    ),
    Entry(
        id="per_work-footprint",
        title="a work for every tracer and every task",
        generation="per_work",
        source=f"{SOURCE}, struct unwind_work; Desnoyers's review, 22 January 2025",
        verdict=Verdict.NOT_AN_INTERLEAVING,
        story=(
            "A work is a callback_head, a function and a flag: 32 bytes where a long has 64 bits.",
            "Not to be refused for another task's sake, an event needs one for each task.",
            "With a mask a tracer takes one bit of each task.",
        ),
    ),
    Entry(
        id="per_work-bits-comment",
        title="the comment says 12 bits for the CPU",
        generation="per_work",
        source=f"{SOURCE}, the comment of ctx_to_cookie(); Zijlstra's review, 22 January 2025",
        verdict=Verdict.NOT_AN_INTERLEAVING,
        story=(
            "The comment gives the CPU the high 12 bits of a cookie, and its count the low 48.",
            "That makes 60.",
            "The code shifts the CPU's number by 48, so it has 16.",
        ),
    ),
    Entry(
        id="per_work-count-comment",
        title="the counter of entries counts no entries",
        generation="per_work",
        source=f"{SOURCE}, unwind_ctx_ctr; Zijlstra's review, 22 January 2025",
        verdict=Verdict.NOT_AN_INTERLEAVING,
        story=(
            "The comment calls it a counter of entries from user mode.",
            "It counts up at an entry's first request.",
            "Entries in which nobody asks are not counted.",
        ),
    ),
    Entry(
        id="per_work-stub",
        title="no build without CONFIG_UNWIND_USER",
        generation="per_work",
        source="v4 of the series, patch 28, include/linux/unwind_deferred.h; Remus's review, 24 January 2025",
        verdict=Verdict.NOT_AN_INTERLEAVING,
        story=(
            "Without the option the header defines the functions as stubs.",
            "The stub of unwind_deferred_request() has an argument more than the function.",
            "Callers do not compile.",
        ),
    ),
    Entry(
        id="per_work-next-unwinds",
        title="the next task cannot unwind the last one",
        generation="per_work",
        source=f"{_ANSWER}; Zijlstra's of the same day: finish_task() in kernel/sched/core.c",
        verdict=Verdict.REPRODUCED,
        story=(
            "That a sleeping task's stack need not wait for its return, the next task was to unwind it.",
            "finish_task() releases prev->on_cpu before the next task may sleep, and another CPU runs prev on.",
            "Its stack changes while it is unwound.",
        ),
        case=Case("next-unwinds"),
        signatures=("torn-trace",),
        gone=(
            Gone(
                "prev unwinds itself",
                "Rostedt's proposal, 24 January 2025, which is not in any source that is stored",
                Case("prev-unwinds"),
            ),
        ),
        conditional="a proposal that was rejected, modelled from its description",
    ),
    Entry(
        id="per_work-before",
        title="before v4: one array, much state a task",
        generation="per_work",
        source=_ANSWER,
        verdict=Verdict.OPEN,
        story=(
            "There was a global array of callbacks, and for each task pending bits, pointers and last cookies.",
            "An NMI could not ask, so an interrupt had to ask about a task that was current no more.",
            "What is told of it is shown by per_work-nmi, and a tracer's memory of cookies by per_work-requeue.",
        ),
        conditional="its author's account: no source is stored",
    ),
)
