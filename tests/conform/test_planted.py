"""A changed model is rejected by the recordings of a real kernel, and the unchanged one is not.

Some changes show only where something is injected into other functions than a request. No such
recording is among the data, so these are held against what the unchanged models show there.
"""

from pathlib import Path

import pytest

from .changes import SEEN, SEEN_WHERE_INJECTED
from .plants import Change, plant
from .printing import print_injected, print_stalled
from .support import RECORDINGS, first_difference

INJECTED = (
    "do_syscall_64",
    "exit_to_user_mode_loop",
    "process_unwind_deferred",
    "task_work_add",
    "task_work_run",
    "unwind_user_faultable",
)


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """What the unchanged models show, function by function."""
    folder = tmp_path_factory.mktemp("printed")
    texts = {symbol: print_injected([symbol], ("req 0", "req2 0 1")) for symbol in INJECTED}
    texts["stalled"] = print_stalled("process_unwind_deferred")
    for name, lines in texts.items():
        (folder / f"{name}.txt").write_text("\n".join(lines))
    return tuple(sorted(folder.iterdir()))


def _parameters(changes: tuple[Change, ...]) -> list[object]:
    return [pytest.param(each, id=each.name) for each in changes]


def test_the_unchanged_model_conforms(printed: tuple[Path, ...]) -> None:
    assert first_difference(*RECORDINGS, *printed) is None


@pytest.mark.parametrize("change", _parameters(SEEN))
def test_the_recordings_reject(change: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, change)
    assert first_difference(*RECORDINGS) is not None


@pytest.mark.parametrize("change", _parameters(SEEN_WHERE_INJECTED))
def test_what_other_functions_show_rejects(
    change: Change, printed: tuple[Path, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch, change)
    assert first_difference(*printed) is not None
