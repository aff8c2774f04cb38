"""Numbers for keys that mean the same in every process: by content, and never by the order of discovery.

A key (`core.explore.encoding`) is compared within one engine. Whoever puts together what several engines have
found needs it by content: 64 bits of a hash, in which what counts by identity is named by where it was defined.
"""

from collections.abc import Iterable
from enum import Enum
from hashlib import blake2b
from types import CodeType, ModuleType


def identity_of(parts: Iterable[object]) -> int:
    """A signed word that stands for a key."""
    digest = blake2b(digest_size=8)
    for part in parts:
        digest.update(f"{_text(part)}\0".encode("utf-8", "surrogatepass"))
    return int.from_bytes(digest.digest(), "little", signed=True)


def _text(part: object) -> str:
    if isinstance(part, type):
        return f"{part.__module__}.{part.__qualname__}"
    return f"{type(part).__name__} {part!r}"


def name_of(value: object, number: int) -> str:
    """Of something that counts by identity: where it was defined; or `number`, its place among these."""
    if isinstance(value, CodeType):
        text = blake2b(value.co_code, digest_size=8).hexdigest()
        return f"{value.co_filename}:{value.co_firstlineno} {value.co_qualname} {text}"
    if isinstance(value, Enum):
        return f"{_text(type(value))}.{value.name}"
    if isinstance(value, ModuleType):
        return value.__name__
    if isinstance(value, dict):  # a function's globals
        return f"globals of {value.get('__name__')}"
    qualname = getattr(value, "__qualname__", None)
    if qualname is not None:
        return f"{getattr(value, '__module__', '')}.{qualname}"
    return f"{_text(type(value))} {number}"
