"""Should a person see it within the hour? Anger alone is no reason; politeness may hide one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sentiment.api import Harm
from sentiment.cues import Hit
from sentiment.harm import ALWAYS_PAGED

__all__ = ["TAGS", "urgency"]

TAGS = ("deadline", "soonish", "stranded", "again", "reach", "hurry")
_CALM = 0.06
_HARMED = 0.85
_PAGED = 0.93
_TROUBLE = 0.25


def urgency(found: Mapping[str, Sequence[Hit]], harms: Collection[Harm], *, idle: bool, troubled: bool) -> float:
    """A probability; cues of different kinds add up.

    `idle`: advertising, news, fans and giveaways; `troubled`: something went wrong, which makes a day a deadline.
    """
    doubt = 1.0 - _CALM
    for tag in TAGS:
        if tag in found:
            weight = max(hit.weight for hit in found[tag])
            doubt *= 1.0 - (weight + _TROUBLE if troubled and tag == "soonish" else weight)
    if harms:
        doubt *= 1.0 - (_HARMED if ALWAYS_PAGED.isdisjoint(harms) else _PAGED)
    probability = 1.0 - doubt
    return round(probability * 0.25 if idle else probability, 4)
