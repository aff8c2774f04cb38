"""Hypothesis without a clock and without luck: every run tries the same examples.

Once imported it also changes the order in which trio runs its tasks, so live runs are tried where it is not
installed, too (`.ci/run`).
"""

from contextlib import suppress

with suppress(ModuleNotFoundError):
    from hypothesis import settings

    settings.register_profile("stackweave", deadline=None, derandomize=True)
    settings.load_profile("stackweave")
