"""Every line that a recording may hold, and what outcomes are made of them."""

import pytest

from stackweave.conform.lines import Kind, Line, canonical, parse_line, rename_cookies


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "  request tracer=0 ret=-22 cookie=0x3 mask=0x9 id=0x4",
            Line(Kind.REQUEST, (0, -22, 3, 9, 4)),
        ),
        (
            "  request tracer=27 ret=-2147483648 cookie=0x300000001 mask=0x80000001 id=0x300000001",
            Line(Kind.REQUEST, (27, -(1 << 31), 0x300000001, 0x80000001, 0x300000001)),
        ),
        (
            "  in-callback request tracer=1 ret=1 cookie=0x3 mask=0xa id=0x3",
            Line(Kind.IN_CALLBACK, (1, 1, 3, 10, 3)),
        ),
        (
            "  callback tracer=1 cookie=0x3 nr=7 ip0=0x7fa6d3bc2a02 mask=0x12 id=0x3 completed=0x8",
            Line(Kind.CALLBACK, (1, 3, 1, 18, 3, 8)),
        ),
        (
            "  callback tracer=1 cookie=0x3 nr=0 ip0=0x0 mask=0x12 id=0x3 completed=0x8",
            Line(Kind.CALLBACK, (1, 3, 0, 18, 3, 8)),
        ),
        (
            "  state mask=0x1 id=0x3 cache_nr=2 completed=0x10",
            Line(Kind.STATE, (1, 3, 1, 16)),
        ),
        ("  init tracer=61 ret=-16 bit=0", Line(Kind.INIT, (61, -16, 0))),
        ("init 61 errno=16", Line(Kind.ERRNO, (61, 16))),
        ("  cancel tracer=5 bit=-1", Line(Kind.CANCEL, (5, -1))),
        (
            "  cancelled tracer=0 bit=-1 mask=0x1 id=0x3",
            Line(Kind.CANCELLED, (0, -1, 1, 3)),
        ),
        (
            "  injected hit=1 in_nmi=1 tracer=0 ret=8 cookie=0x3 mask 0x9->0x19 id 0x0->0x3",
            Line(Kind.INJECTED, (1, 0, 8, 3, 9, 25, 0, 3)),
        ),
        (
            "  injected hit=0 in_nmi=0 tracer=1 ret=0 cookie=0x0 mask 0x0->0x0 id 0x0->0x0",
            Line(Kind.INJECTED, (0, 1, 0, 0, 0, 0, 0, 0)),
        ),
        (
            "  write 2 at do_syscall_64+0x1f3 mask=0x9 id=0x3",
            Line(Kind.WRITE, (2, 9, 3), "do_syscall_64"),
        ),
        (
            "  write 2 at do_syscall_64+0x1f3 mask 0x9 id 0x3",
            Line(Kind.WRITE, (2, 9, 3), "do_syscall_64"),
        ),
        (
            "write 0 at irqentry_exit+77 mask=0x0 id=0x0",
            Line(Kind.WRITE, (0, 0, 0), "irqentry_exit"),
        ),
        (
            "  other: cancel tracer=0 returned while the task was still held; init tracer=1 ret=0 bit=3",
            Line(Kind.OTHER, (0, 1, 1, 0, 3)),
        ),
        (
            "  other: cancel tracer=0 did not return while the task was still held; init tracer=1 ret=0 bit=3",
            Line(Kind.OTHER, (0, 0, 1, 0, 3)),
        ),
        (
            "  other: cancel tracer=0 returned only after the task was let go; init tracer=1 ret=-16 bit=0",
            Line(Kind.OTHER, (0, 0, 1, -16, 0)),
        ),
        ("  other: never held", Line(Kind.NEVER_HELD, ())),
        ("  then tracer 1 asks itself:", Line(Kind.THEN, ())),
    ],
)
def test_reports(text: str, line: Line) -> None:
    assert parse_line(text) == line


@pytest.mark.parametrize(
    "text",
    [
        "",
        "case all 61 in one entry",
        "case sym=task_work_add off=0x4 outer=req2 0 1 inner=0",
        "# two tracers, single requests",
        "off=98 unplantable errno=84",
        "something else tracer=1",
    ],
)
def test_other_lines(text: str) -> None:
    assert parse_line(text) is None


def _request(cookie: int, identity: int) -> Line:
    return Line(Kind.REQUEST, (0, 0, cookie, 9, identity))


def test_cookies_are_numbered_as_they_appear() -> None:
    lines = [_request(0x3590_00000001, 0x3590_00000001), _request(0x77_00000002, 0x3590_00000001)]
    assert rename_cookies(lines) == (_request(2, 2), _request(4, 2))
    assert rename_cookies([_request(0, 0)]) == (_request(0, 0),)


def test_a_cookie_without_its_cpu_is_told_from_a_whole_one() -> None:
    assert rename_cookies([_request(0x3_00000001, 0x3_00000000)]) == (_request(2, 3),)


def test_only_cookies_are_renamed() -> None:
    line = Line(Kind.CALLBACK, (3, 0x3_00000001, 1, 0x3_00000001, 0x3_00000001, 0x3_00000001))
    assert rename_cookies([line])[0].numbers == (3, 2, 1, 0x3_00000001, 2, 0x3_00000001)


def test_recordings_with_other_cookies_have_equal_outcomes() -> None:
    one = [_request(0x3_00000001, 0x3_00000001), _request(0x5_00000001, 0x5_00000001)]
    other = [_request(0x99_00000004, 0x99_00000004), _request(0x9B_00000004, 0x9B_00000004)]
    same = [_request(0x99_00000004, 0x99_00000004), _request(0x99_00000004, 0x99_00000004)]
    assert canonical(one) == canonical(other) != canonical(same)


def test_where_a_report_stands_does_not_matter_for_other_contexts() -> None:
    state = Line(Kind.STATE, (0, 0, 0, 0))
    injected = Line(Kind.INJECTED, (1, 0, 0, 0, 0, 0, 0, 0))
    other = Line(Kind.OTHER, (0, 1, 1, 0, 3))
    assert canonical([injected, state, other]) == canonical([other, state, injected])
    assert canonical([other, state, injected]) == (other, state, injected)
    assert canonical([state, Line(Kind.THEN, ()), other]) == (other, state)


def test_writes_are_counted_from_0() -> None:
    writes = [Line(Kind.WRITE, (number, mask, 0), "f") for number, mask in ((1, 9), (2, 8))]
    assert canonical(writes) == (
        Line(Kind.WRITE, (0, 9, 0), "f"),
        Line(Kind.WRITE, (1, 8, 0), "f"),
    )


def test_a_line_says_what_its_numbers_are() -> None:
    line = Line(Kind.WRITE, (1, 9, 2), "do_syscall_64")
    assert str(line) == "write do_syscall_64 number=0x1 mask=0x9 id=0x2"
    assert str(Line(Kind.NEVER_HELD, ())) == "never_held"
