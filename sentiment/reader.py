"""The reading that heedful ships: rules and word lists say what they hear, a small learned model weighs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter

from config.folding import Folded
from config.schema import Brand
from sentiment.address import Names, addressed
from sentiment.answers import Answers, Judge
from sentiment.api import (
    HARMS,
    NEGATIVE,
    POSITIVE,
    UNSURE,
    Addressed,
    Circumstances,
    Harm,
    Kind,
    Label,
    Reading,
    Weight,
)
from sentiment.harm import UPSETTING, harms
from sentiment.hearing import Heard, cues, hear
from sentiment.kind import IDLE
from sentiment.language import identify, letters
from sentiment.model import shipped
from sentiment.signals import signals
from sentiment.urgency import TAGS

__all__ = ["READ", "FastReader", "label_of"]

READ = frozenset(
    ("en", "zh-Hans", "zh-Hant", "es", "pt", "fr", "de", "it", "ja", "ko", "ar", "hi", "id", "ru", "tr", "vi", "th")
)
"""The languages that the model was trained on; it abstains on all others."""

_LETTERS_TO_READ = 3
_PRIOR, _PRIOR_URGENT, _PRIOR_ANSWER = 0.35, 0.2, 0.6
_CLEAR, _LIKELY = 0.9, 0.75
_IDLE_AT_MOST = 0.5
_SHARE: Mapping[Addressed, float] = {"to_us": 1.0, "about_us": 0.7, "unknown": 0.7, "about_other": 0.2}
_SHARE_OF_OTHERS = 0.3
"""What is left of `negative` where all that displeases is a competitor's."""
_RULED_OUT = 0.02
"""Below such a probability of the model's a harm that only the rules heard is a manner of speaking."""
_PLACE: Mapping[Harm, int] = {harm: place for place, harm in enumerate(HARMS)}
_WORDS_SHOWN = 6


class FastReader:
    """Reads the languages of `READ`; abstains on every other.

    Only the first 2,000 characters count. Pure, and never raises on any text.
    """

    def __init__(self, brand: Brand) -> None:
        self._names = Names(brand)
        self._judge = Judge(shipped())
        cues()

    def read(self, folded: Folded, circumstances: Circumstances) -> Reading:
        """One folded message, and what the platform says about it."""
        return self.read_many([(folded, circumstances)])[0]

    def read_many(self, messages: Sequence[tuple[Folded, Circumstances]]) -> list[Reading]:
        """One reading for each message, in order; the same as one by one, and cheaper."""
        found = cues().find_many([folded.text for folded, _ in messages])
        heard = [
            hear(folded, identify(folded, told.language), hits, self._names.read(folded.text))
            for (folded, told), hits in zip(messages, found, strict=True)
        ]
        texts = [one.text for one in heard]
        rows = [signals(one, folded) for one, (folded, _) in zip(heard, messages, strict=True)]
        answers = self._judge.answers(texts, rows, [one.language for one in heard])
        return [
            self._reading(folded, told, one, answer)
            for (folded, told), one, answer in zip(messages, heard, answers, strict=True)
        ]

    def _reading(self, folded: Folded, told: Circumstances, heard: Heard, answer: Answers) -> Reading:
        unread = heard.language not in READ and letters(heard.text) >= _LETTERS_TO_READ
        harm = _harms(heard, answer, unread)
        what = _kind(answer, harm)
        whom = addressed(heard.who, told)
        negative = _negative(heard, answer, harm, what, unread)
        positive = 0.0 if unread else answer.positive
        return Reading(
            language=heard.language,
            compound=round(max(-1.0, min(1.0, positive - negative)), 4),
            negative=round(negative, 4),
            urgent=round(_urgent(answer, harm, what, unread), 4),
            needs_answer=_PRIOR_ANSWER if unread else round(answer.needs_answer * _SHARE[whom], 4),
            label="unsure" if unread else label_of(negative, positive, doubtful=_doubtful(answer)),
            harm=harm,
            kind=what,
            addressed=whom,
            scorer=self._scorer(heard.language, unread),
            asks_person="person" in heard.found or heard.whole,
            ironic="irony" in heard.found or answer.irony >= 0.5,
            unread=unread,
            why=_why(folded, heard, harm) if heard.found else (),
        )

    def _scorer(self, language: str, unread: bool) -> str:
        return "und/none-1" if unread else f"{language.partition('-')[0]}/fused-{self._judge.version}"


def label_of(negative: float, positive: float, *, doubtful: bool) -> Label:
    """The label that such probabilities come to; `doubtful` where irony or mixed feelings were heard."""
    if negative >= NEGATIVE:
        return "unsure" if doubtful and negative < _LIKELY else "negative"
    if negative >= UNSURE or (doubtful and negative >= 0.2):
        return "unsure"
    return "positive" if positive >= POSITIVE else "neutral"


def _doubtful(answer: Answers) -> bool:
    return answer.irony >= 0.5 or answer.mixed >= 0.5


def _harms(heard: Heard, answer: Answers, unread: bool) -> tuple[Harm, ...]:
    """What the model is sure of; or what the rules heard and the model does not rule out."""
    heard_of = harms(heard.found) if heard.found else ()
    if unread:
        return heard_of
    if heard.general:
        return ()
    likely = {harm for harm in heard_of if answer.every_harm[_PLACE[harm]] >= _RULED_OUT}
    return tuple(sorted(likely.union(answer.harms)))


def _kind(answer: Answers, harm: Sequence[Harm]) -> Kind:
    """A harm makes a complaint of whatever is not giveaway, advert, news or fan."""
    return "complaint" if harm and answer.kind not in IDLE else answer.kind


def _negative(heard: Heard, answer: Answers, harm: Sequence[Harm], what: Kind, unread: bool) -> float:
    upset = not UPSETTING.isdisjoint(harm)
    if unread:
        return _LIKELY if upset else _PRIOR
    if heard.who.only_them:
        return answer.negative * _SHARE_OF_OTHERS
    if what in IDLE:
        return min(answer.negative, _IDLE_AT_MOST)
    return answer.negative


def _urgent(answer: Answers, harm: Sequence[Harm], what: Kind, unread: bool) -> float:
    if unread:
        return _CLEAR if harm else _PRIOR_URGENT
    return answer.urgent * 0.25 if what in IDLE else answer.urgent


def _why(folded: Folded, heard: Heard, harm: Sequence[Harm]) -> tuple[Weight, ...]:
    """The words that weighed most, where they stand in the original."""
    found = heard.found
    pulls = [(2.0 + hit.weight, hit, f"harm: {hit.tag}") for name in harm if name in found for hit in found[name]]
    pulls += [(1.0 + hit.weight, hit, f"urgent: {tag}") for tag in TAGS if tag in found for hit in found[tag]]
    pulls += [(abs(hit.weight), hit, f"{hit.tag} {hit.weight:+.1f}") for hit in heard.tone.hits if hit.weight]
    pulls += [(1.5, hit, "irony") for hit in found.get("irony", ())]
    pulls.sort(key=itemgetter(0), reverse=True)
    shown: list[Weight] = []
    for _, hit, reason in pulls[:_WORDS_SHOWN]:
        first, last = folded.span(hit.start, hit.end)
        shown.append(Weight(start=first, end=last, reason=reason))
    return tuple(shown)
