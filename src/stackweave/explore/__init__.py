"""`stackweave explore`: visit every state of a program, and show the shortest way to what breaks."""

from .command import add_arguments, run

__all__ = ["add_arguments", "run"]
