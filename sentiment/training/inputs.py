"""What the student sees of texts: the rows of both bags, and the signals of what the rules hear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from config.folding import Folded, fold
from sentiment.address import Who
from sentiment.features import Bag, hashed
from sentiment.hearing import cues, hear
from sentiment.language import identify
from sentiment.model import Floats
from sentiment.signals import signals

__all__ = ["Inputs", "Rows", "heard", "seen"]

_AT_ONCE = 256


class Rows(NamedTuple):
    """Rows of a table; those of text i begin at `starts[i]`, and the last of `starts` is their number."""

    rows: NDArray[np.int32]
    starts: NDArray[np.int64]

    def of(self, texts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The rows of some texts, and how many each has."""
        counts = self.starts[texts + 1] - self.starts[texts]
        ends = np.cumsum(counts)
        places = np.arange(ends[-1]) + np.repeat(self.starts[texts] - (ends - counts), counts)
        return self.rows[places].astype(np.int64), counts


class Inputs(NamedTuple):
    """Of many texts."""

    words: Rows
    turns: Rows
    signals: Floats


def heard(folded: Sequence[Folded]) -> list[list[float]]:
    """The signals of each text, as from a stranger whose language nobody told."""
    found = cues().find_many([each.text for each in folded])
    return [
        signals(hear(each, identify(each, None), hits, Who()), each) for each, hits in zip(folded, found, strict=True)
    ]


def seen(texts: Sequence[str]) -> Inputs:
    """Of at least one text."""
    words: list[Bag] = []
    turns: list[Bag] = []
    rows: list[list[float]] = []
    for start in track(range(0, len(texts), _AT_ONCE), "features and signals"):
        folded = [fold(text) for text in texts[start : start + _AT_ONCE]]
        rows += heard(folded)
        for bags, bag in zip((words, turns), hashed([each.text for each in folded]), strict=True):
            bags.append(bag)
    return Inputs(_joined(words), _joined(turns), np.asarray(rows, np.float32))


def _joined(bags: Sequence[Bag]) -> Rows:
    counts = np.concatenate([bag.counts for bag in bags])
    starts = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    return Rows(np.concatenate([bag.rows.astype(np.int32) for bag in bags]), starts)
