"""What a message is for, so far as more than one reader has to know it."""

from __future__ import annotations

from sentiment.api import Kind

__all__ = ["IDLE"]

IDLE: frozenset[Kind] = frozenset(("campaign", "spam", "news", "fan"))
"""Kinds that even a harm does not make a complaint."""
