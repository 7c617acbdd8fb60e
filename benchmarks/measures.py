"""What a judgement is worth, in a few pure functions: no library, so that anybody can follow each figure.

Where a figure is not defined (no negative message, say) it is None, never a number that looks like one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

__all__ = ["Micro", "accuracy", "auc", "calibration_error", "confusion", "half_width", "macro_f1", "micro", "recall_at"]


class Micro(NamedTuple):
    """Precision and recall over all labels of all messages together."""

    precision: float | None
    recall: float | None


def _curve(scores: Sequence[float], truths: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Of each distinct score, from the highest down: how many true and how many others have it."""
    ranked = sorted(zip(scores, truths, strict=True), reverse=True)
    for _, tied in groupby(ranked, key=lambda pair: pair[0]):
        found = [truth for _, truth in tied]
        yield sum(found), len(found) - sum(found)


def auc(scores: Sequence[float], truths: Sequence[bool]) -> float | None:
    """The chance that a true one scores higher than another; a tie counts half."""
    positives = sum(truths)
    pairs = positives * (len(truths) - positives)
    if not pairs:
        return None
    above, total = 0, 0.0
    for true, others in _curve(scores, truths):
        total += others * (above + true / 2)
        above += true
    return total / pairs


def half_width(area: float, positives: int, others: int) -> float:
    """Half of the 95 % interval of an AUC, after Hanley and McNeil (1982)."""
    first, second = area / (2 - area), 2 * area * area / (1 + area)
    spread = area * (1 - area) + (positives - 1) * (first - area**2) + (others - 1) * (second - area**2)
    return 1.96 * math.sqrt(max(0.0, spread) / (positives * others))


def recall_at(scores: Sequence[float], truths: Sequence[bool], false_alarms: float) -> float | None:
    """The share of the true ones found where that share of the others is called too; between cuts a straight line."""
    positives, negatives = sum(truths), len(truths) - sum(truths)
    if not positives or not negatives:
        return None
    allowed, found, called = false_alarms * negatives, 0, 0
    for true, others in _curve(scores, truths):
        if called + others > allowed:
            return (found + true * (allowed - called) / others) / positives
        found, called = found + true, called + others
    return 1.0


def calibration_error(probabilities: Sequence[float], truths: Sequence[bool], bins: int = 10) -> float | None:
    """The expected calibration error: how far what was promised lies from what came, over bins of equal width."""
    if not truths:
        return None
    gaps = [0.0] * bins
    for probability, truth in zip(probabilities, truths, strict=True):
        gaps[min(bins - 1, int(probability * bins))] += probability - truth
    return sum(map(abs, gaps)) / len(truths)


def confusion(truths: Iterable[str], told: Iterable[str]) -> Counter[tuple[str, str]]:
    """How often each truth was told as what."""
    return Counter(zip(truths, told, strict=True))


def macro_f1(cells: Mapping[tuple[str, str], int]) -> float | None:
    """The mean F1 of the classes that occur, from a table of `confusion`."""
    right, occur, said = Counter[str](), Counter[str](), Counter[str]()
    for (truth, told), count in cells.items():
        occur[truth] += count
        said[told] += count
        right[truth] += count if truth == told else 0
    scores = [2 * right[name] / (occur[name] + said[name]) for name in occur if occur[name]]
    return sum(scores) / len(scores) if scores else None


def micro(pairs: Iterable[tuple[Collection[Hashable], Collection[Hashable]]]) -> Micro:
    """Of pairs of what is so and what was said."""
    right = occur = said = 0
    for truth, told in pairs:
        right += len(set(truth).intersection(told))
        occur += len(set(truth))
        said += len(set(told))
    return Micro(right / said if said else None, right / occur if occur else None)


def accuracy(hits: Sequence[bool]) -> float | None:
    return sum(hits) / len(hits) if hits else None
