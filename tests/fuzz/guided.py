"""`python -m tests.fuzz.guided TARGET [libFuzzer's options]`: the same targets, led by coverage.

Needs `atheris`, which the project does not ask for: give it an environment of its own, with
this one's packages. A crash is written where libFuzzer writes it.
"""

import importlib
import sys
from pathlib import Path
from tempfile import TemporaryDirectory


def main() -> None:
    """Fuzz until libFuzzer's options say to stop; the corpus begins with the target's seeds."""
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["stackweave", "elftools"]):
        targets = importlib.import_module(f"{__package__}.targets")
    name, *options = sys.argv[1:]
    target = targets.TARGETS[name]
    with TemporaryDirectory() as corpus:
        for number, seed in enumerate(target.seeds()):
            (Path(corpus) / str(number)).write_bytes(seed)
        atheris.Setup([sys.argv[0], *options, corpus], target.run)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
