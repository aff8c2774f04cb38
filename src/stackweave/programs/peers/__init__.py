"""Small programs on which the literature compares strategies, by the names they have there.

Written from their descriptions: SCTBench (Thomson, Donaldson, Betts, "Concurrency testing using controlled
schedulers: an empirical study", TOPC 2016) and what others added to it (RFF, ASPLOS 2024). They have no kernel in
them. All threads run from the start: none is spawned or joined, which other tools count as steps.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from stackweave.core import Program

from ..parameters import Parameters
from .locks import account, deadlock01, lazy01, twostage, wronglock
from .races import bluetooth, reorder
from .safestack import safestack
from .workstealing import workstealing

__all__ = ["PEERS"]


def _maker(make: Callable[[], Program]) -> Callable[[Parameters], Program]:
    return lambda parameters: make()


_MAKERS: Final[dict[str, Callable[[], Program]]] = {
    "reorder_3": partial(reorder, "reorder_3", 2, 1),
    "reorder_5": partial(reorder, "reorder_5", 4, 1),
    "reorder_10": partial(reorder, "reorder_10", 9, 1),
    "reorder_20": partial(reorder, "reorder_20", 10, 10),
    "reorder_100": partial(reorder, "reorder_100", 99, 1),
    "twostage": partial(twostage, "twostage", 1),
    "twostage_20": partial(twostage, "twostage_20", 19),
    "twostage_50": partial(twostage, "twostage_50", 49),
    "twostage_100": partial(twostage, "twostage_100", 99),
    "wronglock": wronglock,
    "account": account,
    "bluetooth": bluetooth,
    "lazy01": lazy01,
    "deadlock01": deadlock01,
    "workstealing": workstealing,
    "safestack": safestack,
}

PEERS: Final = {name: _maker(make) for name, make in _MAKERS.items()}
"""By name. None takes a parameter."""
