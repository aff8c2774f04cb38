"""The upstream defects that a real kernel was seen to have, each by the smallest program that shows it.

The numbers are those of the list of upstream's open bugs in the project's kernel reference; each function says
what must happen. A tracer's sources look whether it is enabled before they ask, as real ones do; a tracer
that leaves turns them off first, and loses the race like real ones.
"""

from stackweave.actors import TASK_WEIGHT
from stackweave.core import Program, Word
from stackweave.core.kernel.structs import MODE_MASK, Mode
from stackweave.core.kernel.unwind_user import Faults

from .parameters import Parameters
from .sizes import sizes
from .stage import Stage, asks, closes, insists


def cancelled_work_asks(parameters: Parameters) -> Program:
    """1: a source that was not turned off in time asks with a cancelled work, whose bit is -1.

    The test for a negative bit never holds, BIT(-1) is bit 63, and the request returns 0 for a callback that
    never comes.
    """
    stage = Stage("cancelled-work-asks", sizes(parameters))
    stage.system.start_all_registered()
    stage.task(0, closes(stage, 0), insists(stage, 0))
    return stage.finish()


def request_returns_bit(parameters: Parameters) -> Program:
    """2: an NMI's request of the same tracer comes between the look at the mask and the fetch_or.

    The outer request then returns `old & bit` as int: 4, 8, and so on, and neither 0 nor 1.
    """
    stage = Stage("request-returns-bit", sizes(parameters))
    stage.system.start_all_registered()
    stage.task(0, asks(stage, 0))
    stage.nmi(0, asks(stage, 0))
    return stage.finish()


def stale_snapshot(parameters: Parameters) -> Program:
    """3: the bits are read, the unwind sleeps, a tracer leaves and another one is given its bit.

    The new owner is called for what it never asked: the snapshot was taken outside the SRCU section.
    """
    stage = Stage("stale-snapshot", sizes(parameters, tracers=2), faults=Faults.MEMORY)
    stage.system.start_registered([(0, stage.system.first_bit)])
    stage.task(0, asks(stage, 0))
    stage.churn(0, (1,), cpus=(0,))
    return stage.finish()


def walker_reads_cancelled(parameters: Parameters) -> Program:
    """4: the walk stands on a work whose cancel has begun, and tests bit -1."""
    stage = Stage("walker-reads-cancelled", sizes(parameters, cpus=2, tracers=2))
    stage.system.start_all_registered()
    stage.task(0, asks(stage, 1))
    stage.churn(0, (), cpus=(1,), once=(stage.system.tracers[1].records, 1, 1))
    return stage.finish()


def request_races_cancel(parameters: Parameters) -> Program:
    """6: a request has read the bit, a whole cancel passes, and the request sets the bit after the cancel's walk
    over the tasks: the bit's next owner is called for it."""
    stage = Stage("request-races-cancel", sizes(parameters, cpus=2, tracers=2))
    stage.system.start_registered([(0, stage.system.first_bit)])
    stage.task(0, asks(stage, 0))
    stage.churn(0, (1,), cpus=(1,), weight=8 * TASK_WEIGHT, once=_in_kernel(stage))
    return stage.finish()


def cookie_zero(parameters: Parameters) -> Program:
    """7: an NMI asks between the reset's cmpxchg of the mask and its store of the cookie: its callback gets 0."""
    stage = Stage("cookie-zero", sizes(parameters, tracers=2))
    stage.system.start_all_registered()
    stage.task(0, asks(stage, 0))
    stage.nmi(0, asks(stage, 1))
    return stage.finish()


def reset_skipped(parameters: Parameters) -> Program:
    """8: an NMI asks between the exit loop and the reset, which then leaves all as it is.

    The interrupt that the NMI raised enters with the old cookie and the old trace.
    """
    stage = Stage("reset-skipped", sizes(parameters, tracers=2))
    stage.system.start_all_registered()
    stage.task(0, asks(stage, 0))
    stage.nmi(0, asks(stage, 1), times=2)
    return stage.finish()


def cookie_after_reset(parameters: Parameters) -> Program:
    """An NMI asks after the reset, still on the way to user mode: the cookie is called back in the next entry."""
    stage = Stage("cookie-after-reset", sizes(parameters))
    stage.system.start_all_registered()
    stage.task(0, asks(stage, 0))
    stage.nmi(0, asks(stage, 0))
    return stage.finish()


def _in_kernel(stage: Stage) -> tuple[Word, int, int]:
    """What to wait for: task 0 has entered the kernel."""
    return stage.system.tasks[0].regs, MODE_MASK, Mode.KERNEL


def spurious_callback(parameters: Parameters) -> Program:
    """Two tracers, one task: one asks in the system call, the other in an interrupt, perhaps after the first one's
    callback. Generation `bitmask` then calls the first one again (commit message of unwind_completed)."""
    stage = Stage("spurious-callback", sizes(parameters, generation="bitmask", tracers=2))
    stage.system.start_all_registered()
    stage.task(0, asks(stage, 0))
    stage.interrupt(0, asks(stage, 1))
    return stage.finish()
