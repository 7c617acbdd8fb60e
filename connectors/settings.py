"""The kinds of value that settings of connectors are made of, in the form that staff write."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator

from connectors.addresses import BaseUrl

__all__ = ["BaseUrl", "Duration"]

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION = re.compile(r"([0-9]{1,6})([smhd])")


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("a duration is a number and a unit: 30s, 15m, 4h or 2d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


Duration = Annotated[timedelta, BeforeValidator(_duration)]
"""`30s`, `15m`, `4h` or `2d`, as everywhere in the file; connectors know no more of the file than this."""
