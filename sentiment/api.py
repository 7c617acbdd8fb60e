"""What a reading of one message says, and what reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from config.folding import Folded

__all__ = [
    "ADDRESSED",
    "HARMS",
    "KINDS",
    "LABELS",
    "NEGATIVE",
    "POSITIVE",
    "UNSURE",
    "Addressed",
    "Circumstances",
    "Harm",
    "Kind",
    "Label",
    "Reader",
    "Reading",
    "Weight",
]

Label = Literal["negative", "neutral", "positive", "unsure"]
Harm = Literal[
    "safety",
    "injury",
    "legal",
    "fraud",
    "data_leak",
    "self_harm",
    "bereavement",
    "vulnerable",
    "minor",
    "discrimination",
    "outage",
    "press",
    "regulator",
    "travel",
]
Kind = Literal["complaint", "question", "request", "praise", "campaign", "spam", "news", "fan", "chatter"]
Addressed = Literal["to_us", "about_us", "about_other", "unknown"]
LABELS: tuple[Label, ...] = get_args(Label)
HARMS: tuple[Harm, ...] = get_args(Harm)
KINDS: tuple[Kind, ...] = get_args(Kind)
ADDRESSED: tuple[Addressed, ...] = get_args(Addressed)

NEGATIVE, UNSURE, POSITIVE = 0.6, 0.45, 0.5
"""A label is negative, or unsure, from such a probability of `negative` on; positive from such a one of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """A word that weighed in: where it stands in the original text, and which way it pulled."""

    start: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What the platform says about a message, beside its text."""

    mentions_us: bool = True
    private: bool = False
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How one message sounds.

    `compound` lies in [-1, 1]; `negative`, `urgent` and `needs_answer` are probabilities. `harm` is
    sorted. `unread` is True where the scorer abstained: the numbers are then its prior and `label`
    is "unsure". `asks_person` is True where the customer asks for a human being. `ironic` is a cue,
    not a proof. `scorer` names scorer and version, such as "en/vader-1".
    """

    language: str
    compound: float
    negative: float
    urgent: float
    needs_answer: float
    label: Label
    harm: tuple[Harm, ...]
    kind: Kind
    addressed: Addressed
    scorer: str
    asks_person: bool = False
    ironic: bool = False
    unread: bool = False
    why: tuple[Weight, ...] = ()


class Reader(Protocol):
    """Reads folded texts; pure, never raises on any text."""

    def read(self, folded: Folded, circumstances: Circumstances, /) -> Reading: ...

    def read_many(self, messages: Sequence[tuple[Folded, Circumstances]], /) -> list[Reading]:
        """One reading for each message, in order: the same as one by one, and cheaper."""
        ...
