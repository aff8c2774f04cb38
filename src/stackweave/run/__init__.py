"""Live runs, and journals of them that replay: `stackweave run`."""

from .command import add_arguments, run

__all__ = ["add_arguments", "run"]
