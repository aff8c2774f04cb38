"""One C++ program in `data/symbols`: with symbols, stripped, and what objdump calls its functions."""

import re
from pathlib import Path
from typing import Final

from .recordings import OWN, unxz

FOLDER: Final = OWN.parent / "symbols"
_LABEL: Final = re.compile(r"([0-9a-f]{16}) <(.*)>:")


def unpacked(folder: Path, name: str, path: str = "") -> Path:
    """A file of the program, unpacked below a folder."""
    target = folder / (path or name)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(unxz(FOLDER / f"{name}.xz"))
    return target


def objdumps(text: str) -> dict[int, str]:
    """Names by address, as objdump prints them; it calls the head of a PLT by its section."""
    matches = map(_LABEL.fullmatch, (FOLDER / text).read_text().splitlines())
    found = {int(match[1], 16): match[2] for match in matches if match}
    return {address: name for address, name in found.items() if name != ".plt"}
