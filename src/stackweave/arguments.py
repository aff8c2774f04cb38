"""What several commands take: sizes, seeds, what is allowed."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stackweave.core.strategies import Tactic

    from .programs import Parameters


def add_parameters(parser: argparse.ArgumentParser, sizes: Sequence[str]) -> None:
    """A program's parameters: generation, flavour and these sizes."""
    parser.add_argument("--generation", help="of the kernel's mechanism")
    parser.add_argument(
        "--flavour", metavar="NAME[+NAME]", help="of the generation, such as 32-bit"
    )
    for size in sizes:
        parser.add_argument(f"--{size}", type=count, metavar="N", help=f"number of {size}")


def add_judgement(parser: argparse.ArgumentParser) -> None:
    """What is a failure, and what becomes of the run then."""
    parser.add_argument(
        "--stop-first", action="store_true", help="stop at the first that is not allowed"
    )
    add_allow(parser)


def add_allow(parser: argparse.ArgumentParser) -> None:
    """What is no failure."""
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="ID",
        help="a known defect or a signature that is no failure; may be repeated",
    )


def parameters_of(arguments: argparse.Namespace) -> "Parameters":
    """What was chosen. Raises `UsageError` for flavours that do not go together."""
    from stackweave.core.kernel.flavour import in_order

    from .programs import Parameters

    flavour = arguments.flavour
    return Parameters(
        arguments.generation,
        arguments.cpus,
        arguments.tasks,
        arguments.tracers,
        getattr(arguments, "syscalls", None),
        None if flavour is None else in_order(flavour),
    )


def count(text: str) -> int:
    """An integer from 1."""
    return integer(text, 1)


def seed(text: str) -> int:
    """An integer from 0."""
    return integer(text, 0)


def strategy(text: str) -> "Tactic":
    """The name of a strategy."""
    from stackweave.core.errors import UsageError
    from stackweave.core.strategies import Tactic

    try:
        return Tactic.parse(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def integer(text: str, low: int) -> int:
    """An integer of the command line. Raises argparse's error for any other text."""
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no integer") from None
    if not low <= number < 1 << 63:
        raise argparse.ArgumentTypeError(f"{text} is not from {low} to 2**63 - 1")
    return number
