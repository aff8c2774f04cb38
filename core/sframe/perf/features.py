"""What a session says of itself: machine, command, names of events, build ids of files."""

from stackweave.core.sframe.perf.constants import Feature, Misc
from stackweave.core.sframe.perf.cursor import Cursor, CutError

_TEXTS = (Feature.HOSTNAME, Feature.OSRELEASE, Feature.VERSION, Feature.ARCH)

EventName = tuple[str, tuple[int, ...]]
"""A name and the ids of the event's records."""


class Features:
    """The sections behind the data, or the records that stand for them in a pipe."""

    def __init__(self) -> None:
        self.texts: dict[Feature, str] = {}
        """Host name, kernel release, version of perf, machine."""
        self.command: tuple[str, ...] = ()
        self.build_ids: dict[str, bytes] = {}
        """By path."""
        self.event_names: list[EventName] = []

    @property
    def machine(self) -> str | None:
        """What `uname -m` said."""
        return self.texts.get(Feature.ARCH)

    def read(self, feature: int, section: Cursor) -> None:
        """Take one section; one that is cut gives what it holds and raises `CutError`."""
        if feature in _TEXTS:
            self.texts[Feature(feature)] = section.sized_text()
        elif feature == Feature.CMDLINE:
            words = min(section.u32(), (section.end - section.at) // 4)
            self.command = tuple(section.sized_text() for _ in range(words))
        elif feature == Feature.BUILD_ID:
            while section.at < section.end:
                self.read_build_id(_entry(section))
        elif feature == Feature.EVENT_DESC:
            self._read_event_names(section)

    def read_build_id(self, record: tuple[int, Cursor]) -> None:
        """An entry: pid, 20 bytes, their used number, the path (struct perf_record_header_build_id)."""
        misc, body = record
        body.skip(4)
        identifier, size = body.take(20), body.take(4)[0]
        path = body.text()
        self.build_ids[path] = identifier[: size if misc & Misc.BUILD_ID_SIZE else 20]

    def _read_event_names(self, section: Cursor) -> None:
        count, attr_size = section.u32(), section.u32()
        for _ in range(min(count, (section.end - section.at) // 4)):
            section.skip(attr_size)
            ids = section.u32()
            name = section.sized_text()
            self.event_names.append((name, section.words(ids)))


def _entry(section: Cursor) -> tuple[int, Cursor]:
    """One record of a section: its misc bits and its body."""
    start = section.at
    section.skip(4)
    word = section.take(4)
    misc, size = (int.from_bytes(word[i : i + 2], section.order) for i in (0, 2))
    if size < 8:
        raise CutError
    section.at = start
    section.skip(size)
    return misc, Cursor(section.data, start + 8, start + size, section.order)
