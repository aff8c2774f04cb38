"""pprof's format, read again by protobuf itself."""

import gzip
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from google.protobuf.unknown_fields import UnknownFieldSet

from stackweave.pictures import NamedFrame, NamedStack, Thread
from stackweave.pictures.pprof import write_pprof

from .made import MAIN, hostile, many, stack, written
from .profile_proto import MESSAGES, parse_profile

Seen = tuple[str, int | None, int | None, tuple[tuple[int, str, str], ...], str]
"""Thread's name and numbers, frames as (pc, label, module), event."""


def profile_of(stacks: Iterable[NamedStack]) -> Any:
    profile = parse_profile(gzip.decompress(written(write_pprof, stacks)))
    for message in (profile, *profile.sample, *profile.location, *profile.mapping):
        assert len(UnknownFieldSet(message)) == 0
    return profile


def seen(profile: Any) -> Counter[Seen]:
    """What a reader finds in it."""
    text = profile.string_table
    mappings = {each.id: text[each.filename] for each in profile.mapping}
    functions = {each.id: text[each.name] for each in profile.function}
    places = {
        each.id: (each.address, functions[each.line[0].function_id], mappings.get(each.mapping_id))
        for each in profile.location
    }
    counts: Counter[Seen] = Counter()
    for sample in profile.sample:
        words = {text[label.key]: text[label.str] for label in sample.label if label.str}
        numbers = {text[label.key]: label.num for label in sample.label if not label.str}
        frames = tuple(
            (pc, name, path or "")
            for pc, name, path in (places[each] for each in sample.location_id)
        )
        for kind, value in zip(profile.sample_type, sample.value, strict=True):
            if value:
                ids = numbers.get("pid"), numbers.get("tid")
                counts[words.get("thread", ""), *ids, frames, text[kind.type]] += value
    return counts


def expected(stacks: Iterable[NamedStack]) -> Counter[Seen]:
    return Counter(
        (
            each.thread.name,
            each.thread.pid,
            each.thread.tid,
            tuple((place.pc, place.label, place.module or "") for place in each.frames),
            each.event or "threads",
        )
        for each in stacks
    )


def test_a_reader_finds_the_stacks() -> None:
    stacks = list(many(400))
    profile = profile_of(stacks)
    assert seen(profile) == expected(stacks)
    assert len(profile.sample) == len(expected(stacks)) < 400
    assert seen(profile) != expected(stacks[:-1]), "the comparison sees nothing"


def test_the_tables_are_as_the_format_asks() -> None:
    profile = profile_of(many(400))
    assert profile.string_table[0] == ""
    assert len(set(profile.string_table)) == len(profile.string_table)
    for table in (profile.location, profile.mapping, profile.function):
        assert sorted(each.id for each in table) == list(range(1, len(table) + 1))
    assert all(mapping.has_functions for mapping in profile.mapping)
    assert [profile.string_table[each] for each in profile.comment] == ["prog.data"]


def test_each_event_has_its_values() -> None:
    stacks = [stack("Ma"), replace(stack("Ma"), event="faults"), replace(stack("M"), event=None)]
    profile = profile_of([*stacks, stack("Ma")])
    text = profile.string_table
    types = [(text[each.type], text[each.unit]) for each in profile.sample_type]
    assert types == [("cycles", "count"), ("faults", "count"), ("threads", "count")]
    assert [list(sample.value) for sample in profile.sample] == [[2, 0, 0], [0, 1, 0], [0, 0, 1]]


def test_extremes() -> None:
    highest = NamedStack(Thread(""), (NamedFrame((1 << 64) - 1, None, 0, None),), None, "x")
    (place,) = profile_of([highest]).location
    assert (place.address, place.mapping_id) == ((1 << 64) - 1, 0)
    assert list(profile_of([NamedStack(MAIN, ())]).sample[0].location_id) == []


def test_names_are_only_names() -> None:
    profile = profile_of(hostile())
    assert len(profile.sample) == len(hostile())
    assert "a;b;c 7" in profile.string_table


def test_the_same_stacks_give_the_same_bytes() -> None:
    assert written(write_pprof, many(50)) == written(write_pprof, many(50))


def test_the_schema_is_whole() -> None:
    """Every message that the fields name is declared."""
    words = {
        field.split()[0].lstrip("*") for each in MESSAGES.values() for field in each.split(", ")
    }
    assert words - {"int64", "uint64", "bool", "string"} <= MESSAGES.keys()
