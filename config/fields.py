"""What the models of the file have in common: frozen, no unknown keys, and the two forms of a list."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, ConfigDict

__all__ = ["STRICT", "Names", "Words"]

STRICT = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, allow_inf_nan=False)


def _many(value: object) -> object:
    return value if isinstance(value, (list, tuple)) else [value]


def _words(value: object) -> object:
    if not isinstance(value, list):
        return value
    return [str(item) if isinstance(item, (int, float)) and not isinstance(item, bool) else item for item in value]


Names = Annotated[tuple[str, ...], BeforeValidator(_many)]
"""One name, or a list of them."""
Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
"""Bare numbers in a list of words are read as they are written."""
