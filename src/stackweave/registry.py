"""Programs by name: built in (`default`), or a function in the user's own file (`my_protocol.py:program`)."""

import inspect
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from types import ModuleType

import stackweave.programs
from stackweave.core import ModelError, Program, UsageError
from stackweave.programs import BUILTIN, Parameters
from stackweave.programs.peers import PEERS

from .files import read_file

DEFAULT = "default"
_FOUND_NOTHING = object()
_LONGEST_SOURCE = 1 << 24
"""Bytes of a user's file."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to make a program."""

    name: str
    """What finds it again: a built-in name or `path.py:function`."""
    module: ModuleType
    """The module that makes it."""
    maker: Callable[[Parameters], Program]

    def make(self, parameters: Parameters) -> Program:
        """A fresh program. Raises `UsageError` for parameters that it does not take."""
        with blaming(self.name):
            program: object = self.maker(parameters)
        if not isinstance(program, Program):
            raise UsageError(f"{self.name} returns a {type(program).__name__}, not a Program")
        return program


def load(name: str, parameters: Parameters) -> Program:
    """The program of that name. Raises `UsageError` when there is none."""
    return find(name).make(parameters)


def find(name: str) -> Recipe:
    """How to make the program of that name. Raises `UsageError` when there is none."""
    path, colon, function = name.rpartition(":")
    if colon:
        return _user_recipe(name, Path(path), function)
    makers = {**BUILTIN, **PEERS}
    if name not in makers:
        raise UsageError(
            f"no program is named {name}; built in are {', '.join(makers)}; "
            "for your own, give the file and the function that makes it: my_protocol.py:program"
        )
    return Recipe(name, stackweave.programs, makers[name])


def recipe_of(maker: Callable[..., Program], name: str) -> Recipe:
    """How to make a program with a function of the user's, named so that `find` finds it again."""
    return Recipe(name, sys.modules[maker.__module__], _Chosen(name, maker))


def given(parameters: Parameters) -> dict[str, int | str]:
    """The parameters that were chosen."""
    return {key: value for key, value in asdict(parameters).items() if value is not None}


def titled(name: str, chosen: Mapping[str, int | str]) -> str:
    """A program and the parameters that it has, as a heading: `default cpus=2`."""
    return " ".join([name, *(f"{key}={value}" for key, value in chosen.items())])


def blame(error: BaseException) -> str:
    """An exception in one line, with the place that raised it."""
    line = f"{type(error).__name__}: {error}".partition("\n")[0]
    frames = traceback.extract_tb(error.__traceback__)
    return f"{line} ({frames[-1].filename}:{frames[-1].lineno})" if frames else line


@contextmanager
def blaming(name: str) -> Iterator[None]:
    """Around a user's code, which may raise anything: a `UsageError`, unless it says itself who is to blame."""
    try:
        yield
    except (UsageError, ModelError):
        raise
    except Exception as error:  # whatever a user's code raises
        raise UsageError(f"{name} failed: {blame(error)}") from error


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Calls a user's function with those of the chosen parameters that it names."""

    name: str
    function: Callable[..., Program]

    def __call__(self, parameters: Parameters) -> Program:
        chosen = given(parameters)
        takes = inspect.signature(self.function).parameters
        for parameter in takes.values():
            needs = parameter.default is parameter.empty and parameter.name not in chosen
            if needs and parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
                raise UsageError(f"{self.name} needs {parameter.name}, which is not given")
        for name in chosen:
            if name not in takes:
                raise UsageError(f"{self.name} takes no parameter {name}")
        return self.function(**chosen)


def _user_recipe(name: str, path: Path, function: str) -> Recipe:
    module = _run_file(path)
    maker = getattr(module, function, _FOUND_NOTHING)
    if maker is _FOUND_NOTHING:
        makers = [key for key, value in vars(module).items() if inspect.isfunction(value)]
        raise UsageError(
            f"{path} has no {function!r}; its functions are: {', '.join(makers) or 'none'}"
        )
    if not callable(maker) or inspect.iscoroutinefunction(maker):
        raise UsageError(f"{name} is no function that returns a Program")
    return Recipe(name, module, _Chosen(name, maker))


def _run_file(path: Path) -> ModuleType:
    """A user's file as a module of its own, its folder importable as for a script."""
    source = read_file(path, _LONGEST_SOURCE)
    folder = str(path.resolve().parent)
    # the name tells contents apart: a changed file is another module, and an unchanged one has its classes once
    tag = blake2b(folder.encode() + b"\0" + source, digest_size=8).hexdigest()
    name = f"{path.stem}_{tag}"
    if name in sys.modules:
        return sys.modules[name]
    if folder not in sys.path:
        sys.path.insert(0, folder)
    module = ModuleType(name)
    module.__file__ = str(path.resolve())
    sys.modules[name] = module
    try:
        exec(compile(source, str(path), "exec", dont_inherit=True), module.__dict__)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise UsageError(f"{path} cannot be imported: {blame(error)}") from error
    return module
