"""The programs that come with the project: their traces equal the recorded truth."""

import json
import lzma

import pytest

from stackweave.core.sframe import StopReason, packed

from . import pack

NAMES = packed.names()


def test_the_programs() -> None:
    assert list(NAMES) == sorted(pack.PROGRAMS)
    sizes = [path.stat().st_size for path in pack.TARGET.glob("*.json.xz")]
    assert len(sizes) == len(NAMES)
    assert sum(sizes) < 64 * 1024


@pytest.mark.parametrize("name", NAMES)
def test_traces_equal_the_recorded_truth(name: str) -> None:
    program = packed.load(name)
    assert program.name == name
    assert 6 <= len(program.states) <= 12
    for state in program.states:
        assert packed.unwind_pcs(state) == state.truth
        assert state.backtrace().stop is not StopReason.MALFORMED


@pytest.mark.parametrize("name", NAMES)
def test_the_states_differ(name: str) -> None:
    truths = [state.truth for state in packed.load(name).states]
    assert len(set(truths)) == len(truths)
    assert len({len(truth) for truth in truths}) >= 5
    assert min(len(truth) for truth in truths) >= 3


@pytest.mark.parametrize("name", NAMES)
def test_an_unreadable_stack_gives_only_the_first_pc(name: str) -> None:
    for state in packed.load(name).states:
        assert packed.unwind_pcs(state, readable=False) == state.truth[:1]
        assert state.backtrace(readable=False).stop is StopReason.OUTSIDE_STACK


def test_traces_are_made_once() -> None:
    state = packed.load(NAMES[0]).states[0]
    assert packed.load(NAMES[0]).states[0] is state
    assert state.backtrace() is state.backtrace()
    assert state.backtrace(readable=False) is not state.backtrace()


def test_unknown_names_say_what_there_is() -> None:
    with pytest.raises(KeyError, match="mini-v3"):
        packed.load("nothing")


@pytest.mark.parametrize("name", NAMES)
def test_the_files_are_what_the_recordings_give(name: str) -> None:
    stored = lzma.decompress((pack.TARGET / f"{name}.json.xz").read_bytes())
    assert json.loads(stored) == json.loads(pack.packed(name))
