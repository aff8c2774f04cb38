"""The flame graph's page: one file, no network, names that stay text, and all stacks in it."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from html.parser import HTMLParser
from typing import Any

from stackweave.pictures import NamedStack
from stackweave.pictures.folded import write_folded
from stackweave.pictures.page import write_page
from stackweave.pictures.tree import Kind

from .made import HOSTILE, hostile, many, stack, written

ELEMENTS = Counter(
    {
        **dict.fromkeys(["html", "head", "title", "style", "body", "header", "h1", "button"], 1),
        **dict.fromkeys(["input", "output", "svg", "p", "table", "caption", "tbody"], 1),
        **dict.fromkeys(["meta"], 3),
        **dict.fromkeys(["script"], 2),
    }
)


class Page(HTMLParser):
    """What a browser sees of it."""

    def __init__(self, page: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: Counter[str] = Counter()
        self.texts: dict[str, str] = {}
        self.attributes: list[tuple[str, str | None]] = []
        self._inside = ""
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes += attrs
        self._inside = dict(attrs).get("id") or tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        self.texts[self._inside] = self.texts.get(self._inside, "") + data


def page_of(stacks: Iterable[NamedStack], title: str = "prog.data") -> tuple[Page, Any]:
    page = Page(written(write_page, stacks, title))
    return page, json.loads(page.texts["data"])


def folded(data: Any) -> Counter[str]:
    """The data's stacks as folded lines, without the boxes that say why stacks are cut."""
    paths: list[list[str]] = []
    counts: Counter[str] = Counter()
    for number, parent, count in zip(data["box"], data["parent"], data["count"], strict=True):
        label, _, kind = data["boxes"][number]
        above = paths[parent] if parent >= 0 else []
        paths.append(above if kind == Kind.CUT else [*above, label])
        if count:
            counts[";".join(paths[-1])] += count
    return counts


def test_all_stacks_are_in_it() -> None:
    lines = written(write_folded, many(1000)).decode().splitlines()
    expected = Counter({line.rpartition(" ")[0]: int(line.rpartition(" ")[2]) for line in lines})
    page, data = page_of(many(1000))
    assert page.elements == ELEMENTS
    assert folded(data) == expected
    data["count"][3] += 1
    assert folded(data) != expected, "the comparison sees nothing"


def test_cut_stacks_say_why() -> None:
    libc = "libc.so.6 was not given with --elf"
    stacks = [stack("M"), stack("Ma", cut=libc), stack("Ma", cut="no entry"), stack("b", cut=libc)]
    _, data = page_of(stacks)
    assert (data["whole"], data["ends"]) == (1, [[libc, 2], ["no entry", 1]])
    cut = [n for n, box in enumerate(data["box"]) if data["boxes"][box][2] == Kind.CUT]
    assert [data["boxes"][data["box"][n]][0] for n in cut] == [libc, "no entry"]
    assert all(data["boxes"][data["box"][data["parent"][n]]][2] == Kind.THREAD for n in cut)


def test_parents_come_first_and_children_are_sorted() -> None:
    _, data = page_of(many(1000))
    assert all(parent < node for node, parent in enumerate(data["parent"]))
    labels: dict[int, list[list[object]]] = {}
    for number, parent in zip(data["box"], data["parent"], strict=True):
        labels.setdefault(parent, []).append(data["boxes"][number])
    assert all(sorted(each, key=str) == each for each in labels.values())
    assert all(len({str(box) for box in each}) == len(each) for each in labels.values())


def test_names_are_only_names() -> None:
    for title in HOSTILE:
        page, data = page_of(hostile(), title)
        assert page.elements == ELEMENTS
        assert {box[0] for box in data["boxes"]} - {"M"} == set(HOSTILE)
        assert {why for why, _ in data["ends"]} == set(HOSTILE)
        assert data["title"] == title
        shown = title.encode("utf-8", "backslashreplace").decode().replace("\r", "")
        assert page.texts["title"].replace("\r", "") == shown


def test_it_needs_no_network() -> None:
    page, _ = page_of(many(10))
    names = {name for name, _ in page.attributes}
    assert not names & {"src", "href", "action", "data", "srcset"}
    text = written(write_page, many(10)).decode()
    assert set(re.findall(r"\w+://[^\"')\s]*", text)) == {"http://www.w3.org/2000/svg"}
    assert "@import" not in text
    assert "url(" not in text
    assert ("content", POLICY) in page.attributes


POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"


def test_many_samples_make_a_small_page() -> None:
    small, large = (written(write_page, many(count)) for count in (20_000, 100_000))
    assert len(large) < 1.2 * len(small)


def test_the_same_stacks_give_the_same_page() -> None:
    stacks = list(many(300))
    _, data = page_of(stacks)
    _, other = page_of(reversed(stacks))
    assert folded(data) == folded(other)
    assert written(write_page, stacks) == written(write_page, stacks)
