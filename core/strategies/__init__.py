"""Strategies from papers, one a file, beside the random walk; `Tactic` names them all."""

from .tactic import RANDOM_WALK, Method, Tactic, strategy_of

__all__ = ["RANDOM_WALK", "Method", "Tactic", "strategy_of"]
