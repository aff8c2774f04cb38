"""The page's script under node: what it computes, without a browser."""

import json
import shutil
import subprocess
from functools import cache
from importlib import resources
from typing import Any

import pytest

from stackweave.pictures.tree import CallTree, call_tree

from .made import many, stack

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None, reason="runs the script under node, which is not here"
)

PROGRAM = """
const flame = require(process.argv[1]);
const {data, calls} = JSON.parse(require("fs").readFileSync(0, "utf8"));
const tree = flame.grow(data);
const found = (text) => { const { found, samples } = flame.search(tree, text); return [[...found], samples]; };
const offered = { ...flame, found, tree: () => tree,
  layout: (...words) => flame.layout(tree, ...words), describe: (node) => flame.describe(tree, node) };
console.log(JSON.stringify(calls.map(([name, ...words]) => offered[name](...words))));
"""


def called(tree: CallTree, *calls: tuple[Any, ...]) -> list[Any]:
    """What functions of the script return; `tree` is the tree, `found` what a search finds."""
    data = {name: getattr(tree, name) for name in ("boxes", "box", "parent", "count")}
    script = str(resources.files("stackweave.pictures").joinpath("flame.js"))
    ended = subprocess.run(
        ["node", "-e", PROGRAM, script],
        input=json.dumps({"data": data, "calls": calls}),
        capture_output=True,
        text=True,
        check=True,
    )
    results: list[Any] = json.loads(ended.stdout)
    return results


@cache
def small() -> CallTree:
    return call_tree([stack("Mab"), stack("MaC"), stack("Ma"), stack("D", cut="no entry")])


def node(tree: CallTree, *labels: str) -> int:
    """The script's number of a node: the root, which the columns do not have, is 0."""
    number = -1
    for label in labels:
        rows = range(len(tree.box))
        number = next(
            row
            for row in rows
            if tree.parent[row] == number and tree.boxes[tree.box[row]][0] == label
        )
    return number + 1


def test_totals_are_sums() -> None:
    tree = small()
    (grown,) = called(tree, ("tree",))
    paths = ((), ("prog",), ("prog", "M"), ("prog", "M", "a", "b"), ("prog", "no entry", "D"))
    assert [grown["total"][node(tree, *path)] for path in paths] == [4, 4, 3, 1, 1]
    assert grown["self"][node(tree, "prog", "M", "a")] == 1


def test_boxes_fill_their_callers() -> None:
    tree = call_tree(many(2000))
    boxes, grown = called(tree, ("layout", 0, 300), ("tree",))
    at = {box["node"]: box for box in boxes}
    assert at[0] == {"node": 0, "x": 0, "width": 300}
    for number, box in at.items():
        assert abs(box["width"] - 300 * grown["total"][number] / 2000) < 1e-6
        parent = at.get(grown["parent"][number])
        if parent:
            assert parent["x"] - 1e-6 <= box["x"]
            assert box["x"] + box["width"] <= parent["x"] + parent["width"] + 1e-6
    assert len(boxes) < len(tree.box)
    hidden = set(range(len(tree.box) + 1)) - at.keys()
    assert all(300 * grown["total"][number] / 2000 < 0.5 for number in hidden)


def test_zoom_gives_the_whole_width() -> None:
    tree = small()
    focus = node(tree, "prog", "M", "a", "C")
    (boxes,) = called(tree, ("layout", focus, 500))
    callers = [node(tree, *("prog", "M", "a", "C")[:depth]) for depth in range(5)]
    assert {box["node"] for box in boxes} == set(callers)
    assert {(box["x"], box["width"]) for box in boxes} == {(0, 500)}


def test_a_search_counts_each_stack_once() -> None:
    tree = small()
    everything, one, module, nothing, empty = called(
        tree, *(("found", text) for text in ("A", "C", "SMALL.so", "x", ""))
    )
    assert everything[1] == 3
    assert one == [[node(tree, "prog", "M", "a", "C")], 1]
    assert module == [[node(tree, "prog", "M", "a"), node(tree, "prog", "M", "a", "b")], 3]
    assert nothing == empty == [[], 0]


def test_what_boxes_say() -> None:
    tree = small()
    root, inner, cut = called(
        tree,
        ("describe", 0),
        ("describe", node(tree, "prog", "M", "a")),
        ("describe", node(tree, "prog", "no entry")),
    )
    assert root == "all: 4 stacks, 100.00 %"
    assert inner == "a (/lib/small.so): 3 stacks, 1 of them here, 75.00 %"
    assert cut == "callers not known, stopped: no entry: 1 stack, 25.00 %"


def test_labels_fit_their_boxes() -> None:
    wide, narrow, tiny = called(
        small(), *(("fitted", "a_long_name", width) for width in (200, 50, 10))
    )
    assert (wide, narrow, tiny) == ("a_long_name", "a_lon…", "")


def test_an_empty_tree_is_drawn() -> None:
    boxes, root = called(call_tree([]), ("layout", 0, 100), ("describe", 0))
    assert boxes == [{"node": 0, "x": 0, "width": 100}]
    assert root == "all: 0 stacks, 0 %"
