"""How values of the store leave the program."""

from __future__ import annotations

from datetime import datetime
from typing import overload

__all__ = ["identity", "rfc3339"]


@overload
def rfc3339(at: datetime) -> str: ...
@overload
def rfc3339(at: datetime | None) -> str | None: ...
def rfc3339(at: datetime | None) -> str | None:
    """Write an aware UTC time with a Z."""
    return None if at is None else at.isoformat().replace("+00:00", "Z")


@overload
def identity(number: int) -> str: ...
@overload
def identity(number: int | None) -> str | None: ...
def identity(number: int | None) -> str | None:
    """Write an id as text: JavaScript cannot hold 63 bits."""
    return None if number is None else str(number)
