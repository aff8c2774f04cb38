"""Stack dumps: one stack per task."""

from collections.abc import Iterator
from typing import ClassVar

from stackweave.core.sframe.dump_file import DumpFile
from stackweave.core.sframe.unwind import DEFAULT_LIMIT
from stackweave.pictures import Thread

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
            space = self._dump.space
            limit = min(DEFAULT_LIMIT, task.stack.most_frames)
            yield showing.stack_of(
                task.stack.unwind(space, limit=limit),
                space,
                self._dump.chooser,
                f"Task {task.tid} {task.name}".rstrip(),
                {"tid": task.tid, "name": task.name},
                Thread(task.name, tid=task.tid),
            )

    def missing(self) -> list[str]:
        return list(self._dump.missing)

    def absent(self) -> list[str]:
        return list(self._dump.absent_files())

    def remarks(self) -> list[str]:
        return self._dump.chooser.remarks()
