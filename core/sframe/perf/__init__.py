"""perf.data: what `perf record` wrote, read as a stream and unwound with SFrame data.

    from stackweave.core.sframe import Module
    from stackweave.core.sframe.perf import PerfSession
    session = PerfSession.open("perf.data", [Module.open("my-program")])
    for stack in session.stacks(): print(stack.comm, [hex(place.pc) for place in stack.user])

Layers, each knowing only those before it: `constants`, `cursor`; `attributes`, `features`,
`compressed` and `file` (bytes to records); `records`, `registers`, `sample` (records to values);
`order`, `stitch`, `maps`, `places`, `processes` (what a reader keeps); `taken`, `stack`, `batches`,
`session` (samples to stacks).

Modelled on the described format (tools/perf/Documentation/perf.data-file-format.txt and
include/uapi/linux/perf_event.h, Linux 7.2) and on what perf's own reader does with it.
"""

from stackweave.core.sframe.perf.file import PerfFile, is_perf_data
from stackweave.core.sframe.perf.places import Place
from stackweave.core.sframe.perf.session import PerfSession
from stackweave.core.sframe.perf.stack import PerfStack

__all__ = ["PerfFile", "PerfSession", "PerfStack", "Place", "is_perf_data"]
