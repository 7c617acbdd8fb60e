"""Places where the failure suite may kill the program: `HEEDFUL_FAILPOINT=name` or `name:3` (the third time).

Without the variable a fail point is one comparison. Nothing else may read it.
"""

from __future__ import annotations

import os
import signal

__all__ = ["NAMES", "reach"]

NAMES = ("before-commit", "after-commit", "after-claim", "after-send", "after-record")
_name, _, _count = os.environ.get("HEEDFUL_FAILPOINT", "").partition(":")
_left = int(_count) if _count.isdigit() else 1


def reach(name: str) -> None:
    """SIGKILL this process where the variable says so: no handler, no flush, as a power cut of the program."""
    global _left  # noqa: PLW0603 the count must survive the calls
    if name != _name:
        return
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
