"""Which cues say that a person should see a message within the hour. Anger alone is no reason."""

from __future__ import annotations

__all__ = ["TAGS"]

TAGS = ("deadline", "soonish", "stranded", "again", "reach", "hurry")
