"""`stackweave unwind`: backtraces of recorded stacks, from the programs' SFrame data."""

from .command import add_arguments, run

__all__ = ["add_arguments", "run"]
