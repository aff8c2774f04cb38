"""Files that users name: read whole, but never without end; written whole, or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from stackweave.core import UsageError


def read_file(path: Path, at_most: int) -> bytes:
    """A file's bytes. Raises `UsageError` for one that cannot be read, or is longer than `at_most`."""
    try:
        with path.open("rb") as file:
            data = file.read(at_most + 1)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    if len(data) > at_most:
        raise UsageError(f"{path}: longer than {at_most >> 20} MiB")
    return data


def write_file(path: Path, data: bytes) -> None:
    """Write a file whole, or not at all. Raises `OSError` that names it."""
    with whole_file(path) as file:
        file.write(data)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write to that appears, or replaces its older self, when all is well at the end.

    A pipe or a device is written to as it is. Raises `OSError` that names the file.
    """
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as file:
                yield file
        else:
            with _replacing(path.resolve()) as file:
                yield file
    except OSError as error:
        raise OSError(f"cannot write {path}: {error.strerror or error}") from error


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:  # an interrupt, too, leaves nothing behind
        os.unlink(temporary)
        raise
