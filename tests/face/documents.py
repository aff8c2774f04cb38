"""The commands in the documents, and what they print: compared by the tests, and written anew by

    python -m tests.face.documents

A block of `console` is a command after `$ ` and its output. Tokens and speeds differ from run to run: tokens stand
as `sw1.…` in the documents, and speeds are not compared, nor is any figure of a live
run. A command that holds `sw1.…` replays the last token.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    ROOT / "README.md",
    *(ROOT / "docs" / f"{name}.md" for name in ("tutorial", "embedding", "sframe", "unwind")),
)
BLOCK = re.compile(r"^```console\n\$ (.*)\n((?:.*\n)*?)```$", re.MULTILINE)
EXCERPT = re.compile(r"^```python\n((?:.*\n)*?)```$", re.MULTILINE)
TOKEN = re.compile(r"sw[12]\.[\w-]{20,}")
FIGURE = re.compile(r"[ (]+[\d,.]+")
LIVE = "live "
"""How the output of a live run begins."""
SPEED = re.compile(
    r"in [\d.]+ s \([\d,]+ executions/s, [\d,]+ operations/s\)"
    r"|in [\d.]+ s of CPU time \([\d,]+ states/s\)"
)


def stable(output: str) -> str:
    """Output without what differs from run to run."""
    if output.startswith(LIVE):
        return FIGURE.sub("#", output)
    return SPEED.sub("", TOKEN.sub("sw1.…", output))


def blocks(text: str) -> Iterator[tuple[re.Match[str], str]]:
    """Each block of a document, and what its command prints now."""
    token = "sw1."
    for block in BLOCK.finditer(text):
        output = _run(block[1].replace("sw1.…", token))
        token = (TOKEN.findall(output) or [token])[-1]
        yield block, output


def refreshed(text: str) -> str:
    """A document with what its commands print now, where that is not what it says."""
    for block, output in list(blocks(text)):
        if stable(block[2]) != stable(output):
            shown = TOKEN.sub("sw1.…", output)
            text = text.replace(block[0], f"```console\n$ {block[1]}\n{shown}```")
    return text


def _run(command: str) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    words = ["bash", "-c", command]
    environment = {**os.environ, "PATH": path}
    return subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    ).stdout


if __name__ == "__main__":
    for document in DOCUMENTS:
        document.write_text(refreshed(document.read_text()))
