"""Operations, values and events in words, as a reader of the kernel's source expects them."""

from dataclasses import fields, is_dataclass
from typing import Final

from stackweave.core import Kind, Layout, Order, Program, State
from stackweave.core.operations import kind_name, order_of

from .replaying import Step

_ERRNO: Final = 4096
_U64: Final = 1 << 64
_RELAXED_BY_DEFAULT: Final = (Kind.LOAD, Kind.STORE, Kind.LOAD_HALF, Kind.STORE_HALF)
_HALVES: Final = (Kind.LOAD_HALF, Kind.STORE_HALF, Kind.CMPXCHG_HALF)
_ORDERED: Final = (*_RELAXED_BY_DEFAULT, *range(Kind.XCHG, Kind.FETCH_ANDNOT + 1), Kind.FENCE)
_COMPARING: Final = (Kind.CMPXCHG, Kind.CMPXCHG_HALF)
_ARRIVALS: Final = {
    State.AWAY: "enters cpu{}",
    State.RUNNABLE: "comes to cpu{}",
    State.SLEEPING: "wakes up on cpu{}",
}


def describe(step: Step, program: Program) -> str:
    """What a step did and what it saw: `fetch_or task0.unwind_mask 0x9 -> 0`."""
    if step.is_arrival:
        return _ARRIVALS[step.state].format(step.cpu)
    kind = Kind(step.operation[0] & ~3)
    words = [_verb(step.operation[0]), *_operands(step, program)]
    if step.result is not None and kind not in _SILENT:
        words += ["->", _outcome(step, program.layout)]
    return " ".join(word for word in words if word)


def show(value: object, layout: Layout) -> str:
    """A value: small ones and errnos in decimal, pointers to pooled objects with the object's name."""
    if not isinstance(value, int):
        return show_event(value)
    return f"{_object_at(value, layout)}{_number(value)}"


def show_event(event: object) -> str:
    """An event or message: `RequestEnd task=0 tracer=1 returned=0`."""
    if not is_dataclass(event) or isinstance(event, type):
        return event if isinstance(event, str) else repr(event)
    words = [f"{each.name}={_field(getattr(event, each.name))}" for each in fields(event)]
    return " ".join([type(event).__name__, *words])


def _field(value: object) -> str:
    if type(value) is int:
        return _number(value)
    if type(value) is tuple:
        return f"({', '.join(map(_field, value))})"
    return repr(value)


def _number(value: int) -> str:
    if value > _U64 - _ERRNO:
        return str(value - _U64)
    return str(value) if value < 10 else f"{value:#x}"


def _object_at(value: int, layout: Layout) -> str:
    for item in layout.objects:
        if item.address == value:
            return f"{item.name}@"
    return ""


def _verb(kind: int) -> str:
    name = kind_name(kind).removesuffix("_half")
    order = order_of(kind)
    default = Order.RELAXED if kind & ~3 in _RELAXED_BY_DEFAULT else Order.FULL
    plain = kind & ~3 not in _ORDERED or order is default
    return name if plain else f"{name}_{order.name.lower()}"


def _operands(step: Step, program: Program) -> list[str]:
    code, address, a, b = step.operation
    kind = Kind(code & ~3)
    layout = program.layout
    if kind in _NAMELESS:
        return []
    if kind in (Kind.ALLOC, Kind.FREE):
        return [layout.pools[address].name] if kind is Kind.ALLOC else [show(address, layout)]
    if kind in (Kind.SEND, Kind.TRY_SEND, Kind.RECEIVE):
        message = [] if kind is Kind.RECEIVE else [show_event(a)]
        return [layout.mailboxes[address].name, *message]
    if kind in (Kind.FORK, Kind.MIGRATE):
        mask = [show(a, layout)] if kind is Kind.MIGRATE else []
        return [program.contexts[address].name, *mask]
    if kind in (Kind.CHOOSE, Kind.IRQ_RESTORE):
        return [str(address if kind is Kind.CHOOSE else a)]
    return [_place(kind, address, layout), *_values(kind, a, b, layout)]


def _place(kind: Kind, address: int, layout: Layout) -> str:
    if kind in _HALVES:
        return f"{layout.name_of(address >> 1)}.{'high' if address & 1 else 'low'}"
    return layout.name_of(address)


def _values(kind: Kind, a: object, b: object, layout: Layout) -> list[str]:
    if kind in (Kind.LOAD, Kind.LOAD_HALF):
        return []
    if kind in (Kind.WAIT, Kind.SLEEP):
        return ["&", show(a, layout), "==", show(b, layout)]
    if kind in _TWO_VALUES:
        return [show(a, layout), show(b, layout)]
    return [show(a, layout)]


def _outcome(step: Step, layout: Layout) -> str:
    """The result; of a comparison, whether it stored, for then the result is the operand."""
    kind, _, old, _ = step.operation
    if kind & ~3 not in _COMPARING:
        return show(step.result, layout)
    modulus = _U64 if kind & ~3 == Kind.CMPXCHG else 1 << 32
    stored = isinstance(old, int) and step.result == old % modulus
    return "stored" if stored else f"{show(step.result, layout)} failed"


_TWO_VALUES: Final = (Kind.CMPXCHG, Kind.CMPXCHG_HALF, Kind.ACQUIRE)
_NAMELESS: Final = (
    Kind.FENCE,
    Kind.PAUSE,
    Kind.ENTER,
    Kind.ENTER_PENDING,
    Kind.ENTER_ASSERTED,
    Kind.LEAVE,
    Kind.IRQ_SAVE,
    Kind.SCHEDULE,
)
_SILENT: Final = (
    Kind.STORE,
    Kind.STORE_HALF,
    Kind.FENCE,
    Kind.PAUSE,
    Kind.FREE,
    Kind.SEND,
    Kind.LEAVE,
    Kind.IRQ_RESTORE,
    Kind.MIGRATE,
    Kind.ACQUIRE,
)
"""Kinds whose result says nothing."""
