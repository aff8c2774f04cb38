"""The memory of one execution: words, shadow state of pooled objects, mailboxes; and what operations do to them.

Sequentially consistent: every operation takes effect at once, for everybody. A memory model with store buffers
would replace this room and leave protocols, which name their orders and fences, as they are.
"""

from collections.abc import Callable, Iterator
from typing import Protocol

from .cint import U32_MASK, U64_MASK
from .context import Context
from .errors import ModelError, ViolationFound
from .memory import NULL_OWNER, PRIVATE, STATIC, Layout
from .operations import ACQUIRE_WORD, RECEIVE, SEND, WAIT, Kind, Operation

Perform = Callable[[Context, int, int, int], int]
"""Performs one operation for a context: (context, address, a, b) to its result."""


class Queue(Protocol):
    """What a mailbox keeps its messages in, oldest first; `collections.deque` is one."""

    def append(self, message: object, /) -> None:
        """Keep one more."""

    def popleft(self) -> object:
        """Give the oldest one up."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[object]: ...


class Store:
    """Words, objects and mailboxes of one execution."""

    __slots__ = (
        "_owner",
        "_queue",
        "dropped",
        "freed_by",
        "generation",
        "layout",
        "live",
        "mailboxes",
        "words",
    )

    def __init__(self, layout: Layout, queue: Callable[[], Queue]) -> None:
        self.layout = layout
        self._queue = queue
        self._owner = layout.owner
        self.words: list[int] = []
        self.live: list[bool] = []
        """Of each pooled object."""
        self.generation: list[int] = []
        """Of each pooled object: how often it was allocated."""
        self.freed_by: list[str] = []
        """Of each pooled object: the context that freed it last."""
        self.mailboxes: list[Queue] = []
        self.dropped: list[int] = []
        """Of each mailbox: messages that `try_send` lost."""

    def reset(self) -> None:
        """The declared initial state."""
        layout = self.layout
        self.words = layout.initial.copy()
        if layout.objects:
            count = len(layout.objects)
            self.live = [False] * count
            self.generation = [0] * count
            self.freed_by = [""] * count
        if layout.mailboxes:
            self.mailboxes = [self._queue() for _ in layout.mailboxes]
            self.dropped = [0] * len(layout.mailboxes)
            for number, box in enumerate(layout.mailboxes):
                for message in box.initial:
                    self.put(number, message)

    def performers(self) -> dict[Kind, Perform]:
        """What performs each kind that concerns memory, objects and mailboxes."""
        return {
            Kind.LOAD: self._load,
            Kind.STORE: self._store,
            Kind.XCHG: self._xchg,
            Kind.CMPXCHG: self._cmpxchg,
            Kind.FETCH_ADD: self._fetch_add,
            Kind.FETCH_OR: self._fetch_or,
            Kind.FETCH_AND: self._fetch_and,
            Kind.FETCH_ANDNOT: self._fetch_andnot,
            Kind.LOAD_HALF: self._load_half,
            Kind.STORE_HALF: self._store_half,
            Kind.CMPXCHG_HALF: self._cmpxchg_half,
            Kind.FENCE: self._fence,
            Kind.ALLOC: self._alloc,
            Kind.FREE: self._free,
            Kind.WAIT: self._load,
            Kind.ACQUIRE: self._cmpxchg,
            Kind.PAUSE: self._fence,
            Kind.SEND: self._try_send,
            Kind.RECEIVE: self._receive,
            Kind.TRY_SEND: self._try_send,
        }

    def is_ready(self, operation: Operation) -> bool:
        """Whether neither a word nor a mailbox keeps an operation waiting; one on a freed object goes on, to be
        told so."""
        kind, address, a, b = operation
        if kind == RECEIVE:
            return len(self.mailboxes[address]) > 0
        if kind == SEND:
            return self.has_room(address)
        if kind not in (WAIT, ACQUIRE_WORD) or not self._is_usable(address):
            return True
        word = self.words[address]
        return word == a if kind == ACQUIRE_WORD else word & a == b  # type: ignore[operator]  # integers, of a word

    def _is_usable(self, address: int) -> bool:
        """Whether a word may be touched: it is of no pool, or of a live object."""
        owner = self._owner[address]
        return owner == STATIC or owner <= PRIVATE or (owner > 0 and self.live[owner - 1])

    def check_private(self, address: int, context: Context) -> None:
        """Raise `ModelError` if a word is another context's own; the program's end may touch all."""
        owner = self._owner[address]
        if owner <= PRIVATE and owner != PRIVATE - context.index and context.index >= 0:
            raise ModelError(
                f"{context.name} uses {self.layout.name_of(address)}, which is another context's own"
            )

    def has_room(self, mailbox: int) -> bool:
        """Whether a mailbox takes one more message."""
        return len(self.mailboxes[mailbox]) < self.layout.mailboxes[mailbox].capacity

    def _check_owner(self, address: int, context: Context) -> None:
        owner = self._owner[address]
        if owner <= PRIVATE:
            self.check_private(address, context)
            return
        if owner == NULL_OWNER:
            raise ViolationFound(
                "null-pointer", "null-pointer", f"{context.name} uses address {address:#x}"
            )
        if not self.live[owner - 1]:
            self._raise_dead(owner - 1, address, context)

    def _raise_dead(self, owner: int, address: int, context: Context) -> None:
        name = self.layout.objects[owner].name
        field = self.layout.name_of(address)
        pool = name.partition("#")[0]
        if self.generation[owner] == 0:
            raise ViolationFound(
                "use-after-free", f"use-before-alloc:{pool}", f"{context.name} uses {field}"
            )
        raise ViolationFound(
            "use-after-free",
            f"use-after-free:{pool}",
            f"{context.name} uses {field}, which {self.freed_by[owner]} has freed",
        )

    def _load(self, context: Context, address: int, a: int, b: int) -> int:
        if self._owner[address]:
            self._check_owner(address, context)
        return self.words[address]

    def _store(self, context: Context, address: int, a: int, b: int) -> int:
        if self._owner[address]:
            self._check_owner(address, context)
        self.words[address] = a & U64_MASK
        return 0

    def _xchg(self, context: Context, address: int, a: int, b: int) -> int:
        old = self._load(context, address, 0, 0)
        self.words[address] = a & U64_MASK
        return old

    def _cmpxchg(self, context: Context, address: int, a: int, b: int) -> int:
        if self._owner[address]:
            self._check_owner(address, context)
        old = self.words[address]
        if old == a & U64_MASK:
            self.words[address] = b & U64_MASK
        return old

    def _fetch_add(self, context: Context, address: int, a: int, b: int) -> int:
        old = self._load(context, address, 0, 0)
        self.words[address] = (old + a) & U64_MASK
        return old

    def _fetch_or(self, context: Context, address: int, a: int, b: int) -> int:
        old = self._load(context, address, 0, 0)
        self.words[address] = old | a & U64_MASK
        return old

    def _fetch_and(self, context: Context, address: int, a: int, b: int) -> int:
        old = self._load(context, address, 0, 0)
        self.words[address] = old & a
        return old

    def _fetch_andnot(self, context: Context, address: int, a: int, b: int) -> int:
        old = self._load(context, address, 0, 0)
        self.words[address] = old & ~a
        return old

    def _load_half(self, context: Context, address: int, a: int, b: int) -> int:
        word = self._load(context, address >> 1, 0, 0)
        return word >> 32 if address & 1 else word & U32_MASK

    def _store_half(self, context: Context, address: int, a: int, b: int) -> int:
        word = self._load(context, address >> 1, 0, 0)
        a &= U32_MASK
        self.words[address >> 1] = (
            word & U32_MASK | a << 32 if address & 1 else word & ~U32_MASK | a
        )
        return 0

    def _cmpxchg_half(self, context: Context, address: int, a: int, b: int) -> int:
        old = self._load_half(context, address, 0, 0)
        if old == a & U32_MASK:
            self._store_half(context, address, b, 0)
        return old

    def _fence(self, context: Context, address: int, a: int, b: int) -> int:
        return 0

    def _alloc(self, context: Context, address: int, a: int, b: int) -> int:
        first = self.layout.first_object[address]
        for number, item in enumerate(self.layout.pools[address].objects, first):
            if not self.live[number]:
                self.live[number] = True
                self.generation[number] += 1
                return item.address
        return 0

    def _free(self, context: Context, address: int, a: int, b: int) -> int:
        pool = self.layout.pools[a]
        number = self._owner[pool.at(address).address] - 1
        if not self.live[number]:
            raise ViolationFound(
                "use-after-free",
                f"double-free:{pool.name}",
                f"{context.name} frees {self.layout.objects[number].name}, which "
                f"{self.freed_by[number] or 'nobody'} has freed",
            )
        self.live[number] = False
        self.freed_by[number] = context.name
        return 0

    def _try_send(self, context: Context, address: int, a: object, b: int) -> int:
        if not self.has_room(address):
            self.dropped[address] += 1
            return 0
        self.put(address, a)
        return 1

    def put(self, mailbox: int, message: object) -> None:
        """Append a message to a mailbox that is not full."""
        self.mailboxes[mailbox].append(message)
        self.words[self.layout.mailboxes[mailbox].ready.address] = 1

    def _receive(self, context: Context, address: int, a: int, b: int) -> int:
        box = self.mailboxes[address]
        if not box:
            raise ModelError(f"{context.name} receives from an empty mailbox")
        if len(box) == 1:
            self.words[self.layout.mailboxes[address].ready.address] = 0
        return box.popleft()  # type: ignore[return-value]  # the one result that is an object
