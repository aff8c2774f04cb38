"""What holds wherever in the first visit an NMI comes and asks for tracer 1, when the visit asks for tracer 0."""

from collections.abc import Callable, Iterator
from typing import Final

from stackweave.conform.lines import Kind, Line
from stackweave.core.kernel.structs import TIF_NOTIFY_RESUME

from .orders import ORDERS
from .printing import STALLED, injected
from .tracing import Trace, Tracer

_TRACER: Final = injected("req 0", 1)
_ASKED: Final = {Kind.REQUEST: 2, Kind.INJECTED: 3}
"""Kinds of lines, and where their cookie is."""


def _runs(end: str, occurrence: int = 0) -> Iterator[Trace]:
    """With an NMI before each step of the first visit, in the kernel, up to the one called `end`."""
    tracer = Tracer(_TRACER)
    plain = tracer.visits()
    last = [at for at, step in enumerate(plain.steps) if step.text == end][occurrence]
    first = next(at for at, step in enumerate(plain.steps) if step.text == "store visit")
    for at in range(first, last + 1):
        yield tracer.visits(at)


def _callbacks(trace: Trace) -> list[int]:
    """The schedule entries before each callback of tracer 1."""
    return [
        each.step
        for each in trace.events
        if isinstance(each.event, Line)
        and each.event.kind is Kind.CALLBACK
        and each.event.numbers[0] == 1
    ]


def _called_before(trace: Trace, step: int) -> bool:
    return any(callback < step for callback in _callbacks(trace))


def _step(trace: Trace, text: str, occurrence: int = 0) -> int:
    """The schedule entries before a step of this text."""
    found = [
        at for at, step in zip(trace.step_numbers, trace.steps, strict=True) if step.text == text
    ]
    return found[occurrence]


def counter() -> bool:
    """Counts are 3, 5 and so on, and the CPU's counter is the last of them."""
    counter = Tracer(_TRACER).emulation.system.deferral.unwind_ctx_ctr[0]
    for trace in _runs("fetch_andnot task0.regs"):
        lines = [each.event for each in trace.events if isinstance(each.event, Line)]
        cookies = {line.numbers[_ASKED[line.kind]] for line in lines if line.kind in _ASKED}
        counts = sorted({cookie >> 32 for cookie in cookies})
        if counts != list(range(3, 3 + 2 * len(counts), 2)):
            return False
        if trace.words[counter.address] != counts[-1]:
            return False
    return True


def pending_kept() -> bool:
    """The NMI's tracer is called, once, sooner or later."""
    return all(len(_callbacks(trace)) == 1 for trace in _runs("fetch_andnot task0.regs"))


def one_run() -> bool:
    """What is asked for during the works is called back by the same run."""
    return all(
        _called_before(trace, _step(trace, "fetch_andnot task0.thread_flags", 1))
        for trace in _runs("fetch_add unwind_srcu.ctrs[0].unlocks0")
        if _rounds(trace) > 1
    )


def _rounds(trace: Trace) -> int:
    return sum(step.text == "fetch_andnot task0.thread_flags" for step in trace.steps)


def same_visit() -> bool:
    """Before the exit loop's last look: the callback comes before the return to user mode."""
    return all(
        _called_before(trace, _step(trace, "fetch_andnot task0.regs"))
        for trace in _runs("load task0.thread_flags", 1)
    )


def flag_of_the_task() -> bool:
    """The request itself sets the TIF: an IPI may find another task."""
    flags = Tracer(_TRACER).emulation.system.tasks[0].thread_flags.address
    return all(
        trace.words_after_nmi[flags] & TIF_NOTIFY_RESUME
        for trace in _runs("fetch_or task0.unwind_mask")
    )


def null_function() -> bool:
    """A walk with old bits may meet a work that is on the list and has no function yet, and does: it is null."""
    tracer = Tracer(STALLED)
    found = {each for steps in range(80) for each in tracer.overlapped("store entries", steps)}
    return "null-pointer:func" in found


CHECKS: Final[dict[str, Callable[[], bool]]] = {
    "counter": counter,
    "pending kept": pending_kept,
    "one run": one_run,
    "same visit": same_visit,
    "flag of the task": flag_of_the_task,
    "null function": null_function,
    **{name: order.holds for name, order in ORDERS.items()},
}
"""Everything that tells a changed model from the right one where outcomes do not."""
