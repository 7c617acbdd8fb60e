"""The text of an automatic answer: chosen, filled and cut to the channel's length; pure.

Only {name}, {ref}, {due}, {brand} and {team} are replaced, in one pass of our own pattern: other braces
stay as they are, and nothing that is filled in is read again. The connector escapes the result.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from config.schema import Style
from responders.locales import ladder, locale_for, tag
from responders.names import usable_name, well_formed
from responders.promise import round_up, when

__all__ = [
    "DISCLOSURE",
    "PLACEHOLDERS",
    "Words",
    "compose",
    "disclosure",
    "locale_for",
    "placeholders",
    "round_up",
    "usable_name",
    "when",
]

PLACEHOLDERS = ("name", "ref", "due", "brand", "team")
_PLACEHOLDER = re.compile(r"\{(name|ref|due|brand|team)\}")
_ELLIPSIS = "…"
_LOOSE = " \t\n,;:.，；：、。(（[“\"'«-–—"

DISCLOSURE: Mapping[str, str] = {
    "en": "Automatic reply", "es": "respuesta automática",
    "zh": "自动回复", "zh-Hans": "自动回复", "zh-Hant": "自動回覆",
    "ar": "رد تلقائي", "de": "automatische Antwort", "fr": "réponse automatique", "id": "balasan otomatis",
    "it": "risposta automatica", "ja": "自動返信", "ko": "자동 응답", "nl": "automatisch antwoord",
    "pl": "odpowiedź automatyczna", "pt": "resposta automática", "ru": "автоматический ответ",
    "th": "ข้อความตอบกลับอัตโนมัติ", "tr": "otomatik yanıt", "vi": "trả lời tự động",
}  # fmt: skip
"""The mark that says that no person wrote this; English where a locale has none."""

Measure = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Words:
    """A text ready to be sent: the `index`-th wording of its locale. `promises` is True where it tells {due}."""

    locale: str
    index: int
    text: str
    promises: bool = False


@dataclass(frozen=True, slots=True)
class _Filled:
    """A wording with its values in place; `values` are their spans, which are never cut in two."""

    index: int
    text: str
    values: tuple[tuple[str, int, int], ...]

    def span(self, placeholder: str) -> tuple[int, int] | None:
        return next(((start, end) for name, start, end in self.values if name == placeholder), None)


def placeholders(wording: str) -> frozenset[str]:
    """Which of `PLACEHOLDERS` a wording uses."""
    return frozenset(_PLACEHOLDER.findall(wording))


def disclosure(locale: str) -> str:
    """The mark in the text's own locale."""
    return next((DISCLOSURE[str(rung)] for rung in ladder(tag(locale)) if str(rung) in DISCLOSURE), DISCLOSURE["en"])


def compose(
    style: Style,
    *,
    locale: str,
    name: str | None,
    ref: str | None,
    due: str | None,
    brand: str | None,
    team: str | None,
    avoid: Collection[int] = (),
    length: int,
    measure: Measure = len,
    disclose: bool = True,
    seed: int = 0,
) -> Words | None:
    """Choose a wording of `locale`, fill it and make it fit `length` by `measure`; None where none can be used.

    `name` is what `usable_name` let pass; its form is looked at once more. A wording that needs a value
    which is None is not used. Among the others `seed` chooses; the indexes in `avoid` (already sent to
    this person) only when all are used up. What is too long gives way to the longest shorter wording that
    fits, else the shortest is cut with an ellipsis; {ref} and the mark are never cut.
    """
    given = {"name": well_formed(name) if name else None, "ref": ref, "due": due, "brand": brand, "team": team}
    values = {key: value for key, value in given.items() if value}
    texts = style.wordings.get(locale, ())
    usable = [_fill(i, text, values) for i, text in enumerate(texts) if placeholders(text) <= values.keys()]
    fresh = [filled for filled in usable if filled.index not in avoid] or usable
    if not fresh:
        return None
    mark = disclosure(locale) if disclose else ""
    order = [fresh[seed % len(fresh)], *_longest_first(fresh, measure), *_longest_first(usable, measure)]
    return _fitting(order, locale, mark, length, measure)


def _fill(index: int, wording: str, values: Mapping[str, str]) -> _Filled:
    parts: list[str] = []
    spans: list[tuple[str, int, int]] = []
    size = last = 0
    for match in _PLACEHOLDER.finditer(wording):
        before, value = wording[last : match.start()], values[match[1]]
        spans.append((match[1], size + len(before), size + len(before) + len(value)))
        parts += before, value
        size, last = spans[-1][2], match.end()
    return _Filled(index, "".join((*parts, wording[last:])), tuple(spans))


def _fitting(order: Sequence[_Filled], locale: str, mark: str, length: int, measure: Measure) -> Words | None:
    """The first in `order` that fits; where none does, the shortest that can be cut."""
    for filled in order:
        text = _marked(filled.text, mark)
        if measure(text) <= length:
            return _words(filled, locale, text)
    for filled in sorted(order, key=lambda each: measure(each.text)):
        cut = _cut(filled, mark, length, measure)
        if cut is not None:
            return _words(filled, locale, cut)
    return None


def _longest_first(filled: Sequence[_Filled], measure: Measure) -> list[_Filled]:
    return sorted(filled, key=lambda each: -measure(each.text))


def _words(filled: _Filled, locale: str, text: str) -> Words:
    due = filled.span("due")
    told = due is not None and filled.text[: due[1]] == text[: due[1]]
    return Words(locale, filled.index, text, told)


def _marked(text: str, mark: str) -> str:
    """The text with the mark behind it, unless it says so itself."""
    if not mark or mark.casefold() in text.casefold():
        return text
    wide = unicodedata.east_asian_width(mark[0]) == "W" and not "가" <= mark[0] <= "힣"
    return f"{text}（{mark}）" if wide else f"{text} ({mark})"


def _cut(filled: _Filled, mark: str, length: int, measure: Measure) -> str | None:
    """The longest beginning that fits with an ellipsis and the mark; a reference that would fall off follows it."""
    ref = filled.span("ref")
    needed = ref[1] if ref else 0
    plain = _longest(filled, lambda head: _marked(head + _ELLIPSIS, mark), length, measure)
    if plain is not None and plain[0] >= needed:
        return plain[1]
    if ref is None:
        return None
    kept = filled.text[ref[0] : ref[1]]
    moved = _longest(filled, lambda head: _marked(f"{head}{_ELLIPSIS} {kept}", mark), length, measure)
    if moved is not None:
        return moved[1]
    bare = _marked(kept, mark)
    return bare if measure(bare) <= length else None


def _longest(filled: _Filled, finish: Callable[[str], str], length: int, measure: Measure) -> tuple[int, str] | None:
    """The last good place to cut at, and the finished text; None where not even the first word fits."""
    places = list(_boundaries(filled))
    at = bisect_left(places, True, key=lambda place: measure(finish(filled.text[:place])) > length)
    for place in _words_first(filled.text, places[:at]):
        head = filled.text[:place].rstrip(_LOOSE)
        text = finish(head)
        if head and measure(text) <= length:
            return len(head), text
    return None


def _words_first(text: str, places: Sequence[int]) -> Iterator[int]:
    """From the end: the last blank not far back, where the text has words, else any boundary."""
    near = places[-1] - 20 if places else 0
    yield from (place for place in reversed(places) if place >= near and _between_words(text, place))
    yield from reversed(places)


def _between_words(text: str, place: int) -> bool:
    before, after = text[place - 1], text[place : place + 1]
    return not after or after.isspace() or not (_latin(before) and _latin(after))


def _latin(character: str) -> bool:
    return character.isalnum() and unicodedata.east_asian_width(character) not in "WF"


def _boundaries(filled: _Filled) -> Iterator[int]:
    """Where the text may be cut: between graphemes, and never inside a value."""
    inside = {place for _, start, end in filled.values for place in range(start + 1, end)}
    text = filled.text
    return (place for place in range(1, len(text)) if place not in inside and not _joined(text, place))


def _joined(text: str, place: int) -> bool:
    """Whether the characters around `place` make one grapheme."""
    before, after = text[place - 1], text[place]
    if before == "\u200d" or after in "\u200c\u200d" or "\U0001f3fb" <= after <= "\U0001f3ff":
        return True
    return unicodedata.category(after).startswith("M") or (_regional(before) and _regional(after))


def _regional(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
