"""The fast score is the package's own, to the last digit, on anything."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from benchmarks.vader import mixes as posts
from sentiment.vader import Vader

PACKAGE = SentimentIntensityAnalyzer()
FAST = Vader()

WORDS = [
    *("not", "never", "none", "no", "nor", "or", "without", "doubt", "so", "this", "least", "at", "very", "kind", "of"),
    *("sort", "just", "enough", "but", "BUT", "the", "shit", "bomb", "bad", "ass", "bus", "stop", "yeah", "right"),
    *("kiss", "death", "to", "die", "for", "beating", "heart", "isn't", "n't", "cant", "neither", "despite", "good"),
    *("GOOD", "great", "awful", "terrible", "LOVE", "hate", "like", "lucky", "fun", "fucking", "absolutely", "really"),
    *("REALLY", "kinda", "ok", ":)", ":(", ":D", "XD", "x.", "(sad)", "happy,", "meh", "uh-uh", "hardly", "flippin"),
    *("😡", "😊bad", "❤", "❤️", "💔!", "!!!", "???", "?", "!?", "café", "İstanbul", "naïve", "我", "很好"),
    *("\u3000", "\u00a0"),
]
LISTED = sorted(PACKAGE.lexicon)


@st.composite
def mixes(draw: st.DrawFn) -> str:
    """What trips a scorer up: negation, boosters, idioms, emoji, capitals and punctuation, in any order."""
    word = st.one_of(st.sampled_from(WORDS), st.sampled_from(LISTED), st.sampled_from(LISTED).map(str.upper))
    return draw(st.sampled_from([" ", " ", " ", "  ", "", "\n"])).join(draw(st.lists(word, max_size=16)))


@settings(max_examples=400)
@given(st.one_of(mixes(), st.text()))
def test_every_score_is_the_packages_own(text: str) -> None:
    scores = PACKAGE.polarity_scores(text)
    assert FAST.polarity_scores(text) == scores
    assert FAST.compound(text) == scores["compound"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "The plot was good, but the characters are uncompelling and the dialog is not great.",
        "At least it isn't a horrible book. Least good of all!",
        "no good or bad, never so great, without doubt excellent",
        "kind of good, kind kind of, sort of bad ass to die for",
        "good but good but good but bad",
        "Today SUX!!!!! yeah right ???",
        "😡bad service 😡",
    ],
)
def test_the_quirks_are_kept(text: str) -> None:
    assert FAST.polarity_scores(text) == PACKAGE.polarity_scores(text)


def test_the_memory_of_words_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentiment.vader._REMEMBERED", 100)
    vader = Vader()
    for number in range(1_000):
        assert (
            vader.compound(f"good{number} bad word{number}")
            == PACKAGE.polarity_scores(f"good{number} bad word{number}")["compound"]
        )
    vader.compound("x" * 10_000)
    assert all(len(memo) <= 100 and len(max(memo, key=len)) <= 40 for memo in (vader._words, vader._codes))


def tangles(count: int, seed: int) -> list[str]:
    """What trips a scorer up, in any order, and characters of any script among it."""
    chance = random.Random(seed)
    words = [*WORDS, *WORDS, *chance.sample(LISTED, 2_000)]
    texts: list[str] = []
    for _ in range(count):
        found = chance.choices(words, k=chance.randint(0, 14))
        if chance.random() < 0.3:
            found.insert(0, "".join(chr(chance.randrange(1, 0x2FFFF)) for _ in range(4)))
        texts.append(chance.choice([" ", " ", " ", "  ", "", "\n"]).join(found))
    return texts


def test_a_hundred_thousand_scores_are_the_packages_own_after_other_texts() -> None:
    vader = Vader()
    for text in (*posts(10_000, seed=11), *tangles(10_000, seed=12)):
        vader.compound(text)
    texts = [*posts(50_000, seed=13), *tangles(50_000, seed=14)]
    different = [text for text in texts if vader.compound(text) != PACKAGE.polarity_scores(text)["compound"]]
    assert not different, different[:3]
