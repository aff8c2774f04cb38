"""The tasks of a session at one moment of it: names, and who shares which mappings.

Threads of a process share its mappings; a new process begins with a copy of its parent's, and a
new program in it with none. When the last thread has ended, the mappings are forgotten; names
are kept, because a deferred callchain may still bring back a task that is gone.
"""

from dataclasses import dataclass, field
from typing import Final

from stackweave.core.sframe.address_space import FileMapping
from stackweave.core.sframe.choose import Chooser
from stackweave.core.sframe.errors import DumpError
from stackweave.core.sframe.module import LoadedModule
from stackweave.core.sframe.perf.constants import KERNEL_PID, Misc
from stackweave.core.sframe.perf.features import Features
from stackweave.core.sframe.perf.maps import Mapped, Maps
from stackweave.core.sframe.perf.records import Comm, Mmap, Task
from stackweave.core.sframe.perf.registers import MACHINES

MOST_MAPPINGS: Final = 1 << 16
"""Of one process; Linux allows 65,530 (vm.max_map_count)."""
_MOST_ALTOGETHER: Final = 1 << 22
_MOST_COPIED: Final = 1 << 28
"""Mappings that children may take over to change them; a child that execs at once takes none."""

_HIGHEST: Final = 1 << 64


@dataclass(slots=True)
class _Process:
    maps: Maps = field(default_factory=Maps)
    """Perhaps its parent's as well, until one of them changes."""
    threads: set[int] = field(default_factory=set)


class Processes:
    """All tasks that the records have spoken of, and the kernel."""

    def __init__(self, chooser: Chooser, features: Features) -> None:
        """Choose modules by the mappings' own build ids, or by those that `features` have for a path."""
        self._chooser = chooser
        self._features = features
        self._processes: dict[int, _Process] = {}
        self._comms = {0: "swapper"}
        self._kernel = Maps()
        self._held = 0
        """Mappings altogether."""
        self._copied = 0

    def comm(self, tid: int) -> str:
        return self._comms.get(tid, f":{tid}")

    def maps(self, pid: int) -> Maps:
        """The user mappings of a process."""
        return self._process(pid).maps

    @property
    def kernel(self) -> Maps:
        """What the kernel has mapped for itself."""
        return self._kernel

    def set_comm(self, comm: Comm) -> None:
        process = self._process(comm.pid)
        process.threads.add(comm.tid)
        self._comms[comm.tid] = comm.comm
        if comm.is_exec:
            self._replace(process, Maps())

    def fork(self, task: Task) -> None:
        self._comms[task.tid] = self.comm(task.parent_tid)
        if task.pid == task.parent_pid:
            self._process(task.pid).threads.add(task.tid)
            return
        child = self._process(task.pid)
        child.threads = {task.tid}
        if not task.has_own_mappings:
            maps = self._process(task.parent_pid).maps
            maps.holders += 1
            self._replace(child, maps)

    def exit(self, task: Task) -> None:
        process = self._processes.get(task.pid)
        if process is None:
            return
        process.threads.discard(task.tid)
        if not process.threads:
            self._replace(process, Maps())
            del self._processes[task.pid]

    def mmap(self, mmap: Mmap, misc: int) -> None:
        """Add a mapping; raises `DumpError` beyond what a system could have."""
        mapping = FileMapping(
            mmap.low, min(mmap.low + mmap.size, _HIGHEST), mmap.offset, _shown_path(mmap.path)
        )
        if mapping.low >= mapping.high:
            return
        if mmap.pid == KERNEL_PID or misc & Misc.CPUMODE_MASK == Misc.KERNEL:
            self._insert(self._kernel, Mapped(mapping, None, True, None))
            return
        process = self._process(mmap.pid)
        if process.maps.holders > 1:
            self._unshare(process)
        build_id = mmap.build_id or self._features.build_ids.get(mapping.path)
        loaded = self._loaded(mapping, build_id)
        self._insert(process.maps, Mapped(mapping, build_id, mmap.executable, loaded))

    def _insert(self, maps: Maps, mapped: Mapped) -> None:
        before = len(maps)
        maps.insert(mapped)
        self._count(len(maps) - before)
        if len(maps) > MOST_MAPPINGS:
            raise DumpError(f"a process with more than {MOST_MAPPINGS} mappings")

    def _unshare(self, process: _Process) -> None:
        """Give a process a copy of its own."""
        self._copied += len(process.maps)
        if self._copied > _MOST_COPIED:
            raise DumpError(f"children that change more than {_MOST_COPIED} inherited mappings")
        self._count(len(process.maps))
        self._replace(process, process.maps.copy())

    def _replace(self, process: _Process, maps: Maps) -> None:
        """Give a process other mappings."""
        process.maps.holders -= 1
        if not process.maps.holders:
            self._count(-len(process.maps))
        process.maps = maps

    def _count(self, more: int) -> None:
        self._held += more
        if self._held > _MOST_ALTOGETHER:
            raise DumpError(f"processes with more than {_MOST_ALTOGETHER} mappings altogether")

    def _process(self, pid: int) -> _Process:
        return self._processes.setdefault(pid, _Process())

    def _loaded(self, mapping: FileMapping, build_id: bytes | None) -> LoadedModule | None:
        machine = MACHINES.get(self._features.machine or "")
        abi = machine.abi if machine else None
        module = self._chooser.choose(mapping.basename, build_id, abi)
        if module is None:
            return None
        bias = module.bias_at(mapping.low, mapping.offset)
        return None if bias is None else LoadedModule(module, bias)


def _shown_path(path: str) -> str:
    """`[kernel.kallsyms]_text` names the symbol that the mapping was placed by."""
    return path.partition("]")[0] + "]" if path.startswith("[kernel.kallsyms]") else path
