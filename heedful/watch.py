"""Sees that the configuration file has changed: by its folder, since editors replace the file they save."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from watchfiles import Change, awatch

__all__ = ["changes"]


async def changes(path: Path) -> AsyncIterator[None]:
    """Yield after each burst of changes of `path`, whether written, replaced or moved there."""
    target = path.absolute()

    def concerns(change: Change, name: str) -> bool:
        return change != Change.deleted and Path(name) == target

    async for _ in awatch(target.parent, watch_filter=concerns, recursive=False, step=50, debounce=400):
        yield
