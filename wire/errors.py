"""The one error of this room."""


class WireError(Exception):
    """Bytes that came from outside are not what they must be, or a value has no form on the wire."""
