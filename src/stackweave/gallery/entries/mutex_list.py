"""Generations `mutex_list` and `mutex_list_nmi`: one list, one mutex, and nothing that remembers who asked."""

from typing import Final

from stackweave.campaign import Subject
from stackweave.core.operations import Kind
from stackweave.programs import Parameters
from stackweave.replaying import Step

from ..entry import Case, Cost, Entry, Gone, Verdict

MUTEX: Final = "2dffa355f6c2"
"""The commit that brought the list."""
_SOURCE: Final = f"kernel/unwind/deferred.c @ {MUTEX}"
_MASK: Final = "the mask of who asked, which stays until the exit (be3d526a5b34)"
_NMI: Final = ("mutex_list_nmi",)


def _gone(program: str, by: str) -> tuple[Gone, ...]:
    return (Gone("bitmask", by, Case(program, Parameters(generation="bitmask"))),)


def _takes_mutex(step: Step, subject: Subject) -> bool:
    """A try to take callback_mutex."""
    kind, address, _, _ = step.operation
    return (
        step.number > 0
        and not step.is_arrival
        and kind & ~3 == Kind.CMPXCHG
        and subject.program.layout.name_of(address) == "callback_mutex"
    )


def _waits_for_mutex(step: Step, subject: Subject) -> bool:
    return _takes_mutex(step, subject) and step.result != 0


ENTRIES: Final = (
    Entry(
        id="mutex_list-everybody",
        title="tracers that did not ask are called",
        generation="mutex_list",
        source=f"{_SOURCE}, unwind_deferred_task_work()",
        verdict=Verdict.REPRODUCED,
        story=(
            "A task has one flag that says that somebody asked, and not who.",
            "One of two tracers asks.",
            "The task work calls both.",
        ),
        case=Case("everybody-is-called"),
        signatures=("unrequested",),
        gone=_gone("everybody-is-called", "the mask of who asked (be3d526a5b34)"),
        also=_NMI,
    ),
    Entry(
        id="mutex_list-mutex",
        title="task works wait for one another",
        generation="mutex_list",
        source=f"{_SOURCE}, unwind_deferred_task_work(); the commit's own message",
        verdict=Verdict.DESIGN_COST,
        story=(
            "A task work walks the list of tracers under the one mutex there is, callbacks included.",
            "Tasks of other CPUs come to their works meanwhile.",
            "They sleep until the walk has ended.",
        ),
        case=Case("contended-mutex"),
        cost=Cost(
            "tries to take the mutex that had to wait",
            _waits_for_mutex,
            _takes_mutex,
            ("upstream",),
        ),
        conditional="two tasks on two CPUs, scheduled at random; upstream's walks take none (357eda2d7450)",
    ),
    Entry(
        id="mutex_list-live-lock",
        title="an event of the exit loop keeps it going",
        generation="mutex_list",
        source=f"{_SOURCE}, unwind_deferred_task_work(); M:35390868753",
        verdict=Verdict.REPRODUCED,
        story=(
            "The task work clears the flag, and the exit loop then turns interrupts off, which is an event.",
            "A tracer of this event asks, finds the flag clear, and the work is queued again.",
            "The loop runs it, comes to the event again, and never ends.",
        ),
        case=Case("exit-event-asks"),
        signatures=("live-lock",),
        gone=_gone("exit-event-asks", _MASK),
        also=_NMI,
    ),
    Entry(
        id="mutex_list-exit-window",
        title="a request before the reset: cookie 0",
        generation="mutex_list",
        source=f"{_SOURCE}, unwind_reset_info() in include/linux/unwind_deferred.h",
        verdict=Verdict.REPRODUCED,
        story=(
            "The reset clears the cookie, and does not look whether a request is pending.",
            "The last event of the way out asks before it.",
            "The callback comes in the next entry, and brings cookie 0.",
        ),
        case=Case("exit-window"),
        signatures=("cookie-zero",),
        gone=_gone("exit-window", "a reset that leaves all while PENDING is set (be3d526a5b34)"),
        also=_NMI,
    ),
    Entry(
        id="mutex_list-next-cookie",
        title="a request before the reset: next cookie",
        generation="mutex_list",
        source=f"{_SOURCE}, unwind_reset_info() in include/linux/unwind_deferred.h",
        verdict=Verdict.REPRODUCED,
        story=(
            "As mutex_list-exit-window: a request is pending, and its cookie is gone.",
            "In the next entry another tracer asks first, and a new cookie is made.",
            "The callback brings that one, which its request never got.",
        ),
        case=Case("exit-window"),
        signatures=("cookie-mismatch",),
        gone=_gone("exit-window", "a reset that leaves all while PENDING is set (be3d526a5b34)"),
        also=_NMI,
    ),
    Entry(
        id="mutex_list-after-reset",
        title="a cookie made after the reset",
        generation="mutex_list",
        source="commit cf76553aaa36, which moves unwind_reset_info(), on this generation",
        verdict=Verdict.REPRODUCED,
        story=(
            "The reset has cleared the cookie, and the last event of the way out comes after it.",
            "A tracer of this event asks, and is given a new cookie for the old entry.",
            "The callback comes in the next entry, with that entry's stack.",
        ),
        case=Case(
            "irq-on-event-asks", Parameters(generation="mutex_list", flavour="irq-on-after-reset")
        ),
        signatures=("late:after-reset",),
        gone=(
            Gone(
                "mutex_list",
                "the order before cf76553aaa36",
                Case("irq-on-event-asks", Parameters(generation="mutex_list")),
            ),
        ),
        also=_NMI,
        conditional="an order that is younger than this generation; an NMI comes there in any order",
    ),
    Entry(
        id="mutex_list-cancel",
        title="a callback that cancels waits for itself",
        generation="mutex_list",
        source=f"{_SOURCE}, unwind_deferred_cancel(), unwind_deferred_task_work()",
        verdict=Verdict.REPRODUCED,
        story=(
            "Callbacks are made under the mutex, and a cancel takes it.",
            "A tracer cancels itself in its callback.",
            "The task sleeps on a mutex that it holds.",
        ),
        case=Case("callback-cancels", Parameters(generation="mutex_list")),
        signatures=("deadlock",),
        also=_NMI,
    ),
    Entry(
        id="mutex_list-timestamp",
        title="drafts took the time for a cookie",
        generation="mutex_list",
        source="v12 of the series, get_timestamp(), M:35555157636; Zijlstra's answer, M:8359392182",
        verdict=Verdict.NOT_AN_INTERLEAVING,
        story=(
            "The drafts v9 to v12 of this generation had local_clock() where the commit has CPU and count.",
            "Their comment asks that any two system calls of a task be at different times.",
            "Where there is no stable TSC the clock may give one time again, and two entries have one cookie.",
        ),
    ),
    Entry(
        id="mutex_list-reset",
        title="the reset does one test more",
        generation="mutex_list",
        source=f"{_SOURCE}, the commit's own message",
        verdict=Verdict.NOT_AN_INTERLEAVING,
        story=(
            "Every return to user mode clears cookie and cache, each under a condition of its own.",
            "Nobody need have asked for that.",
            "A reset of one test came with the mask's USED bit (858fa8a3b083).",
        ),
    ),
    Entry(
        id="mutex_list_nmi-exit-window",
        title="an NMI before the reset: cookie 0",
        generation="mutex_list_nmi",
        source="kernel/unwind/deferred.c @ 055c7060e7ca; unwind_reset_info() in include/linux/unwind_deferred.h",
        verdict=Verdict.REPRODUCED,
        story=(
            "An NMI may ask, so requests come where interrupts are off.",
            "One comes after the exit loop's last look, and the reset clears its cookie.",
            "The callback comes in the next entry, and brings cookie 0.",
        ),
        case=Case("cookie-zero", Parameters(generation="mutex_list_nmi")),
        signatures=("cookie-zero",),
        executions=10_000,
        also=("bitmask_v12_patch8",),
    ),
    Entry(
        id="mutex_list_nmi-nmi",
        title="an NMI is refused without safe cmpxchg",
        generation="mutex_list_nmi",
        source="kernel/unwind/deferred.c @ 055c7060e7ca, unwind_deferred_request()",
        verdict=Verdict.REPRODUCED,
        story=(
            "Without CONFIG_ARCH_HAVE_NMI_SAFE_CMPXCHG a request from an NMI returns -EINVAL.",
            "A tracer has an interrupt ask in its place, and the NMI came in schedule().",
            "The interrupt asks about the next task, as in per_work-nmi.",
        ),
        case=Case(
            "nmi-falls-back", Parameters(generation="mutex_list_nmi", flavour="no-nmi-cmpxchg")
        ),
        signatures=("wrong-task",),
        gone=(
            Gone(
                "mutex_list_nmi",
                "a cmpxchg that is safe in an NMI",
                Case("nmi-falls-back", Parameters(generation="mutex_list_nmi")),
            ),
        ),
    ),
)
