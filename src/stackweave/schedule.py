"""A failure is a schedule: which program, what it depends on, and every decision of one execution.

Decisions are kept by context *name*: indexes into a table of names, and `~choice` for each answer to a `choose`.
A short schedule prints as a token, a long one goes to a file; both are one envelope of `wire`. One that goes on
for ever says how many of its moves repeat.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby
from pathlib import Path
from typing import Final

from stackweave.core import Program, UsageError
from stackweave.programs import Parameters
from stackweave.wire import Limits, Plain, WireError, seal, unseal
from stackweave.wire.fields import entries, integer, items, text

from .files import read_file, write_file
from .registry import given

VERSIONS: Final = (1, 2)
"""Of an execution that ends, and of one that goes on for ever."""
SUFFIX: Final = ".swx"
LONGEST_TOKEN: Final = 2_000
"""Characters; a longer schedule goes to a file."""

SEARCH: Final = "exhaustive search"
"""The strategy of what no strategy found."""

_MAGIC: Final = b"\x89SWX\r\n"
_LIMITS: Final = Limits(size=1 << 24, length=1 << 22, depth=4)
_MOST: Final = 1 << 22
"""Decisions of one schedule."""
_BITS: Final = 1 << 63
_SHRUNK: Final = "shrunk from "
"""Before the strategy that found what was shrunk."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a schedule was found."""

    strategy: str
    seed: int
    execution: int

    def __str__(self) -> str:
        found = "" if self.strategy.startswith(_SHRUNK) else "found by "
        if self.strategy.removeprefix(_SHRUNK) == SEARCH:
            return f"{found}{self.strategy}"
        return f"{found}{self.strategy}, seed {self.seed}, execution {self.execution:,}"

    @property
    def shrunk(self) -> "Origin":
        """That of a smaller schedule, made from this one."""
        strategy = _SHRUNK + self.strategy.removeprefix(_SHRUNK)
        return Origin(strategy, self.seed, self.execution)


@dataclass(frozen=True, slots=True)
class Schedule:
    """One execution of a program, and the signature of the violation in it."""

    program: str
    parameters: Parameters
    digest: dict[str, bytes]
    contexts: tuple[str, ...]
    """The names that `choices` counts."""
    choices: tuple[int, ...]
    """Of each move the context, as an index of `contexts`; `~answer` of each `choose`."""
    origin: Origin
    signature: str
    cycle: int = 0
    """Moves at the end that repeat for ever; 0 in an execution that ends."""

    @property
    def version(self) -> int:
        """Of the format that it is kept in."""
        return VERSIONS[self.cycle > 0]

    def decisions(self, program: Program) -> list[int]:
        """The choices in the program's own context numbers. Raises `UsageError` for a missing context."""
        numbers = {spec.name: number for number, spec in enumerate(program.contexts)}
        missing = [name for name in self.contexts if name not in numbers]
        if missing:
            raise UsageError(f"{self.program} has no context {', '.join(missing)}")
        table = [numbers[name] for name in self.contexts]
        return [choice if choice < 0 else table[choice] for choice in self.choices]


def by_name(program: Program, decisions: Sequence[int]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """A table of the contexts that move, in the order of their first move, and the choices by its indexes."""
    table: dict[int, int] = {}
    choices = tuple(
        entry if entry < 0 else table.setdefault(entry, len(table)) for entry in decisions
    )
    return tuple(program.contexts[number].name for number in table), choices


def token_of(schedule: Schedule) -> str:
    """The schedule as text, of whatever length."""
    sealed = seal(schedule.version, _plain(schedule))
    return f"sw{schedule.version}." + urlsafe_b64encode(sealed).decode().rstrip("=")


def write(schedule: Schedule, path: Path) -> None:
    """Write a schedule's file: whole, or not at all."""
    write_file(path, _MAGIC + seal(schedule.version, _plain(schedule)))


def keep(schedule: Schedule, folder: Path) -> str:
    """What `read` takes: a short schedule's token, or the file that a long one was written to."""
    token = token_of(schedule)
    if len(token) <= LONGEST_TOKEN:
        return token
    stem = Path(schedule.program.partition(":")[0]).stem
    defect = "".join(c if c.isalnum() else "-" for c in schedule.signature)
    tag = blake2b(token.encode(), digest_size=4).hexdigest()
    path = folder / f"{stem}-{defect[:40]}-{tag}{SUFFIX}"
    try:
        write(schedule, path)
    except OSError:
        return token  # a folder that cannot be written to loses no failure
    return str(path)


def read(reference: str) -> Schedule:
    """The schedule that is a token or lies in a file. Raises `UsageError` for anything else."""
    token = re.match(r"sw(\d+)\.", reference)
    if token is not None:
        return _unseal("the token", _token_bytes(reference, token[0]), token[1])
    data = read_file(Path(reference), _LIMITS.size)
    if not data.startswith(_MAGIC):
        raise UsageError(f"{reference} is no schedule: it does not begin as a {SUFFIX} file does")
    sealed = data[len(_MAGIC) :]
    return _unseal(reference, sealed, str(sealed[0] if sealed else VERSIONS[0]))


def _token_bytes(token: str, beginning: str) -> bytes:
    known = [f"sw{version}." for version in VERSIONS]
    if beginning not in known:
        raise UsageError(f"the token begins with {beginning}, where {' or '.join(known)} is read")
    digits = token[len(beginning) :]
    try:
        return urlsafe_b64decode(digits + "=" * (-len(digits) % 4))
    except ValueError as error:
        raise UsageError(f"the token is damaged: {error}") from None


def _unseal(what: str, data: bytes, version: str) -> Schedule:
    """Of a format that is known; else of the first one, which refuses it."""
    known = next((each for each in VERSIONS if str(each) == version), VERSIONS[0])
    try:
        return _schedule(unseal(known, data, _LIMITS), known)
    except WireError as error:
        raise UsageError(f"{what} is no schedule: {error}") from None


def _plain(schedule: Schedule) -> Plain:
    origin = schedule.origin
    return [
        schedule.program,
        given(schedule.parameters),
        schedule.digest,
        schedule.contexts,
        [number for run in _runs(schedule.choices) for number in run],
        [origin.strategy, origin.seed, origin.execution],
        schedule.signature,
        *([schedule.cycle] if schedule.cycle else []),
    ]


def _runs(choices: Sequence[int]) -> Iterator[tuple[int, int]]:
    for choice, run in groupby(choices):
        yield choice, sum(1 for _ in run)


def _schedule(value: Plain, version: int) -> Schedule:
    endless = version != VERSIONS[0]
    fields = items(value, "schedule", 7 + endless)
    program, parameters, digest, names, runs, origin, signature = fields[:7]
    contexts = tuple(text(name, "context") for name in items(names, "contexts"))
    choices = _choices(items(runs, "choices"), len(contexts))
    moves = sum(choice >= 0 for choice in choices)
    return Schedule(
        text(program, "program"),
        parameters_from(parameters),
        digest_from(digest),
        contexts,
        choices,
        _origin(items(origin, "origin", 3)),
        text(signature, "signature"),
        integer(fields[7], "the cycle", 1, moves) if endless else 0,
    )


def parameters_from(plain: Plain) -> Parameters:
    """Parameters as they were `given`. Raises `WireError` for what they cannot be."""
    value = dict(entries(plain, "parameters"))
    generation, flavour = (_name(value, key) for key in ("generation", "flavour"))
    sizes = {key: integer(size, key, -_BITS, _BITS - 1) for key, size in value.items()}
    try:
        return Parameters(generation, flavour=flavour, **sizes)
    except TypeError:
        raise WireError(f"unknown parameters among {', '.join(sizes)}") from None


def _name(value: dict[str, Plain], key: str) -> str | None:
    return text(value.pop(key), key) if key in value else None


def digest_from(plain: Plain) -> dict[str, bytes]:
    """The items of a program's digest. Raises `WireError` for what they cannot be."""
    return {item: _hash(hashed) for item, hashed in entries(plain, "digest").items()}


def _hash(value: Plain) -> bytes:
    if not isinstance(value, bytes):
        raise WireError("a hash is not bytes")
    return value


def _origin(value: list[Plain]) -> Origin:
    strategy, seed, execution = value
    return Origin(
        text(strategy, "strategy"),
        integer(seed, "seed", -_BITS, 2 * _BITS - 1),
        integer(execution, "execution", 0, _BITS),
    )


def _choices(runs: list[Plain], contexts: int) -> tuple[int, ...]:
    choices: list[int] = []
    if len(runs) % 2:
        raise WireError("choices are not pairs")
    for start in range(0, len(runs), 2):
        choice = integer(runs[start], "a choice", -_BITS, contexts - 1)
        choices += [choice] * integer(runs[start + 1], "a run", 1, _MOST - len(choices))
    return tuple(choices)
