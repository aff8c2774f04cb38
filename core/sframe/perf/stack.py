"""One stack of a session, as it is told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from stackweave.core.sframe.dump import StackDump
from stackweave.core.sframe.module import LoadedModule
from stackweave.core.sframe.perf.attributes import Event
from stackweave.core.sframe.perf.places import Place, addresses, place_at, places_of, split_chain
from stackweave.core.sframe.perf.taken import Taken
from stackweave.core.sframe.unwind import Backtrace, StopReason


class Walk(Protocol):
    """An unwound stack that becomes a backtrace only if somebody asks: `batch.Walk`."""

    @property
    def stop(self) -> StopReason: ...
    @property
    def cause(self) -> None: ...

    def backtrace(
        self, modules: Iterable[LoadedModule | None], others: Mapping[int, int] | None = None
    ) -> Backtrace: ...


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
    why_not: str
    """What it lacks to be unwound; empty if it was, or if it has a callchain."""
    taken: Taken | None = field(default=None, repr=False)
    """The sample."""
    walk: Backtrace | Walk | None = field(default=None, repr=False)
    """How it was unwound; None: it was not."""

    @property
    def dump(self) -> StackDump | None:
        """What there was to unwind: registers and the copy of the stack."""
        return self.taken.dump() if self.taken and self.walk is not None else None

    @property
    def stop(self) -> StopReason | None:
        """Why unwinding came to an end; None if it did not begin."""
        return None if self.walk is None else self.walk.stop

    @property
    def trace(self) -> Backtrace | None:
        """The unwound part; None without a dump."""
        if self.walk is None or isinstance(self.walk, Backtrace):
            return self.walk
        assert self.taken is not None
        modules = (place.module for place in self.user)
        return self.walk.backtrace(modules, self.taken.dump().registers.others)


def unwound_stack(
    taken: Taken, walk: Backtrace | Walk, user: tuple[Place, ...] | None = None
) -> PerfStack:
    """A sample that was unwound; `user` is where its frames lie, if that is known."""
    if user is None:
        assert isinstance(walk, Backtrace)
        user = tuple(place_at(taken.maps, frame.pc, frame.is_exact) for frame in walk.frames)
    kernel, _ = split_chain(taken.sample.callchain)
    return _stack(taken, kernel, user, "", walk)


def recorded_stack(taken: Taken, why_not: str) -> PerfStack:
    """A sample that cannot be unwound: it has the callchain that was recorded, or one place."""
    sample, deferred = taken.sample, taken.deferred
    kernel, chain = split_chain(sample.callchain)
    user = places_of(taken.maps, chain + addresses(deferred or ()))
    if sample.ip is not None and not sample.callchain:
        kernel, user = (
            ((sample.ip,), ()) if sample.in_kernel else ((), places_of(taken.maps, (sample.ip,)))
        )
    return _stack(taken, kernel, user, why_not if not chain and deferred is None else "", None)


def _stack(
    taken: Taken,
    kernel: tuple[int, ...],
    user: tuple[Place, ...],
    why_not: str,
    walk: Backtrace | Walk | None,
) -> PerfStack:
    sample = taken.sample
    return PerfStack(
        taken.comm,
        sample.pid,
        sample.tid,
        sample.cpu,
        sample.time,
        sample.event,
        places_of(taken.kernel, kernel),
        user,
        sample.cookie,
        taken.deferred is not None,
        why_not,
        taken,
        walk,
    )
