"""X's own count of a text, on examples that X publishes and by what must always hold."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.x.length import has_link, weighted_length

_ENGLAND = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
_EMOJI = (
    "👾",
    "🙋🏽",
    "👨‍🎤",
    "👨‍👩‍👧‍👦",
    "🇭🇰",
    "1️⃣",
    "❤️",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "✈️",
)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("hello", 5),
        ("é", 1),
        ("e\u0301", 1),  # the same letter in two parts
        ("café", 4),
        ("“quoted” — so…", 15),  # the ellipsis lies beyond X's light punctuation
        ("你好", 4),
        ("ｅ", 2),
        ("안녕", 4),
        ("https://a.co", 23),
        ("see https://example.com/" + "x" * 200 + " now", 4 + 23 + 4),
        ("example.com", 23),
        ("我的卡https://example.com/a", 6 + 23),
        ("@acmeair", 8),
        ("one\ntwo", 7),
    ],
)
def test_examples(text: str, length: int) -> None:
    assert weighted_length(text) == length


@pytest.mark.parametrize("emoji", _EMOJI)
def test_an_emoji_is_two_however_it_is_made(emoji: str) -> None:
    assert weighted_length(emoji) == 2
    assert weighted_length(f"a{emoji}好{emoji}") == 1 + 2 + 2 + 2


@pytest.mark.parametrize(
    "text", ["https://a.co", "HTTP://A.CO/x", "see acme.example/help", "www.acme.com", "mail.co.uk"]
)
def test_what_x_could_link_is_a_link(text: str) -> None:
    assert has_link(text)


@pytest.mark.parametrize(
    "text", ["", "Ref K7Q2.", "by 17:30 UTC.", "1.5 hours", "e.g. this", "a@b.com", "…and so on", "收到。谢谢"]
)
def test_what_is_none_is_none(text: str) -> None:
    assert not has_link(text)


def _naive(text: str) -> int:
    light = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
    return sum(1 if any(low <= ord(each) <= high for low, high in light) else 2 for each in text)


@given(st.text(alphabet="abcXYZ éüß你好吗안녕ñ'!?@#-"))
def test_without_links_and_emoji_it_is_the_sum_of_the_characters(text: str) -> None:
    assert weighted_length(text) == _naive(unicodedata.normalize("NFC", text))


@given(st.text())
def test_it_never_fails_and_is_never_negative(text: str) -> None:
    assert 0 <= weighted_length(text) <= 23 * len(text) + 23 * len(unicodedata.normalize("NFC", text))


@given(st.text(), st.sampled_from(_EMOJI))
def test_an_emoji_never_counts_more_than_its_characters(text: str, emoji: str) -> None:
    assert weighted_length(f"{text} {emoji}") <= weighted_length(text) + 1 + 2
