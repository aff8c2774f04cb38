"""What is mapped where in a process, and which of the given modules that is."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stackweave.core.sframe.architectures import ARCHITECTURES
from stackweave.core.sframe.module import LoadedModule, Module


@dataclass(frozen=True, slots=True, order=True)
class FileMapping:
    """A range of addresses that shows a file."""

    low: int
    high: int
    """First address behind."""
    offset: int
    """File offset of `low` in bytes."""
    path: str

    @property
    def basename(self) -> str:
        return self.path.removesuffix(" (deleted)").rpartition("/")[2]


class AddressSpace:
    """The file mappings of a process; its methods are the unwinder's callables."""

    def __init__(self, mappings: Iterable[FileMapping], modules: Mapping[str, Module]) -> None:
        """Place the modules, given by the path that the mappings show them under."""
        self.mappings = tuple(sorted(mappings))
        self._lows = [mapping.low for mapping in self.mappings]
        loaded = _place(self.mappings, modules)
        self.modules = loaded
        self._loaded = [loaded.get(mapping.path) for mapping in self.mappings]
        abi = next((each.module.abi for each in loaded.values()), None)
        self.architecture = None if abi is None else ARCHITECTURES[abi]
        """Of the modules; None if there are none."""

    def find_mapping(self, address: int) -> FileMapping | None:
        """The mapping that covers `address`, or None."""
        found = self._index(address)
        return None if found is None else self.mappings[found]

    def find_module(self, address: int) -> LoadedModule | None:
        """The given module that is mapped at `address`, or None."""
        found = self._index(address)
        return None if found is None else self._loaded[found]

    def absent_files(self) -> tuple[str, ...]:
        """Paths of mapped files for which no module was given, in the order of their addresses."""
        paths = dict.fromkeys(mapping.path for mapping in self.mappings)
        return tuple(path for path in paths if path not in self.modules)

    def read_constant(self, address: int, size: int) -> bytes | None:
        """Bytes that a mapped file, which nobody can write to, shows there; None: not known."""
        loaded = self.find_module(address)
        if loaded is None:
            return None
        return loaded.module.read_constant(address - loaded.bias, size)

    def is_code(self, address: int) -> bool:
        """Whether a file is mapped there, in an executable segment as far as it is known."""
        if self.find_mapping(address) is None:
            return False
        loaded = self.find_module(address)
        return loaded is None or loaded.module.is_code(address - loaded.bias)

    def _index(self, address: int) -> int | None:
        found = bisect_right(self._lows, address) - 1
        return found if found >= 0 and address < self.mappings[found].high else None


def _place(
    mappings: tuple[FileMapping, ...], modules: Mapping[str, Module]
) -> dict[str, LoadedModule]:
    """Load biases, from the lowest mapping of each file that begins a segment."""
    placed: dict[str, LoadedModule] = {}
    for mapping in mappings:
        module = modules.get(mapping.path)
        if module is None or mapping.path in placed:
            continue
        bias = module.bias_at(mapping.low, mapping.offset)
        if bias is not None:
            placed[mapping.path] = LoadedModule(module, bias)
    return placed
