"""The evidence that is kept, in one file of the package, so that the table prints at once.

`python -m stackweave.gallery.record` writes it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from .evidence import Evidence, Searched
from .measure import Rate

PATH: Final = Path(str(files("stackweave.gallery"))) / "evidence.json"


def load() -> dict[str, Evidence]:
    """By the entry's id."""
    return {id: _evidence(values) for id, values in json.loads(PATH.read_text()).items()}


def save(evidence: Mapping[str, Evidence]) -> None:
    """One line an entry, so that a change shows as one."""
    lines = (f"{json.dumps(id)}: {json.dumps(_plain(each))}" for id, each in evidence.items())
    PATH.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def _plain(evidence: Evidence) -> dict[str, object]:
    return asdict(evidence, dict_factory=_without_empty)


def _without_empty(items: Iterable[tuple[str, object]]) -> dict[str, object]:
    return {key: value for key, value in items if value not in (None, (), "")}


def _evidence(values: dict[str, Any]) -> Evidence:
    rate, searched = values.get("rate"), values.get("searched")
    return Evidence(
        digest=values.get("digest", ""),
        firsts=tuple(values.get("firsts", ())),
        rate=Rate(**rate) if rate else None,
        beside=tuple(Rate(**each) for each in values.get("beside", ())),
        others=tuple(values.get("others", ())),
        script=tuple(values.get("script", ())),
        searched=_searched(searched) if searched else None,
        gone=tuple(map(_searched, values.get("gone", ()))),
        also=tuple(values.get("also", ())),
    )


def _searched(values: dict[str, Any]) -> Searched:
    return Searched(**{**values, "signatures": tuple(values.get("signatures", ()))})
