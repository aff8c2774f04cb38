"""What is no recording: one line, exit code 2, and no more time or memory than a recording takes."""

import lzma
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from stackweave.__main__ import main
from stackweave.conform.recording import read_recording
from stackweave.core import UsageError

from .support import RECORDINGS

MEBIBYTE = 1 << 20

REQUEST = "  request tracer=0 ret=0 cookie=0x300000001 mask=0x9 id=0x300000001\n"
STATE = "  state mask=0x0 id=0x0 cache_nr=0 completed=0x0\n"
INIT = "  init tracer=0 ret=0 bit=3\n"

Fails = Callable[[str, bytes], str]


@pytest.fixture
def fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Fails:
    """The one line that a file of this name and content gives."""

    def run(name: str, content: bytes) -> str:
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(UsageError):
            read_recording(path)
        assert main(["conform", "--vectors", str(path)]) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert len(shown.err.splitlines()) == 1
        assert str(path) in shown.err
        return shown.err

    return run


def test_a_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (tmp_path / "none.txt", tmp_path / "none.txt.xz", tmp_path):
        assert main(["conform", str(path)]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_good_file_does_not_excuse_a_bad_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.txt"
    bad.write_text("nothing of the sort\n")
    assert main(["conform", str(RECORDINGS[0]), str(bad)]) == 2
    assert capsys.readouterr().out == ""


def test_what_is_not_xz(fails: Fails) -> None:
    fails("garbage.txt.xz", b"not packed at all\n" * 40)


def test_truncated_xz(fails: Fails) -> None:
    packed = RECORDINGS[2].read_bytes()
    fails("half.txt.xz", packed[: len(packed) // 2])
    fails("almost.txt.xz", packed[:-1])


def test_damaged_xz(fails: Fails) -> None:
    packed = bytearray(RECORDINGS[2].read_bytes())
    packed[len(packed) // 2] ^= 0x40
    fails("damaged.txt.xz", bytes(packed))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "a text without a case\n",
        "# only a title\n",
        "\x00\x01\x02\n",
    ],
)
def test_no_case(text: str, fails: Fails) -> None:
    assert "no case in it" in fails("empty.txt", text.encode())


def test_bytes_that_are_no_text(fails: Fails) -> None:
    fails("binary.txt", bytes(range(256)))


LINES = (
    REQUEST,
    "  in-callback request tracer=0 ret=1 cookie=0x300000001 mask=0xa id=0x300000001\n",
    "  callback tracer=0 cookie=0x300000001 nr=2 ip0=0x7f0a mask=0xa id=0x300000001 completed=0x0\n",
    STATE,
    INIT,
    "  cancelled tracer=0 bit=-1 mask=0x1 id=0x358f00000001\n",
    "  cancel tracer=0 bit=-1\n",
    "  injected hit=1 in_nmi=1 tracer=0 ret=0 cookie=0x300000001 mask 0x0->0x9 id 0x0->0x300000001\n",
)


@pytest.mark.parametrize("line", LINES)
def test_a_line_that_lacks_any_of_its_numbers(line: str, fails: Fails) -> None:
    *_, start = [part for part in line.split() if "=" not in part and "->" not in part][:1]
    numbers = line.split()[1:]
    dropped = ("ip0", "in_nmi")  # not compared, so not needed
    for number in numbers:
        if "=" in number and not number.startswith(dropped):
            name = number.partition("=")[0]
            text = line.replace(f" {number}", "")
            if not (start == "init" and name == "tracer"):
                fails("lacks.txt", f"# case\n{INIT}{REQUEST}{text}".encode())


def test_a_line_whose_number_is_no_number(fails: Fails) -> None:
    fails("words.txt", REQUEST.replace("ret=0", "ret=zero").encode())
    fails("digits.txt", REQUEST.replace("ret=0", "ret=" + "9" * 5000).encode())


def _stall(other: str) -> str:
    return f"case stall sym=f off=0\n  other: {other}\n# next\n{STATE}"


@pytest.mark.parametrize(
    "text",
    [
        REQUEST.replace("tracer=0", f"tracer={10**9}"),
        REQUEST.replace("tracer=0", "tracer=64"),
        REQUEST.replace("tracer=0", "tracer=-1"),
        INIT.replace("tracer=0", f"tracer={10**9}") + STATE,
        f"  cancel tracer={10**9} bit=-1\n# next\n{STATE}",
        f"case sym=unwind_deferred_request off=0 outer=req {10**9} inner=0\n{STATE}",
        f"case sym=unwind_deferred_request off=0 outer=req 0 inner={10**9}\n{STATE}",
        f"case sym=unwind_deferred_request off=0 outer=req2 0 {10**9} inner=0\n{STATE}",
        f"case hw field=mask nth=1 outer=req 0 inner={10**9}\n{STATE}",
        _stall(f"cancel tracer={10**9} returned; init tracer=1 ret=0 bit=3"),
        _stall(f"cancel tracer=0 returned; init tracer={10**9} ret=0 bit=3"),
        f"# case\n{REQUEST}{REQUEST}  in-callback request tracer={10**9} ret=1 cookie=0x3 mask=0xa id=0x3\n",
    ],
)
def test_a_tracer_that_cannot_be(text: str, fails: Fails) -> None:
    assert "there are at most 64" in fails("tracer.txt", text.encode())


@pytest.mark.parametrize("bit", [-1, 64, 10**9, 10**30])
def test_a_bit_that_cannot_be(bit: int, fails: Fails) -> None:
    text = INIT.replace("bit=3", f"bit={bit}") + "# next\n" + STATE
    assert "a mask has 64" in fails("bit.txt", text.encode())


def test_a_report_inside_no_callback(fails: Fails) -> None:
    fails("inside.txt", LINES[1].encode())


def test_offsets_that_are_no_numbers(fails: Fails) -> None:
    fails("offset.txt", f"case sym=f off=here outer=req 0 inner=0\n{STATE}".encode())


@pytest.mark.parametrize("unit", [REQUEST, STATE, INIT, "# case\n"])
def test_a_file_that_goes_on_and_on(unit: str, fails: Fails) -> None:
    count = 17 * MEBIBYTE // len(unit)
    assert "longer than 16 MiB" in fails("long.txt", unit.encode() * count)


@pytest.mark.parametrize("unit", [REQUEST, STATE, LINES[2]])
def test_a_case_that_goes_on_and_on(unit: str, fails: Fails) -> None:
    assert "more than 4000 reports" in fails("case.txt", f"{INIT}{unit * 4001}".encode())


def test_a_small_file_that_unpacks_to_a_large_one(fails: Fails) -> None:
    packed = lzma.compress(b" " * (200 * MEBIBYTE), preset=0)
    assert len(packed) < MEBIBYTE
    tracemalloc.start()
    try:
        fails("bomb.txt.xz", packed)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 60 * MEBIBYTE
