"""Memory: one flat array of 64-bit words, declared before a program runs, and typed handles over it.

A protocol never names an address: it awaits `task.unwind_mask.fetch_or(bits)`. A `Struct` lists its fields
as annotations, each a handle class or another `Struct`; a `Pool` holds structs that come and go, with shadow
state that tells a live object from a freed one. The first words are the null page: to touch them is a
violation, as is any use of an object that is not live.
"""

from collections.abc import Generator, Iterator, Sequence
from types import coroutine
from typing import Final, Generic, TypeVar, cast, get_type_hints

from .cint import U64_MASK, as_long
from .errors import ModelError, ViolationFound
from .operations import (
    ACQUIRE_WORD,
    ALLOC,
    CMPXCHG,
    CMPXCHG_HALF,
    FETCH_ADD,
    FETCH_AND,
    FETCH_ANDNOT,
    FETCH_OR,
    FREE,
    FULL,
    LOAD,
    LOAD_HALF,
    RECEIVE,
    RELAXED,
    SEND,
    STORE,
    STORE_HALF,
    TRY_SEND,
    WAIT,
    XCHG,
    Operation,
    Order,
    Step,
)

NULL_PAGE: Final = 16
"""Words at the start of memory that no handle names."""

STATIC: Final = 0
"""Owner of a word that belongs to no pool. Others are 1 + the number of an object."""

NULL_OWNER: Final = -1
"""Owner of the null page's words."""

PRIVATE: Final = -2
"""Owner of a word that is context number n's own: PRIVATE - n."""


class Word:
    """One unsigned 64-bit word. Every method is one operation; values are taken modulo 2**64."""

    __slots__ = ("_load", "address", "name")

    def __init__(self, address: int, name: str) -> None:
        self.address = address
        self.name = name
        self._load: Operation = (LOAD, address, 0, 0)

    @coroutine
    def load(self, order: Order = RELAXED) -> Step:
        """READ_ONCE(), smp_load_acquire()."""
        return (yield self._load if order is RELAXED else (LOAD | order, self.address, 0, 0))

    @coroutine
    def store(self, value: int, order: Order = RELAXED) -> Step:
        """WRITE_ONCE(), smp_store_release(). The result is 0."""
        return (yield (STORE | order, self.address, value, 0))

    @coroutine
    def xchg(self, value: int, order: Order = FULL) -> Step:
        """Store the value; the result is the old one."""
        return (yield (XCHG | order, self.address, value, 0))

    @coroutine
    def cmpxchg(self, old: int, new: int, order: Order = FULL) -> Step:
        """Store `new` if the word equals `old`; the result is what it was."""
        return (yield (CMPXCHG | order, self.address, old, new))

    @coroutine
    def fetch_add(self, addend: int, order: Order = FULL) -> Step:
        """Add; the result is the old value."""
        return (yield (FETCH_ADD | order, self.address, addend, 0))

    @coroutine
    def fetch_or(self, bits: int, order: Order = FULL) -> Step:
        """Set the bits; the result is the old value."""
        return (yield (FETCH_OR | order, self.address, bits, 0))

    @coroutine
    def fetch_and(self, bits: int, order: Order = FULL) -> Step:
        """Keep only the bits; the result is the old value."""
        return (yield (FETCH_AND | order, self.address, bits, 0))

    @coroutine
    def fetch_andnot(self, bits: int, order: Order = FULL) -> Step:
        """Clear the bits; the result is the old value."""
        return (yield (FETCH_ANDNOT | order, self.address, bits, 0))

    @coroutine
    def wait(self, mask: int, value: int) -> Step:
        """Wait on this CPU until (word & mask) == value; the result is the word."""
        return (yield (WAIT, self.address, mask, value & U64_MASK))

    @coroutine
    def acquire(self, old: int, new: int) -> Step:
        """Wait on this CPU until the word equals `old` and store `new` in the same step: a spin lock."""
        return (yield (ACQUIRE_WORD, self.address, old & U64_MASK, new))


class SignedWord(Word):
    """One word that C declares as a signed integer: loads give it as a long."""

    __slots__ = ()

    @coroutine
    def load(self, order: Order = RELAXED) -> Step:
        """READ_ONCE(), smp_load_acquire()."""
        return as_long((yield (LOAD | order, self.address, 0, 0)))


class HalfWord:
    """One unsigned 32-bit half of a word: its address is twice the word's, plus one for the high half."""

    __slots__ = ("address", "name")

    def __init__(self, address: int, name: str) -> None:
        self.address = address
        self.name = name

    @coroutine
    def load(self, order: Order = RELAXED) -> Step:
        """READ_ONCE() of 32 bits."""
        return (yield (LOAD_HALF | order, self.address, 0, 0))

    @coroutine
    def store(self, value: int, order: Order = RELAXED) -> Step:
        """WRITE_ONCE() of 32 bits; the value is taken modulo 2**32."""
        return (yield (STORE_HALF | order, self.address, value, 0))

    @coroutine
    def cmpxchg(self, old: int, new: int, order: Order = FULL) -> Step:
        """Store `new` if the half equals `old`; the result is what it was."""
        return (yield (CMPXCHG_HALF | order, self.address, old, new))


class SplitWord(Word):
    """A union of one 64-bit word and two 32-bit halves, little-endian."""

    __slots__ = ("high", "low")

    def __init__(self, address: int, name: str) -> None:
        super().__init__(address, name)
        self.low = HalfWord(2 * address, f"{name}.low")
        self.high = HalfWord(2 * address + 1, f"{name}.high")


class Struct:
    """Fields at consecutive words, declared as annotations: handle classes or other structs.

    Annotations of other types are attributes of the handle, and no part of the memory.
    """

    address: int
    """Of the first field; what a pointer to the object holds."""
    name: str

    def __init__(self, address: int, name: str) -> None:
        self.address = address
        self.name = name
        for field, kind in _fields(type(self)):
            setattr(self, field, kind(address, f"{name}.{field}"))
            address += size_of(kind)


Cell = TypeVar("Cell", bound="Word | Struct")
Object = TypeVar("Object", bound=Struct)
Message = TypeVar("Message")


def _fields(struct: type[Struct]) -> Iterator[tuple[str, type[Word | Struct]]]:
    for field, kind in get_type_hints(struct).items():
        if isinstance(kind, type) and issubclass(kind, (Word, Struct)):
            yield field, kind


def size_of(kind: type[Word | Struct]) -> int:
    """Words that a handle class or struct takes."""
    if issubclass(kind, Struct):
        return sum(size_of(field) for _, field in _fields(kind))
    return 1


class PerCpu(tuple[Cell, ...]):
    """One handle a CPU: `counters[cpu].fetch_add(1)`."""

    __slots__ = ()


class Pool(Generic[Object]):
    """Declared places for objects that are allocated and freed while the program runs."""

    __slots__ = ("_objects", "index", "name", "objects")

    def __init__(self, index: int, name: str, objects: Sequence[Object]) -> None:
        self.index = index
        self.name = name
        self.objects = tuple(objects)
        self._objects = {item.address: item for item in objects}

    @coroutine
    def alloc(self) -> Step:
        """A pointer to the lowest free place, its fields as the last owner left them; 0 if none is free."""
        return (yield (ALLOC, self.index, 0, 0))

    @coroutine
    def free(self, pointer: int) -> Step:
        """Give the object back. Freeing what is not live is a violation."""
        return (yield (FREE, pointer, self.index, 0))

    def at(self, pointer: int) -> Object:
        """The handle of the object at a pointer. Raises `ViolationFound` for one that points at none."""
        try:
            return self._objects[pointer]
        except KeyError:
            kind = "null-pointer" if pointer == 0 else "wild-pointer"
            raise ViolationFound(
                kind, f"{kind}:{self.name}", f"{pointer:#x} points at no {self.name}"
            ) from None


class Mailbox(Generic[Message]):
    """A bounded queue of opaque messages."""

    __slots__ = ("capacity", "index", "initial", "name", "ready")

    def __init__(
        self, index: int, name: str, capacity: int, ready: Word, initial: Sequence[Message]
    ) -> None:
        self.index = index
        self.name = name
        self.capacity = capacity
        self.ready = ready
        """1 while it holds a message, else 0: to look at, to sleep on, or an interrupt's line. Only read it."""
        self.initial = tuple(initial)

    @coroutine
    def send(self, message: Message) -> Step:
        """Wait while the mailbox is full, then append."""
        return (yield (SEND, self.index, message, 0))

    @coroutine
    def try_send(self, message: Message) -> Step:
        """Append, or count the message as dropped: 1 if it was taken, 0 if it was lost."""
        return (yield (TRY_SEND, self.index, message, 0))

    @coroutine
    def receive(self) -> Generator[Operation, Message, Message]:
        """Wait while the mailbox is empty, then take the oldest message."""
        return (yield (RECEIVE, self.index, 0, 0))


class Layout:
    """The declared memory of one program: what lies at which address, and what it holds at the start."""

    def __init__(self, cpus: int) -> None:
        self.cpus = cpus
        self.initial: list[int] = [0] * NULL_PAGE
        self.owner: list[int] = [NULL_OWNER] * NULL_PAGE
        """Of each word: STATIC, NULL_OWNER, PRIVATE - its context's number, or 1 + the number of the object in
        `objects` that it is part of."""
        self.objects: list[Struct] = []
        self.pools: list[Pool[Struct]] = []
        self.first_object: list[int] = []
        """Of each pool: the number of its first object."""
        self.mailboxes: list[Mailbox[object]] = []
        self._names: dict[int, str] = {}
        self._frozen = False

    def freeze(self) -> None:
        """No declaration from now on."""
        self._frozen = True

    def word(self, name: str, initial: int = 0) -> Word:
        """Declare one word."""
        word = self.place(name, Word)
        self.initialise(word, initial)
        return word

    def initialise(self, word: Word, value: int) -> None:
        """What a declared word holds at the start, instead of 0."""
        self._check_open(word.name)
        self.initial[word.address] = value & U64_MASK

    def own(self, cell: Word | Struct, context: int) -> None:
        """Make declared words a context's own; `Program.owns` says what that means."""
        self._check_open(cell.name)
        for address in range(cell.address, cell.address + size_of(type(cell))):
            if self.owner[address] != STATIC or any(
                box.ready.address == address for box in self.mailboxes
            ):
                raise ModelError(f"{self.name_of(address)} cannot be a context's own")
            self.owner[address] = PRIVATE - context

    def place(self, name: str, kind: type[Cell]) -> Cell:
        """Declare one handle or struct, all zero."""
        return self._place(name, kind, STATIC)

    def per_cpu(self, name: str, kind: type[Cell]) -> PerCpu[Cell]:
        """Declare one handle or struct for each CPU, all zero."""
        return PerCpu(self.place(f"{name}[{cpu}]", kind) for cpu in range(self.cpus))

    def pool(self, name: str, kind: type[Object], capacity: int) -> Pool[Object]:
        """Declare places for `capacity` objects."""
        self.first_object.append(len(self.objects))
        places = []
        for number in range(capacity):
            item = self._place(f"{name}#{number}", kind, 1 + len(self.objects))
            self.objects.append(item)
            places.append(item)
        pool = Pool(len(self.pools), name, places)
        self.pools.append(cast("Pool[Struct]", pool))
        return pool

    def mailbox(
        self,
        name: str,
        capacity: int,
        message: type[Message],
        initial: Sequence[Message] = (),
    ) -> Mailbox[Message]:
        """Declare a mailbox for messages of one type; `initial` are in it from the start, oldest first."""
        self._check_open(name)
        if len(initial) > capacity:
            raise ModelError(f"{name} has room for {capacity} messages, not {len(initial)}")
        ready = self.word(f"{name}.ready")
        box: Mailbox[Message] = Mailbox(len(self.mailboxes), name, capacity, ready, initial)
        self.mailboxes.append(cast("Mailbox[object]", box))
        return box

    def name_of(self, address: int) -> str:
        """What is declared at an address, or the address itself."""
        return self._names.get(address, f"{address:#x}")

    def describe(self) -> list[str]:
        """One line a declaration: what a schedule's digest of the layout is made of."""
        words = [f"{self.initial[at]:#x} {name}" for at, name in self._names.items()]
        pools = [f"pool {pool.name} {len(pool.objects)}" for pool in self.pools]
        boxes = [f"mailbox {box.name} {box.capacity} {box.initial!r}" for box in self.mailboxes]
        return words + pools + boxes

    def _place(self, name: str, kind: type[Cell], owner: int) -> Cell:
        self._check_open(name)
        cell = kind(len(self.initial), name)
        for field_name in _names_of(cell):
            self._names[len(self.initial)] = field_name
            self.initial.append(0)
            self.owner.append(owner)
        return cell

    def _check_open(self, name: str) -> None:
        if self._frozen:
            raise ModelError(f"{name}: the layout is declared before the program runs")


def _names_of(cell: Word | Struct) -> Iterator[str]:
    if isinstance(cell, Word):
        yield cell.name
    else:
        for field, _ in _fields(type(cell)):
            yield from _names_of(getattr(cell, field))
