"""What crosses a process boundary: codec, limits, one error."""
