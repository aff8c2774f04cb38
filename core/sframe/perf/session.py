"""A session: the samples in the order of time, each with its stack.

The kernel's part of a stack is the sample's callchain. The user's part is unwound from the
registers and the copy of the stack that the sample holds; without them it is the callchain's,
which for a deferred one came in a later record. Records change what later samples see: names,
mappings, forks. All is handled in the order in which perf's reader handles it.

Memory is bounded by what is alive at one moment: a round of records, the processes' mappings
and the samples that wait for a deferred callchain.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stackweave.core.sframe.choose import Chooser
from stackweave.core.sframe.dump import StackDump
from stackweave.core.sframe.dump_file import DumpedMapping
from stackweave.core.sframe.errors import DumpError
from stackweave.core.sframe.module import Module
from stackweave.core.sframe.perf.attributes import Event, parse_attr
from stackweave.core.sframe.perf.constants import (
    EVENT_UPDATE_NAME,
    FIRST_TOOL_RECORD,
    RecordType,
    RegisterAbi,
)
from stackweave.core.sframe.perf.cursor import CutError
from stackweave.core.sframe.perf.file import PerfFile, Record
from stackweave.core.sframe.perf.maps import Maps
from stackweave.core.sframe.perf.order import TimeOrder
from stackweave.core.sframe.perf.places import (
    Place,
    addresses,
    place_at,
    places_of,
    split_chain,
)
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
from stackweave.core.sframe.perf.registers import Machine, machine_of, registers_of
from stackweave.core.sframe.perf.sample import Sample, parse_sample
from stackweave.core.sframe.perf.stitch import DeferredSamples
from stackweave.core.sframe.unwind import Backtrace, Unwinder

_WORD: Final = 8


@dataclass(frozen=True, slots=True)
class PerfStack:
    """A sample, or a deferred callchain that was not to be merged."""

    comm: str
    pid: int | None
    tid: int | None
    cpu: int | None
    time: int | None
    """Nanoseconds."""
    event: Event | None
    """None: a deferred callchain by itself."""
    kernel: tuple[Place, ...]
    user: tuple[Place, ...]
    """Innermost first, as the kernel's."""
    cookie: int | None
    """Of a callchain that was deferred."""
    is_merged: bool
    """The deferred callchain came."""
    dump: StackDump | None
    """What there was to unwind: registers and the copy of the stack."""
    trace: Backtrace | None
    """The unwound part; None without a dump."""
    why_not: str
    """What it lacks to be unwound; empty if it was, or if it has a callchain."""


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
            yield self._stack(sample, None)

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
                    self._take_tool(record)
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
        """One of the kernel's records, in its turn."""
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
            yield self._stack(sample, None)

    def _take_deferred(self, deferred: Deferred, trailer: Trailer) -> Iterator[PerfStack]:
        if self._merge:
            for sample, fits in self._deferred.release(trailer.tid or 0, deferred.cookie):
                yield self._stack(sample, deferred.chain if fits else None)
            return
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
            dump=None,
            trace=None,
            why_not="",
        )

    def _stack(self, sample: Sample, deferred: tuple[int, ...] | None) -> PerfStack:
        """The sample's stack, with the callchain that a deferred record brought for it."""
        maps = self._processes.maps(sample.pid or 0)
        kernel, chain = split_chain(sample.callchain)
        dump, why_not = self._dump(sample)
        trace = None if dump is None else self._unwind(dump, maps, self._machine(sample.event))
        if trace is not None:
            user = tuple(place_at(maps, frame.pc, frame.is_exact) for frame in trace.frames)
        else:
            user = places_of(maps, chain + addresses(deferred or ()))
        if sample.ip is not None and not sample.callchain and trace is None:
            kernel, user = (
                ((sample.ip,), ()) if sample.in_kernel else ((), places_of(maps, (sample.ip,)))
            )
        return PerfStack(
            comm=self._processes.comm(sample.tid or 0),
            pid=sample.pid,
            tid=sample.tid,
            cpu=sample.cpu,
            time=sample.time,
            event=sample.event,
            kernel=places_of(self._processes.kernel, kernel),
            user=user,
            cookie=sample.cookie,
            is_merged=deferred is not None,
            dump=dump,
            trace=trace,
            why_not=why_not if not chain and deferred is None else "",
        )

    def _dump(self, sample: Sample) -> tuple[StackDump | None, str]:
        """The user's side, or what is missing to unwind it."""
        if sample.abi == RegisterAbi.NONE:
            return None, "no user registers in the sample"
        if sample.abi != RegisterAbi.BITS_64:
            return None, "a 32-bit task"
        machine = self._machine(sample.event)
        if machine is None:
            return None, "no unwinding for this machine"
        registers = registers_of(machine, sample.event.user_registers, sample.values)
        if registers is None:
            return None, "pc, sp and fp are not all among the sampled registers"
        return sample.dump(registers), ""

    def _machine(self, event: Event) -> Machine | None:
        return machine_of(self.file.features.machine, event.user_registers)

    def _unwind(self, dump: StackDump, maps: Maps, machine: Machine | None) -> Backtrace:
        def read(address: int) -> int | None:
            """Also from the files, whose code tells signal trampolines."""
            word = dump.read(address)
            if word is not None:
                return word
            data = maps.read_constant(address, _WORD)
            return None if data is None else int.from_bytes(data, dump.byte_order)

        architecture = machine.architecture if machine else None
        unwinder = Unwinder(read, maps.find_module, maps.is_code, architecture)
        trace = unwinder.unwind(dump.registers, dump.most_frames)
        last = maps.find(trace.frames[-1].lookup_pc)
        if last is not None and last.loaded is None:
            self.absent[last.mapping.path] = None
        return trace
