"""A Gymnasium environment whose action is the next context: an agent that looks for a bad interleaving.

The interpreter says who may move, the agent says who does, and a violation is its reward. It sees where each
context stands. An episode is one execution, and what an agent finds replays like any other schedule. Here two look
for the ABA bug of `treiber_buggy.py`: one takes any context, the other one likes to stay with the last.
"""

from random import Random
from typing import Any, Final, TypeAlias

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from treiber_buggy import program as treiber

from stackweave.core import Interpreter, Kind, Outcome, Program, RandomWalk, State

Where: TypeAlias = NDArray[np.int64]
"""Of each context: its state, and the kind and the address of the operation it awaits."""

Info: TypeAlias = dict[str, Any]

LONGEST: Final = 500
"""Steps after which an episode is cut short."""

SEARCHES: Final = 5


class Scheduler(gymnasium.Env[Where, np.int64]):
    """Executions of one program. An action whose context may not move changes nothing; `mask()` tells which."""

    def __init__(self, program: Program) -> None:
        self.interpreter = Interpreter(program)
        self._states = list(State)
        words = len(self.interpreter.store.words)
        highest = [len(State) - 1, max(Kind) | 3, 2 * words]
        shape = (len(self.interpreter.contexts), 1)
        self.action_space = spaces.Discrete(shape[0])
        self.observation_space = spaces.Box(0, np.tile(np.array(highest), shape), dtype=np.int64)
        self._steps = 0

    def reset(self, *, seed: int | None = None, options: Info | None = None) -> tuple[Where, Info]:
        """Begin an execution. The seed is also that of the answers to the program's own choices."""
        super().reset(seed=seed)
        choices = RandomWalk(int(self.np_random.integers(2**63)))
        choices.begin(0, self.interpreter.contexts)
        self.interpreter.reset(choices)
        self._steps = 0
        return self._where(), {"action_mask": self.mask()}

    def step(self, action: np.int64) -> tuple[Where, float, bool, bool, Info]:
        """Let a context move."""
        interpreter = self.interpreter
        context = interpreter.contexts[int(action)]
        if context in interpreter.enabled():
            interpreter.step(context)
        if not interpreter.finished and not interpreter.enabled():
            interpreter.deadlock()
        self._steps += 1
        found = bool(interpreter.violations)
        ended = found or interpreter.finished
        cut = not ended and self._steps >= LONGEST
        return self._where(), float(found), ended, cut, {"action_mask": self.mask()}

    def mask(self) -> NDArray[np.int8]:
        """1 for each context that may move: what `action_space.sample` takes."""
        interpreter = self.interpreter
        enabled = [] if interpreter.finished else interpreter.enabled()
        return np.array([context in enabled for context in interpreter.contexts], dtype=np.int8)

    def _where(self) -> Where:
        rows = [
            (self._states.index(context.state), context.pending[0], context.pending[1])
            for context in self.interpreter.contexts
        ]
        return np.array(rows, dtype=np.int64)


def episode(env: Scheduler, agent: Random, loyalty: float) -> Outcome:
    """One execution by an agent that stays with the last context, if it may, with a probability of `loyalty`."""
    _, info = env.reset()
    action = agent.choice(np.flatnonzero(info["action_mask"]))
    ended = cut = False
    while not ended and not cut:
        mask = info["action_mask"]
        if not mask[action] or agent.random() >= loyalty:
            action = agent.choice(np.flatnonzero(mask))
        _, _, ended, cut, info = env.step(action)
    return env.interpreter.finish()


def search(loyalty: float, seed: int) -> tuple[int, Outcome]:
    """How many episodes an agent needs to find a violation, and what comes of the last."""
    env = Scheduler(treiber())
    env.reset(seed=seed)
    agent = Random(seed)
    episodes = 1
    while not (outcome := episode(env, agent, loyalty)).violations:
        episodes += 1
    return episodes, outcome


def main() -> None:
    """Let both agents look, a few times."""
    for loyalty in (0.0, 0.8):
        searches = [search(loyalty, seed) for seed in range(SEARCHES)]
        episodes = ", ".join(f"{needed:,}" for needed, _ in searches)
        print(f"loyalty {loyalty}: found in episode {episodes}")
        for _, outcome in searches:
            assert [each.signature for each in outcome.violations] == ["popped-twice"]


if __name__ == "__main__":
    main()
