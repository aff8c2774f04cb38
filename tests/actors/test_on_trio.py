"""The same under pytest-trio: its nursery and its virtual clock."""

import pytest
import sniffio
import trio

from stackweave.actors import Emulator
from stackweave.actors.carrier import Carrier
from stackweave.actors.live import Live
from stackweave.actors.soak import farewell, sources
from stackweave.core import Verdict
from stackweave.wire import codec_named

from .running import check_at_rest


@pytest.mark.trio
async def test_a_host_stops_a_run_by_its_clock(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    assert sniffio.current_async_library() == "trio"
    emulator = Emulator("clock", tasks=1, tracers=1)
    live = Live(emulator.program, farewell=farewell(emulator), hosted=True)
    nursery.start_soon(live.run)
    started = trio.current_time()
    await trio.sleep(5000)  # nobody has orders, so the clock jumps
    assert trio.current_time() - started == 5000
    live.stop()
    await trio.sleep(1)
    assert live.outcome.verdict is Verdict.CLEAN
    check_at_rest(live)


@pytest.mark.trio
async def test_a_faster_codec_carries_the_same_run(autojump_clock: trio.testing.MockClock) -> None:
    pytest.importorskip("msgspec")
    counts = []
    for codec in ("msgpack", "msgspec"):
        emulator = Emulator("codec")
        carrier = Carrier(codec_named(codec))
        live = Live(
            emulator.program,
            sources=sources(emulator),
            farewell=farewell(emulator),
            carrier=carrier,
            watch=lambda run: run.stop() if run.operations == 1000 else None,
        )
        await live.run()
        check_at_rest(live)
        counts.append(carrier.messages > 20 and carrier.octets / carrier.messages)
    assert all(counts)
