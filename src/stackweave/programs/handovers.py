"""Bits and registrations that change hands: what a tracer that comes or goes leaves for another one.

The numbers are those of the list of upstream's open bugs in the project's kernel reference.
"""

from stackweave.core import Program
from stackweave.core.kernel.unwind_user import Faults

from .parameters import Parameters
from .sizes import sizes
from .stage import Stage, a_few_times, asks, closes, each, opens


def null_function(parameters: Parameters) -> Program:
    """3: a registration publishes its work before it sets the function, and a stale snapshot has its bit."""
    stage = Stage("null-function", sizes(parameters, cpus=2, tracers=2), faults=Faults.MEMORY)
    stage.system.start_registered([(0, stage.system.first_bit)])
    stage.task(0, asks(stage, 0))
    stage.churn(0, (1,), cpus=(1,))
    return stage.finish()


def swallowed_callback(parameters: Parameters) -> Program:
    """3: the new owner of a bit, called for what it never asked, then asks: it counts as called.

    It asks at the exit path's own event of interrupts going off, which comes right after the task work.
    """
    stage = Stage("swallowed-callback", sizes(parameters, tracers=2), faults=Faults.MEMORY)
    stage.system.start_registered([(0, stage.system.first_bit)])
    stage.task(0, asks(stage, 0))
    stage.system.entry.exit_events(irq_off=a_few_times(stage, 1))
    stage.churn(0, (1,), cpus=(0,))
    return stage.finish()


def lost_clear(parameters: Parameters) -> Program:
    """5: a cancel clears its bit in `completed` between the load and the store of a walk's plain `|=`.

    The bit's next owner, who asks in the same entry, is not called. The walk must be one that began after the
    cancel's grace period, so the entry has three: of the tracer that leaves, of another one, of the new owner.
    """
    stage = Stage("lost-clear", sizes(parameters, cpus=2, tracers=3))
    first = stage.system.first_bit
    stage.system.start_registered([(1, first + 1), (0, first)])
    stage.task(0, asks(stage, 0))
    stage.interrupt(0, each(asks(stage, 1), asks(stage, 2)), times=2)
    stage.churn(0, (2,), cpus=(1,), once=(stage.system.tracers[0].records, 1, 1))
    return stage.finish()


def double_cancel(parameters: Parameters) -> Program:
    """6: a tracer is cancelled, another one registers, and the first is cancelled again."""
    stage = Stage("double-cancel", sizes(parameters, tracers=2))
    stage.system.start_registered([(0, stage.system.first_bit)])
    stage.task(0, closes(stage, 0), opens(stage, 1), closes(stage, 0), asks(stage, 1))
    return stage.finish()


def request_returns_bit_31(parameters: Parameters) -> Program:
    """2: the bit is 31, so `old & bit` as int is the most negative one."""
    return _request_returns("request-returns-bit-31", parameters, 31)


def request_returns_bit_32(parameters: Parameters) -> Program:
    """2: the bit is 32, so `old & bit` as int is 0."""
    return _request_returns("request-returns-bit-32", parameters, 32)


def high_bit_asks(parameters: Parameters) -> Program:
    """A tracer whose bit is 32 asks: what an int made of the bit would lose."""
    stage = Stage("high-bit-asks", sizes(parameters))
    stage.system.start_registered([(0, 32)])
    stage.task(0, asks(stage, 0))
    return stage.finish()


def _request_returns(name: str, parameters: Parameters, bit: int) -> Program:
    stage = Stage(name, sizes(parameters))
    stage.system.start_registered([(0, bit)])
    stage.task(0, asks(stage, 0))
    stage.nmi(0, asks(stage, 0))
    return stage.finish()
