"""What staff say of words, and how many calm messages may be called negative, put into a reading; pure.

The budget is a shift of `negative` in logit space: the probability that only the allowed share of calm
messages exceeds comes to lie on the cut of the label. The order of messages stays, so that conditions of
routes (`negative: 0.7`) move along.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

from config.folding import Folded, fold
from config.keywords import Keywords, Span
from config.reading import CLASSES, ReadingSettings
from config.schema import KeywordList
from sentiment.api import NEGATIVE, POSITIVE, UNSURE, Label, Reading, Weight
from sentiment.data import rows

__all__ = [
    "BUDGETS", "EVERYTHING_ELSE", "Adjustment", "Quantiles", "calm_quantiles", "family",
    "quantiles", "shifted", "threshold",
]  # fmt: skip

Quantiles = Mapping[float, float]
"""By budget: the probability that at most this share of calm messages exceeds."""
Hits = Mapping[str, Sequence[Span]]

EVERYTHING_ELSE = "*"
"""The language family of all that have no quantiles of their own."""
BUDGETS = (
    0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25,
    0.3, 0.4, 0.5,
)  # fmt: skip
_PLACES = 4
_JUST_BELOW = round(NEGATIVE - 10**-_PLACES, _PLACES)
_SURELY, _HARDLY = 0.85, 0.1
_FELT = 0.6
_SURE_IRONY = 0.75
_URGENT = 0.8
_OF_OTHERS, _NEEDS_NOTHING = 0.4, 0.2
_NOT_QUITE = 1e-6
_NEVER_EXPIRED = date.min
_BLANK = ","
"""Stands for each character of a word that counts for nothing: the words beside it do not become neighbours."""


def family(language: str) -> str:
    """`zh` of zh-Hant-HK: what shares its quantiles."""
    return language.partition("-")[0].lower()


def quantiles(calm: Sequence[float], budgets: Iterable[float] = BUDGETS) -> Quantiles:
    """Of what a reader says about calm messages: at most a share `budget` of them exceeds the result for it."""
    falling = sorted(calm, reverse=True)
    if not falling:
        return {}
    return {budget: falling[min(int(budget * len(falling) + 1e-9), len(falling) - 1)] for budget in sorted(budgets)}


def calm_quantiles(language: str) -> Quantiles:
    """What was measured for the shipped reader, over calm messages of the language's family."""
    shipped = _shipped()
    return shipped.get(family(language)) or shipped.get(EVERYTHING_ELSE, {})


@cache
def _shipped() -> Mapping[str, Quantiles]:
    found: dict[str, dict[float, float]] = {}
    for language, budget, probability in rows("calm.tsv"):
        found.setdefault(language, {})[float(budget)] = float(probability)
    return found


def threshold(known: Quantiles, budget: float) -> float:
    """Between two budgets that are known the smaller counts: it is `at most`. None known: the cut itself."""
    return known[max(within)] if (within := [one for one in known if one <= budget]) else NEGATIVE


def shifted(negative: float, calm: float) -> float:
    """Moved so that `calm` comes to lie on the cut: what exceeds it reaches the cut, and nothing else does."""
    moved = round(_sigmoid(_logit(negative) + _logit(NEGATIVE) - _logit(calm)), _PLACES)
    return max(moved, NEGATIVE) if negative > calm else min(moved, _JUST_BELOW)


def _logit(probability: float) -> float:
    inside = min(max(probability, _NOT_QUITE), 1 - _NOT_QUITE)
    return math.log(inside / (1 - inside))


def _sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


@dataclass(frozen=True, slots=True)
class Adjustment:
    """`reading:` of the file, compiled. `thresholds`: by language family, the probability that becomes the cut."""

    words: Keywords | None = None
    thresholds: Mapping[str, float] | None = None

    @classmethod
    def compile(cls, settings: ReadingSettings | None, calm: Mapping[str, Quantiles] | None = None) -> Adjustment:
        """`calm`: by language family, what was measured here instead of what was shipped."""
        if settings is None:
            return cls()
        lists = {name: KeywordList(any=words) for name in CLASSES if (words := getattr(settings.words, name))}
        words = Keywords.compile(lists) if lists else None
        if settings.false_alarms is None:
            return cls(words)
        known = {**_shipped(), **(calm or {})}
        return cls(words, {name: threshold(by_budget, settings.false_alarms) for name, by_budget in known.items()})

    @property
    def idle(self) -> bool:
        """Nothing is changed."""
        return self.words is None and self.thresholds is None

    def adjust(self, reading: Reading, folded: Folded, again: Callable[[Folded], Reading] | None = None) -> Reading:
        """The reading as staff want it.

        `again` reads a text anew: without it a word that counts for nothing cannot be left out. Where a harm
        was read no word makes less of it, and the budget only raises.
        """
        found: Hits = self.words.search(folded, _NEVER_EXPIRED).lists if self.words else {}
        if again is not None and "neutral" in found and not reading.harm:
            reading = again(_without(folded, found["neutral"]))
        if self.thresholds is not None and not reading.unread:
            reading = _budgeted(reading, self._threshold(reading.language))
        return _worded(reading, found) if found else reading

    def _threshold(self, language: str) -> float:
        assert self.thresholds is not None, "asked only where there is a budget"  # noqa: S101
        known = self.thresholds.get(family(language))
        return self.thresholds.get(EVERYTHING_ELSE, NEGATIVE) if known is None else known


def _without(folded: Folded, spans: Collection[Span]) -> Folded:
    """The text with these words blanked out, as long as before: places in it stay what they were."""
    letters = list(folded.original)
    for start, end in spans:
        letters[start:end] = _BLANK * (end - start)
    return fold("".join(letters))


def _budgeted(reading: Reading, calm: float) -> Reading:
    negative = shifted(reading.negative, calm)
    if reading.harm:
        negative = max(negative, reading.negative)
    return replace(reading, negative=negative, label=_label(reading, negative))


def _label(reading: Reading, negative: float) -> Label:
    """By the reader's own cuts; what it left open despite its number stays open."""
    left_open = reading.label == "unsure" and not UNSURE <= reading.negative < NEGATIVE
    if left_open or (reading.ironic and negative < _SURE_IRONY):
        return "unsure"
    if negative >= NEGATIVE:
        return "negative"
    if negative >= UNSURE:
        return "unsure"
    if reading.label in ("neutral", "positive"):
        return reading.label
    return "positive" if reading.compound + reading.negative >= POSITIVE else "neutral"


def _worded(reading: Reading, found: Hits) -> Reading:
    if not reading.harm:
        if "negative" in found:
            reading = _negative(reading)
        elif "positive" in found:
            reading = _positive(reading)
        if "not_for_us" in found:
            reading = _not_for_us(reading)
    if "urgent" in found:
        reading = replace(reading, urgent=max(reading.urgent, _URGENT))
    told = [Weight(start=at, end=end, reason=f"word: {name}") for name in CLASSES for at, end in found.get(name, ())]
    return replace(reading, why=(*told, *reading.why))


def _negative(reading: Reading) -> Reading:
    negative, compound = max(reading.negative, _SURELY), min(reading.compound, -_FELT)
    return replace(reading, negative=negative, compound=compound, label="negative")


def _positive(reading: Reading) -> Reading:
    negative, compound = min(reading.negative, _HARDLY), max(reading.compound, _FELT)
    return replace(reading, negative=negative, compound=compound, label="positive")


def _not_for_us(reading: Reading) -> Reading:
    """Anger at somebody else is not anger at us."""
    return replace(
        reading,
        addressed="about_other",
        negative=min(reading.negative, _OF_OTHERS),
        needs_answer=min(reading.needs_answer, _NEEDS_NOTHING),
        label="neutral" if reading.label in ("negative", "unsure") else reading.label,
    )
