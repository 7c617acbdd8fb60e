"""What the student is to say of which text, and how much each counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sentiment.model import OUTPUTS, Floats
from sentiment.training.corpus import Example, calibrates
from sentiment.training.data import READ_AT_MOST, REVIEWS, Row
from sentiment.training.labels import Halves
from sentiment.training.pool import WRITTEN, Item
from sentiment.training.targets import of_example, of_mood, probabilities

__all__ = ["Syllabus", "syllabus"]

_OWN, _WRITTEN, _REVIEW, _WORD = 4.0, 5.0, 3.0, 0.5
"""The weight of a message of the corpus, of one of ours that the teacher labelled, of a review and of a word alone.

Of anything else it is one.
"""
_GIVEN, _GIVEN_REVIEW = 0.3, 0.95
"""The share of a set's own label, where the rest is the teacher's, or even chances."""


class Syllabus(NamedTuple):
    """By text: its target, its weight, and whether it is of the corpus."""

    texts: list[str]
    targets: Floats
    weights: Floats
    own: NDArray[np.bool_]

    def drawn(self, most: int) -> Syllabus:
        """So many of them, by chance, the same each time."""
        some = np.random.default_rng(0).permutation(len(self.texts))[:most]
        return Syllabus([self.texts[at] for at in some], self.targets[some], self.weights[some], self.own[some])


def syllabus(
    items: Sequence[Item], labels: Halves, sets: Mapping[str, Sequence[Row]], examples: Sequence[Example]
) -> Syllabus:
    """Labelled texts of the pool, whole reviews, and the corpus but for what calibrates."""
    given = {row.text[:READ_AT_MOST]: row.mood for name, rows in sets.items() if name not in REVIEWS for row in rows}
    there: list[int] = np.flatnonzero(labels.any(axis=1)).tolist()
    taught = probabilities(labels[there])
    texts = [items[at].text for at in there]
    for row, text in zip(taught, texts, strict=True):
        mood = given.get(text)
        if mood is not None:
            row[OUTPUTS["mood"]] = (1 - _GIVEN) * row[OUTPUTS["mood"]] + _GIVEN * of_mood(mood)[OUTPUTS["mood"]]
    weights = [_weight(items[at], given) for at in there]
    reviews = [row for name in REVIEWS for row in sets.get(name, ()) if row.mood is not None]
    own = [each for each in examples if not calibrates(each.text)]
    targets = [*taught, *[_review(row.mood or 0) for row in reviews], *[of_example(each) for each in own]]
    weights += [_REVIEW] * len(reviews) + [_OWN] * len(own)
    texts += [row.text[:READ_AT_MOST] for row in reviews] + [each.text for each in own]
    whose = np.arange(len(texts)) >= len(texts) - len(own)
    return Syllabus(texts, np.stack(targets), np.asarray(weights, np.float32), whose)


def _weight(item: Item, given: Mapping[str, int | None]) -> float:
    if item.source == WRITTEN:
        return _WRITTEN
    return _WORD if item.source.startswith("words of ") and item.text not in given else 1.0


def _review(mood: int) -> Floats:
    """The review's own label, a little doubted; of other answers nothing is known."""
    row = of_mood(mood)
    row[OUTPUTS["mood"]] = _GIVEN_REVIEW * row[OUTPUTS["mood"]] + (1 - _GIVEN_REVIEW) / 3
    return row
