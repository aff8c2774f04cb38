"""speedscope's file format: one sampled profile per thread, in the order of the samples.

Source: file-format-spec.ts of speedscope, 1.25; the tests hold its schema.
"""

import json
from collections.abc import Iterable
from typing import BinaryIO, Final

from .stack import NamedStack, Thread

SCHEMA: Final = "https://www.speedscope.app/file-format-schema.json"

_Stack = tuple[int, ...]
"""Numbers of frames, outermost first."""


def write_speedscope(stacks: Iterable[NamedStack], title: str, out: BinaryIO) -> None:
    """Write the document; each sample weighs 1."""
    frames: dict[tuple[str, str | None], int] = {}
    threads: dict[Thread, list[_Stack]] = {}
    same: dict[_Stack, _Stack] = {}
    for stack in stacks:
        named = ((frame.label, frame.module) for frame in reversed(stack.frames))
        numbers = tuple(frames.setdefault(each, len(frames)) for each in named)
        threads.setdefault(stack.thread, []).append(same.setdefault(numbers, numbers))
    document = {
        "$schema": SCHEMA,
        "name": title,
        "exporter": "stackweave",
        "activeProfileIndex": 0,
        "shared": {"frames": [_frame(name, module) for name, module in frames]},
        "profiles": [_profile(thread, samples) for thread, samples in threads.items()],
    }
    for piece in json.JSONEncoder().iterencode(document):
        out.write(piece.encode())


def _frame(name: str, module: str | None) -> dict[str, str]:
    return {"name": name, "file": module} if module else {"name": name}


def _profile(thread: Thread, samples: list[_Stack]) -> dict[str, object]:
    return {
        "type": "sampled",
        "name": thread.label,
        "unit": "none",
        "startValue": 0,
        "endValue": len(samples),
        "samples": samples,
        "weights": [1] * len(samples),
    }
