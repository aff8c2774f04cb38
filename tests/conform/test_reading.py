"""How the lines of a file become cases: what was done, what was registered before, which offsets were tried."""

from pathlib import Path

import pytest

from stackweave.conform.lines import Kind
from stackweave.conform.recording import Case, How, Recording, Visit, read_recording

REQUEST = "  request tracer=0 ret=0 cookie=0x300000001 mask=0x9 id=0x300000001"
CALLBACK = (
    "  callback tracer=0 cookie=0x300000001 nr=2 ip0=0x7f mask=0xa id=0x300000001 completed=0x0"
)
STATE = "  state mask=0x0 id=0x0 cache_nr=0 completed=0x0"
INJECTED = (
    "  injected hit=1 in_nmi=0 tracer=0 ret=0 cookie=0x300000001 mask 0x0->0x9 id 0x0->0x300000001"
)


@pytest.fixture
def read(tmp_path: Path) -> "Reader":
    return Reader(tmp_path / "recording.txt")


class Reader:
    """Reads lines as a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, *lines: str) -> Recording:
        self.path.write_text("\n".join(lines))
        return read_recording(self.path)

    def only(self, *lines: str) -> Case:
        [case] = self(*lines).cases
        return case


def _asks(*tracers: int) -> Visit:
    return Visit(tuple((Kind.REQUEST, tracer) for tracer in tracers))


STATE_VISIT = Visit(((Kind.STATE, 0),))


def test_requests_of_one_visit_have_one_cookie(read: Reader) -> None:
    again = REQUEST.replace("tracer=0", "tracer=1")
    later = REQUEST.replace("0x3", "0x5")
    case = read.only("# several", REQUEST, again, CALLBACK, STATE, later)
    assert case.visits == (_asks(0, 1), STATE_VISIT, _asks(0))


def test_a_request_after_a_callback_is_another_visit(read: Reader) -> None:
    case = read.only("# none between", REQUEST, CALLBACK, REQUEST)
    assert case.visits == (_asks(0), _asks(0))


def test_a_request_inside_a_callback_is_counted_by_callbacks(read: Reader) -> None:
    inside = "  in-callback " + REQUEST.strip().replace("tracer=0", "tracer=1")
    case = read.only("# inside", REQUEST, CALLBACK, CALLBACK, inside, STATE)
    assert case.visits == (Visit(((Kind.REQUEST, 0),), ((2, 1),)), STATE_VISIT)


def test_a_cancel_inside_a_visit(read: Reader) -> None:
    cancelled = "  cancelled tracer=2 bit=-1 mask=0x11 id=0x300000001"
    case = read.only("# cancelled", REQUEST, cancelled, STATE)
    assert case.visits == (Visit(((Kind.REQUEST, 0), (Kind.CANCELLED, 2))), STATE_VISIT)


def test_what_is_registered(read: Reader) -> None:
    recording = read(
        "  init tracer=0 ret=0 bit=3",
        "  init tracer=1 ret=0 bit=4",
        "  init tracer=2 ret=-16 bit=0",
        "# later",
        "  cancel tracer=0 bit=-1",
        "# last",
        STATE,
    )
    first, later, last = recording.cases
    assert (first.before.bits, first.before.left) == ((), frozenset())
    assert (later.before.bits, later.before.left) == (((1, 4), (0, 3)), frozenset())
    assert (last.before.bits, last.before.left) == (((1, 4),), frozenset({0}))
    assert recording.tracers == 3


def test_a_tracer_that_comes_back_is_the_newest(read: Reader) -> None:
    recording = read(
        "  init tracer=0 ret=0 bit=3",
        "  init tracer=1 ret=0 bit=4",
        "  cancel tracer=0 bit=-1",
        "  init tracer=0 ret=0 bit=3",
        "# next",
        STATE,
    )
    assert recording.cases[1].before.bits == ((0, 3), (1, 4))
    assert recording.cases[1].before.left == frozenset()


@pytest.mark.parametrize(
    ("outer", "visit"),
    [("req 0", _asks(0)), ("req 1 2", _asks(1, 1)), ("req2 1 0", _asks(1, 0))],
)
def test_an_injected_case(outer: str, visit: Visit, read: Reader) -> None:
    title = f"case sym=task_work_add off=0x1d outer={outer} inner=1"
    case = read.only(title, REQUEST, CALLBACK, STATE, INJECTED, STATE)
    assert (case.how, case.symbol, case.offset) == (How.INJECT, "task_work_add", 0x1D)
    assert (case.title, case.inner) == (outer, 1)
    assert case.visits == (visit, STATE_VISIT, Visit(((Kind.INJECTED, 0),)), STATE_VISIT)


def test_more_after_the_tracer_is_no_matter(read: Reader) -> None:
    title = "case sym=f off=0xd3 outer=req 28 inner=28 (bit 31) plant errno=0"
    case = read.only(title, REQUEST, STATE, INJECTED)
    assert (case.title, case.inner, case.offset) == ("req 28", 28, 0xD3)


@pytest.mark.parametrize("field", ["mask", "id"])
def test_a_watched_case(field: str, read: Reader) -> None:
    write = "  write 1 at unwind_deferred_request+0x9c mask=0x9 id=0x300000001"
    title = f"case hw field={field} nth=2 outer=req 0 inner=0"
    case = read.only(title, REQUEST, STATE, INJECTED, write)
    assert (case.how, case.symbol, case.offset, case.inner) == (How.WATCH, field, 2, 0)
    assert case.visits == (_asks(0), STATE_VISIT, Visit(((Kind.INJECTED, 0),)))
    assert case.lines[-1].symbol == "unwind_deferred_request"


def test_a_stalled_case(read: Reader) -> None:
    case, rest = read(
        "case stall sym=process_unwind_deferred off=0x11",
        "  other: cancel tracer=0 returned while the task was still held; init tracer=1 ret=0 bit=3",
        REQUEST,
        STATE,
        STATE,
        "  then tracer 1 asks itself:",
        REQUEST.replace("tracer=0", "tracer=1"),
        STATE,
        "  cancel tracer=1 bit=-1",
        "  init tracer=0 ret=0 bit=3",
    ).cases
    assert (case.how, case.symbol, case.offset) == (How.STALL, "process_unwind_deferred", 0x11)
    assert case.visits == (_asks(0), STATE_VISIT, STATE_VISIT, _asks(1), STATE_VISIT)
    assert 1 in case.before.left
    assert rest.how is How.SCRIPT
    assert rest.before.bits == ((1, 3),)


def test_offsets_inside_instructions_count_as_tried(read: Reader) -> None:
    title = "case sym=f off={} outer=req 0 inner=0"
    recording = read(
        title.format("0"), STATE, "off=1 unplantable errno=84", "off=0x2 unplantable errno=84",
        title.format("0x3"), STATE,
    )  # fmt: skip
    assert recording.offsets == {"f": {0, 1, 2, 3}}
    assert recording.unread == 0


def test_lines_that_nobody_reads_are_counted(read: Reader) -> None:
    recording = read("# one", STATE, "a remark", "", "   ", "another tracer=1")
    assert recording.unread == 2
