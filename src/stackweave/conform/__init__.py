"""`stackweave conform`: the emulated protocol against what a real kernel was recorded doing."""

from stackweave.conform.command import add_arguments, run

__all__ = ["add_arguments", "run"]
