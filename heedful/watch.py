"""Sees that the configuration file has changed: by its folder, since editors replace the file they save."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from watchfiles import Change, awatch

__all__ = ["changes"]


def changes(path: Path) -> AsyncIterator[None]:
    """Yield after each burst of changes of `path`, whether written, replaced or moved there."""
    return _bursts(path.absolute())


async def _bursts(target: Path) -> AsyncIterator[None]:
    def concerns(change: Change, name: str) -> bool:
        return change != Change.deleted and Path(name) == target

    async for _ in awatch(target.parent, watch_filter=concerns, recursive=False, step=50, debounce=400):
        yield
