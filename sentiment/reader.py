"""The reading that heedful ships: rules and word lists, no model, one pass over the cues."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import NamedTuple

from config.folding import READ_AT_MOST, Folded
from config.schema import Brand
from sentiment import chinese, english
from sentiment.address import Names, Who, addressed
from sentiment.api import Addressed, Circumstances, Harm, Kind, Label, Reading, Weight
from sentiment.cues import Cues, Hit
from sentiment.data import rows
from sentiment.harm import UPSETTING, harms
from sentiment.kind import IDLE, Evidence, kind
from sentiment.language import identify, letters
from sentiment.tone import Tone, probability, squashed, weigh
from sentiment.urgency import TAGS, urgency

__all__ = ["FILES", "FastReader"]

FILES = ("english.tsv", "chinese.tsv", "harm.tsv", "urgency.tsv", "kind.tsv")
_VALENCE = ("fail", "topic", "mood", "emoji")
_READ = frozenset(("en", "zh-Hans", "zh-Hant"))
_FIRST_WIDE = "\u2e80"
_LETTERS_TO_READ = 3
_NEGATIVE, _UNSURE, _POSITIVE = 0.6, 0.45, 1.0
_GLAD = 1.5
_PRIOR, _PRIOR_URGENT = 0.35, 0.2
_REPEATED = 1.0
_SHARE_OF_VADER = 0.85
_SURE_IRONY = 0.8
_IRONY = {False: 0.45, True: 0.75}
_MISHAP = -1.0
_NEEDED: Mapping[Kind, float] = {
    "complaint": 0.85, "question": 0.88, "request": 0.88, "praise": 0.12, "chatter": 0.15,
    "campaign": 0.03, "spam": 0.02, "news": 0.04, "fan": 0.05,
}  # fmt: skip
_SHARE: Mapping[Addressed, float] = {"to_us": 1.0, "about_us": 0.7, "unknown": 0.7, "about_other": 0.2}
_WORDS_SHOWN = 6
_SLANG_NUMBER = re.compile(r"\b(?:1337|1432?|182|187|86)\b")
"""VADER's lexicon reads these as slang (182: "I hate you"); a customer means an order, a flight or a gate."""
_AROUND = " ,.!?，。！？~"
_PLAIN = {"\u2019": "'", "\u2018": "'", **dict.fromkeys("\ufe0f\u200b\u200c\u200d\u2060\ufeff", "")}


@cache
def _cues() -> Cues:
    return Cues(FILES)


@cache
def _for_vader() -> tuple[re.Pattern[str], Mapping[str, str]]:
    """Curly quotes straight, invisible characters gone, and no emoji that our own table weighs."""
    ours = {letter for row in rows("english.tsv") if row[0] == "emoji" for letter in row[2] if ord(letter) > 0x2000}
    table = {**dict.fromkeys(ours, " "), **_PLAIN}
    return re.compile(f"[{''.join(map(re.escape, table))}]"), table


class _Heard(NamedTuple):
    """All that one text says, before it is put into numbers."""

    text: str
    language: str
    found: Mapping[str, Sequence[Hit]]
    who: Who
    tone: Tone
    total: float
    asks: bool
    general: bool  # asks how things would be, and not for oneself


class FastReader:
    """Reads English and Chinese by rules; abstains on every other language.

    Only the first 2,000 characters count. Pure, and never raises on any text.
    """

    def __init__(self, brand: Brand) -> None:
        self._names = Names(brand)
        _cues()

    def read(self, folded: Folded, circumstances: Circumstances) -> Reading:
        """One folded message, and what the platform says about it."""
        heard = self._hear(folded, circumstances)
        unread = heard.language not in _READ and letters(heard.text) >= _LETTERS_TO_READ
        harm = self._harm(heard, unread) if heard.found else ()
        negative = _negative(heard, harm, unread)
        evidence = Evidence(
            text=heard.text,
            asks=heard.asks,
            negative=negative,
            total=heard.total,
            harms=harm,
            suffered="fail" in heard.found and _suffered(heard.tone.hits),
        )
        what = kind(heard.found, evidence)
        whom = addressed(heard.who, circumstances)
        if what in IDLE:
            negative = min(negative, 0.5)
        ironic = "irony" in heard.found
        return Reading(
            language=heard.language,
            compound=squashed(heard.total),
            negative=round(negative, 4),
            urgent=_urgent(heard, harm, what, negative, unread),
            needs_answer=0.6 if unread else round(_NEEDED[what] * _SHARE[whom], 4),
            label=_label(heard, negative, ironic, unread),
            harm=harm,
            kind=what,
            addressed=whom,
            scorer=_scorer(heard.language),
            asks_person="person" in heard.found or _whole(heard),
            ironic=ironic,
            unread=unread,
            why=_why(folded, heard, harm) if heard.found else (),
        )

    def read_many(self, messages: Sequence[tuple[Folded, Circumstances]]) -> list[Reading]:
        """One reading for each message, in order."""
        return [self.read(folded, told) for folded, told in messages]

    @staticmethod
    def _harm(heard: _Heard, unread: bool) -> tuple[Harm, ...]:
        if heard.general and not unread:
            return ()
        found = harms(heard.found)
        return () if found == ("vulnerable",) and heard.total >= _GLAD else found

    def _hear(self, folded: Folded, circumstances: Circumstances) -> _Heard:
        text = folded.text
        language = identify(folded, circumstances.language)
        found = _cues().find(text)
        who = self._names.read(text)
        is_english = language == "en"
        asks = "?" in text or "asks" in found or (is_english and english.ASKS.match(text) is not None)
        supposed = asks and ("supposes" in found or (is_english and english.SUPPOSES.search(text) is not None))
        hits = [hit for tag in _VALENCE for hit in found.get(tag, ())]
        asked = asks or "request" in found
        tone = weigh(text, hits, _scale, asked=asked, supposed=supposed, damped=who.damped(hits)) if hits else Tone()
        total = tone.total
        if is_english:
            total += _vader(folded, found, asks=asks and not tone.strong, aside=who.only_them)
        general = supposed and is_english and english.OWN.search(text) is None
        return _Heard(text, language, found, who, tone, total, asks, general)


def _suffered(hits: Sequence[Hit]) -> bool:
    return any(hit.tag == "fail" and hit.weight <= -1.5 for hit in hits)


def _scale(text: str, hit: Hit) -> float:
    return english.scale(text, hit) if text[hit.start] < _FIRST_WIDE else chinese.scale(text, hit)


def _vader(folded: Folded, found: Mapping[str, Sequence[Hit]], *, asks: bool, aside: bool) -> float:
    """VADER's sum, less what it sees in words of courtesy; in a calm question it hardly counts."""
    original = folded.original[:READ_AT_MOST]
    if not original.isascii():
        odd, plain = _for_vader()
        original = odd.sub(lambda letter: plain[letter[0]], original)
    original = _SLANG_NUMBER.sub("0", original)
    valence = english.valence(original, stretched=folded.offsets is not None)
    courtesy = sum([hit.weight for hit in found.get("calm", ())])
    if valence > 0 > courtesy:
        valence = max(0.0, valence + courtesy)
    elif valence < 0 < courtesy:
        valence = min(0.0, valence + courtesy)
    damping = 0.1 if aside else 0.25 if asks and valence > -4 else _SHARE_OF_VADER
    return valence * damping


def _negative(heard: _Heard, harm: Sequence[Harm], unread: bool) -> float:
    if unread:
        return max(_PRIOR, 0.75 if not UPSETTING.isdisjoint(harm) else 0.0)
    negative = probability(heard.total)
    if heard.total == 0 and not heard.tone.hits:
        negative = 0.12
    if heard.tone.strong and not heard.tone.mixed:
        negative = max(negative, probability(heard.tone.negative) * 0.9)
    if "again" in heard.found and heard.total < _POSITIVE:
        negative = max(negative, _REPEATED * max(hit.weight for hit in heard.found["again"]))
    if "irony" in heard.found:
        negative = max(negative, _ironic(heard))
    if not UPSETTING.isdisjoint(harm) and not heard.who.only_them:
        negative = max(negative, 0.75)
    return negative


def _ironic(heard: _Heard) -> float:
    """A face or a turn of phrase alone leaves it open; beside a mishap it is none too kind."""
    cue = max(hit.weight for hit in heard.found["irony"])
    mishap = any(hit.weight <= _MISHAP for hit in heard.tone.hits)
    return max(_IRONY[mishap], cue * 0.8 if cue >= _SURE_IRONY else 0.0)


def _urgent(heard: _Heard, harm: Sequence[Harm], what: Kind, negative: float, unread: bool) -> float:
    if unread and not harm:
        return _PRIOR_URGENT
    return urgency(heard.found, harm, idle=what in IDLE, troubled=negative >= 0.5)


def _label(heard: _Heard, negative: float, ironic: bool, unread: bool) -> Label:
    if unread:
        return "unsure"
    if ironic:
        return "negative" if negative >= 0.75 else "unsure"
    if heard.tone.mixed and 0.2 < negative < 0.85:
        return "unsure"
    if negative >= _NEGATIVE:
        return "negative"
    if negative >= _UNSURE:
        return "unsure"
    return "positive" if heard.total >= _POSITIVE else "neutral"


def _whole(heard: _Heard) -> bool:
    """Some words ask for a person only where they are the whole message."""
    if "person_whole" not in heard.found:
        return False
    text = heard.text
    return any(
        not text[: hit.start].strip(_AROUND) and not text[hit.end :].strip(_AROUND)
        for hit in heard.found["person_whole"]
    )


def _scorer(language: str) -> str:
    if language not in _READ:
        return "und/none-1"
    return f"{language.partition('-')[0]}/rules-1"


def _why(folded: Folded, heard: _Heard, harm: Sequence[Harm]) -> tuple[Weight, ...]:
    """The words that weighed most, where they stand in the original."""
    found = heard.found
    pulls = [(2.0 + hit.weight, hit, f"harm: {hit.tag}") for name in harm for hit in found[name]]
    pulls += [(1.0 + hit.weight, hit, f"urgent: {tag}") for tag in TAGS if tag in found for hit in found[tag]]
    pulls += [(abs(hit.weight), hit, f"{hit.tag} {hit.weight:+.1f}") for hit in heard.tone.hits if hit.weight]
    pulls += [(1.5, hit, "irony") for hit in found.get("irony", ())]
    pulls.sort(key=itemgetter(0), reverse=True)
    shown: list[Weight] = []
    for _, hit, reason in pulls[:_WORDS_SHOWN]:
        first, last = folded.span(hit.start, hit.end)
        shown.append(Weight(start=first, end=last, reason=reason))
    return tuple(shown)
