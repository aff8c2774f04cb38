"""struct mutex: a lock whose waiters sleep (kernel/locking/mutex.c).

Left out: optimistic spinning and hand-off.
"""

from ..memory import Word
from ..operations import ACQUIRE, RELEASE, sleep_until

_EVERY_BIT = (1 << 64) - 1


class Mutex:
    """`async with mutex:` holds it. Only tasks may."""

    __slots__ = ("_owner",)

    def __init__(self, owner: Word) -> None:
        self._owner = owner

    async def __aenter__(self) -> None:
        while await self._owner.cmpxchg(0, 1, ACQUIRE):
            await sleep_until(self._owner.address, _EVERY_BIT, 0)

    async def __aexit__(self, failure: type[BaseException] | None, *_: object) -> None:
        if failure is None:
            await self._owner.store(0, RELEASE)
