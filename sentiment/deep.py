"""The second look: a network of 118 million weights, beside the fast reading, on what that calls unsure.

It is never asked on the hot path: about twenty messages a second is all that a core manages.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from config.folding import Folded
from config.schema import Brand
from sentiment.api import HARMS, KINDS, NEGATIVE, POSITIVE, UNSURE, Circumstances, Harm, Kind, Label, Reader, Reading
from sentiment.deep_engine import Engine, adapter
from sentiment.deep_file import Floats
from sentiment.kind import IDLE
from sentiment.model import OUTPUTS
from sentiment.reader import ANSWER_SHARE, FastReader

__all__ = ["SCORER", "SHARE", "DeepReader", "Logits", "is_deep"]

SCORER = "deep-1"
"""What the scorer of a second look ends with."""
SHARE = 0.55
"""Of the log-odds: how much the network counts; the rest is the fast reading's."""
_KNOWN = (
    "af am ar as az be bg bn br bs ca cs cy da de el en eo es et eu fa fi fr fy ga gd gl gu ha he hi hr hu hy "
    "id is it ja jv ka kk km kn ko ku ky la lo lt lv mg mk ml mn mr ms my ne nl no nb nn om or pa pl ps pt ro "
    "ru sa sd si sk sl so sq sr su sv sw ta te th tl fil tr ug uk ur uz vi xh yi zh"
)
KNOWN = frozenset((*_KNOWN.split(), "und"))
"""Languages that the network was made from: https://aclanthology.org/2020.acl-main.747, appendix A.
Among what nobody could name most is one of them too."""

Logits = Callable[[Sequence[str]], Floats]
"""From texts to rows of numbers, laid out as `sentiment.model.OUTPUTS`; asked only for one text or more."""

_CLEARLY, _HARDLY = 0.8, 0.15
_SURE_KIND = 0.6
_HARMFUL = 0.75
_IDLE_AT_MOST = 0.5
_ALMOST = 1e-4
_MOST = 30.0


class _Seen(NamedTuple):
    """What the network says of one text, as probabilities."""

    negative: float
    positive: float
    urgent: float
    needs_answer: float
    kind: Kind
    kind_sure: float
    harms: frozenset[Harm]


class DeepReader:
    """Reads what the fast reader reads, twice; and some languages that it does not.

    The fast reading stands where the network has nothing to say: language, address, words that weighed. A harm that
    either finds is kept. Raises Unavailable where the network cannot be run.
    """

    def __init__(self, brand: Brand, *, fast: Reader | None = None, logits: Logits | None = None) -> None:
        self._fast = fast or FastReader(brand)
        self._logits = logits or Engine().logits
        about = adapter().about
        self._fits: Mapping[str, tuple[float, float]] = {
            name: (float(slope), float(shift)) for name, (slope, shift) in about["calibration"].items()
        }
        self._least = np.asarray(about["harm_from"], np.float32)

    def read(self, folded: Folded, circumstances: Circumstances) -> Reading:
        """One message."""
        return self.read_many([(folded, circumstances)])[0]

    def read_many(self, messages: Sequence[tuple[Folded, Circumstances]]) -> list[Reading]:
        """One reading for each message, in order; the original text is looked at, folding would lose its case."""
        if not messages:
            return []
        fast = [self._fast.read(folded, circumstances) for folded, circumstances in messages]
        rows = self._logits([folded.original for folded, _ in messages])
        return [_fused(reading, self._seen(row)) for reading, row in zip(fast, rows, strict=True)]

    def _seen(self, row: Floats) -> _Seen:
        row = row.clip(-_MOST, _MOST)
        mood = [float(value) for value in row[OUTPUTS["mood"]]]
        negative = self._probability("negative", mood[0] - _either(mood[1], mood[2]))
        kinds = np.exp(row[OUTPUTS["kind"]] - row[OUTPUTS["kind"]].max())
        best = int(kinds.argmax())
        found = 1 / (1 + np.exp(-row[OUTPUTS["harm"]])) >= self._least
        return _Seen(
            negative=negative,
            positive=(1 - negative) * _sigmoid(mood[2] - mood[1]),
            urgent=self._probability("urgent", float(row[OUTPUTS["urgent"]][0])),
            needs_answer=self._probability("answer", float(row[OUTPUTS["answer"]][0])),
            kind=KINDS[best],
            kind_sure=float(kinds[best] / kinds.sum()),
            harms=frozenset(name for name, held in zip(HARMS, found, strict=True) if held),
        )

    def _probability(self, name: str, odds: float) -> float:
        slope, shift = self._fits[name]
        return _sigmoid(slope * odds + shift)


def is_deep(scorer: str) -> bool:
    """Whether a reading by this scorer has had its second look."""
    return scorer.endswith(SCORER)


def _fused(fast: Reading, seen: _Seen) -> Reading:
    if fast.unread and not _knows(fast.language):
        return replace(fast, scorer=_scorer(fast.language))
    harm: tuple[Harm, ...] = tuple(sorted({*fast.harm, *seen.harms}))
    kind = _kind(fast, seen, harm)
    negative = _mean(fast.negative, seen.negative)
    if kind in IDLE:
        negative = min(negative, _IDLE_AT_MOST)
    elif fast.harm:
        negative = max(negative, fast.negative)
    positive = min(seen.positive, 1 - negative)
    urgent = _mean(fast.urgent, seen.urgent)
    if seen.harms - set(fast.harm) and kind not in IDLE:
        urgent, negative = max(urgent, _HARMFUL), max(negative, NEGATIVE)
    needed = seen.needs_answer * _share(fast)
    return replace(
        fast,
        compound=round(positive - negative, 4),
        negative=round(negative, 4),
        urgent=round(max(urgent, fast.urgent) if fast.harm else urgent, 4),
        needs_answer=round(_mean(fast.needs_answer, needed), 4),
        label=_label(negative, positive, clearly=fast.unread),
        harm=harm,
        kind=kind,
        scorer=_scorer(fast.language),
        unread=False,
    )


def _knows(language: str) -> bool:
    return language.partition("-")[0].lower() in KNOWN


def _kind(fast: Reading, seen: _Seen, harm: Sequence[Harm]) -> Kind:
    kind = seen.kind if fast.unread or seen.kind_sure >= _SURE_KIND else fast.kind
    return "complaint" if harm and kind not in IDLE else kind


def _label(negative: float, positive: float, *, clearly: bool) -> Label:
    """`clearly`: of a language that nobody taught it, it is believed only where it is certain."""
    if clearly and _HARDLY < negative < _CLEARLY:
        return "unsure"
    if negative >= NEGATIVE:
        return "negative"
    if negative >= UNSURE:
        return "unsure"
    return "positive" if positive >= POSITIVE else "neutral"


def _share(fast: Reading) -> float:
    """The network does not know to whom a message speaks."""
    return ANSWER_SHARE[fast.addressed]


def _scorer(language: str) -> str:
    return f"{language.partition('-')[0]}/{SCORER}"


def _mean(fast: float, deep: float) -> float:
    """Of log-odds: who is certain weighs more than who is not. Where the fast reader abstained, its prior damps."""
    return _sigmoid((1 - SHARE) * _odds(fast) + SHARE * _odds(deep))


def _odds(probability: float) -> float:
    inside = min(max(probability, _ALMOST), 1 - _ALMOST)
    return math.log(inside / (1 - inside))


def _sigmoid(odds: float) -> float:
    return 1 / (1 + math.exp(-min(max(odds, -30.0), 30.0)))


def _either(one: float, other: float) -> float:
    return max(one, other) + math.log1p(math.exp(-abs(one - other)))
