"""`stackweave sframe`: SFrame tables, shown, counted, searched, judged, converted and made."""

from .command import add_arguments, run

__all__ = ["add_arguments", "run"]
