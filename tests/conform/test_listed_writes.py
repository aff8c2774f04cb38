"""Cases that only list the writes of a field, without an injection."""

from pathlib import Path

import pytest

from stackweave.conform.compare import compare
from stackweave.conform.recording import read_recording

MASK = """\
  write 1 at unwind_deferred_request+0xd3 mask=0x9 id=0x500000001
  write 2 at process_unwind_deferred+0x20 mask=0x8 id=0x500000001
  write 3 at unwind_user_faultable+0x80 mask=0xa id=0x500000001
  write 4 at do_syscall_64+0x180 mask=0x0 id=0x500000001
"""

ID = """\
  write 1 at unwind_deferred_request+0x90 mask=0x0 id=0x500000000
  write 2 at unwind_deferred_request+0xa0 mask=0x0 id=0x500000001
  write 3 at do_syscall_64+0x190 mask=0x0 id=0x0
"""

VISIT = """\
  init tracer=0 ret=0 bit=3
case hw {title} outer=req 0
  request tracer=0 ret=0 cookie=0x500000001 mask=0x9 id=0x500000001
  callback tracer=0 cookie=0x500000001 nr=2 ip0=0x7f mask=0xa id=0x500000001 completed=0x0
  state mask=0x0 id=0x0 cache_nr=0 completed=0x0
"""


@pytest.mark.parametrize(
    ("title", "writes", "differs"),
    [
        ("field=mask", MASK, False),
        ("field=id", ID, False),
        ("field=mask", ID, True),
        ("field=id", MASK, True),
        ("field=mask", MASK.replace("0x8", "0xc"), True),
        ("field=mask", MASK.replace("do_syscall_64", "irqentry_exit"), True),
        ("every field", MASK, True),
    ],
)
def test_the_writes_of_a_visit(tmp_path: Path, title: str, writes: str, differs: bool) -> None:
    path = tmp_path / "writes.txt"
    path.write_text(VISIT.format(title=title) + writes)
    assert [group.failed for group in compare(read_recording(path))] == [False, differs]
