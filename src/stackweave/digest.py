"""What a schedule depends on, itemised: a hash for each thing whose change makes it stale.

Items are whole rooms, not what happens to be loaded, so that one program has one digest in every process:

- `layout`, `contexts`: as declared;
- `program source`: the modules that make the program: the user's file and the user's modules that it reaches,
  or `stackweave.programs`;
- `core`, and those of `kernel model`, `monitors`, `actors` and `unwinder` that the program's modules reach.
"""

import ast
import inspect
import sys
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from importlib.util import resolve_name
from pathlib import Path
from types import ModuleType
from typing import Final

import stackweave.core
import stackweave.programs
from stackweave.core import Program

HASH: Final = 8
"""Bytes of an item's hash."""

_OWN: Final = "stackweave."
_PROGRAMS: Final = "stackweave.programs"
_ROOMS: Final = {
    "kernel model": "stackweave.core.kernel",
    "monitors": "stackweave.core.monitors",
    "actors": "stackweave.actors",
    "unwinder": "stackweave.core.sframe",
}


def digest_of(program: Program, module: ModuleType) -> dict[str, bytes]:
    """The items of a program that `module` makes."""
    modules = list(_reach(module))
    names = [each.__name__ for each in modules]
    users = [Path(str(each.__file__)) for each in modules if not _is_own(each.__name__)]
    built_in = any(name.startswith(_PROGRAMS) for name in names)
    core = _folder(stackweave.core)
    sources = users + (sorted(_folder(stackweave.programs).rglob("*.py")) if built_in else [])
    items = {
        "layout": _hash(line.encode() for line in program.layout.describe()),
        "contexts": _hash(_contexts(program)),
        "program source": _hash(sorted(path.read_bytes() for path in sources)),
        "core": _hash(path.read_bytes() for path in _sources(core)),
    }
    for item, room in _ROOMS.items():
        if built_in or any(name.startswith(room) for name in names):
            folder = core.parent.joinpath(*room.removeprefix(_OWN).split("."))
            items[item] = _hash(path.read_bytes() for path in _sources(folder))
    return items


def _contexts(program: Program) -> Iterator[bytes]:
    for spec in program.contexts:
        yield f"{spec.name} {spec.level.name} {spec.cpus} {spec.weight} {spec.state.name}".encode()
    yield f"bound {program.bound} choices {program.choices_are_points}".encode()


def _reach(module: ModuleType) -> Iterator[ModuleType]:
    """The module, and every module of the user's or of ours that the user's modules import."""
    seen = {module.__name__}
    waiting = [module]
    while waiting:
        current = waiting.pop()
        yield current
        if _is_own(current.__name__):
            continue
        for name in sorted(_imported_by(current) - seen):
            seen.add(name)
            waiting.append(sys.modules[name])


def _imported_by(module: ModuleType) -> set[str]:
    """What the module's source imports, but for imports inside functions, which may or may not have run."""
    names: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(Path(str(module.__file__)).read_bytes())]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = resolve_name("." * node.level + (node.module or ""), module.__package__ or "")
            names.update([origin, *(f"{origin}.{alias.name}" for alias in node.names)])
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += ast.iter_child_nodes(node)
    return {name for name in names if name in sys.modules and _matters(sys.modules[name])}


def _matters(module: ModuleType) -> bool:
    if _is_own(module.__name__):
        return True
    path = getattr(module, "__file__", None)
    return (
        path is not None
        and path.endswith(".py")
        and module.__name__.partition(".")[0] not in sys.stdlib_module_names
        and "site-packages" not in path
        and "dist-packages" not in path
    )


def _is_own(name: str) -> bool:
    return name.startswith(_OWN)


def _folder(package: ModuleType) -> Path:
    return Path(inspect.getfile(package)).parent


def _sources(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.py"))


def _hash(parts: Iterable[bytes]) -> bytes:
    result = blake2b(digest_size=HASH)
    for part in parts:
        result.update(len(part).to_bytes(8, "little") + part)
    return result.digest()
