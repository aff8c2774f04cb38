"""What the machine or its configuration decides about deferred unwinding: a generation comes in flavours.

Each generation has a flavour that it is by default, and takes the names of `NAMES` that make a difference to it.
Names are put together with a plus sign, "32-bit+no-irq-work", each at most once, in the order of `NAMES`.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, TypeAlias

from ..cint import U32_MASK, U64_MASK, as_int, as_u64, bit_mask
from ..errors import UsageError


class Reset(Enum):
    """Where a task's unwind state is cleared."""

    ENTRY = "when it comes from user mode"
    EXIT = "on its way to user mode"


class IrqOnEvent(Enum):
    """Where the last event of the way out comes: interrupts are about to go on (kernel/entry/common.c,
    trace_hardirqs_on_prepare())."""

    BEFORE_RESET = "before the reset"
    AFTER_RESET = "after the reset, as since commit cf76553aaa36"


class ExitHook(Enum):
    """Where do_exit() has unwind_deferred_task_exit() (kernel/exit.c)."""

    NONE = "nowhere"
    BEFORE_PERF_EVENT_EXIT = "before perf_event_exit_task()"
    AFTER_PERF_EVENT_EXIT = "after perf_event_exit_task(), as in v6.19"


Value: TypeAlias = bool | int | Reset | IrqOnEvent | ExitHook


@dataclass(frozen=True, slots=True)
class Flavour:
    """One machine and configuration."""

    long_bits: int = 64
    """Bits of an unsigned long, and so of a mask: 64 or 32. With 32 a cookie is two accesses."""
    nmi_safe_cmpxchg: bool = True
    """CONFIG_ARCH_HAVE_NMI_SAFE_CMPXCHG: where it is not set, a request in an NMI is refused."""
    irq_work: bool = True
    """CONFIG_IRQ_WORK: where it is not set, TWA_NMI_CURRENT adds nothing."""
    reset: Reset = Reset.EXIT
    irq_on_event: IrqOnEvent = IrqOnEvent.BEFORE_RESET
    exit_hook: ExitHook = ExitHook.NONE
    int_bit: bool = False
    """The variable of unwind_deferred_request() that holds the work's bit, and then BIT(bit), is an int and not
    an unsigned long (a proposed repair, Carpenter's v2)."""

    def bit_mask(self, bit: int) -> int:
        """BIT(bit)."""
        return bit_mask(bit, self.long_bits)

    def requested(self, bit: int) -> int:
        """BIT(bit) in a request's variable: an int has no bits from 32 on, and extends the sign of bit 31."""
        mask = self.bit_mask(bit)
        return as_u64(as_int(mask)) & ~self.no_bits if self.int_bit else mask

    @property
    def no_bits(self) -> int:
        """The bits of an emulated word that this machine's masks do not have."""
        return U64_MASK & ~U32_MASK if self.long_bits == 32 else 0


NAMES: Final[dict[str, tuple[str, Value]]] = {
    "32-bit": ("long_bits", 32),
    "no-nmi-cmpxchg": ("nmi_safe_cmpxchg", False),
    "no-irq-work": ("irq_work", False),
    "reset-at-entry": ("reset", Reset.ENTRY),
    "reset-at-exit": ("reset", Reset.EXIT),
    "irq-on-before-reset": ("irq_on_event", IrqOnEvent.BEFORE_RESET),
    "irq-on-after-reset": ("irq_on_event", IrqOnEvent.AFTER_RESET),
    "no-exit-hook": ("exit_hook", ExitHook.NONE),
    "exit-hook-before-perf": ("exit_hook", ExitHook.BEFORE_PERF_EVENT_EXIT),
    "int-bit": ("int_bit", True),
}
"""Of each name: the field of `Flavour`, and its value there."""


def in_order(name: str) -> str:
    """The names in `name` in the order of `NAMES`; what is no name of a flavour comes last."""
    order = list(NAMES)
    return "+".join(sorted(name.split("+"), key=lambda each: [*order, each].index(each)))


def check(name: str, generation: str, takes: Collection[str]) -> None:
    """Raises `UsageError` for names of which the generation cannot be."""
    given = name.split("+")
    for each in given:
        if each not in takes:
            raise UsageError(
                f"generation {generation} has no flavour {each!r}: it takes {', '.join(takes)}"
            )
    fields = [NAMES[each][0] for each in given]
    if len(set(fields)) < len(fields):
        raise UsageError(f"flavour {name}: of each thing one can be said, and once")
    if "reset-at-entry" in given and "irq_on_event" in fields:
        raise UsageError(f"flavour {name}: on the way out there is no reset to be before or after")


def flavoured(default: Flavour, name: str) -> Flavour:
    """The flavour that names make of a generation's default one."""
    flavour = default
    for each in name.split("+"):
        field, value = NAMES[each]
        flavour = replace(flavour, **{field: value})  # type: ignore[arg-type]  # one value type each
    return flavour
