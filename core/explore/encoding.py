"""When two suspended protocols are equal: one canonical key for an object graph, by content and never by identity.

A key is one flat tuple: every object writes what it is, then how many parts it has where that varies, then the
parts, so that a key can be read in one way only. A frame writes its code, its place, its locals with unbound ones
marked, its evaluation stack with empty places marked, and the exception it handles; what it awaits lies on that
stack, so the whole chain counts. A local that cannot be read any more is left out (`liveness`). Scalars count by
type and value. An object with an identity is met once by content and later by its ordinal, so that aliases
stay aliases. What was there before the program began is `Statics`: it counts by where it was found, and must
not change.

What has no key raises `Unmergeable`: the node is then like no other, which is right and slower. Code, classes,
modules and members of enumerations count by identity: they outlive the engine, and no key leaves it.

A protocol that asks whether two equal immutable values are the same object (`is`), or looks into the frames
that call it, sees what a key does not.
"""

from .frames import Shape, Suspended
from .identity import name_of
from .keys import FRAME, Atom, Key, Plan
from .liveness import live_places, places_of_origins
from .statics import Statics
from .walk import ValueWalk, Walk


class Encoder:
    """Makes the keys of one program's suspended protocols."""

    def __init__(self, statics: Statics, *, all_live: bool = False) -> None:
        """`all_live` keeps locals that cannot be read any more."""
        self._statics = statics
        self._all_live = all_live
        self._atoms: dict[int, Atom] = {}
        self._plans: dict[tuple[Shape, int], Plan] = {}

    def key(self, suspended: Suspended) -> Key:
        """The key of a suspended protocol. Raises `Unmergeable`."""
        return Walk(self, self._statics.numbers).key(suspended)

    def atom(self, value: object) -> Atom:
        """What stands for something that counts by identity."""
        atom = self._atoms.get(id(value))
        if atom is None:
            atom = self._atoms[id(value)] = Atom(value, name_of(value, len(self._atoms)))
        return atom

    def value(self, value: object) -> Key:
        """The key of a message or event: values by content, objects with an identity by that."""
        return ValueWalk(self, self._statics.numbers).value(value)

    def plan(self, shape: Shape, offset: int) -> "Plan":
        """What all frames of a code have in common that are suspended at one place."""
        plan = self._plans.get((shape, offset))
        if plan is None:
            plan = self._plans[shape, offset] = self._make_plan(shape, offset)
        return plan

    def _make_plan(self, shape: Shape, offset: int) -> "Plan":
        live = None if self._all_live else live_places(shape.code, offset)
        places = range(len(shape.names))
        return Plan(
            (FRAME, self.atom(shape.code), offset),
            tuple(live is None or place in live for place in places),
            places_of_origins(shape.code, offset),
        )
