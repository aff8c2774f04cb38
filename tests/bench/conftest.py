"""The benchmarks are programs, not a package: they find one another by their folders."""

import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parents[2] / "bench"
sys.path += [str(BENCH), str(BENCH / "peer")]  # last: their names hide nothing
