"""Known defects, each with the smallest program that shows it and what was measured: `stackweave gallery`."""

from .command import add_arguments, run

__all__ = ["add_arguments", "run"]
