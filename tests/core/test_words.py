"""Operations on words, halves and signed words against plain Python integers, and conversions against C."""

import ctypes
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackweave.core import (
    ACQUIRE,
    FULL,
    RELAXED,
    RELEASE,
    HalfWord,
    Interpreter,
    Order,
    Program,
    RandomWalk,
    SignedWord,
    SplitWord,
    Word,
    as_int,
    as_long,
    as_u32,
    as_u64,
    bit_mask,
    fence,
)
from stackweave.core.context import Protocol
from stackweave.core.operations import Kind, kind_name, order_of

BITS: Final = 64
MODULUS: Final = 1 << BITS

INTEGERS: Final = st.one_of(
    st.sampled_from([0, 1, -1, 1 << 31, 1 << 32, 1 << 63, MODULUS - 1, -(1 << 63), MODULUS]),
    st.integers(-MODULUS, 2 * MODULUS),
)

Answer: TypeAlias = tuple[int, int]
"""The result, and the word afterwards."""

REFERENCE: Final[dict[str, Callable[[int, int, int], Answer]]] = {
    "load": lambda word, a, b: (word, word),
    "store": lambda word, a, b: (0, a),
    "xchg": lambda word, a, b: (word, a),
    "cmpxchg": lambda word, a, b: (word, b if (word - a) % MODULUS == 0 else word),
    "fetch_add": lambda word, a, b: (word, word + a),
    "fetch_or": lambda word, a, b: (word, word | a),
    "fetch_and": lambda word, a, b: (word, word & a),
    "fetch_andnot": lambda word, a, b: (word, word & ~a),
}
"""Each operation on a word that holds `word`, before the result is cut to 64 bits."""


def perform(word: Word | HalfWord, name: str, a: int, b: int) -> Awaitable[int]:
    operands = {"load": (), "cmpxchg": (a, b)}.get(name, (a,))
    method: Callable[..., Awaitable[int]] = getattr(word, name)
    return method(*operands)


def run_alone(program: Program, body: Callable[[], Protocol]) -> tuple[int, ...]:
    program.thread("thread", body)
    outcome = Interpreter(program).run(RandomWalk(0))
    assert outcome.violations == ()
    return outcome.words


@pytest.mark.parametrize("name", REFERENCE)
@given(initial=INTEGERS, a=INTEGERS, b=INTEGERS, same=st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_word_is_an_unsigned_64_bit_integer(
    name: str, initial: int, a: int, b: int, same: bool
) -> None:
    if same:
        a = initial
    program = Program("word")
    word = program.layout.word("word", initial)
    results: list[int] = []

    async def body() -> None:
        results.append(await perform(word, name, a, b))

    words = run_alone(program, body)
    result, after = REFERENCE[name](initial % MODULUS, a, b)
    assert (results, words[word.address]) == ([result % MODULUS], after % MODULUS)


@given(
    initial=INTEGERS,
    operations=st.lists(st.tuples(st.sampled_from(list(REFERENCE)), INTEGERS, INTEGERS)),
)
@settings(max_examples=60, deadline=None)
def test_a_sequence_of_operations(initial: int, operations: list[tuple[str, int, int]]) -> None:
    program = Program("word")
    word = program.layout.word("word", initial)
    results: list[int] = []
    wanted, value = [], initial % MODULUS
    for name, a, b in operations:
        result, after = REFERENCE[name](value, a, b)
        value = after % MODULUS
        wanted.append(result % MODULUS)

    async def body() -> None:
        for name, a, b in operations:
            results.append(await perform(word, name, a, b))

    words = run_alone(program, body)
    assert (results, words[word.address]) == (wanted, value)


@given(
    initial=INTEGERS,
    high=st.booleans(),
    name=st.sampled_from(["load", "store", "cmpxchg"]),
    a=INTEGERS,
    b=INTEGERS,
    same=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_a_half_is_32_bits_of_its_word(
    initial: int, high: bool, name: str, a: int, b: int, same: bool
) -> None:
    shift = 32 if high else 0
    half = initial % MODULUS >> shift & 0xFFFFFFFF
    if same:
        a = half
    program = Program("halves")
    split = program.layout.place("split", SplitWord)
    program.layout.initial[split.address] = initial % MODULUS
    results: list[int] = []

    async def body() -> None:
        results.append(await perform(split.high if high else split.low, name, a, b))

    words = run_alone(program, body)
    after = {"load": half, "store": a, "cmpxchg": b if (half - a) % (1 << 32) == 0 else half}[name]
    rest = initial % MODULUS & ~(0xFFFFFFFF << shift)
    assert results == [0 if name == "store" else half]
    assert words[split.address] == rest | (after % (1 << 32)) << shift


@given(value=INTEGERS)
def test_a_signed_word_is_loaded_as_long(value: int) -> None:
    program = Program("signed")
    word = program.layout.place("signed", SignedWord)
    results: list[int] = []

    async def body() -> None:
        await word.store(value)
        results.append(await word.load())
        results.append(await word.xchg(0))

    run_alone(program, body)
    assert results == [ctypes.c_int64(value).value, value % MODULUS]


@given(value=INTEGERS)
def test_conversions_are_those_of_c(value: int) -> None:
    assert as_int(value) == ctypes.c_int32(value).value
    assert as_u32(value) == ctypes.c_uint32(value).value
    assert as_long(value) == ctypes.c_int64(value).value
    assert as_u64(value) == ctypes.c_uint64(value).value


@pytest.mark.parametrize(
    ("bit", "mask"), [(0, 1), (31, 1 << 31), (63, 1 << 63), (64, 1), (-1, 1 << 63)]
)
def test_a_shift_count_is_taken_modulo_64(bit: int, mask: int) -> None:
    assert bit_mask(bit) == mask


@pytest.mark.parametrize("order", [RELAXED, ACQUIRE, RELEASE, FULL])
def test_kinds_carry_orders(order: Order) -> None:
    split = SplitWord(20, "split")
    word: Word = split
    operations = {
        "load": word.load(order),
        "store": word.store(1, order),
        "xchg": word.xchg(1, order),
        "cmpxchg": word.cmpxchg(1, 2, order),
        "fetch_add": word.fetch_add(1, order),
        "fetch_or": word.fetch_or(1, order),
        "fetch_and": word.fetch_and(1, order),
        "fetch_andnot": word.fetch_andnot(1, order),
        "load_half": split.high.load(order),
        "store_half": split.high.store(1, order),
        "cmpxchg_half": split.high.cmpxchg(1, 2, order),
        "fence": fence(order),
    }
    for name, operation in operations.items():
        kind, address, *_ = next(iter(operation))
        assert (kind_name(kind), order_of(kind)) == (name, order)
        assert address == {"fence": 0}.get(name, 41 if name.endswith("_half") else 20)


def test_orders_of_operations_that_name_none() -> None:
    # as in the kernel: READ_ONCE() is relaxed, atomic_fetch_or() and cmpxchg() are fully ordered
    word = Word(20, "word")
    relaxed = (word.load(), word.store(1))
    full = (word.xchg(1), word.cmpxchg(1, 2), word.fetch_add(1), word.fetch_or(1), fence())
    assert {order_of(next(iter(operation))[0]) for operation in relaxed} == {RELAXED}
    assert {order_of(next(iter(operation))[0]) for operation in full} == {FULL}


def test_every_order_means_the_same_to_a_sequentially_consistent_memory() -> None:
    for order in Order:
        program = Program("orders")
        word = program.layout.word("word", 6)
        seen: list[int] = []

        async def body(word: Word = word, order: Order = order, seen: list[int] = seen) -> None:
            seen.append(await word.fetch_or(9, order))
            seen.append(await word.load(order))

        run_alone(program, body)
        assert seen == [6, 15]


def test_kinds_are_multiples_of_four() -> None:
    assert all(kind % 4 == 0 for kind in Kind)
    assert len(set(Kind)) == len(Kind.__members__)
