"""Generation `upstream`, the defects from 7 on: what happens between an entry's last look and the next entry."""

from typing import Final

from stackweave.programs import Parameters

from ..entry import Case, Entry, Gone, Verdict

_DEFERRED: Final = "kernel/unwind/deferred.c @ yailabs/yai 5f6e5cf60127"
_RESET: Final = "include/linux/unwind_deferred.h @ yailabs/yai 5f6e5cf60127, unwind_reset_info()"
_BEFORE: Final = ("bitmask", "completed")

ENTRIES: Final = (
    Entry(
        id="upstream-7",
        title="request in the reset: cookie 0",
        generation="upstream",
        source=_RESET,
        verdict=Verdict.REPRODUCED,
        story=(
            "The reset swaps the mask for 0, and only then stores 0 to the cookie.",
            "An NMI asks in between: it finds the old cookie, and a mask without PENDING.",
            "Its callback comes after the store, with cookie 0.",
        ),
        case=Case("cookie-zero"),
        signatures=("cookie-zero",),
        also=("bitmask_v12", *_BEFORE),
        seen=True,
    ),
    Entry(
        id="upstream-7-next-cookie",
        title="request in the reset: the next entry's cookie",
        generation="upstream",
        source=_RESET,
        verdict=Verdict.REPRODUCED,
        story=(
            "As upstream-7: an NMI's request has the old cookie, and its callback is still to come.",
            "Before it comes, another tracer asks in the next entry, and a new cookie is made.",
            "The callback brings that one, which its request never got.",
        ),
        case=Case("next-cookie"),
        signatures=("cookie-mismatch",),
        scripted=True,
        executions=20_000,
    ),
    Entry(
        id="upstream-8",
        title="request before the reset, which is skipped",
        generation="upstream",
        source=_RESET,
        verdict=Verdict.REPRODUCED,
        story=(
            "The exit loop has taken its last look when an NMI asks.",
            "The reset sees PENDING and leaves everything as it is.",
            "The next entry inherits cookie, bits, trace and the mask of who was called.",
        ),
        case=Case("reset-skipped"),
        signatures=("late:no-reset",),
        also=("bitmask_v12", *_BEFORE),
        seen=True,
    ),
    Entry(
        id="upstream-after-reset",
        title="a cookie made after the reset",
        generation="upstream",
        source=_RESET,
        verdict=Verdict.REPRODUCED,
        story=(
            "The reset has made the task's state empty, and the task is still in the kernel.",
            "An NMI asks: it is given a new cookie for the old entry.",
            "The callback comes in the next entry, with that entry's stack.",
        ),
        case=Case("cookie-after-reset"),
        signatures=("late:after-reset",),
        also=("bitmask_v12_patch8", "bitmask_v12", *_BEFORE),
        seen=True,
    ),
    Entry(
        id="upstream-9",
        title="the way out's last event asks after the reset",
        generation="upstream",
        source="commit cf76553aaa36, which moves unwind_reset_info(); M:8357440574",
        verdict=Verdict.REPRODUCED,
        story=(
            "Since cf76553aaa36 the event of interrupts going on comes after the reset.",
            "A tracer that asks at this event asks on every way out.",
            "Each request is left pending, and called back in the next entry, with that entry's stack.",
        ),
        case=Case("irq-on-event-asks"),
        signatures=("late:after-reset",),
        gone=(
            Gone(
                "upstream, irq-on-before-reset",
                "the order before cf76553aaa36",
                Case("irq-on-event-asks", Parameters(flavour="irq-on-before-reset")),
            ),
        ),
    ),
    Entry(
        id="upstream-10",
        title="a failed add takes all bits with it",
        generation="upstream",
        source=f"{_DEFERRED}, unwind_deferred_request(); kernel/task_work.c, task_work_add()",
        verdict=Verdict.REPRODUCED,
        story=(
            "Where an NMI cannot raise an interrupt for itself task_work_add() fails, and the mask becomes 0.",
            "A tracer was served before in this entry: its bit and USED are lost with it.",
            "The reset sees an empty mask and does nothing, and the next entry has the old cookie.",
        ),
        case=Case("nmi-cannot-add"),
        signatures=("cookie-shared",),
        conditional="a kernel without CONFIG_IRQ_WORK: elsewhere the task of an NMI can always be told",
    ),
    Entry(
        id="upstream-11",
        title="exec: the cookie gets the new image's stack",
        generation="upstream",
        source="fs/exec.c, begin_new_exec(): no hook; diffstat of M:44078733122",
        verdict=Verdict.REPRODUCED,
        story=(
            "A tracer asks in execve(), while the caller's stack is still there.",
            "The new image replaces it, and unwinding is not told.",
            "The trace with the cookie is of the new image.",
        ),
        case=Case("exec-after-request"),
        signatures=("wrong-stack",),
        also=_BEFORE,
    ),
    Entry(
        id="upstream-11-sigreturn",
        title="sigreturn: the cookie gets another stack",
        generation="upstream",
        source=f"{_DEFERRED}: no hook in rt_sigreturn()",
        verdict=Verdict.REPRODUCED,
        story=(
            "A tracer asks in rt_sigreturn(), on the stack of the signal handler.",
            "The call puts the registers of the interrupted code back.",
            "The trace with the cookie is of that code, and not of the handler.",
        ),
        case=Case("sigreturn-after-request"),
        signatures=("wrong-stack",),
        also=_BEFORE,
    ),
    Entry(
        id="upstream-12",
        title="a user worker is not refused",
        generation="upstream",
        source=f"{_DEFERRED}, unwind_deferred_request(): PF_KTHREAD | PF_EXITING",
        verdict=Verdict.REPRODUCED,
        story=(
            "A request refuses kernel threads and tasks that exit.",
            "A user worker, as io_uring has them, is neither, and never goes to user mode.",
            "It is granted a trace that does not exist.",
        ),
        case=Case("user-worker-asks"),
        signatures=("wrong-stack", "wrong-stack:empty"),
        also=_BEFORE,
        conditional="tracers that do not look themselves, as perf does",
    ),
    Entry(
        id="upstream-13",
        title="a callback that cancels waits for itself",
        generation="upstream",
        source=f"{_DEFERRED}, process_unwind_deferred(), unwind_deferred_cancel()",
        verdict=Verdict.REPRODUCED,
        story=(
            "Callbacks run inside an SRCU section.",
            "One of them cancels its tracer, and the cancel waits for all sections that have begun.",
            "It waits for itself.",
        ),
        case=Case("callback-cancels"),
        signatures=("deadlock",),
        also=_BEFORE,
    ),
    Entry(
        id="upstream-wrap",
        title="a cookie comes again after 2^31 contexts",
        generation="upstream",
        source=f"{_DEFERRED}, get_cookie()",
        verdict=Verdict.REPRODUCED,
        story=(
            "A CPU's counter has 32 bits and counts by two.",
            "Between two requests of a task 2^31 - 1 other contexts of the CPU take a cookie each.",
            "The second request gets the first one's cookie.",
        ),
        case=Case("cookie-repeats"),
        signatures=("cookie-shared",),
        also=_BEFORE,
        conditional="nothing beside the counter telling the two apart; records have times as well",
    ),
)
