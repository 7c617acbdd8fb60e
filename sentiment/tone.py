"""Valence of what was found: who meant it, how strongly, in a question or not; on VADER's scale."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sentiment.cues import Hit

__all__ = ["Tone", "longest", "weigh"]

Scale = Callable[[str, Hit], float]
"""The weight of one hit in its surroundings: negation, intensity."""

_STRONG = 1.8


class Tone(NamedTuple):
    """`positive` and `negative` are sums of valence (the latter <= 0); `hits` what made them, scaled."""

    positive: float = 0.0
    negative: float = 0.0
    strong: bool = False  # felt or suffered, not merely named
    hits: Sequence[Hit] = ()

    @property
    def total(self) -> float:
        return self.positive + self.negative

    @property
    def mixed(self) -> bool:
        return self.positive >= _STRONG and self.negative <= -_STRONG


def longest(hits: Sequence[Hit]) -> list[Hit]:
    """Of overlapping hits the longer ones, in the order of the text; of equal ones the heavier."""
    if len(hits) < 2:
        return list(hits)
    taken = bytearray(max([hit.end for hit in hits]))
    kept: list[Hit] = []
    for hit in sorted(hits, key=_by_length):
        if taken.find(1, hit.start, hit.end) < 0:
            kept.append(hit)
            taken[hit.start : hit.end] = b"\1" * (hit.end - hit.start)
    return sorted(kept)


def _by_length(hit: Hit) -> tuple[int, float]:
    return hit.start - hit.end, -abs(hit.weight)


def weigh(text: str, hits: Sequence[Hit], scale: Scale, *, asked: bool, supposed: bool, damped: frozenset[int]) -> Tone:
    """Sum up what was found.

    In a question (`asked`) words that name a matter hardly count; in a supposition (`supposed`: "what if",
    "in case") mishaps do not either. `damped`: starts of hits about somebody else.
    """
    scaled: list[Hit] = []
    strong = False
    for hit in longest(hits):
        weight = scale(text, hit)
        if hit.start in damped:
            weight *= 0.1
        elif supposed and hit.tag != "emoji":
            weight *= 0.2
        elif asked and hit.tag == "topic":
            weight *= 0.15
        elif weight <= -_STRONG:
            strong = True
        scaled.append(hit._replace(weight=weight))
    negative = _summed([-hit.weight for hit in scaled if hit.weight < 0])
    positive = _summed([hit.weight for hit in scaled if hit.weight > 0])
    return Tone(positive=positive, negative=-negative, strong=strong, hits=scaled)


def _summed(weights: Sequence[float]) -> float:
    """The heaviest counts fully, the others by half: repeating oneself is not suffering twice."""
    return (max(weights) + sum(weights)) / 2 if weights else 0.0
