"""All benchmarks: `python bench`, with `--json` one document. Medians of nine rounds, in CPU seconds."""

import argparse
import json
import platform

import batches
import codec
import engine
import explore
import interpreter
import live
import soak
import tables
import unwind
from measure import table

PARTS = {
    "interpreter": interpreter,
    "engine": engine,
    "exhaustive search": explore,
    "unwinding": unwind,
    "unwinding in batches": batches,
    "decoding": tables,
    "messages": codec,
    "live messages": live,
    "live emulator": soak,
}


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(prog="python bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document")
    as_json = parser.parse_args().json
    results = {name: part.run() for name, part in PARTS.items()}
    if as_json:
        python = f"{platform.python_implementation()} {platform.python_version()}"
        print(json.dumps({"python": python, **results}, indent=2))
        return
    for name, rows in results.items():
        print(f"{name}\n{table(rows)}\n")


if __name__ == "__main__":
    main()
