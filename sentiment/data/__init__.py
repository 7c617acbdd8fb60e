"""Word lists of the readers, and how they are read."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files

__all__ = ["lines", "rows"]


@cache
def lines(name: str) -> tuple[str, ...]:
    """The lines of one packaged file, comments and blank lines left out."""
    text = files(__name__).joinpath(name).read_text("utf-8")
    return tuple(line for line in text.splitlines() if line.strip() and not line.startswith("# "))


def rows(name: str) -> Iterator[list[str]]:
    """The same, split at tabs."""
    return (line.split("\t") for line in lines(name))
