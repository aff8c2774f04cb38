"""Tests of the core: machine, operations, memory, interpreter, strategies and monitors."""
