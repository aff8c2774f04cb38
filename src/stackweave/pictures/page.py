"""A flame graph as one page: markup, style, script and data in one file that needs no network.

The data stand in the page as JSON, which the script draws; names reach the page only as text,
never as markup.
"""

import html
import json
import re
from collections.abc import Iterable
from importlib import resources
from typing import BinaryIO, Final

from .stack import NamedStack
from .tree import CallTree, call_tree

_PLACE: Final = re.compile("@@([a-z]+)@@")


def write_page(stacks: Iterable[NamedStack], title: str, out: BinaryIO) -> None:
    """Write the page."""
    parts = {
        "title": html.escape(title),
        "style": _asset("flame.css"),
        "script": _asset("flame.js"),
        "data": _data(call_tree(stacks), title),
    }
    page = _PLACE.sub(lambda place: parts[place[1]], _asset("flame.html"))
    out.write(page.encode("utf-8", "backslashreplace"))


def _asset(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")


def _data(tree: CallTree, title: str) -> str:
    """JSON that cannot end the element it stands in."""
    document = {
        "title": title,
        "boxes": tree.boxes,
        "box": tree.box,
        "parent": tree.parent,
        "count": tree.count,
        "ends": tree.ends,
        "whole": tree.whole,
    }
    return json.dumps(document, separators=(",", ":")).replace("<", "\\u003c")
