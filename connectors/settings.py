"""The kinds of value that settings of connectors are made of, in the form that staff write."""

from __future__ import annotations

from config.durations import Duration
from connectors.addresses import BaseUrl

__all__ = ["BaseUrl", "Duration"]
