"""A session: the samples in the order of time, each with its stack.

The kernel's part of a stack is the sample's callchain. The user's part is unwound from the
registers and the copy of the stack that the sample holds; without them it is the callchain's,
which for a deferred one came in a later record. Records change what later samples see: names,
mappings, forks. All is handled in the order in which perf's reader handles it.

Small jobs are done sample by sample. Those that turn out long go on in batches, by the compiled
unwinder: samples are collected until a record may change what the next ones see, and told in
their order.

Memory is bounded by what is alive at one moment: a round of records, the processes' mappings,
a batch and the samples that wait for a deferred callchain.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stackweave.core.sframe.choose import Chooser
from stackweave.core.sframe.dump_file import DumpedMapping
from stackweave.core.sframe.errors import DumpError
from stackweave.core.sframe.module import Module
from stackweave.core.sframe.perf.attributes import parse_attr
from stackweave.core.sframe.perf.constants import (
    EVENT_UPDATE_NAME,
    FIRST_TOOL_RECORD,
    RecordType,
)
from stackweave.core.sframe.perf.cursor import CutError
from stackweave.core.sframe.perf.file import PerfFile, Record
from stackweave.core.sframe.perf.order import TimeOrder
from stackweave.core.sframe.perf.places import addresses, places_of
from stackweave.core.sframe.perf.processes import Processes
from stackweave.core.sframe.perf.records import (
    Deferred,
    Trailer,
    parse_comm,
    parse_deferred,
    parse_mmap,
    parse_task,
    parse_trailer,
    trailer_time,
)
from stackweave.core.sframe.perf.registers import machine_of
from stackweave.core.sframe.perf.sample import Sample, parse_sample
from stackweave.core.sframe.perf.stack import PerfStack, recorded_stack, unwound_stack
from stackweave.core.sframe.perf.stitch import DeferredSamples
from stackweave.core.sframe.perf.taken import Taken

if TYPE_CHECKING:  # it is loaded for long jobs only
    from stackweave.core.sframe.perf.batches import Batches

_WORD: Final = 8
_CHANGES: Final = (
    RecordType.MMAP,
    RecordType.MMAP2,
    RecordType.COMM,
    RecordType.FORK,
    RecordType.EXIT,
)
"""Records that may change what samples are told by; so may the tool's own."""
_BATCH: Final = 512
"""Samples unwound at once."""
_MOST_FRAMES: Final = 1 << 19
"""Frames that the samples of a batch may have: 512 with the usual 8 KiB of stack."""
_SMALL_JOB: Final = 1 << 16
"""Frames that the unwinder in Python gets done while the compiled one would be loaded."""


class PerfSession:
    """Reads one perf.data once."""

    def __init__(self, file: PerfFile, modules: Iterable[Module] = ()) -> None:
        self.file = file
        self.chooser = Chooser(modules)
        self.absent: dict[str, None] = {}
        """Paths of files that unwinding has met, for which no module was given."""
        self._processes = Processes(self.chooser, file.features)
        self._order: TimeOrder[Record] = TimeOrder()
        self._deferred: DeferredSamples[Sample] = DeferredSamples()
        self._merge = True
        self._frames = 0
        """Unwound by the unwinder in Python."""
        self._batch: list[Taken] = []
        self._most = 0
        """Frames that they may have."""
        self._batches: Batches | None = None

    @classmethod
    def open(cls, path: Path | str, modules: Iterable[Module] = ()) -> "PerfSession":
        """Map the file at `path`; raises `DumpError`."""
        return cls(PerfFile.open(path), modules)

    @property
    def missing(self) -> tuple[str, ...]:
        """What the file should hold and does not, as far as it was read."""
        return tuple(self.file.missing)

    def stacks(self, *, merge: bool = True) -> Iterator[PerfStack]:
        """Every sample with its stack, until something forbids to go on: `missing` says then what.

        With `merge` false deferred callchains come by themselves, at their own time.
        """
        self._merge = merge
        try:
            for record in self._in_order():
                try:
                    yield from self._take(record)
                except CutError:
                    self.file.missing["damaged records"] = None
        except DumpError as error:
            self.file.missing[f"all behind this: {error}"] = None
        for sample in self._deferred.flush():
            yield from self._add(sample, None)
        yield from self._flush()

    def mappings(self, pid: int) -> tuple[DumpedMapping, ...]:
        """What a process has mapped at the moment of the stack that came last."""
        maps = self._processes.maps(pid)
        return tuple(DumpedMapping(each.mapping, each.build_id) for each in maps)

    def _in_order(self) -> Iterator[Record]:
        """The kernel's records by time; the tool's own take effect where they stand."""
        for record in self.file.records():
            try:
                if record.kind == RecordType.FINISHED_ROUND:
                    yield from self._order.finish_round()
                elif record.kind >= FIRST_TOOL_RECORD:
                    yield record
                else:
                    time = self._time(record)
                    yield from self._order.push(time, record) if time else (record,)
            except CutError:
                self.file.missing["damaged records"] = None
        yield from self._order.flush()

    def _time(self, record: Record) -> int | None:
        """When the record was made; None if it does not say."""
        cursor = record.cursor(self.file.order)
        event = self.file.events.of(record.kind, cursor)
        if event is None:
            return None
        if record.kind != RecordType.SAMPLE:
            return trailer_time(event, cursor)
        if event.time_at is None:
            return None
        cursor.skip(event.time_at)
        return cursor.u64()

    def _take_tool(self, record: Record) -> None:
        """Attributes, features and build ids that came as records."""
        body = record.cursor(self.file.order)
        if record.kind == RecordType.HEADER_ATTR:
            body.skip(4)
            size = body.u32()
            body.at -= 8
            event = parse_attr(body.take(size), self.file.order)
            self.file.events.add(event, body.words((body.end - body.at) // _WORD))
        elif record.kind == RecordType.HEADER_FEATURE:
            feature = body.u64()
            self.file.read_feature(feature, body)
        elif record.kind == RecordType.HEADER_BUILD_ID:
            self.file.features.read_build_id((record.misc, body))
        elif record.kind == RecordType.EVENT_UPDATE:
            kind, identifier = body.words(2)
            if kind == EVENT_UPDATE_NAME:
                self.file.events.rename((identifier,), 0, body.text())

    def _take(self, record: Record) -> Iterator[PerfStack]:
        """One record, in its turn."""
        is_tools = record.kind >= FIRST_TOOL_RECORD
        if is_tools or record.kind in _CHANGES:
            yield from self._flush()
        if is_tools:
            self._take_tool(record)
            return
        body = record.cursor(self.file.order)
        event = self.file.events.of(record.kind, body)
        if event is None:
            self.file.missing["events of some records"] = None
            return
        if record.kind == RecordType.SAMPLE:
            yield from self._take_sample(parse_sample(event, record.misc, body))
            return
        if record.kind == RecordType.CALLCHAIN_DEFERRED:
            trailer = parse_trailer(event, body)
            yield from self._take_deferred(parse_deferred(body), trailer)
        elif record.kind in (RecordType.MMAP, RecordType.MMAP2):
            self._processes.mmap(parse_mmap(record.kind, record.misc, body), record.misc)
        elif record.kind == RecordType.COMM:
            self._processes.set_comm(parse_comm(record.misc, body))
        elif record.kind == RecordType.FORK:
            self._processes.fork(parse_task(record.misc, body))
        elif record.kind == RecordType.EXIT:
            self._processes.exit(parse_task(record.misc, body))
        elif record.kind in (RecordType.LOST, RecordType.LOST_SAMPLES):
            self.file.missing["records that the kernel had no room for"] = None

    def _take_sample(self, sample: Sample) -> Iterator[PerfStack]:
        cookie = sample.cookie
        if self._merge and cookie is not None:
            self._deferred.wait(sample.tid or 0, cookie, sample)
        else:
            yield from self._add(sample, None)

    def _take_deferred(self, deferred: Deferred, trailer: Trailer) -> Iterator[PerfStack]:
        if self._merge:
            for sample, fits in self._deferred.release(trailer.tid or 0, deferred.cookie):
                yield from self._add(sample, deferred.chain if fits else None)
            return
        yield from self._flush()
        maps = self._processes.maps(trailer.pid or 0)
        yield PerfStack(
            comm=self._processes.comm(trailer.tid or 0),
            pid=trailer.pid,
            tid=trailer.tid,
            cpu=trailer.cpu,
            time=trailer.time,
            event=None,
            kernel=(),
            user=places_of(maps, addresses(deferred.chain)),
            cookie=deferred.cookie,
            is_merged=False,
            why_not="",
        )

    def _add(self, sample: Sample, deferred: tuple[int, ...] | None) -> Iterator[PerfStack]:
        """A sample's turn, with the callchain that a deferred record brought for it."""
        taken = Taken(
            sample,
            deferred,
            self._processes.comm(sample.tid or 0),
            self._processes.maps(sample.pid or 0),
            self._processes.kernel,
            machine_of(self.file.features.machine, sample.event.user_registers),
        )
        if self._frames < _SMALL_JOB:
            yield self._tell_one(taken)
            return
        self._batch.append(taken)
        self._most += taken.limit
        if len(self._batch) >= _BATCH or self._most > _MOST_FRAMES:
            yield from self._flush()

    def _tell_one(self, taken: Taken) -> PerfStack:
        why_not = taken.why_not
        if why_not:
            return recorded_stack(taken, why_not)
        trace = taken.unwind()
        self._frames += len(trace.frames)
        return self._noted(unwound_stack(taken, trace))

    def _flush(self) -> Iterator[PerfStack]:
        """What was collected."""
        batch, self._batch, self._most = self._batch, [], 0
        if not batch:
            return
        if self._batches is None:
            from stackweave.core.sframe.perf.batches import Batches

            self._batches = Batches()
        for stack in self._batches.tell(batch):
            yield self._noted(stack)

    def _noted(self, stack: PerfStack) -> PerfStack:
        """The same; the file that it has ended in is absent."""
        if stack.walk is not None:
            last = stack.user[-1]
            if last.module is None and last.path is not None:
                self.absent[last.path] = None
        return stack
