"""In whose Chinese, and in whose language at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responders.locales import locale_for, tag

FIVE = ("en", "zh-Hans", "zh-Hant", "zh-Hant-HK", "es")
TAGS = (
    "en",
    "en-GB",
    "zh",
    "zh-CN",
    "zh-TW",
    "zh-HK",
    "zh-Hans",
    "zh-Hant",
    "zh-Hant-HK",
    "zh-Hans-CN",
    "es-MX",
    "ar",
    "und",
    "ja",
)


@pytest.mark.parametrize(
    ("customer", "script", "channel", "expected"),
    [
        (None, "en", None, "en"),
        ("en-GB", "und", None, "en"),
        ("zh-CN", "und", None, "zh-Hans"),
        ("zh-TW", "und", None, "zh-Hant"),
        ("zh-HK", "zh-Hant", None, "zh-Hant-HK"),
        ("zh-MO", "zh-Hant", None, "zh-Hant"),
        ("es-MX", "en", "zh-Hans", "es"),
        ("zh-TW", "zh-Hans", None, "zh-Hant"),
        ("zh-CN", "zh-Hant", None, "zh-Hant"),
        ("zh", "zh-Hant", None, "zh-Hant"),
        ("zh-hant", "zh-Hant", "zh-Hant-HK", "zh-Hant-HK"),
        ("zh_TW", "zh-Hant", "zh-Hant-HK", "zh-Hant"),
        (None, "zh-Hant", "zh-Hant-HK", "zh-Hant-HK"),
        (None, "zh-Hant", "zh-HK", "zh-Hant-HK"),
        (None, "zh-Hant", "zh-Hant-TW", "zh-Hant"),
        (None, "zh-Hans", "zh-Hant-HK", "zh-Hans"),
        (None, "zh", "zh-Hant-HK", "zh-Hant-HK"),
        (None, "zh", None, "zh-Hans"),
        ("yue", "und", None, "zh-Hant-HK"),
        (None, "und", "es", "es"),
        (None, "ar", "zh-Hans", "zh-Hans"),
        (None, "ar", None, "en"),
    ],
)
def test_who_is_answered_in_what(customer: str | None, script: str, channel: str | None, expected: str) -> None:
    assert locale_for(FIVE, customer=customer, script=script, channel=channel, fallback="en") == expected


@pytest.mark.parametrize(
    ("available", "script", "fallback", "expected"),
    [
        (("en",), "ar", None, None),
        ((), "en", "en", None),
        (("en", "zh-Hans"), "zh-Hant", "en", "en"),
        (("en", "zh-Hans"), "zh-Hant", None, None),
        (("en", "zh-Hans"), "zh-Hant", "zh-Hans", "zh-Hans"),
        (("en", "zh-Hant-HK"), "zh-Hant", "en", "zh-Hant-HK"),
        (("en", "zh-CN", "zh-TW"), "zh-Hant", "en", "zh-TW"),
        (("zh",), "zh-Hant", None, "zh"),
        (("pt-BR",), "pt", None, "pt-BR"),
        (("sr-Latn",), "sr-Cyrl", None, None),
    ],
)
def test_what_there_is_a_text_for(
    available: tuple[str, ...], script: str, fallback: str | None, expected: str | None
) -> None:
    assert locale_for(available, customer=None, script=script, channel=None, fallback=fallback) == expected


@given(
    st.frozensets(st.sampled_from(TAGS)),
    st.none() | st.sampled_from(TAGS),
    st.sampled_from(TAGS),
    st.none() | st.sampled_from(TAGS),
    st.none() | st.sampled_from(TAGS),
)
def test_only_what_exists_and_never_simplified_for_traditional(
    available: frozenset[str], customer: str | None, script: str, channel: str | None, fallback: str | None
) -> None:
    chosen = locale_for(available, customer=customer, script=script, channel=channel, fallback=fallback)
    assert chosen is None or chosen in available
    traditional = {tag(each) for each in available if tag(each).script == "Hant"}
    if chosen and tag(script).script == "Hant" and traditional:
        assert tag(chosen).script != "Hans"


@given(st.text(max_size=12))
def test_any_text_can_be_read_as_a_tag(text: str) -> None:
    assert isinstance(tag(text).language, str)
