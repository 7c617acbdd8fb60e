"""What a message is for: a complaint, a question, praise, a giveaway, an advert."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from sentiment.api import Harm, Kind
from sentiment.cues import Hit

__all__ = ["IDLE", "Evidence", "kind"]

_BY_RANK: tuple[Kind, ...] = ("campaign", "spam", "news", "fan")
IDLE = frozenset(_BY_RANK)
"""Kinds that even a harm does not make a complaint."""

_ENOUGH = 0.55
_DISPLEASED, _PLEASED, _DELIGHTED = 0.6, 1.4, 3.0
_MANY_MENTIONS = 3
_TOPIC = re.compile(r"#[^#\s]{1,30}#|(?:^|\s)#\w+")


class Evidence(NamedTuple):
    """What the kind is told from, beside the cues."""

    text: str
    asks: bool
    negative: float
    total: float
    harms: Collection[Harm] = ()
    suffered: bool = False  # something went wrong for the writer, by phrases and not by single words


def kind(found: Mapping[str, Sequence[Hit]], evidence: Evidence) -> Kind:
    """The kind that fits best. A harm makes a complaint of whatever is not giveaway, advert, news or fan."""
    idle = _idle(found, evidence)
    if idle:
        return idle
    if evidence.harms:
        return "complaint"
    if evidence.negative >= _DISPLEASED:
        return "complaint"
    if evidence.total >= _DELIGHTED and not evidence.asks and "irony" not in found:
        return "praise"
    if "request" in found and not (evidence.asks and "question" in found):
        return "request"
    if evidence.asks and evidence.total < 4 and "exclaims" not in found:
        return "question"
    if evidence.total >= _PLEASED and "irony" not in found:
        return "praise"
    return "request" if "request" in found else "chatter"


def _idle(found: Mapping[str, Sequence[Hit]], evidence: Evidence) -> Kind | None:
    """Giveaways and their like; who suffered something and says so under their hashtag is still heard."""
    scores: dict[Kind, float] = {name: _sum(found[name]) for name in _BY_RANK if name in found}
    topics = len(_TOPIC.findall(evidence.text)) if "#" in evidence.text else 0
    if evidence.text.count("@") >= _MANY_MENTIONS:
        scores["campaign"] = 1 - (1 - scores.get("campaign", 0.0)) * 0.45
    if topics and "campaign" in scores:
        scores["campaign"] = 1 - (1 - scores["campaign"]) * 0.7
    if topics and "fan" in scores:
        scores["fan"] = 1 - (1 - scores["fan"]) * 0.75
    if not scores:
        return None
    best = max(scores, key=lambda name: scores[name])
    needed = 0.9 if evidence.suffered or evidence.harms else _ENOUGH
    return best if scores[best] >= needed else None


def _sum(hits: Sequence[Hit]) -> float:
    doubt = 1.0
    for weight in {(hit.start, hit.end): hit.weight for hit in hits}.values():
        doubt *= 1.0 - weight
    return 1.0 - doubt
