"""The learned model: features and signals of a batch in, a row of probabilities for each text out.

Two tables hold a short vector for each feature of `sentiment.features`; those of a text are added up and divided by
the root of their number, set beside its signals, and go through one hidden layer. `sentiment.training` makes the
file; docs/reading.md tells how good it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from sentiment.api import ADDRESSED, HARMS, KINDS
from sentiment.features import Bag, hashed

__all__ = ["OUTPUTS", "Model", "shipped"]

OUTPUTS: Mapping[str, slice] = {
    "mood": slice(0, 3),
    "urgent": slice(3, 4),
    "answer": slice(4, 5),
    "kind": slice(5, 5 + len(KINDS)),
    "harm": slice(14, 14 + len(HARMS)),
    "addressed": slice(28, 28 + len(ADDRESSED)),
    "flags": slice(32, 35),
}
"""Where each answer stands in a row. Mood is negative, neutral, positive; the flags are irony, mixed and person."""

Floats = NDArray[np.float32]


class Model(NamedTuple):
    """The arrays of one trained model, and what it says of itself."""

    words: NDArray[np.int8]
    words_scale: Floats
    turns: NDArray[np.int8]
    turns_scale: Floats
    hidden: Floats
    hidden_bias: Floats
    out: Floats
    skip: Floats
    out_bias: Floats
    about: Mapping[str, object]

    def logits(self, texts: Sequence[str], signals: Sequence[Sequence[float]]) -> Floats:
        """One row for each folded text, before calibration. `texts` is not empty."""
        words, turns = hashed(texts)
        given = np.concatenate(
            (
                _summed(self.words, self.words_scale, words),
                _summed(self.turns, self.turns_scale, turns),
                _rows(signals),
            ),
            axis=1,
        )
        deep = np.maximum(given @ self.hidden + self.hidden_bias, 0.0)
        return cast("Floats", deep @ self.out + given @ self.skip + self.out_bias)


def _rows(signals: Sequence[Sequence[float]]) -> Floats:
    """Quicker than `np.asarray`, which looks at the type of each number first."""
    width = len(signals[0])
    return np.fromiter(chain.from_iterable(signals), np.float32, len(signals) * width).reshape(-1, width)


def _summed(table: NDArray[np.int8], scale: Floats, bag: Bag) -> Floats:
    summed = np.add.reduceat(table[bag.rows], bag.starts, dtype=np.float32)
    return cast("Floats", summed * (scale / np.sqrt(bag.counts, dtype=np.float32)[:, None]))


def _loaded(name: str) -> Model:
    with files("sentiment.data").joinpath(name).open("rb") as file, np.load(file, allow_pickle=False) as found:
        arrays = [found[field] for field in Model._fields[:-1]]
        about = json.loads(found["about"].tobytes())
    return Model._make((*arrays, about))


@cache
def shipped() -> Model:
    """The model in the wheel, read once."""
    return _loaded("model.npz")
