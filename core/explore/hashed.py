"""The hidden layout of sets: two equal sets may give their members in different orders, now or after the next one.

The order follows from each member's place in a table, and the place from the hash, from what was there when it
came, and from what has been removed since. So which places are used, and which were, is read from the set's table,
as words that are compared with the members' addresses and never followed (Objects/setobject.c, `set_add_entry`;
Include/cpython/setobject.h, the same in CPython 3.11 to 3.14).
"""

import ctypes
from collections.abc import Collection
from typing import Final, NamedTuple

_WORD: Final = ctypes.sizeof(ctypes.c_uint64)
_HEADER: Final = ctypes.c_uint64 * 6
"""Places filled, places used, the table's size less one, the table, the hash, and where to pop next."""
_SMALL: Final = object.__basicsize__ + 6 * _WORD
"""Where in a set the table of a small one is."""


class Layout(NamedTuple):
    """With the members in their order, all that a set will do."""

    mask: int
    """The table's size less one."""
    finger: int
    """Where the next `pop` begins to look."""
    used: int
    """Bit n: a member is in place n."""
    removed: int
    """Bit n: a member was in place n, which stays in the way of others."""


def layout_of(members: "Collection[object]") -> Layout | None:
    """The layout of a set or frozenset; None if this Python keeps it in another way."""
    header = _HEADER.from_address(id(members) + object.__basicsize__)[:]
    filled, used, mask, table, _, finger = header
    if used != len(members) or not used <= filled <= mask or mask & (mask + 1):
        return None
    if mask == 7 and table != id(members) + _SMALL:
        return None
    places = (ctypes.c_uint64 * (2 * (mask + 1))).from_address(table)[::2]
    following = map(id, members)
    expected = next(following, None)
    in_use = removed = 0
    for place, word in enumerate(places):
        if word == expected:
            in_use |= 1 << place
            expected = next(following, None)
        elif word:
            removed |= 1 << place
    if expected is not None or (in_use | removed).bit_count() != filled:
        return None
    return Layout(mask, finger, in_use, removed)
