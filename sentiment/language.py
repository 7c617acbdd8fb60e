"""Which language a message is in: by script first, by small evidence of words where script does not settle it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from config.folding import Folded
from sentiment.data import lines, rows

__all__ = ["ENGLISH", "identify", "letters"]

_SIMPLIFIED, _TRADITIONAL = (re.compile(f"[{line}]") for line in lines("han.txt"))
ENGLISH = frozenset(lines("words_en.txt"))
_STOPWORDS = {language: frozenset(words.split()) for language, words, _ in rows("stopwords.tsv")}
_LETTERS = {letter: language for language, _, letters in rows("stopwords.tsv") for letter in letters}
_BY_STOPWORD: dict[str, tuple[str, ...]] = {}
for _language, _words in _STOPWORDS.items():
    for _word in _words:
        _BY_STOPWORD[_word] = (*_BY_STOPWORD.get(_word, ()), _language)
_ANY_STOPWORD = frozenset(_BY_STOPWORD)

_READ = 2_000
_ENOUGH_WORDS = 4
_NOT_WORDS = re.compile(r"https?://\S+|www\.\S+|[@#][\w.]+|\[(?:card|phone|id|iban|passport|email|secret)\]")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_TO_BLANKS = bytes(code if chr(code).isalpha() or chr(code) == "'" else 32 for code in range(128)).ljust(256)
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]+")
_NOT_LATIN = re.compile("[\u0370-\u1cff\u1d80-\u1dff\u2de0-\u2dff\u3040-\u31ff\uac00-\ud7af\ua640-\uabff\ufb1d-\ufeff]")


class _Script(NamedTuple):
    letters: re.Pattern[str]
    language: Callable[[str], str]


def _always(tag: str) -> Callable[[str], str]:
    return lambda _: tag


def _marked(letters: str, tag: str, otherwise: str) -> Callable[[str], str]:
    found = re.compile(f"[{letters}]")
    return lambda text: tag if found.search(text) else otherwise


_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa\u30fc]")
_SCRIPTS = tuple(
    _Script(re.compile(f"[{letters}]"), language)
    for letters, language in (
        ("\u1100-\u11ff\u3130-\u318f\uac00-\ud7af", _always("ko")),
        ("\u0400-\u052f", _marked("іїєґІЇЄҐ", "uk", "ru")),
        ("\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc", _marked("پچژگ", "fa", "ar")),
        ("\u0370-\u03ff\u1f00-\u1fff", _always("el")),
        ("\u0590-\u05ff", _always("he")),
        ("\u0e00-\u0e7f", _always("th")),
        ("\u0900-\u097f", _always("hi")),
        ("\u0980-\u09ff", _always("bn")),
        ("\u0a00-\u0a7f", _always("pa")),
        ("\u0a80-\u0aff", _always("gu")),
        ("\u0b80-\u0bff", _always("ta")),
        ("\u0c00-\u0c7f", _always("te")),
        ("\u0c80-\u0cff", _always("kn")),
        ("\u0d00-\u0d7f", _always("ml")),
        ("\u0d80-\u0dff", _always("si")),
        ("\u0e80-\u0eff", _always("lo")),
        ("\u1000-\u109f", _always("my")),
        ("\u1780-\u17ff", _always("km")),
        ("\u10a0-\u10ff", _always("ka")),
        ("\u0530-\u058f", _always("hy")),
        ("\u1200-\u137f", _always("am")),
    )
)
_KANA_NUMBER, _NO_SCRIPT = len(_SCRIPTS), 255
_REMEMBERED = 20_000


def identify(folded: Folded, hint: str | None) -> str:
    """`en`, `zh-Hans`, `zh-Hant`, another BCP 47 tag, or `und`.

    `hint` is what the platform says; it counts only where script and words do not settle the matter.
    """
    text = folded.text[:_READ]
    if text.isascii():
        return _latin(text, hint)
    han = len("".join(_HAN.findall(text)))
    if han:
        return _with_han(folded, text, han, hint)
    if _NOT_LATIN.search(text):
        script, count = _commonest(text)
        if script and count * 3 >= len(_WORD.findall(_NOT_WORDS.sub(" ", text))) - count:
            return script
    return _latin(text, hint)


def letters(text: str) -> int:
    """How many letters stand outside links, handles and what was masked; at most about 200 are counted."""
    return sum([letter.isalpha() for letter in _NOT_WORDS.sub(" ", text[:200])])


def _with_han(folded: Folded, text: str, han: int, hint: str | None) -> str:
    if _NOT_LATIN.search(text):
        kana = len(_KANA.findall(text.replace("の", "")))
        if kana >= 2 and kana * 4 >= han:
            return "ja"
        script, count = _commonest(text)
        if script and count > han:
            return script
    if len(text) > 5 * han and len(re.findall("[a-z]{2,}", _NOT_WORDS.sub(" ", text))) > han * 2:
        return _latin(text, hint)  # a Latin word takes two letters: a shorter text cannot hold so many
    return _chinese(folded.original, hint)


def _chinese(original: str, hint: str | None) -> str:
    letters = original[:_READ]
    if _TRADITIONAL.search(letters) is None:
        simplified, traditional = int(_SIMPLIFIED.search(letters) is not None), 0
    else:
        simplified, traditional = len(_SIMPLIFIED.findall(letters)), len(_TRADITIONAL.findall(letters))
    if simplified != traditional:
        return "zh-Hans" if simplified > traditional else "zh-Hant"
    return "zh-Hant" if _says_traditional(hint) else "zh-Hans"


def _says_traditional(hint: str | None) -> bool:
    parts = set((hint or "").lower().replace("_", "-").split("-"))
    return bool(parts & {"zh", "yue"}) and bool(parts & {"hant", "tw", "hk", "mo", "yue"}) and "hans" not in parts


class _ScriptOf(dict[str, int]):
    """Character -> number of its script in one byte; forgets everything when full, so that it stays bounded."""

    def __missing__(self, character: str) -> int:
        found = [number for number, script in enumerate(_SCRIPTS) if script.letters.match(character)]
        number = found[0] if found else _KANA_NUMBER if _KANA.match(character) else _NO_SCRIPT
        if len(self) >= _REMEMBERED:
            self.clear()
        self[character] = number
        return number


_SCRIPT_OF = _ScriptOf()


def _commonest(text: str) -> tuple[str, int]:
    numbers = bytes(map(_SCRIPT_OF.__getitem__, text))
    kana = numbers.count(_KANA_NUMBER)
    counts = [(numbers.count(number), -number) for number in set(numbers).difference((_NO_SCRIPT, _KANA_NUMBER))]
    count, number = max(counts, default=(0, 0))
    if kana > count:
        return ("ja", kana) if kana >= 2 else ("", 0)
    return (_SCRIPTS[-number].language(text), count) if count else ("", 0)


def _count(known: frozenset[str], found: Iterable[str]) -> int:
    return list(map(known.__contains__, found)).count(True)


def _latin(text: str, hint: str | None) -> str:
    words = text.split()
    if len(words) >= _ENOUGH_WORDS and _count(ENGLISH, words) * 5 >= len(words) * 3:
        return "en"
    if "@" in text or "#" in text or "[" in text or "://" in text or "www." in text:
        text = _NOT_WORDS.sub(" ", text)
    words = _words_in(text)
    if not words:
        return _hinted(hint)
    english = _count(ENGLISH, words)
    if english * 3 >= len(words) and text.isascii() and _count(_ANY_STOPWORD, words) < english:
        return "en"  # as no other language can have more evidence
    tag, evidence = _other_latin(text, words)
    if evidence > english or (evidence == english and evidence and _primary(hint) == tag):
        return tag
    if english * 3 >= len(words):
        return "en"
    return _hinted(hint)


def _words_in(text: str) -> list[str]:
    """All that `_WORD` finds, which ASCII text need only be asked about where it holds an apostrophe."""
    if not text.isascii():
        return _WORD.findall(text)
    words = text.encode().translate(_TO_BLANKS).decode().split()
    if "'" not in text:
        return words
    return [word for token in words for word in (_WORD.findall(token) if "'" in token else (token,))]


def _other_latin(text: str, words: list[str]) -> tuple[str, int]:
    counts: dict[str, int] = {}
    for word in words:
        for tag in _BY_STOPWORD.get(word, ()):
            counts[tag] = counts.get(tag, 0) + 1
    if not text.isascii():
        for letter in text:
            if letter in _LETTERS:
                counts[_LETTERS[letter]] = counts.get(_LETTERS[letter], 0) + 1
    if not counts:
        return "", 0
    tag = max(counts, key=lambda found: counts[found])
    return tag, counts[tag]


def _primary(hint: str | None) -> str:
    return (hint or "").lower().replace("_", "-").partition("-")[0]


def _hinted(hint: str | None) -> str:
    primary = _primary(hint)
    if primary in ("zh", "yue"):
        return "zh-Hant" if _says_traditional(hint) else "zh-Hans"
    return primary if re.fullmatch("[a-z]{2,3}", primary) else "und"
