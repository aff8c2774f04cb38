"""Kernel models: one module a mechanism, one a generation."""
