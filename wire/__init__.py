"""What crosses a process boundary: codec, limits, one error."""

from .codec import CONTROL, Limits, Plain, pack, unpack
from .envelope import seal, unseal
from .errors import WireError

__all__ = ["CONTROL", "Limits", "Plain", "WireError", "pack", "seal", "unpack", "unseal"]
