"""vaderSentiment's own score, identical to the last digit, and several times faster.

The package lowers every word of the text again for each word that it weighs. Here each token is looked
up once in a bounded memo, and only tokens of the lexicon are visited. Order and form of the floating-point
operations are the package's own, quirks included; a property test holds the two together.
"""

from __future__ import annotations

import math
import string
from typing import NamedTuple, TypeVar

import vaderSentiment.vaderSentiment as package  # noqa: N813

__all__ = ["Vader"]

T = TypeVar("T")

_N_SCALAR: float = package.N_SCALAR
_C_INCR: float = package.C_INCR
_BOOSTERS: dict[str, float] = package.BOOSTER_DICT
_SPECIAL: dict[str, float] = package.SPECIAL_CASES
_NEGATE = frozenset(package.NEGATE)
_IDIOMS = [key.split() for key in (*_SPECIAL, *_BOOSTERS) if " " in key]
_FREQUENT = frozenset(("the", "to", "of", "for", "just", "bad", "right"))
_ANCHORS = frozenset(next((word for word in idiom if word not in _FREQUENT), idiom[0]) for idiom in _IDIOMS)
"""One rare word of each idiom: where none is near, none of the idiom's strings need be built."""
_EMPHATIC = frozenset(("so", "this"))
_MODIFIERS = frozenset(("no", "least", "without", "never")) | _EMPHATIC
_DAMPING = (1.0, 0.95, 0.9)
_REMEMBERED = 50_000
_LONGEST_REMEMBERED = 40

_HIT, _MODIFIES, _ANCHOR, _UPPER, _BUT = 1, 2, 4, 8, 16
_MEDDLES = _MODIFIES | _ANCHOR
_LOUD_BUT = _BUT | _UPPER
_NOT_HITS = bytes(code for code in range(32) if not code & _HIT)
_TO_HITS = bytes(code & _HIT for code in range(256))
_TO_MEDDLES = bytes(_MEDDLES if code & _MEDDLES else 0 for code in range(256))
_NOT_UPPER = bytes(code for code in range(32) if not code & _UPPER)


class Word(NamedTuple):
    """All that VADER ever asks about one token."""

    lower: str
    upper: bool
    listed: bool  # in the lexicon
    valence: float
    booster: float
    negates: bool
    code: int


class _Words(dict[str, Word]):
    """Token as written -> Word; forgets everything when full, so that it stays bounded."""

    def __init__(self, lexicon: dict[str, float]) -> None:
        super().__init__()
        self._lexicon = lexicon

    def __missing__(self, token: str) -> Word:
        stripped = token.strip(string.punctuation)
        item = token if len(stripped) <= 2 else stripped
        lower, upper = item.lower(), item.isupper()
        negates = lower in _NEGATE or "n't" in lower
        code = _HIT if lower in self._lexicon and lower not in _BOOSTERS else 0
        code |= _MODIFIES if negates or lower in _BOOSTERS or lower in _MODIFIERS else 0
        code |= (_ANCHOR if lower in _ANCHORS else 0) | (_UPPER if upper else 0) | (_BUT if lower == "but" else 0)
        valence, booster = self._lexicon.get(lower, 0.0), _BOOSTERS.get(lower, 0.0)
        word = Word(lower, upper, lower in self._lexicon, valence, booster, negates, code)
        if len(token) <= _LONGEST_REMEMBERED:
            _remember(self, token, word)
        return word


class _Codes(dict[str, int]):
    """Token as written -> what it may do to a score, in one byte."""

    def __init__(self, words: _Words) -> None:
        super().__init__()
        self._words = words

    def __missing__(self, token: str) -> int:
        code = self._words[token].code
        if len(token) <= _LONGEST_REMEMBERED:
            _remember(self, token, code)
        return code


def _remember(memo: dict[str, T], token: str, value: T) -> None:
    if len(memo) >= _REMEMBERED:
        memo.clear()
    memo[token] = value


class Vader(package.SentimentIntensityAnalyzer):  # type: ignore[misc]
    """A drop-in for `SentimentIntensityAnalyzer`, and `compound` for those who want only that."""

    lexicon: dict[str, float]
    emojis: dict[str, str]

    def __init__(self) -> None:
        super().__init__()
        self._words = _Words(self.lexicon)
        self._codes = _Codes(self._words)
        self._single = frozenset(key for key in self.emojis if len(key) == 1)
        self._all_wide = not any(key.isascii() for key in self._single)

    def compound(self, text: str) -> float:
        """VADER's compound score of `text`, in [-1, 1], rounded to four digits as the package does."""
        text = self._spelled(text)
        valences = self._weigh(text.split())
        return _rounded_compound(sum(valences), text) if valences else 0.0

    def polarity_scores(self, text: str) -> dict[str, float]:
        """The package's whole answer: neg, neu, pos and compound."""
        text = self._spelled(text)
        tokens = text.split()
        if not tokens:
            return {"neg": 0.0, "neu": 0.0, "pos": 0.0, "compound": 0.0}
        valences = self._weigh(tokens)
        compound = _rounded_compound(sum(valences), text)
        return {**_shares(valences, len(tokens) - len(valences), _emphasis(text)), "compound": compound}

    def _spelled(self, text: str) -> str:
        """Emoji as words, spaced as the package spaces them: before, never behind."""
        if (self._all_wide and text.isascii()) or self._single.isdisjoint(text):
            return text.strip()
        pieces: list[str] = []
        after_space = True
        for character in text:
            description = self.emojis.get(character)
            if description is None:
                pieces.append(character)
                after_space = character == " "
            else:
                pieces.append(description if after_space else " " + description)
                after_space = False
        return "".join(pieces).strip()

    def _weigh(self, tokens: list[str]) -> list[float]:
        """Every valence that is not zero, in the order of the words."""
        known = self._codes
        codes = bytes(map(known.__getitem__, tokens))
        if not codes.translate(None, _NOT_HITS):
            return []
        shouted = len(codes.translate(None, _NOT_UPPER))
        capitals = 0 < shouted < len(codes)
        words: list[Word] = []
        found: list[tuple[int, float]] = []
        meddled = codes.translate(_TO_MEDDLES)
        hits = codes.translate(_TO_HITS)
        i = hits.find(_HIT)
        while i >= 0:
            if _MEDDLES in meddled[i - 3 if i > 3 else 0 : i + 3]:
                words = words or [self._words[token] for token in tokens]
                valence = _valence(words, i, capitals)
            else:
                valence = self._words[tokens[i]][3]
                if capitals and codes[i] & _UPPER:
                    valence = valence + _C_INCR if valence > 0 else valence - _C_INCR
            if valence:
                found.append((i, valence))
            i = hits.find(_HIT, i + 1)
        return _after_but(codes, found)


def _valence(words: list[Word], i: int, capitals: bool) -> float:
    word = words[i]
    if word.lower == "kind" and i + 1 < len(words) and words[i + 1].lower == "of":
        return 0.0
    valence = _unless_no(words, i)
    if capitals and word.upper:
        valence = valence + _C_INCR if valence > 0 else valence - _C_INCR
    for back in range(min(i, 3)):
        before = words[i - back - 1]
        if before.listed:
            continue
        if before.booster:
            valence = valence + _boost(before, valence, capitals) * _DAMPING[back]
        if before.negates or back:
            valence = _negated(valence, words, i, back)
        if back == 2:
            valence = _idioms(valence, words, i)
    if (
        i > 0
        and words[i - 1].lower == "least"
        and not words[i - 1].listed
        and (i == 1 or words[i - 2].lower not in ("at", "very"))
    ):
        valence = valence * _N_SCALAR
    return valence


def _unless_no(words: list[Word], i: int) -> float:
    """The lexicon's valence, turned where a "no" stands close before; "no" before a hit is no hit itself."""
    word = words[i]
    valence = word.valence
    if word.lower == "no" and i != len(words) - 1 and words[i + 1].listed:
        valence = 0.0
    if (
        (i > 0 and words[i - 1].lower == "no")
        or (i > 1 and words[i - 2].lower == "no")
        or (i > 2 and words[i - 3].lower == "no" and words[i - 1].lower in ("or", "nor"))
    ):
        valence = word.valence * _N_SCALAR
    return valence


def _boost(before: Word, valence: float, capitals: bool) -> float:
    scalar = before.booster
    if valence < 0:
        scalar *= -1
    if before.upper and capitals:
        scalar = scalar + _C_INCR if valence > 0 else scalar - _C_INCR
    return scalar


def _negated(valence: float, words: list[Word], i: int, back: int) -> float:
    before = words[i - back - 1]
    if back == 0:
        return valence * _N_SCALAR if before.negates else valence
    if back == 1:
        emphatic = before.lower == "never" and words[i - 1].lower in _EMPHATIC
        sure = before.lower == "without" and words[i - 1].lower == "doubt"
    else:
        near, middle = words[i - 1].lower, words[i - 2].lower
        emphatic = (before.lower == "never" and middle in _EMPHATIC) or near in _EMPHATIC
        sure = before.lower == "without" and "doubt" in (middle, near)
    if emphatic:
        return valence * 1.25
    return valence * _N_SCALAR if before.negates and not sure else valence


def _idioms(valence: float, words: list[Word], i: int) -> float:
    if not any(word.code & _ANCHOR for word in words[i - 3 : i + 3]):
        return valence
    after = words[i + 1 : i + 3]
    three, two, one, zero = (words[i - back].lower for back in (3, 2, 1, 0))
    sequences = (f"{one} {zero}", f"{two} {one} {zero}", f"{two} {one}", f"{three} {two} {one}", f"{three} {two}")
    for sequence in sequences:
        if sequence in _SPECIAL:
            valence = _SPECIAL[sequence]
            break
    if after:
        valence = _SPECIAL.get(f"{zero} {after[0].lower}", valence)
    if len(after) > 1:
        valence = _SPECIAL.get(f"{zero} {after[0].lower} {after[1].lower}", valence)
    for sequence in (sequences[3], sequences[4], sequences[2]):
        if sequence in _BOOSTERS:
            valence = valence + _BOOSTERS[sequence]
    return valence


def _after_but(codes: bytes, found: list[tuple[int, float]]) -> list[float]:
    """Halve what stands before the first "but", strengthen what follows.

    The package looks each value up by `list.index`, so that of equal values always the first changes.
    """
    values = [valence for _, valence in found]
    if _BUT not in codes and _LOUD_BUT not in codes:
        return values
    but = next(i for i, code in enumerate(codes) if code & _BUT)
    for position in range(len(values)):
        first = values.index(values[position])
        where = found[first][0]
        values[first] = values[first] * 0.5 if where < but else values[first] * 1.5
    return values


def _emphasis(text: str) -> float:
    marks = text.count("?")
    questioning = 0.0 if marks < 2 else marks * 0.18 if marks <= 3 else 0.96
    return min(text.count("!"), 4) * 0.292 + questioning


def _rounded_compound(total: float, text: str) -> float:
    if total > 0:
        total += _emphasis(text)
    elif total < 0:
        total -= _emphasis(text)
    return round(total / math.sqrt((total * total) + 15), 4)


def _shares(valences: list[float], neutral: int, emphasis: float) -> dict[str, float]:
    positive = negative = 0.0
    for valence in valences:
        if valence > 0:
            positive += valence + 1
        else:
            negative += valence - 1
    if positive > math.fabs(negative):
        positive += emphasis
    elif positive < math.fabs(negative):
        negative -= emphasis
    total = positive + math.fabs(negative) + neutral
    return {
        "neg": round(math.fabs(negative / total), 3),
        "neu": round(math.fabs(neutral / total), 3),
        "pos": round(math.fabs(positive / total), 3),
    }
