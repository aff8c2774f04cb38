"""The layouts of the format's structures, for reading and writing: sections 1 to 3 of its description.

Strings are `struct`'s, without the byte order.
"""

from typing import Final

from stackweave.core.sframe.constants import FreType, Version

HEADER: Final = "HBBBbbBIIIII"
FDE: Final = {Version.V1: "iIIIB", Version.V2: "iIIIBBH", Version.V3: "qII"}
"""A function descriptor: start, size, place of the rows; before V3 their number and the info."""
ATTRIBUTE: Final = "HBBB"
"""V3, in front of a function's rows: their number, info, second info, repeat size."""
ATTRIBUTE_SIZE: Final = 5
START: Final = {FreType.ADDR1: "B", FreType.ADDR2: "H", FreType.ADDR4: "I"}
"""The start of a row; one byte of info follows it."""
WORD: Final = ("b", "h", "i")
"""A word of a row, by its size code; the size is 1 << code."""
MOST_WORDS: Final = 15
"""The number of words has four bits of a row's info."""
LAST_START: Final = 0xFFFFFFFF
"""The greatest start of a row; that of a PC INC function may not exceed the function's size."""

INFO_FRE_TYPE: Final = 0x0F
INFO_PC_TYPE: Final = 0x10
INFO_PAUTH_KEY_B: Final = 0x20
INFO_SIGNAL: Final = 0x80
INFO2_FDE_TYPE: Final = 0x1F
