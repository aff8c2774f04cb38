"""speedscope's file format, against its own schema."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest

from stackweave.pictures import NamedStack
from stackweave.pictures.speedscope import write_speedscope

from .made import HOSTILE, MAIN, OTHER, hostile, many, written

SCHEMA: Final = json.loads(
    (Path(__file__).parents[1] / "data" / "speedscope" / "file-format-schema.json").read_text()
)


def document_of(stacks: Iterable[NamedStack]) -> Any:
    document = json.loads(written(write_speedscope, stacks))
    jsonschema.validate(document, SCHEMA)
    return document


def test_each_thread_has_its_samples_in_order() -> None:
    stacks = list(many(300))
    document = document_of(stacks)
    frames = [each["name"] for each in document["shared"]["frames"]]
    profiles = {each["name"]: each for each in document["profiles"]}
    assert profiles.keys() == {"prog 7/7", "prog 7/8"}
    for thread in (MAIN, OTHER):
        profile = profiles[thread.label]
        expected = [each for each in stacks if each.thread == thread]
        assert [[frames[n] for n in sample] for sample in profile["samples"]] == [
            [frame.label for frame in reversed(each.frames)] for each in expected
        ]
        assert profile["weights"] == [1] * len(expected)
        assert profile["endValue"] == len(expected)


def test_the_schema_refuses_what_is_wrong() -> None:
    document = document_of(many(3))
    del document["profiles"][0]["weights"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA)


def test_names_are_only_names() -> None:
    names = [each["name"] for each in document_of(hostile())["shared"]["frames"]]
    assert set(HOSTILE) <= set(names)
