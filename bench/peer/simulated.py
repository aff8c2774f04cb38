"""The programs in Promela, and SPIN's random simulation of them: its start is part of what is measured."""

import re
import subprocess
from pathlib import Path
from typing import Final

from workload import Tally

_SOURCE: Final = str(Path(__file__).with_suffix(".pml"))


def spin(program: str, executions: int, seed: int, *, stop: bool) -> Tally:
    """All executions in one process of `spin -T`."""
    defines = [f"-DPROGRAM={program[1:]}", f"-DRUNS={executions}", f"-DSTOP={int(stop)}"]
    command = ["spin", "-T", f"-n{seed + 1}", *defines, _SOURCE]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"tally (\d+) (\d+) (\d+)", printed)
    if found is None:
        raise SystemExit(f"spin printed no tally: {printed[:200]}")
    return Tally(*map(int, found.groups()))
