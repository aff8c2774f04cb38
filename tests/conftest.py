"""Hypothesis without a clock and without luck: every run tries the same examples."""

from hypothesis import settings

settings.register_profile("stackweave", deadline=None, derandomize=True)
settings.load_profile("stackweave")
