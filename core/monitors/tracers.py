"""What a tracer leaves behind: `after-cancel` and `inherited`."""

from dataclasses import dataclass, replace
from typing import Self

from ..events import (
    CallbackBegin,
    CancelBegin,
    CancelEnd,
    KernelExit,
    Registered,
    RequestBegin,
    RequestEnd,
    TaskExit,
    UnwindReset,
)
from ..monitor import Monitor, violate
from .asked import NOT_ASKED, Asked
from .specification import latest, sliced


@dataclass(frozen=True, slots=True)
class AfterCancel:
    """`after-cancel`: a callback begins though its tracer's cancel has returned.

    By then the tracer may have freed its work. Registering anew makes callbacks right again.
    """

    cancelled: bool = False

    def after(self, event: object) -> Self:
        match event:
            case CancelEnd():
                return replace(self, cancelled=True)
            case Registered():
                return replace(self, cancelled=False)
            case CallbackBegin(task=task) if self.cancelled:
                violate("after-cancel", f"a callback in task {task} after the cancel has returned")
        return self


@dataclass(frozen=True, slots=True)
class Owner:
    """One tracer's tenure of a bit, as far as one task is concerned."""

    tracer: int | None
    """None when it owns another bit by now: what it asks from then on is about that one."""
    asked: Asked = NOT_ASKED
    cancelled: bool = False
    """Its cancel has begun."""
    raced: bool = False
    """A request was granted after its cancel had begun."""
    due: bool = False
    """It was granted a request in this entry, before the entry's reset."""
    called: bool = False
    """It was called in this entry."""

    def ended(self, event: RequestEnd, in_time: bool) -> Self:
        """After one of its requests returned; `in_time`: its callback is due in this entry."""
        return replace(
            self,
            asked=self.asked.ended(event),
            raced=self.raced or (event.granted and self.cancelled),
            due=self.due or (event.granted and in_time),
        )

    def left(self) -> Self:
        """After the task returned to user mode."""
        asked = self.asked.after(KernelExit(0))
        return replace(self, asked=asked, due=False, called=False)


@dataclass(frozen=True, slots=True)
class Inherited:
    """`inherited`: the owner of a bit gets or loses something because of the bit's earlier owner.

    It is called without having asked, while the earlier owner's request stands: `inherited:stale-snapshot`
    when that request had returned before its cancel began (the task's bits were read before the bit changed
    hands), `inherited:racing-request` when it returned later or still runs. Or it has asked, and the entry is left
    without a call to it, while the earlier owner was called in that entry: `inherited:swallowed`.
    """

    bit: int
    owner: Owner | None = None
    earlier: Owner | None = None
    reset: bool = False
    """An UnwindReset came in this entry: what is asked for now is not due in it."""
    running: tuple[tuple[int, bool], ...] = ()
    """Of the requests that have begun and not ended, whoever owns the bit: the tracer, and whether no
    cancel of it has begun since: a later registration owes the request nothing."""

    def after(self, event: object) -> Self:
        match event:
            case Registered(tracer=tracer, bit=bit):
                return self._registered(tracer, bit)
            case CancelBegin(tracer=tracer):
                running = tuple((each, same and each != tracer) for each, same in self.running)
                return replace(self, running=running)._cancelled(tracer)
            case RequestBegin(tracer=tracer):
                return replace(self, running=(*self.running, (tracer, True)))
            case RequestEnd():
                return self._asked(event)
            case CallbackBegin():
                return self._called(event)
            case UnwindReset(at_entry=False):
                return replace(self, reset=True)
            case KernelExit() | TaskExit():
                return self._left()
        return self

    def _registered(self, tracer: int, bit: int) -> Self:
        if bit == self.bit:
            return replace(self, owner=Owner(tracer), earlier=self.owner)
        owner, earlier = self.owner, self.earlier
        if owner is not None and owner.tracer == tracer:
            owner = replace(owner, tracer=None)
        if earlier is not None and earlier.tracer == tracer:
            earlier = replace(earlier, tracer=None)
        return replace(self, owner=owner, earlier=earlier)

    def _cancelled(self, tracer: int) -> Self:
        if self.owner is not None and self.owner.tracer == tracer:
            return replace(self, owner=replace(self.owner, cancelled=True))
        return self

    def _asked(self, event: RequestEnd) -> Self:
        # a request is its tracer's tenure's that there is when it ends: one may begin before
        # its tracer has the bit, or in a first tenure and end in a second
        _, same = latest(self.running)
        in_time = same and not self.reset
        ended = replace(self, running=self.running[:-1])
        if self.owner is not None and self.owner.tracer == event.tracer:
            return replace(ended, owner=self.owner.ended(event, in_time))
        if self.earlier is not None and self.earlier.tracer == event.tracer:
            return replace(ended, earlier=self.earlier.ended(event, in_time))
        return ended

    def _called(self, event: CallbackBegin) -> Self:
        owner, earlier = self.owner, self.earlier
        if owner is not None and owner.tracer == event.tracer:
            if earlier is not None:
                self._judge_call(owner, earlier)
                # one bit, one answer: the call used up what the earlier owner had asked for, too
                earlier = replace(earlier, asked=earlier.asked.after(event))
            owner = replace(owner, asked=owner.asked.after(event), called=True)
        elif earlier is not None and earlier.tracer == event.tracer:
            earlier = replace(earlier, asked=earlier.asked.after(event), called=True)
        return replace(self, owner=owner, earlier=earlier)

    def _judge_call(self, owner: Owner, earlier: Owner) -> None:
        running = {tracer for tracer, _ in self.running}
        asks = earlier.tracer in running
        if owner.asked.stands or owner.tracer in running:
            return
        if not earlier.asked.stands and not asks:
            return
        if earlier.raced or asks:
            violate(
                "inherited:racing-request",
                f"{owner.tracer} is called for a request that {earlier.tracer} made while it was cancelled",
            )
        violate(
            "inherited:stale-snapshot",
            f"{owner.tracer} is called for a request that {earlier.tracer} made before its cancel",
        )

    def _left(self) -> Self:
        owner, earlier = self.owner, self.earlier
        if owner is not None and earlier is not None:
            swallowed = owner.due and not owner.called and not owner.cancelled and earlier.called
            if swallowed:
                violate(
                    "inherited:swallowed",
                    f"{owner.tracer} asked and was not called; {earlier.tracer} was, with the same bit",
                )
        return replace(
            self, owner=owner and owner.left(), earlier=earlier and earlier.left(), reset=False
        )


def after_cancel(tracer: int) -> Monitor:
    """No callback after the cancel has returned."""
    kinds = (Registered, CancelEnd, CallbackBegin)
    return sliced("after-cancel", AfterCancel(), *kinds, tracer=tracer)


def inherited(task: int, bit: int) -> Monitor:
    """Owners of a bit do not feel who had it before."""
    kinds = (
        Registered,
        CancelBegin,
        RequestBegin,
        RequestEnd,
        CallbackBegin,
        UnwindReset,
        KernelExit,
        TaskExit,
    )
    label = sliced("inherited", Inherited(bit), *kinds, task=task)
    return replace(label, slice=f"task{task} bit{bit}")
