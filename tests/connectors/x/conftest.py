"""X with a memory, for every test here that asks for it."""

from __future__ import annotations

from tests.counterparts.x import fake_x

__all__ = ["fake_x"]
