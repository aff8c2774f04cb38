"""One live run from the command line: what watches it, and what stops it."""

import signal
from dataclasses import dataclass
from time import perf_counter

import anyio

from stackweave.actors import Emulator
from stackweave.actors.carrier import Carrier
from stackweave.actors.live import Live
from stackweave.actors.soak import farewell, sources
from stackweave.core import Outcome
from stackweave.progress import Ticker
from stackweave.wire import Codec

from .findings import Findings
from .journal import Keeper
from .tally import Tally


@dataclass(frozen=True, slots=True)
class Until:
    """When a run is enough."""

    entries: int | None
    seconds: float | None
    stop_first: bool


class Session:
    """A live run of an emulator with everything that time brings."""

    def __init__(
        self,
        emulator: Emulator,
        *,
        seed: int,
        codec: Codec,
        until: Until,
        findings: Findings,
        keeper: Keeper | None,
    ) -> None:
        self.findings = findings
        self.tally = Tally(len(emulator.tracers))
        self.interrupted = False
        self.seconds = 0.0
        self.live = Live(
            emulator.program,
            seed=seed,
            sources=sources(emulator),
            farewell=farewell(emulator),
            carrier=Carrier(codec),
            watch=self._watch,
        )
        self._until = until
        self._keeper = keeper
        self._lost = [tracer.lost.address for tracer in emulator.tracers]

    def run(self, backend: str) -> Outcome:
        """Run it on `trio` or `asyncio`. Ctrl-C stops it in good order, a second one ends the process.

        Raises what an actor raised, and `OSError` where the journal takes no more.
        """
        before = signal.getsignal(signal.SIGINT)
        started = perf_counter()
        try:
            with Ticker(self._line):
                result = anyio.run(self._run, backend=backend)
        finally:
            signal.signal(signal.SIGINT, before)
        self.seconds = perf_counter() - started
        if isinstance(result, Exception):
            raise result
        self._take_events()
        if self._keeper is not None:
            self._keeper.end(self.live.interpreter, result)
        self._count_untold()
        return result

    async def _run(self) -> Outcome | Exception:
        """Its own exceptions as they are: a task group would put them into a group."""
        async with anyio.create_task_group() as around:
            around.start_soon(self._stop_when_interrupted)
            if self._until.seconds is not None:
                around.start_soon(self._stop_after, self._until.seconds)
            result: Outcome | Exception
            try:
                result = await self.live.run()
            except Exception as error:  # whatever an actor raises
                result = error
            around.cancel_scope.cancel()
        return result

    def _watch(self, live: Live) -> None:
        """After each operation."""
        if live.interpreter.events:
            self._take_events()
        if self._until.entries is not None and self.tally.entries >= self._until.entries:
            live.stop()
        violations = live.interpreter.violations
        self.findings.take(violations)
        if violations and self._until.stop_first and self.findings.failing:
            live.stop()
        if self._keeper is not None:
            self._keeper.keep(live.interpreter)

    def _take_events(self) -> None:
        """Count what was emitted, and let go of it: a run may be long."""
        events = self.live.interpreter.events
        for each in events:
            self.tally.hear(each.event)
        if self._keeper is not None:
            self._keeper.note(events)
        events.clear()

    async def _stop_when_interrupted(self) -> None:
        with anyio.open_signal_receiver(signal.SIGINT) as signals:
            async for _ in signals:
                break
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # whoever asks twice will not wait
        self.interrupted = True
        self.live.stop()

    async def _stop_after(self, seconds: float) -> None:
        await anyio.sleep(seconds)
        self.live.stop()

    def _line(self) -> str:
        total = self.tally.total()
        violations = len(self.live.interpreter.violations)
        return (
            f"{self.tally.entries:,} entries, {self.live.operations:,} operations, "
            f"{self.live.carrier.messages:,} messages; "
            f"{total.merged:,} merged, {total.unmerged:,} unmerged, {total.lost:,} lost; "
            f"{violations:,} violations"
        )

    def _count_untold(self) -> None:
        """Records that were lost after the last one that found room."""
        words = self.live.interpreter.store.words
        for delivery, address in zip(self.tally.tracers, self._lost, strict=True):
            delivery.lost += words[address]
