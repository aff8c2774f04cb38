"""Files that users name: read whole, but never without end."""

from pathlib import Path

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
