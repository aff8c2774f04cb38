"""Operations, memory, contexts, the interpreter and monitors: everything a protocol's author needs."""

from .cint import as_int, as_long, as_u32, as_u64, bit_mask
from .context import Context
from .errors import ModelError, UsageError, Violation, ViolationFound
from .interpreter import Interpreter
from .machine import Level, State
from .memory import HalfWord, Layout, Mailbox, PerCpu, Pool, SignedWord, SplitWord, Struct, Word
from .monitor import Monitor, next_event, violate
from .operations import (
    ACQUIRE,
    FULL,
    RELAXED,
    RELEASE,
    Kind,
    Order,
    check,
    choose,
    emit,
    fence,
    local_irq_restore,
    local_irq_save,
    pause,
    schedule,
    set_cpus_allowed,
    sleep_until,
    smp_processor_id,
    wake_up_new_task,
)
from .outcome import Occurrence, Outcome, Snapshot, Verdict
from .program import Cpu, Program
from .strategy import FixedSchedule, RandomWalk, Strategy

__all__ = [
    "ACQUIRE",
    "FULL",
    "RELAXED",
    "RELEASE",
    "Context",
    "Cpu",
    "FixedSchedule",
    "HalfWord",
    "Interpreter",
    "Kind",
    "Layout",
    "Level",
    "Mailbox",
    "ModelError",
    "Monitor",
    "Occurrence",
    "Order",
    "Outcome",
    "PerCpu",
    "Pool",
    "Program",
    "RandomWalk",
    "SignedWord",
    "Snapshot",
    "SplitWord",
    "State",
    "Strategy",
    "Struct",
    "UsageError",
    "Verdict",
    "Violation",
    "ViolationFound",
    "Word",
    "as_int",
    "as_long",
    "as_u32",
    "as_u64",
    "bit_mask",
    "check",
    "choose",
    "emit",
    "fence",
    "local_irq_restore",
    "local_irq_save",
    "next_event",
    "pause",
    "schedule",
    "set_cpus_allowed",
    "sleep_until",
    "smp_processor_id",
    "violate",
    "wake_up_new_task",
]
