"""All that rules and word lists hear in one text, before anything is concluded from it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from config.folding import READ_AT_MOST, Folded
from sentiment import chinese, english
from sentiment.address import Who
from sentiment.cues import Cues, Hit
from sentiment.data import rows
from sentiment.tone import Tone, weigh

__all__ = ["FILES", "Heard", "cues", "hear"]

FILES = ("english.tsv", "chinese.tsv", "harm.tsv", "urgency.tsv", "kind.tsv")
_VALENCE = ("fail", "topic", "mood", "emoji")
_FIRST_WIDE = "\u2e80"
_SHARE_OF_VADER = 0.85
_SLANG_NUMBER = re.compile(r"\b(?:1337|1432?|182|187|86)\b")
"""VADER's lexicon reads these as slang (182: "I hate you"); a customer means an order, a flight or a gate."""
_AROUND = " ,.!?，。！？~"
_PLAIN = {"\u2019": "'", "\u2018": "'", **dict.fromkeys("\ufe0f\u200b\u200c\u200d\u2060\ufeff", "")}

Found = Mapping[str, Sequence[Hit]]


class Heard(NamedTuple):
    """What one text says: its cues by tag, whom it names, its tone by the word lists."""

    text: str
    language: str
    found: Found
    who: Who
    tone: Tone
    valence: float  # VADER's sum as far as it counts here; 0 but for English
    asks: bool
    general: bool  # asks how things would be, and not for oneself
    whole: bool  # is nothing but words that ask for a person

    @property
    def total(self) -> float:
        """Valence by words, on VADER's scale."""
        return self.tone.total + self.valence


@cache
def cues() -> Cues:
    """The shipped cues, compiled once."""
    return Cues(FILES)


def hear(folded: Folded, language: str, found: Found, who: Who) -> Heard:
    """Put together what was found in one folded text. Pure; never raises on any text."""
    text = folded.text
    is_english = language == "en"
    asks = "?" in text or "asks" in found or (is_english and english.ASKS.match(text) is not None)
    supposed = asks and ("supposes" in found or (is_english and english.SUPPOSES.search(text) is not None))
    tone = _tone(text, found, who, asks=asks, supposed=supposed)
    valence = _vader(folded, found, asks=asks and not tone.strong, aside=who.only_them) if is_english else 0.0
    general = supposed and is_english and english.OWN.search(text) is None
    return Heard(text, language, found, who, tone, valence, asks, general, _whole(text, found))


def _tone(text: str, found: Found, who: Who, *, asks: bool, supposed: bool) -> Tone:
    hits = [hit for tag in _VALENCE if tag in found for hit in found[tag]]
    if not hits:
        return Tone()
    return weigh(text, hits, _scale, asked=asks or "request" in found, supposed=supposed, damped=who.damped(hits))


def _scale(text: str, hit: Hit) -> float:
    return english.scale(text, hit) if text[hit.start] < _FIRST_WIDE else chinese.scale(text, hit)


@cache
def _for_vader() -> tuple[re.Pattern[str], Mapping[str, str]]:
    """Curly quotes straight, invisible characters gone, and no emoji that our own table weighs."""
    ours = {letter for row in rows("english.tsv") if row[0] == "emoji" for letter in row[2] if ord(letter) > 0x2000}
    table = {**dict.fromkeys(ours, " "), **_PLAIN}
    return re.compile(f"[{''.join(map(re.escape, table))}]"), table


def _vader(folded: Folded, found: Found, *, asks: bool, aside: bool) -> float:
    """VADER's sum, less what it sees in words of courtesy; in a calm question it hardly counts."""
    original = folded.original[:READ_AT_MOST]
    if not original.isascii():
        odd, plain = _for_vader()
        original = odd.sub(lambda letter: plain[letter[0]], original)
    original = _SLANG_NUMBER.sub("0", original)
    valence = english.valence(original, stretched=folded.offsets is not None)
    courtesy = sum([hit.weight for hit in found["calm"]]) if "calm" in found else 0.0
    if valence > 0 > courtesy:
        valence = max(0.0, valence + courtesy)
    elif valence < 0 < courtesy:
        valence = min(0.0, valence + courtesy)
    damping = 0.1 if aside else 0.25 if asks and valence > -4 else _SHARE_OF_VADER
    return valence * damping


def _whole(text: str, found: Found) -> bool:
    """Some words ask for a person only where they are the whole message."""
    if "person_whole" not in found:
        return False
    return any(
        not text[: hit.start].strip(_AROUND) and not text[hit.end :].strip(_AROUND) for hit in found["person_whole"]
    )
