"""Generation `per_work`: a task work for each tracer, of which all tasks have the same one."""

from typing import Final

from stackweave.programs import Parameters

from ..entry import Case, Entry, Gone, Verdict
from .mutex_list import MUTEX

SOURCE: Final = (
    "v4 of the series, patch 28 "
    "(6052e8487746603bdb29b65f4033e739092d9925.1737511963.git.jpoimboe@kernel.org), "
    "kernel/unwind/deferred.c"
)
_LISTS: Final = ("mutex_list", "mutex_list_nmi")


def _gone(program: str, by: str, *generations: str) -> tuple[Gone, ...]:
    return tuple(Gone(each, by, Case(program, Parameters(generation=each))) for each in generations)


ENTRIES: Final = (
    Entry(
        id="per_work-first-cookie",
        title="the first request is given cookie 0",
        generation="per_work",
        source=f"{SOURCE}, get_cookie()",
        verdict=Verdict.REPRODUCED,
        story=(
            "A function reads the task's cookie, finds 0, stores a new one, and returns what it had read.",
            "The request that made the cookie is the one that needs it first.",
            "It is given 0 and the promise of a callback, which comes with the stored one.",
        ),
        case=Case("first-cookie"),
        signatures=("cookie-zero", "lost"),
        gone=_gone("first-cookie", f"a cookie that is read after it is stored ({MUTEX})", *_LISTS),
    ),
    Entry(
        id="per_work-wrap",
        title="the count of CPU 0 wraps to cookie 0",
        generation="per_work",
        source=f"{SOURCE}, ctx_to_cookie(); Zijlstra's review, 22 and 23 January 2025",
        verdict=Verdict.REPRODUCED,
        story=(
            "A cookie is 48 bits of a count and the CPU's number above them, and 0 means that there is none yet.",
            "On CPU 0 the count comes round, so the new cookie is 0.",
            "A request is given it, and the next call in the same entry makes another one for the callback.",
        ),
        case=Case("cookie-wraps"),
        signatures=("cookie-zero", "lost"),
        gone=_gone("cookie-wraps", f"a count that is always odd ({MUTEX})", *_LISTS),
        conditional="2^48 contexts of CPU 0",
    ),
    Entry(
        id="per_work-uninitialised-trace",
        title="a callback gets an uninitialised trace",
        generation="per_work",
        source=f"{SOURCE}, unwind_deferred_task_work()",
        verdict=Verdict.REPRODUCED,
        story=(
            "The trace is a local variable, and is filled in once there is an array of entries.",
            "Where the allocation fails, or the task has no user memory, the code goes straight to the callback.",
            "The callback reads what lay on the stack: a number of entries, and a pointer to them.",
        ),
        case=Case("no-entries"),
        signatures=("undefined-behaviour:uninitialised-trace",),
        gone=_gone("no-entries", f"a trace that is empty from the start ({MUTEX})", *_LISTS),
    ),
    Entry(
        id="per_work-blocked",
        title="a task that sleeps blocks a CPU's event",
        generation="per_work",
        source=f"{SOURCE}, unwind_deferred_request(); Poimboeuf's answer to the review, 23 January 2025",
        verdict=Verdict.REPRODUCED,
        story=(
            "An event of a CPU has one work, which is pending while the task that asked is in the kernel.",
            "That task sleeps, and another one of the CPU asks.",
            "It is told -EEXIST and its own cookie, which promises a callback, and none comes.",
        ),
        case=Case("shared-work"),
        signatures=("lost",),
        gone=_gone("shared-work", f"a pending flag a task ({MUTEX})", *_LISTS),
    ),
    Entry(
        id="per_work-double-enqueue",
        title="one work is put on the lists of two tasks",
        generation="per_work",
        source=f"{SOURCE}, unwind_deferred_request(); kernel/task_work.c, task_work_add()",
        verdict=Verdict.REPRODUCED,
        story=(
            "A request looks at the work's flag, puts the work on its task's list, and only then sets the flag.",
            "Tasks on two CPUs do so at once, and the work has a single link.",
            "One task's list goes on into the other's, and works are run for a task that nobody asked about.",
        ),
        case=Case("two-lists"),
        signatures=("unrequested",),
        gone=_gone(
            "two-lists", "one work a task, and a mask of who asked (be3d526a5b34)", "bitmask"
        ),
    ),
    Entry(
        id="per_work-late-clear",
        title="pending is said of a callback that was",
        generation="per_work",
        source=f"{SOURCE}, unwind_deferred_task_work()",
        verdict=Verdict.REPRODUCED,
        story=(
            "The flag is cleared after the callback.",
            "An interrupt asks between the two, and is told -EEXIST: a callback is pending.",
            "There is none to come, only the one that has been.",
        ),
        case=Case("interrupt-asks-again"),
        signatures=("lost:backward-reference",),
        gone=_gone(
            "interrupt-asks-again", f"a flag cleared before the callbacks ({MUTEX})", *_LISTS
        ),
    ),
    Entry(
        id="per_work-requeue",
        title="who asks again is called again",
        generation="per_work",
        source=f"{SOURCE}, the comment of unwind_deferred_request()",
        verdict=Verdict.REPRODUCED,
        story=(
            "Once a callback has been the work is not pending any more.",
            "An interrupt asks for the same tracer, in the same entry.",
            "The tracer gets the same stack and cookie twice, as the comment says.",
        ),
        case=Case("interrupt-asks-again"),
        signatures=("twice",),
        gone=_gone(
            "interrupt-asks-again", "bits that stay until the exit (be3d526a5b34)", "bitmask"
        ),
        also=(*_LISTS, "bitmask_v12_patch8"),
    ),
    Entry(
        id="per_work-live-lock",
        title="an event of the exit loop keeps it going",
        generation="per_work",
        source=f"{SOURCE}, unwind_deferred_task_work(); kernel/entry/common.c, exit_to_user_mode_loop()",
        verdict=Verdict.REPRODUCED,
        story=(
            "The exit loop turns interrupts off after it has run the works, and that is an event.",
            "A tracer of this event asks, and as nothing is pending any more its work is queued again.",
            "The loop runs it, comes to the event again, and never ends.",
        ),
        case=Case("exit-event-asks", Parameters(generation="per_work")),
        signatures=("live-lock",),
        gone=_gone("exit-event-asks", "bits that stay until the exit (be3d526a5b34)", "bitmask"),
    ),
    Entry(
        id="per_work-cancel",
        title="a cancel does not wait for the callback",
        generation="per_work",
        source=f"{SOURCE}, unwind_deferred_cancel(); kernel/task_work.c, task_work_cancel()",
        verdict=Verdict.REPRODUCED,
        story=(
            "A cancel takes the work off a task's list, and returns false for one that is on none.",
            "The task has detached its list and is about to call: that is false, too, and nobody waits for it.",
            "The owner frees the tracer's data, and the callback uses them.",
        ),
        case=Case("cancel-frees"),
        signatures=("use-after-free:tracer_data",),
        gone=_gone("cancel-frees", f"a mutex of walks and cancels ({MUTEX})", "mutex_list"),
        conditional="an owner that has no better sign than the cancel's return",
    ),
    Entry(
        id="per_work-nmi",
        title="who asks in an NMI's place is too late",
        generation="per_work",
        source=f"{SOURCE}, unwind_deferred_request(); Poimboeuf's answer to the review, 23 January 2025",
        verdict=Verdict.REPRODUCED,
        story=(
            "A request from an NMI is refused, so its tracer raises an interrupt that asks in its place.",
            "The NMI came in schedule(), where interrupts are off until the next task has the CPU.",
            "The interrupt asks about that task.",
        ),
        case=Case("nmi-falls-back"),
        signatures=("wrong-task",),
        gone=_gone(
            "nmi-falls-back", "requests that an NMI may make (055c7060e7ca)", "mutex_list_nmi"
        ),
        also=("mutex_list",),
    ),
    Entry(
        id="per_work-exit",
        title="the last system call has no trace",
        generation="per_work",
        source="kernel/exit.c @ yailabs/yai 5f6e5cf60127, do_exit(): exit_mm() before exit_task_work()",
        verdict=Verdict.REPRODUCED,
        story=(
            "A task that ends gives its user memory up, and runs its works later.",
            "A tracer has asked in that last system call, as at every other one.",
            "Its callback is given an empty trace.",
        ),
        case=Case("exit-asks"),
        signatures=("wrong-stack:empty",),
        gone=_gone("exit-asks", "a hook before exit_mm() (b3b9cb11aa03)", "upstream"),
        also=(*_LISTS, "bitmask_v12_patch8", "bitmask_v12", "bitmask", "completed"),
    ),
    Entry(
        id="per_work-failed-add",
        title="a request fails and has a cookie",
        generation="per_work",
        source=(
            f"{SOURCE}, unwind_deferred_request(); kernel/exit.c @ yailabs/yai 5f6e5cf60127, do_exit(): exit_mm() "
            "before exit_task_work()"
        ),
        verdict=Verdict.REFUTED,
        story=(
            "A work that cannot be added makes the request return an error beside the cookie it has made already.",
            "By the comment an error with a cookie means that a callback is pending.",
            "No task comes to it: lists are closed after the user memory has gone, when every request is refused.",
        ),
        case=Case("asks-in-exit"),
        signatures=("error-with-cookie",),
        conditional="do_exit() in the order of its source, and a list that nothing else closes",
    ),
)
