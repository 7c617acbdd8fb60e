"""The texts that the teacher labels for the student: messages of the sets, words alone, and stretches of a few words.

A student that knows only hashes of words learns from single words and short stretches what each of them weighs.
"""

from __future__ import annotations

import json
import random
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from sentiment.training.corpus import Example, calibrates
from sentiment.training.data import READ_AT_MOST, REVIEWS, Row

__all__ = ["WRITTEN", "Item", "clauses", "dictionary", "pool", "read", "spans", "stretches", "words", "write"]

WRITTEN = "written by us"
"""The source of the messages of our own that have no labels."""
_CAPS: Mapping[str, int] = {
    "goemotions": 16_000, "vgt_movie": 2_500, "vgt_nyt": 3_000, "nsmc": 3_500, "smsa": 3_000, "banking77": 1_500,
    "clinc150": 900, "crisislext26": 2_500,
    "words of LATIN": 5_000, "words of ARABIC": 1_200, "words of HANGUL": 1_200, "words of CYRILLIC": 500,
    "words of HIRAGANA": 700, "words of CJK": 6_000, "words of jieba": 7_000,
}  # fmt: skip
"""So many texts of a source at most; of others, all."""
_SPANS: Mapping[str, int] = {
    **dict.fromkeys(("umsab_es", "umsab_pt", "umsab_fr", "umsab_de"), 5), "umsab_ar": 3, "umsab_it": 2, "umsab_hi": 1,
    "vgt_tweets": 2, "vgt_amazon": 1, "goemotions": 1,
}  # fmt: skip
"""So many stretches of each of their messages."""
_SPAN_ROWS = 9_000
_SHORTEST, _LONGEST = 2, 8
_SENTENCE = re.compile(r"(?<=[。！？!?~；;\n])")
_CLAUSE = re.compile(r"(?<=[，。！？,.!?;；\n])\s*")
_STRETCH, _STRETCH_AT_MOST = 90, 200
_MARK = "\u2581"
"""SentencePiece's sign of a word's beginning."""
_SPACED = ("LATIN", "ARABIC", "DEVANAGARI", "CYRILLIC")
_TAGS = frozenset("advniz")
_FROM_DICTIONARY = 14_000


class Item(NamedTuple):
    """A text, and where it comes from."""

    source: str
    text: str


def pool(
    sets: Mapping[str, Sequence[Row]],
    examples: Sequence[Example],
    apart: Iterable[str],
    single: Iterable[Item],
) -> list[Item]:
    """Each text once, always the same ones. `examples` and `apart` are never among them."""
    chance = random.Random(5)  # noqa: S311  the same each time
    free = [each for each in examples if not calibrates(each.text) and not each.language.startswith("zh")]
    taken = {each.text for each in examples}.union(apart)
    kept: dict[str, str] = {}
    for source, texts in _gathered([*_messages(sets), *single, *_short(sets, free, chance)]).items():
        chance.shuffle(texts)
        fresh = [text for text in dict.fromkeys(texts) if text.strip() and text not in taken]
        for text in fresh[: _CAPS.get(source)]:
            kept.setdefault(text, source)
    return [Item(source, text) for text, source in kept.items()]


def _gathered(items: Iterable[Item]) -> dict[str, list[str]]:
    by_source: dict[str, list[str]] = {}
    for source, text in items:
        by_source.setdefault(source, []).append(text)
    return by_source


def _messages(sets: Mapping[str, Sequence[Row]]) -> Iterator[Item]:
    for name, rows in sets.items():
        for row in rows:
            for text in stretches(row.text) if name in REVIEWS else [row.text[:READ_AT_MOST]]:
                yield Item(name, text)


def _short(sets: Mapping[str, Sequence[Row]], free: Iterable[Example], chance: random.Random) -> Iterator[Item]:
    """Stretches of messages of the sets, and clauses of the corpus with a stretch of each."""
    for name, times in _SPANS.items():
        rows = sets.get(name, ())
        for row in chance.sample(rows, min(_SPAN_ROWS, len(rows))):
            for text in spans(row.text[:READ_AT_MOST], times, chance):
                yield Item(f"spans of {name}", text)
    for example in free:
        for clause in clauses(example.text):
            for text in (clause, *spans(clause, 1, chance)):
                if len(text) > 3:
                    yield Item("clauses of the corpus", text)


def stretches(review: str) -> list[str]:
    """A review in whole sentences, as many together as make about a message."""
    parts = [""]
    for sentence in _SENTENCE.split(review):
        if parts[-1] and len(parts[-1]) + len(sentence) > _STRETCH:
            parts.append("")
        parts[-1] += sentence
    return [part.strip()[:_STRETCH_AT_MOST] for part in parts if part.strip()]


def clauses(text: str) -> list[str]:
    return [part.strip() for part in _CLAUSE.split(text) if part.strip()]


def spans(text: str, times: int, chance: random.Random) -> Iterator[str]:
    """At most so many stretches of two to eight neighbouring words, each shorter than the text."""
    parts = text.split()
    for _ in range(times):
        length = chance.randint(_SHORTEST, _LONGEST)
        if length < len(parts):
            start = chance.randrange(len(parts) - length + 1)
            yield " ".join(parts[start : start + length])


def words(pieces: Iterable[str]) -> Iterator[Item]:
    """Those pieces of a SentencePiece vocabulary that are words, by script."""
    for piece in pieces:
        word = piece.strip(_MARK)
        if len(word) < 2 or not all(letter.isalpha() for letter in word):
            continue
        script = unicodedata.name(word[0], "?").split()[0]
        whole = piece.startswith(_MARK) and len(word) > 2
        if script in {"CJK", "HANGUL", "HIRAGANA", "KATAKANA"} or (script in _SPACED and whole):
            yield Item(f"words of {script}", word)


def dictionary() -> Iterator[Item]:
    """The commonest adjectives, adverbs, verbs, nouns and idioms of jieba's dictionary."""
    rows = Path(str(import_module("jieba").__file__)).with_name("dict.txt").read_text("utf-8").splitlines()
    split = [(int(count), word, tag) for word, count, tag in (row.split() for row in rows)]
    split = [row for row in split if 2 <= len(row[1]) <= 4 and row[2][0] in _TAGS]
    for _, word, _ in sorted(split, reverse=True)[:_FROM_DICTIONARY]:
        yield Item("words of jieba", word)


def write(path: Path, items: Iterable[Item]) -> None:
    path.write_text("".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items), "utf-8")


def read(path: Path) -> list[Item]:
    return [Item(*json.loads(line)) for line in path.read_text("utf-8").split("\n") if line]
