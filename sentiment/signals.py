"""What was heard, as a row of numbers for the learned model."""

from __future__ import annotations

import math
from collections.abc import Sequence

from config.folding import Folded
from sentiment.api import HARMS
from sentiment.cues import Hit
from sentiment.hearing import Heard
from sentiment.urgency import TAGS

__all__ = ["WIDTH", "signals"]

_SUMMED = (
    *HARMS,
    *TAGS,
    "campaign",
    "spam",
    "news",
    "fan",
    "request",
    "question",
    "exclaims",
    "irony",
    "person",
    "calm",
)
_PLACE = {tag: place for place, tag in enumerate(_SUMMED)}
_LANGUAGES = {"en": 0, "zh-Hans": 1, "zh-Hant": 2, "ja": 3, "ko": 4}
_OTHER = 5
_REST = len(_SUMMED)
_TONGUE = _REST + 21
WIDTH = _TONGUE + _OTHER + 1


def signals(heard: Heard, folded: Folded) -> list[float]:
    """`WIDTH` numbers, most of them between -2 and 2."""
    row = [0.0] * WIDTH
    for tag, hits in heard.found.items():
        place = _PLACE.get(tag)
        if place is not None:
            row[place] = _sum(hits)
    tone, text, original = heard.tone, heard.text, folded.original
    total = heard.total
    row[_REST:_TONGUE] = (
        math.tanh(total / 3.0), tone.negative / 4.0, tone.positive / 4.0, heard.valence / 4.0,
        tone.strong, tone.mixed, 1.0 if not tone.hits and total == 0 else 0.0,
        heard.asks, heard.general, "supposes" in heard.found, "again" in heard.found,
        min(text.count("!"), 4) / 4.0, min(text.count("?"), 3) / 3.0,
        min(text.count("@"), 4) / 4.0, min(text.count("#"), 4) / 4.0, "://" in text,
        math.log1p(len(text)) / 5.0, "\n" in text, original.isupper(), "[" in text, _digits(text),
    )  # fmt: skip
    row[_TONGUE + _LANGUAGES.get(heard.language, _OTHER)] = 1.0
    return row


def _sum(hits: Sequence[Hit]) -> float:
    """Several weak and different cues make a strong one."""
    if len(hits) == 1:
        return hits[0].weight
    doubt = 1.0
    for weight in {(hit.start, hit.end): hit.weight for hit in hits}.values():
        doubt *= 1.0 - weight
    return max(-2.0, min(2.0, 1.0 - doubt))


def _digits(text: str) -> bool:
    return any([digit in text for digit in "0123456789"])  # noqa: C419 (a generator costs twice as much)
