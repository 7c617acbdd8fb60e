"""The one normaliser of text: what looks or sounds alike becomes the same text, with offsets back.

Folded are: NFKC (so also full width), letter case, invisible characters, traditional to simplified
Chinese (character by character), curly quotes, runs of blanks (to one blank, or one line break where
the run holds one), blanks between Han characters, letters repeated three times or more (to two), and
Cyrillic or Greek look-alikes inside a word that also has Latin letters. Accents are kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

__all__ = ["READ_AT_MOST", "Folded", "fold", "simplify"]

READ_AT_MOST = 2000
"""Characters of a message that are read; what stands behind them is stored, not read."""

_WRITTEN_AT_MOST = 2 * READ_AT_MOST
"""Characters of a folded text, about: single ones there are that fold into eighteen."""

_HAN = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_HAN_RANGES = ((0x3400, 0x4DC0), (0x4E00, 0xA000), (0x20000, 0x2A6E0))

_SEAM = "\ue000"
"""Stands, while folding, for a character that does not fold into exactly one character on its own."""

_TABLE_LIMIT = 60_000
"""Characters whose folding is remembered: a flood of rare ones must not fill the memory."""

_DROPPED, _MARK = 1, 2
_LONGEST_REMEMBERED = 8

_ODD = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u2035\u00b4", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u301d\u301e", '"'),
    **dict.fromkeys("\t\x1c\x1d\x1e\x1f", " "),
    **dict.fromkeys("\r\x0b\x0c\x85\u2028\u2029", "\n"),
    **dict.fromkeys("\u115f\u1160\u3164\uffa0", ""),  # Hangul fillers: letters that show nothing
    _SEAM: "\ufffd",
}
_VARIANTS = str.maketrans({"妳": "你", "汙": "污"})
"""Taiwanese forms that OpenCC leaves alone."""

_LOOK_ALIKES = str.maketrans(
    "аеорсухіјѕԁһԛԝкмтпгαονικρτυχ",
    "aeopcyxijsdhqwkmtnraovikptux",
)
_LETTERS = "a-z\u00df-\u024f\u0370-\u03ff\u0400-\u052f"
_FOREIGN = re.compile("[\u0370-\u03ff\u0400-\u052f]")
_LATIN = re.compile("[a-z\u00df-\u024f]")
_WORD = re.compile(f"[{_LETTERS}]+")
_THRICE = re.compile(r"(?s)(.)\1\1")
_RUN = re.compile(r"(?s)(.)\1\1+")
_BLANKS = re.compile(r"[ \n]{2,}")
_BLANK_BEFORE_HAN = re.compile(f" (?=[{_HAN}])")
_IS_HAN = re.compile(f"[{_HAN}]")

Edit = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Folded:
    """A text as it is compared. `offsets` None means that both texts have the same positions.

    Otherwise `offsets[i]` is the position in `original` of `text[i]`, with one more entry for the end.
    """

    original: str
    text: str
    offsets: Sequence[int] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where text[start:end] stands in the original; blanks and invisible characters behind it excluded."""
        offsets = self.offsets
        if offsets is None:
            return start, end
        first = offsets[start]
        if end <= start:
            return first, first
        last = offsets[end - 1]
        while offsets[end] == last:  # one original character became several
            end += 1
        stop = offsets[end]
        while stop > last + 1 and not _shows(self.original[stop - 1]):
            stop -= 1
        return first, stop


def fold(text: str) -> Folded:
    """Fold at most the first 2,000 characters. Pure; never raises on any text."""
    read = text if len(text) <= READ_AT_MOST else text[:READ_AT_MOST]
    if read.isascii():
        folded = read.lower()
        if folded.isprintable() and "  " not in folded and not _THRICE.search(folded):
            return Folded(text, folded, None)
        if not folded.isprintable():
            folded = folded.translate(_TABLE)
        return _shorten(text, folded, None)
    folded = read.translate(_TABLE)
    offsets: list[int] | None = None
    if _SEAM in folded:
        folded, offsets = _mend(read, folded)
    if _FOREIGN.search(folded):
        folded = _WORD.sub(_unmask, folded)
    return _shorten(text, folded, offsets)


def simplify(text: str) -> str:
    """Traditional Chinese characters as simplified ones, one for one; everything else untouched."""
    return text.translate(_simplified())


def _shorten(original: str, text: str, offsets: list[int] | None) -> Folded:
    """The steps that only leave characters out: runs of blanks, blanks inside Chinese, elongation."""
    if "\n" in text or "  " in text:
        text, offsets = _edit(text, offsets, [_blanks(m) for m in _BLANKS.finditer(text)])
    if " " in text:
        cuts = [
            (m.start(), m.end(), "")
            for m in _BLANK_BEFORE_HAN.finditer(text)
            if m.start() and _IS_HAN.match(text, m.start() - 1)
        ]
        text, offsets = _edit(text, offsets, cuts)
    if _THRICE.search(text):
        cuts = [(m.start(), m.end(), m[1] * 2) for m in _RUN.finditer(text) if m[1].isalpha()]
        text, offsets = _edit(text, offsets, cuts)
    return Folded(original, text, offsets)


def _blanks(match: re.Match[str]) -> Edit:
    return match.start(), match.end(), "\n" if "\n" in match[0] else " "


def _edit(text: str, offsets: list[int] | None, edits: Sequence[Edit]) -> tuple[str, list[int] | None]:
    """Replace each text[start:end] by something not longer, which takes the first positions of it."""
    if not edits:
        return text, offsets
    old = list(range(len(text) + 1)) if offsets is None else offsets
    pieces: list[str] = []
    kept: list[int] = []
    at = 0
    for start, end, new in edits:
        pieces += (text[at:start], new)
        kept += old[at : start + len(new)]
        at = end
    pieces.append(text[at:])
    kept += old[at:]
    return "".join(pieces), kept


def _mend(read: str, folded: str) -> tuple[str, list[int]]:
    """Fold the runs of characters that the table could not fold one for one."""
    pieces: list[str] = []
    offsets: list[int] = []
    at = 0
    while (seam := folded.find(_SEAM, at)) >= 0:
        start = seam - 1 if seam > at and _KINDS[read[seam]] & _MARK else seam
        end = seam + 1
        while end < len(folded) and folded[end] == _SEAM:
            end += 1
        pieces.append(folded[at:start])
        offsets.extend(range(at, start))
        for position, cluster in _clusters(read, start, end):
            if len(offsets) >= _WRITTEN_AT_MOST:
                return "".join(pieces), [*offsets, position]
            new = _CLUSTERS[cluster]
            pieces.append(new)
            offsets.extend([position] * len(new))
        at = end
    pieces.append(folded[at:])
    offsets.extend(range(at, len(read) + 1))
    return "".join(pieces), offsets


def _clusters(read: str, start: int, end: int) -> Iterable[tuple[int, str]]:
    """Each character of read[start:end] with the marks that follow it; invisible ones are left out."""
    position, cluster = start, ""
    for index in range(start, end):
        character = read[index]
        kind = _KINDS[character]
        if kind & _DROPPED:
            continue
        if cluster and kind & _MARK:
            cluster += character
            continue
        if cluster:
            yield position, cluster
        position, cluster = index, character
    if cluster:
        yield position, cluster


def _fold_cluster(cluster: str) -> str:
    odd = _ODD.get(cluster)
    if odd is not None:
        return odd
    if "\ud800" <= cluster[0] <= "\udfff":
        return "\ufffd"
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", cluster).casefold())
    if text.startswith(" ") and len(text) > 1:  # a spacing accent, such as the arms of a shrug
        return cluster
    text = "".join(_ODD.get(c, c) for c in text.replace("i\u0307", "i"))
    return text.translate(_simplified()) if _IS_HAN.search(text) else text


def _fold_one(character: str) -> str:
    """The fold of one character, or a seam where it takes its neighbours, or other than one, to tell."""
    if _is_dropped(character) or _is_mark(character):
        return _SEAM
    if "\u3131" <= character <= "\u318e":  # Hangul letters stay themselves: NFKC would glue them
        return character
    folded = _fold_cluster(character)
    return folded if len(folded) == 1 else _SEAM


class _Table(dict[int, str]):
    """Learns each character as it is met."""

    def __missing__(self, code: int) -> str:
        folded = _fold_one(chr(code))
        if len(self) < _TABLE_LIMIT:
            self[code] = folded
        return folded


_TABLE = _Table()


class _Kinds(dict[str, int]):
    """Whether a character shows nothing, and whether it may melt into the one before it."""

    def __missing__(self, character: str) -> int:
        kind = _DROPPED * _is_dropped(character) | _MARK * _is_mark(character)
        if len(self) < _TABLE_LIMIT:
            self[character] = kind
        return kind


class _Clusters(dict[str, str]):
    """The folds of characters with their marks; forgets everything when full, so that it stays bounded."""

    def __missing__(self, cluster: str) -> str:
        folded = _fold_cluster(cluster)
        if len(cluster) <= _LONGEST_REMEMBERED:
            if len(self) >= _TABLE_LIMIT:
                self.clear()
            self[cluster] = folded
        return folded


_KINDS, _CLUSTERS = _Kinds(), _Clusters()


def _is_dropped(character: str) -> bool:
    return (
        unicodedata.category(character) in ("Cf", "Me")
        or "\ufe00" <= character <= "\ufe0f"
        or "\U000e0100" <= character <= "\U000e01ef"
        or _ODD.get(character) == ""
    )


def _is_mark(character: str) -> bool:
    """Whether it may melt into the character before it: accents, vowel signs, Hangul jamo, kana voicing."""
    if "\u1161" <= character <= "\u11ff":
        return True
    return unicodedata.category(unicodedata.normalize("NFKC", character)[0])[0] == "M"


def _shows(character: str) -> bool:
    return not (character.isspace() or _is_dropped(character))


def _unmask(word: re.Match[str]) -> str:
    text = word[0]
    return text.translate(_LOOK_ALIKES) if _LATIN.search(text) else text


@cache
def _simplified() -> dict[int, str]:
    """Every Han character that has a simplified form, read out of OpenCC once."""
    from opencc import OpenCC  # a process that meets no Chinese text does not load it

    table: dict[int, str] = dict(_VARIANTS)
    for start, stop in _HAN_RANGES:
        characters = [chr(code) for code in range(start, stop)]
        lines = "\n".join(characters)
        taiwan = OpenCC("t2s").convert(lines).split("\n")
        hong_kong = OpenCC("hk2s").convert(lines).split("\n")
        for character, general, local in zip(characters, taiwan, hong_kong, strict=True):
            simple = general if general != character else local
            if simple != character and len(simple) == 1:
                table[ord(character)] = simple
    return table
