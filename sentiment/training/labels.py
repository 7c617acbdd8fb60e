"""What the teacher says of each text of the pool: rows of numbers before calibration, kept as they come."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from sentiment.training.pool import Item
from sentiment.training.targets import WIDTH
from sentiment.training.twin import Twin

__all__ = ["label", "labelled"]

_TOKENS, _LETTERS, _AT_ONCE = 48, 200, 2048

Halves = NDArray[np.float16]


def label(twin: Twin, items: list[Item], path: Path, most: int | None = None) -> int:
    """Label what is not labelled yet, at most so many texts; how many were. May be stopped and begun again."""
    kept = labelled(path, len(items))
    missing = np.flatnonzero(~kept.any(axis=1))[:most]
    with Progress() as progress:
        task = progress.add_task("labels", total=len(missing))
        for start in range(0, len(missing), _AT_ONCE):
            some = missing[start : start + _AT_ONCE]
            kept[some] = twin.logits([items[at].text[:_LETTERS] for at in some], _TOKENS)
            part = path.with_suffix(".part.npy")
            np.save(part, kept)
            part.rename(path)
            progress.advance(task, len(some))
    return len(missing)


def labelled(path: Path, count: int) -> Halves:
    """The rows of a file, nought where there is no label yet. Raises ValueError where it belongs to another pool."""
    if not path.exists():
        return np.zeros((count, WIDTH), np.float16)
    kept: Halves = np.load(path)
    if kept.shape != (count, WIDTH):
        raise ValueError(f"{path}: {len(kept)} labels for a pool of {count} texts; remove it, and label anew")
    return kept
