"""Tests of the engine and of what explores with it."""
