"""The cookie of a kernel entry: which requests and callbacks belong to one user stack.

union unwind_task_id (kernel/unwind/deferred.c): the low half is the CPU's number plus one, the high half a
counter of that CPU that is always odd, so no cookie is 0. Requests of an NMI may land anywhere inside: whoever
sets the counter first wins, and both use the same one. The CPU's counter is stored only by the winner.
"""

from ..memory import PerCpu, Word
from .structs import UnwindTaskInfo


async def unwind_get_cookie(info: UnwindTaskInfo, counters: PerCpu[Word], cpu: int) -> int:
    """The entry's cookie, made if there is none yet. Interrupts are off."""
    if not await info.id.low.load():
        count = (await counters[cpu].load() + 2) | 1
        if not await info.id.high.cmpxchg(0, count):
            await counters[cpu].store(count)
        await info.id.low.store(cpu + 1)
    return await info.id.load()
