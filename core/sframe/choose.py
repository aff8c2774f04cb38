"""Which of the given modules is the file that a process has mapped."""

from collections.abc import Iterable

from stackweave.core.sframe.constants import Abi
from stackweave.core.sframe.module import Module


class Chooser:
    """Finds modules by build id; where one side has none, by name."""

    def __init__(self, modules: Iterable[Module]) -> None:
        self._modules = tuple(modules)
        self._by_build_id = {
            module.build_id: module for module in reversed(self._modules) if module.build_id
        }
        self._by_name: dict[str, list[Module]] = {}
        for module in self._modules:
            self._by_name.setdefault(module.name, []).append(module)
        self.used: dict[Module, None] = {}
        """The modules that were found."""
        self.mismatched: dict[Module, None] = {}
        """Modules named like a mapped file whose build id or machine is another."""

    def choose(self, basename: str, build_id: bytes | None, abi: Abi | None) -> Module | None:
        """The module of a mapped file with that name and, if known, build id and machine."""
        found = self._by_build_id.get(build_id) if build_id else None
        named = self._by_name.get(basename, ())
        if found is None:
            fitting = (m for m in named if abi is None or m.abi is abi)
            found = next((m for m in fitting if not build_id or m.build_id is None), None)
        if found is None:
            self.mismatched.update(dict.fromkeys(named))
        else:
            self.used[found] = None
        return found

    def remarks(self) -> list[str]:
        """What does not fit, one line each."""
        lines = []
        for module in self._modules:
            if module in self.used:
                continue
            if module in self.mismatched:
                lines.append(
                    f"{module.name}: its build id or machine is not the recorded one; not used"
                )
            else:
                lines.append(f"{module.name}: not mapped; not used")
        return lines
