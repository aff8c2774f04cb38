"""Stack dumps: one stack per task."""

from collections.abc import Iterator
from typing import ClassVar

from stackweave.core.sframe.dump_file import DumpedTask, DumpFile

from . import showing
from .showing import Stack


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
        trace = task.stack.unwind(space)
        mappings = [space.find_mapping(frame.lookup_pc) for frame in trace.frames]
        files = [mapping.basename if mapping else None for mapping in mappings]
        mismatched = any(module.name == files[-1] for module in self._dump.chooser.mismatched)
        why = showing.why_stopped(trace, files[-1], is_mismatched=mismatched)
        lines = [f"Task {task.tid} {task.name}".rstrip(), *showing.frame_lines(trace, files)]
        return [*lines, f"stopped: {why}"], {
            "tid": task.tid,
            "name": task.name,
            "frames": showing.frames_json(trace, files),
            "stop": showing.stop_name(trace.stop),
            "why": why,
        }
