"""Stack dumps: one stack per task."""

from collections.abc import Iterator
from typing import ClassVar

from stackweave.core.sframe.dump_file import DumpedTask, DumpFile
from stackweave.core.sframe.unwind import DEFAULT_LIMIT
from stackweave.pictures import NamedStack, Thread

from . import showing
from .showing import Json, Stack


class Report(showing.Report):
    """A dump's tasks."""

    kind: ClassVar = "dump"
    plural: ClassVar = "tasks"

    def __init__(self, dump: DumpFile) -> None:
        self._dump = dump

    @property
    def name(self) -> str:
        return self._dump.name

    def stacks(self) -> Iterator[Stack]:
        for task in self._dump.tasks():
            yield self._shown(task)

    def missing(self) -> list[str]:
        return list(self._dump.missing)

    def absent(self) -> list[str]:
        return list(self._dump.absent_files())

    def remarks(self) -> list[str]:
        return self._dump.chooser.remarks()

    def _shown(self, task: DumpedTask) -> Stack:
        space = self._dump.space
        trace = task.stack.unwind(space, limit=min(DEFAULT_LIMIT, task.stack.most_frames))
        mappings = [space.find_mapping(frame.lookup_pc) for frame in trace.frames]
        files = [mapping.basename if mapping else None for mapping in mappings]
        mismatched = any(module.name == files[-1] for module in self._dump.chooser.mismatched)
        why = showing.why_stopped(trace, files[-1], is_mismatched=mismatched)
        named = showing.named_frames(trace, files)
        lines = [f"Task {task.tid} {task.name}".rstrip(), *showing.frame_lines(named)]
        described: Json = {
            "tid": task.tid,
            "name": task.name,
            "frames": showing.frames_json(trace, named),
            "stop": showing.stop_name(trace.stop),
            "why": why,
        }
        thread = Thread(task.name, tid=task.tid)
        drawn = NamedStack(thread, named, cut=showing.cut(trace, why))
        return Stack([*lines, f"stopped: {why}"], described, drawn)
