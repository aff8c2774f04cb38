"""C's integer conversions, named.

Words of the emulated memory are unsigned 64-bit. A protocol that narrows or re-signs a value says so with
one of these, because real bugs live in the conversion: `unwind_deferred_request()` returns `old & bit` as
int, which is 0 for bit 32 and negative for bit 31 (kernel/unwind/deferred.c).
"""

from typing import Final

U64_MASK: Final = (1 << 64) - 1
U32_MASK: Final = (1 << 32) - 1


def as_u64(value: int) -> int:
    """Convert to unsigned long: the low 64 bits."""
    return value & U64_MASK


def as_u32(value: int) -> int:
    """Convert to unsigned int: the low 32 bits."""
    return value & U32_MASK


def as_long(value: int) -> int:
    """Convert to long: the low 64 bits, two's complement."""
    value &= U64_MASK
    return value - (1 << 64) if value >> 63 else value


def as_int(value: int) -> int:
    """Convert to int: the low 32 bits, two's complement."""
    value &= U32_MASK
    return value - (1 << 32) if value >> 31 else value


def bit_mask(bit: int, long_bits: int = 64) -> int:
    """BIT(bit) as x86 computes it: the shift count is taken modulo the bits of a long, so BIT(-1) is its last."""
    return 1 << (bit & (long_bits - 1))
