"""A virtual environment for each peer: peers need other dependencies, and a newer Python, than we do.

Made on demand under the user's cache directory, and kept there.
"""

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path

_OLDEST: Final = (3, 13)
"""What the most demanding peer asks for."""
_SECONDS: Final = 600
_MADE: Final = "made"
"""A file that says that an environment is complete."""


class Unavailable(Exception):
    """A peer that cannot run here, with the reason."""


def environment(requirement: str) -> Path:
    """The folder of the programs of an environment that has `requirement`. Raises `Unavailable`."""
    base = newest_python()
    version = ".".join(map(str, _version(base)))
    folder = user_cache_path("stackweave") / "peers" / f"{requirement}-python{version}"
    if not (folder / _MADE).exists():
        _run([base, "-m", "venv", "--clear", str(folder)])
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        _run([*pip, "--disable-pip-version-check", requirement])
        (folder / _MADE).touch()
    return folder / "bin"


@cache
def newest_python() -> str:
    """The newest Python on the path or of pyenv that every peer can use. Raises `Unavailable`."""
    folders = [Path(folder) for folder in os.get_exec_path()]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    folders += [version / "bin" for version in sorted(pyenv.glob("versions/*"))]
    found = {
        _version(str(program)): str(program)
        for folder in folders
        for program in sorted(folder.glob("python3.*"))
        if re.fullmatch(r"python3\.\d+", program.name) and os.access(program, os.X_OK)
    }
    usable = [version for version in found if version >= _OLDEST]
    if not usable:
        raise Unavailable(f"needs Python {'.'.join(map(str, _OLDEST))}, which is not installed")
    return found[max(usable)]


def required(*programs: str) -> None:
    """Raises `Unavailable` unless all of them are installed."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        raise Unavailable(f"not installed: apt-get install {' '.join(missing)}")


@cache
def _version(python: str) -> tuple[int, ...]:
    """Of a Python that may be pyenv's shim of one that is not selected: then 0."""
    script = "import sys; print(*sys.version_info[:3])"
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=False)
    return tuple(map(int, done.stdout.split())) if done.returncode == 0 else (0,)


def _run(command: list[str]) -> None:
    try:
        subprocess.run(command, capture_output=True, text=True, check=True, timeout=_SECONDS)
    except subprocess.CalledProcessError as failed:
        raise Unavailable(last_line(failed.stderr or failed.stdout)) from failed
    except subprocess.TimeoutExpired as failed:
        raise Unavailable(f"not made in {_SECONDS} seconds") from failed


def last_line(text: str) -> str:
    """What a program that failed said in the end."""
    return (text.strip().splitlines() or ["it said nothing"])[-1]
