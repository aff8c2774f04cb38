"""Drawing one of several contexts by weight."""

from collections.abc import Sequence

from ..context import Context
from ..prng import Draw


def draw_weighed(draw: Draw, contexts: Sequence[Context], weights: Sequence[int]) -> Context:
    """One of them, with a probability proportional to its weight; a single one without a random number."""
    if len(contexts) == 1:
        return contexts[0]
    number = draw(range(sum(weights)))
    for context, weight in zip(contexts, weights, strict=True):
        number -= weight
        if number < 0:
            return context
    raise AssertionError("a number below the sum of the weights")


def walk(draw: Draw, contexts: Sequence[Context]) -> Context:
    """One of them by its declared weight, as in a random walk."""
    return draw_weighed(draw, contexts, [context.weight for context in contexts])
