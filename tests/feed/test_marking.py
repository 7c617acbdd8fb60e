"""What strangers write cannot act, turn the text around, or climb over its neighbours."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feed.marking import excerpt, marked, plain, visible

HOSTILE = [
    "<script>alert(1)</script>",
    "\u202egnp.exe",
    "a\x00b",
    "😀" * 10_000,
    "Z" + "\u0301" * 500,
    "\u2066\u2067\u2069",
    "'\"&<>",
    "\udc80",
    "\ufeff",
]
BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
TAGS = re.compile(r'</?mark>|<span class="hidden-char" title="U\+[0-9A-F]{4,6}">|</span>')


def bare(html: str) -> str:
    return TAGS.sub("", html)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_acts(text: str) -> None:
    for html in (str(visible(text)), str(marked(text, [[0, 3]])), str(excerpt(text, [[1, 2]]))):
        assert "<" not in bare(html)
        assert not set(html) & set(BIDI + "\x00")


@given(st.text(), st.lists(st.lists(st.integers(-5, 60), min_size=2, max_size=2), max_size=5))
def test_any_text_any_spans(text: str, spans: list[list[int]]) -> None:
    html = str(marked(text, spans))
    assert "<" not in bare(html)
    assert ">" not in bare(html)
    assert html.count("<mark>") == html.count("</mark>")
    assert not [character for character in html if unicodedata.category(character) == "Cc" and character not in "\n\t"]


def test_the_matched_words_are_marked() -> None:
    assert str(marked("my stolen card", [[3, 9]])) == "my <mark>stolen</mark> card"
    assert str(marked("行李没到", [[0, 2], [1, 3]])) == "<mark>行李没</mark>到"
    assert str(marked("a<b>c", [[1, 4]])) == "a<mark>&lt;b&gt;</mark>c"
    assert str(marked("short", [[2, 900], [7, 9]])) == "sh<mark>ort</mark>"


def test_a_hidden_character_is_shown() -> None:
    assert 'title="U+202E"' in visible("a\u202eb")
    assert "\u202e" not in plain("a\u202eb")
    assert str(visible("👩\u200d👩\u200d👧")) == "👩\u200d👩\u200d👧"


def test_accents_do_not_pile_up() -> None:
    assert len(plain("Z" + "\u0301" * 500)) < 10
    assert plain("Việt ไทย") == "Việt ไทย"


def test_a_long_text_is_cut() -> None:
    assert len(str(marked("x" * 1_000_000))) < 5_000
    assert len(str(excerpt("😀" * 10_000))) < 400


def test_a_list_shows_one_line() -> None:
    assert "\n" not in excerpt("a\nb\tc")
