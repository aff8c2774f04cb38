"""The hosts with an event loop: the loop owns the order, so what is said is compared but for its numbers."""

import re

from .support import EXAMPLES, printed

NUMBER = re.compile(r"\d+")


def said(name: str) -> tuple[list[str], list[list[int]]]:
    lines = printed(name).splitlines()
    return [NUMBER.sub("#", line) for line in lines], [
        [int(number) for number in NUMBER.findall(line)] for line in lines
    ]


def test_a_plain_asyncio_program() -> None:
    lines, [[samples, stitched], [], [accepted]] = said("embed_asyncio")
    assert lines == [
        "stopped: # samples, # stitched",
        "replayed: the same events",
        "cancelled: at rest, after # samples",
    ]
    assert 0 < stitched <= samples <= 180  # at most, every interrupt and NMI hits a task, too
    assert accepted == 2


def test_a_plain_trio_program() -> None:
    lines, numbers = said("embed_trio")
    assert lines == ["stopped: # samples, # stitched", "cancelled: # samples, # stitched"]
    for samples, stitched in numbers:
        assert 0 < stitched <= samples <= 90


def test_they_are_plain_programs() -> None:
    for name in ("asyncio", "trio"):
        text = (EXAMPLES / f"embed_{name}.py").read_text()
        assert "anyio" not in text
        assert f"{name}.run(main" in text
