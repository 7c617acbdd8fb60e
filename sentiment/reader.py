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
from sentiment.harm import ALWAYS_PAGED, UPSETTING, certain, harms
from sentiment.hearing import Heard, cues, hear
from sentiment.kind import IDLE
from sentiment.language import identify, letters
from sentiment.model import shipped
from sentiment.signals import signals
from sentiment.urgency import TAGS

__all__ = ["ANSWER_SHARE", "READ", "FastReader", "label_of"]

READ = frozenset(
    ("en", "zh-Hans", "zh-Hant", "es", "pt", "fr", "de", "it", "ja", "ko", "ar", "hi", "id", "ru", "tr", "vi", "th")
)
"""The languages that the model was trained on; it abstains on all others."""

_LETTERS_TO_READ = 3
_PRIOR, _PRIOR_URGENT, _PRIOR_ANSWER = 0.35, 0.2, 0.6
_CLEAR, _LIKELY = 0.9, 0.75
_IDLE_AT_MOST = 0.5
ANSWER_SHARE: Mapping[Addressed, float] = {"to_us": 1.0, "about_us": 0.7, "unknown": 0.7, "about_other": 0.2}
"""What is left of `needs_answer`, by whom a message speaks to."""
_SHARE_OF_OTHERS = 0.3
"""What is left of `negative` where all that displeases is a competitor's."""
_RULED_OUT = 0.03
"""Below such a probability of the model's a harm that only the rules heard is a manner of speaking."""
_NEVER_RULED_OUT: Harm = "self_harm"
_CLEARLY = 0.85
"""The certainty from which on the rules heard something clearly; and how urgent a harm then is at least."""
_ALONE = 0.3
"""The model needs such a probability for a harm that always pages somebody, where the rules heard none."""
_NOT_URGENT = 0.35
"""A harm is urgent: below such a probability of that the model is not believed where it is unsure of the harm."""
_SURE_ALONE = 0.5
"""And such a one for a harm to say more than that a person should look."""
_SUFFERED = 0.35
"""Where the rules heard strong displeasure and nothing kind, such a probability of the model's is enough."""
_HARMED = 0.5
_SURE_IRONY = 0.8
_MISHAP = -1.0
_QUIET = Answers(
    negative=0.12, positive=0.2, urgent=0.06, needs_answer=0.15, kind="chatter", kind_sure=1.0,
    irony=0.0, mixed=0.0, harms={}, every_harm=[0.0] * len(HARMS),
)  # fmt: skip
"""What is said of a text that says nothing: too few letters, and no cue."""
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
        few = letters(heard.text) < _LETTERS_TO_READ
        unread = heard.language not in READ and not few
        if few and not heard.found:
            answer = _QUIET
        harm = _harms(heard, answer, unread)
        sure = _sure(heard, answer, harm)
        if sure and answer.kind in IDLE and answer.kind_sure < _CLEAR and IDLE.isdisjoint(heard.found):
            answer = answer._replace(kind="complaint")  # an advert that nobody but the model, in doubt, takes for one
        wry = _wry(heard)
        negative = _negative(heard, answer, sure, unread)
        what = _kind(answer, harm, wry or (heard.tone.strong and negative >= NEGATIVE))
        whom = addressed(heard.who, told)
        positive = 0.0 if unread else answer.positive
        label: Label = "unsure" if unread else label_of(negative, positive, doubtful=_doubtful(answer))
        return Reading(
            language=heard.language,
            compound=round(max(-1.0, min(1.0, positive - negative)), 4),
            negative=round(negative, 4),
            urgent=round(_urgent(answer, harm, sure, what, unread), 4),
            needs_answer=_PRIOR_ANSWER if unread else round(answer.needs_answer * ANSWER_SHARE[whom], 4),
            label="unsure" if wry and label != "negative" else label,
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


def _wry(heard: Heard) -> bool:
    """A turn of phrase that is hardly ever meant kindly, or any that may not be beside a mishap."""
    if "irony" not in heard.found:
        return False
    return heard.tone.negative <= _MISHAP or max([hit.weight for hit in heard.found["irony"]]) >= _SURE_IRONY


def _harms(heard: Heard, answer: Answers, unread: bool) -> tuple[Harm, ...]:
    """What the rules heard and the model does not rule out, and what the model is sure of."""
    heard_of: Sequence[Harm] = harms(heard.found) if heard.found else ()
    if unread:
        return tuple(heard_of)
    if heard.general:
        return ()
    likely: set[Harm] = {
        harm
        for harm in heard_of
        if answer.every_harm[_PLACE[harm]] >= _RULED_OUT
        or (harm == _NEVER_RULED_OUT and certain(heard.found[harm]) >= _CLEARLY)
    }
    likely.update(
        harm
        for harm, probability in answer.harms.items()
        if harm in heard_of or probability >= _SURE_ALONE or _likely(harm, probability, answer.urgent)
    )
    return tuple(sorted(likely))


def _likely(harm: Harm, probability: float, urgent: float) -> bool:
    """Whether the model, which alone speaks of a harm and is not sure of it, does not contradict itself."""
    return urgent >= _NOT_URGENT and (probability >= _ALONE or harm not in ALWAYS_PAGED)


def _sure(heard: Heard, answer: Answers, harm: Sequence[Harm]) -> frozenset[Harm]:
    """Of these harms those that rules or model leave little doubt of."""
    return frozenset(
        one
        for one in harm
        if answer.every_harm[_PLACE[one]] >= _SURE_ALONE
        or (one in heard.found and certain(heard.found[one]) >= _CLEARLY)
    )


def _kind(answer: Answers, harm: Sequence[Harm], unkind: bool) -> Kind:
    """A harm makes a complaint of whatever is not giveaway, advert, news or fan; mockery and anger are no praise."""
    if harm and answer.kind not in IDLE:
        return "complaint"
    if unkind and answer.kind == "praise":
        return "complaint" if answer.negative >= _SUFFERED else "chatter"
    return answer.kind


def _negative(heard: Heard, answer: Answers, sure: frozenset[Harm], unread: bool) -> float:
    upset = not UPSETTING.isdisjoint(sure)
    if unread:
        return _LIKELY if upset else _PRIOR
    if heard.who.only_them:
        return answer.negative * _SHARE_OF_OTHERS
    if answer.kind in IDLE:
        return min(answer.negative, _IDLE_AT_MOST)
    suffered = heard.tone.strong and heard.tone.positive < 1 and answer.negative >= _SUFFERED
    return max(answer.negative, NEGATIVE) if upset or suffered else answer.negative


def _urgent(answer: Answers, harm: Sequence[Harm], sure: frozenset[Harm], what: Kind, unread: bool) -> float:
    """A harm brings somebody to look, whatever the tone; one without doubt, or that pages, at once."""
    if unread:
        return _CLEAR if harm else _PRIOR_URGENT
    if what in IDLE:
        return answer.urgent * 0.25
    if sure or not ALWAYS_PAGED.isdisjoint(harm):
        return max(answer.urgent, _CLEARLY)
    return max(answer.urgent, _HARMED) if harm else answer.urgent


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
