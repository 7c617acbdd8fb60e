"""Texts as numbers for the learned model: hashes of words, of pairs of words and of pieces of words.

All texts of a batch are hashed at once, by arithmetic on their code points: a feature costs nanoseconds, and
no vocabulary has to be loaded. A unit is a run of letters and digits, or one letter of a script that does not
part its words by blanks, or one symbol. Features are: units; pairs of neighbouring units, also over one unit
between; three and four units where all are single letters; and, inside longer words, pieces of three and of
five letters with the word's edges marked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["TURNS", "WORDS", "Bag", "hashed", "row_of"]

_WORD_BITS, _TURN_BITS = 17, 16
WORDS, TURNS = 1 << _WORD_BITS, 1 << _TURN_BITS
"""How many features of each bag are told apart; others share a row by chance."""

_LONGEST = 600
"""Characters of one text that are hashed: its beginning; an opinion shows in it."""
_TAIL = 200
"""And its end."""

_GAP, _WORD, _LETTER, _SIGN = 0, 1, 2, 3
_Codes = NDArray[np.uint32]
_Hashes = NDArray[np.uint64]
_Places = NDArray[np.int64]

_BASE = 0x9E3779B97F4A7C15
_INVERSE = pow(_BASE, -1, 1 << 64)
_MIX = np.uint64(0xD6E8FEB86659FD93)
_PAIR, _SKIP, _PIECE = np.uint64(0xA0761D6478BD642F), np.uint64(0xE7037ED1A0B428DB), np.uint64(0x8EBC6AF09C88C6E3)
_LINK = re.compile(r"https?://\S+|www\.\S+")
_HANDLE = re.compile(r"@\w+")
_DIGIT = ord("0")


class Bag(NamedTuple):
    """Features of a batch: rows of a table, those of text i from `starts[i]` on; never none."""

    rows: NDArray[np.int64]
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]


def hashed(texts: Sequence[str]) -> tuple[Bag, Bag]:
    """The words and the turns of folded `texts`, at least one text. Pure; any text will do."""
    codes, owners = _joined(texts)
    classes = _classes()[np.minimum(codes, 0x1FFFF)]
    codes = np.where((codes - 48) < 10, np.uint32(_DIGIT), codes)
    sums = _cumulated(codes)
    begins, ends = _units(classes)
    units = _range(sums, begins, ends) * _MIX
    single = classes[begins] == _LETTER
    words, turns = _neighbours(units, single, owners[begins])
    turns += _pieces(sums, classes, owners)
    return _bag([(units, owners[begins]), *words], len(texts), _WORD_BITS), _bag(turns, len(texts), _TURN_BITS)


def row_of(word: str) -> int | None:
    """The row of one folded word in the bag of words; None where it is not one feature."""
    bag, _ = hashed([word])
    units = len(word) if _classes()[min(ord(word[0]), 0x1FFFF)] == _LETTER else 1
    expected = {1: 2, 2: 4, 3: 7, 4: 11}.get(units)
    return int(bag.rows[-1]) if expected == len(bag.rows) else None


def _joined(texts: Sequence[str]) -> tuple[_Codes, _Places]:
    """All code points, two blanks before each text, and which text each belongs to."""
    texts = [_shortened(text) for text in texts]
    whole = "".join([f"\n\n{text}" for text in texts]) + "\n\n"
    codes = np.frombuffer(whole.encode("utf-32-le", "surrogatepass"), np.uint32)
    lengths = np.fromiter((len(text) + 2 for text in texts), np.int64, len(texts))
    lengths[-1] += 2
    return codes, np.repeat(np.arange(len(texts)), lengths)


def _shortened(text: str) -> str:
    if len(text) > _LONGEST + _TAIL:
        text = f"{text[:_LONGEST]}\n{text[-_TAIL:]}"
    if "://" in text or "www." in text:
        text = _LINK.sub(" ", text)
    return _HANDLE.sub("@", text) if "@" in text else text


@cache
def _classes() -> NDArray[np.uint8]:
    """The class of each code point below 0x20000; what lies beyond is rare Han."""
    table = np.full(0x20000, _SIGN, np.uint8)
    table[:0x3000] = [_WORD if chr(code).isalnum() else _SIGN for code in range(0x3000)]
    table[0xA000:0x10000] = [_WORD if chr(code).isalnum() else _SIGN for code in range(0xA000, 0x10000)]
    for first, last in (
        (0x3005, 0x3008),
        (0x3041, 0x3100),
        (0x3100, 0x3130),
        (0x3400, 0xA000),
        (0xAC00, 0xD7B0),
        (0xF900, 0xFB00),
    ):
        table[first:last] = _LETTER
    for first, last in ((0x0900, 0x0E00), (0x064B, 0x0660), (0x0300, 0x0370)):
        table[first:last] = np.where(table[first:last] == _SIGN, _WORD, table[first:last])
    table[0x0E00:0x0E80] = _LETTER
    for sign in ' \t\n\r,.;:()"、，。；：（）“”「」《》-_/|*':
        table[ord(sign)] = _GAP
    table[ord("'")] = _WORD
    table[0xFE00:0xFE10] = _GAP
    table[0x200B:0x2010] = _GAP
    table[0x1FFFF] = _LETTER
    return table


@cache
def _powers(length: int) -> tuple[_Hashes, _Hashes]:
    """The powers of the base, and of its inverse modulo 2**64."""
    forward = np.full(length + 1, _BASE, np.uint64)
    back = np.full(length + 1, _INVERSE, np.uint64)
    forward[0] = back[0] = 1
    return np.multiply.accumulate(forward), np.multiply.accumulate(back)


def _power(length: int) -> tuple[_Hashes, _Hashes]:
    return _powers(max(4096, 1 << length.bit_length()))


def _cumulated(codes: _Codes) -> _Hashes:
    forward, _ = _power(len(codes))
    sums = np.zeros(len(codes) + 1, np.uint64)
    np.cumsum((codes + np.uint32(1)) * forward[: len(codes)], out=sums[1:])
    return sums


def _range(sums: _Hashes, begins: _Places, ends: _Places) -> _Hashes:
    """A hash of each stretch that depends on what stands there and not on where."""
    _, back = _power(len(sums))
    return (sums[ends] - sums[begins]) * back[begins]


def _units(classes: NDArray[np.uint8]) -> tuple[_Places, _Places]:
    word = classes == _WORD
    before = np.empty_like(word)
    before[0] = False
    before[1:] = word[:-1]
    begins = np.flatnonzero((classes != _GAP) & ~(word & before))
    after = np.empty_like(word)
    after[-1] = False
    after[:-1] = word[1:]
    ends = np.flatnonzero((classes != _GAP) & ~(word & after)) + 1
    return begins, ends


_Found = tuple[_Hashes, _Places]


def _neighbours(units: _Hashes, single: NDArray[np.bool_], owners: _Places) -> tuple[list[_Found], list[_Found]]:
    """Of one text each: two, three and four single letters in a row; and other pairs, near and over a gap."""
    words: list[_Found] = []
    turns: list[_Found] = []
    chain, runs, whose = units, single, owners
    for length in (2, 3, 4):
        if len(units) < length:
            break
        chain = chain[:-1] * _PAIR + units[length - 1 :]
        same = owners[: len(chain)] == owners[length - 1 :]
        runs = runs[:-1] & single[length - 1 :] & same
        whose = owners[: len(chain)]
        words.append((chain[runs], whose[runs]))
        if length == 2:
            others = same & ~runs
            turns.append((chain[others], whose[others]))
    if len(units) > 2:
        far = units[:-2] * _SKIP + units[2:]
        same = (owners[:-2] == owners[2:]) & ~(single[:-2] & single[2:])
        turns.append((far[same], owners[:-2][same]))
    return words, turns


def _pieces(sums: _Hashes, classes: NDArray[np.uint8], owners: _Places) -> list[_Found]:
    """Pieces of three and of five characters within a word and the one character before and behind it."""
    word = classes == _WORD
    found: list[_Found] = []
    counted = np.zeros(len(word) + 1, np.int32)
    np.cumsum(word, out=counted[1:])
    for length in (3, 5):
        begins = np.arange(len(word) - length + 1)
        inside = counted[begins[1:-1] + length - 1] - counted[begins[1:-1] + 1] == length - 2
        at = begins[1:-1][inside]
        found.append((_range(sums, at, at + length) * _PIECE, owners[at + 1]))
    return found


def _bag(found: Sequence[_Found], texts: int, bits: int) -> Bag:
    """The features sorted by text; each text has one that stands for nothing."""
    hashes = np.concatenate([np.zeros(texts, np.uint64), *[one for one, _ in found]])
    whose = np.concatenate([np.arange(texts), *[text for _, text in found]])
    order = np.argsort(whose, kind="stable")
    hashes = hashes[order]
    hashes ^= hashes >> np.uint64(29)
    hashes *= _MIX
    counts = np.bincount(whose, minlength=texts)
    starts = np.zeros(texts, np.int64)
    np.cumsum(counts[:-1], out=starts[1:])
    return Bag((hashes >> np.uint64(64 - bits)).astype(np.int64), starts, counts)
