"""From rows and opinions to figures; None where a figure is not defined."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.measures import (
    Micro,
    accuracy,
    auc,
    calibration_error,
    confusion,
    half_width,
    macro_f1,
    micro,
    recall_at,
)
from benchmarks.reading.contenders import Contender, Opinion
from benchmarks.reading.sets import Row, Sample
from sentiment.api import Label, Reading
from sentiment.training.corpus import Example

__all__ = ["FALSE_ALARMS", "Care", "Figures", "Miss", "care", "confused", "figures", "misses"]

FALSE_ALARMS = 0.1
CALLED = 0.5
"""From this `urgent` on, or where the label is negative, a message is called: somebody will look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One contender on one sample. `claimed` is False where it does not claim to read the language."""

    sample: str
    language: str
    contender: str
    claimed: bool
    messages: int
    whole: int
    negatives: int
    auc: float | None
    half_width: float | None
    recall: float | None
    macro_f1: float | None
    calibration_error: float | None
    unread: float | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Care:
    """What care asks beyond negative or not, on messages of our own. What a contender does not tell is None.

    `called`: of the negatives and of the rest, the share labelled negative or urgent. `calm` counts calm
    questions, `calm_called` the share of them labelled negative.
    """

    language: str
    contender: str
    urgent_auc: float | None
    kind: float | None
    harm: Micro
    called_negatives: float | None
    called_rest: float | None
    calm: int
    calm_called: float | None

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "harm": self.harm._asdict()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """A message read wrongly, and how surely: `by` is the distance of its probability from the truth."""

    language: str
    text: str
    mood: Label
    label: Label
    negative: float
    by: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def figures(sample: Sample, contender: Contender, opinions: Sequence[Opinion]) -> Figures:
    """`unsure` counts as neutral."""
    scores, truths = [one.negativity for one in opinions], [row.mood == "negative" for row in sample.rows]
    area = auc(scores, truths)
    negatives = sum(truths)
    readings = [one.reading for one in opinions if one.reading]
    return Figures(
        sample=sample.name,
        language=sample.language,
        contender=contender.name,
        claimed=not contender.languages.isdisjoint((sample.language, "*")),
        messages=len(truths),
        whole=sample.whole,
        negatives=negatives,
        auc=area,
        half_width=None if area is None else half_width(area, negatives, len(truths) - negatives),
        recall=recall_at(scores, truths, FALSE_ALARMS),
        macro_f1=macro_f1(confused(sample.rows, opinions)),
        calibration_error=calibration_error(scores, truths) if contender.probability else None,
        unread=accuracy([reading.unread for reading in readings]),
    )


def confused(rows: Sequence[Row], opinions: Sequence[Opinion]) -> Counter[tuple[str, str]]:
    return confusion([row.mood for row in rows], [_settled(one.label) for one in opinions])


def _settled(label: Label) -> Label:
    return "neutral" if label == "unsure" else label


def care(sample: Sample, contender: Contender, opinions: Sequence[Opinion]) -> Care:
    """Of a sample whose rows all carry their example."""
    pairs = [(row.example, one) for row, one in zip(sample.rows, opinions, strict=True) if row.example]
    read = [(example, one.reading) for example, one in pairs if one.reading]
    calm = [one for example, one in pairs if example.kind == "question" and example.mood == "neu"]
    return Care(
        language=sample.language,
        contender=contender.name,
        urgent_auc=auc([reading.urgent for _, reading in read], [example.urgent for example, _ in read]),
        kind=accuracy([reading.kind == example.kind for example, reading in read]),
        harm=_harm(read),
        called_negatives=accuracy([_called(one) for example, one in pairs if example.negative]),
        called_rest=accuracy([_called(one) for example, one in pairs if not example.negative]),
        calm=len(calm),
        calm_called=accuracy([one.label == "negative" for one in calm]),
    )


def _harm(read: Sequence[tuple[Example, Reading]]) -> Micro:
    if not read:
        return Micro(None, None)
    return micro((example.harms, reading.harm) for example, reading in read)


def _called(opinion: Opinion) -> bool:
    reading = opinion.reading
    return opinion.label == "negative" or (reading is not None and reading.urgent >= CALLED)


def misses(sample: Sample, opinions: Sequence[Opinion], most: int) -> list[Miss]:
    """The surest mistakes on one sample: labelled negative where it is not, or the reverse; the worst first.

    Of equal ones the shorter text first, so that the list is the same every time.
    """
    found = [
        Miss(
            language=sample.language,
            text=row.text,
            mood=row.mood,
            label=one.label,
            negative=one.negativity,
            by=abs((row.mood == "negative") - one.negativity),
        )
        for row, one in zip(sample.rows, opinions, strict=True)
        if (row.mood == "negative") != (one.label == "negative")
    ]
    return sorted(found, key=lambda miss: (-miss.by, len(miss.text), miss.text))[:most]
