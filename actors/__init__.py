"""CPUs, tasks and tracers as actors that exchange messages, and the drivers that keep them alive."""

from .emulator import NOTHING, TASK_WEIGHT, Agenda, Emulator
from .stacks import UserStacks

__all__ = ["NOTHING", "TASK_WEIGHT", "Agenda", "Emulator", "UserStacks"]
