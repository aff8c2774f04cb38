"""Fields: each reader takes its own kind and names what is none."""

from collections.abc import Callable

import pytest

from stackweave.wire import Plain, WireError
from stackweave.wire.fields import entries, integer, items, text


def test_each_takes_its_own_kind() -> None:
    assert text("x", "name") == "x"
    assert integer(5, "size", 5, 5) == 5
    assert items([1, 2], "list", 2) == [1, 2]
    assert entries({"a": 1}, "map") == {"a": 1}


@pytest.mark.parametrize(
    ("reader", "value"),
    [
        (lambda value: text(value, "field"), 1),
        (lambda value: text(value, "field"), b"x"),
        (lambda value: integer(value, "field", 0, 9), 10),
        (lambda value: integer(value, "field", 0, 9), -1),
        (lambda value: integer(value, "field", 0, 9), True),
        (lambda value: integer(value, "field", 0, 9), None),
        (lambda value: items(value, "field"), "text"),
        (lambda value: items(value, "field", 3), [1, 2]),
        (lambda value: entries(value, "field"), [1]),
    ],
)
def test_each_names_what_is_none(reader: Callable[[Plain], object], value: Plain) -> None:
    with pytest.raises(WireError, match=r"^field is not"):
        reader(value)
