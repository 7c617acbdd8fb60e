"""How examples are drawn: never judged by how long one takes, and in CI the same ones every time."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "heedful",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    print_blob=True,
    # A busy machine draws slowly; that says nothing about what is tested.
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("heedful")
