"""Hypothesis without a clock and without luck: every run tries the same examples.

Once imported it also changes the order in which trio runs its tasks, so live runs are tried where it is not
installed, too (`.ci/run`).
"""

import signal
from contextlib import suppress

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # as when a script runs the tests in the background: commands that are tried would never be interrupted
    signal.signal(signal.SIGINT, signal.default_int_handler)

with suppress(ImportError):  # what is uninstalled may leave an empty folder
    from hypothesis import settings

    settings.register_profile("stackweave", deadline=None, derandomize=True)
    settings.load_profile("stackweave")
