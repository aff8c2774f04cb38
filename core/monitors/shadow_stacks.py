"""`shadow-stack`: no shadow stack is freed in use, or used after it was freed (kernel/trace/fgraph.c)."""

from dataclasses import dataclass, replace
from typing import Self

from ..events import ShadowStackFreed, ShadowStackRelease, ShadowStackUse
from ..monitor import Monitor, violate
from .specification import sliced


@dataclass(frozen=True, slots=True)
class ShadowStack:
    """`shadow-stack:freed-in-use` and `shadow-stack:used-after-free`. A stack's number is never used again."""

    users: int = 0
    freed: bool = False

    def after(self, event: object) -> Self:
        match event:
            case ShadowStackUse(task=task):
                if self.freed:
                    violate("shadow-stack:used-after-free", f"task {task} uses a freed stack")
                return replace(self, users=self.users + 1)
            case ShadowStackRelease():
                return replace(self, users=self.users - 1)
            case ShadowStackFreed():
                if self.users:
                    violate("shadow-stack:freed-in-use", "it is freed while a task uses it")
                return replace(self, freed=True)
        return self


def shadow_stack(stack: int) -> Monitor:
    """A shadow stack lives as long as it is used."""
    kinds = (ShadowStackUse, ShadowStackRelease, ShadowStackFreed)
    return sliced("shadow-stack", ShadowStack(), *kinds, stack=stack)
