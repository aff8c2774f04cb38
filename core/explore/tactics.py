"""What a strategy needs, put into the engine's arrays."""

import numpy as np

from ..program import Program as Declared
from ..strategies.pilot import Profile, profile_of
from ..strategies.tactic import Method, Tactic
from .layout import Parameter, Program, State, Words

_NEEDS_PILOTS = (Method.PCT, Method.SURW, Method.PREEMPTION_BOUND)
_POINTS = {Method.PCT: -1, Method.PREEMPTION_BOUND: 0}
"""How many moments a strategy draws, beyond its bound."""


def with_tactic(
    declared: Declared, tactic: Tactic, program: Program, state: State
) -> tuple[Program, State]:
    """The arrays with the strategy in them."""
    method, bound = tactic
    profile = profile_of(declared) if method in _NEEDS_PILOTS else Profile(1, (), ())
    parameters = program.parameters.copy()
    parameters[Parameter.METHOD :] = [method, bound, profile.length]
    contexts = len(declared.contexts)
    points = bound + _POINTS[method] if method in _POINTS else 0
    return (
        program._replace(parameters=parameters, counts=_counts(profile, contexts)),
        state._replace(points=np.zeros(points, dtype=np.int64)),
    )


def _counts(profile: Profile, contexts: int) -> Words:
    counts = np.zeros((len(profile.shared), 1 + contexts), dtype=np.int64)
    for at, location in enumerate(profile.shared):
        counts[at] = location, *profile.counts[at]
    return counts
