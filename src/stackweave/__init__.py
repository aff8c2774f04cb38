"""Deterministic emulator of Linux's deferred user-space stack unwinding."""
