"""What staff say of words and of false alarms: nothing unless asked, monotone, and within the budget."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.folding import Folded, fold
from config.reading import ReadingSettings
from config.schema import Brand
from sentiment.adjustment import (
    BUDGETS,
    Adjustment,
    calm_quantiles,
    family,
    quantiles,
    shifted,
    threshold,
)
from sentiment.api import NEGATIVE, Circumstances, Reading
from sentiment.reader import FastReader
from sentiment.training.calm import measured, table
from sentiment.training.corpus import development

PROBABILITY = st.integers(0, 10_000).map(lambda number: number / 10_000)
CALM = Reading(
    language="en",
    compound=0.0,
    negative=0.12,
    urgent=0.1,
    needs_answer=0.5,
    label="neutral",
    harm=(),
    kind="chatter",
    addressed="to_us",
    scorer="en/test",
)
EVIL = st.text(max_size=60) | st.sampled_from(["", "\x00", "\u202e", "🤬" * 50, "a" * 5_000, "贵，贵"])


def settings(**keys: object) -> ReadingSettings:
    return ReadingSettings.model_validate(keys)


def adjusted(text: str, reading: Reading = CALM, **words: list[str]) -> Reading:
    return Adjustment.compile(settings(words=words)).adjust(reading, fold(text))


def negatives(calm: list[float], budget: float) -> list[Reading]:
    adjustment = Adjustment.compile(settings(false_alarms=budget), {"en": quantiles(calm, (*BUDGETS, budget))})
    return [adjustment.adjust(replace(CALM, negative=one), fold("x")) for one in calm]


@given(st.text(max_size=40), PROBABILITY)
def test_without_settings_a_reading_stays_the_very_same(text: str, negative: float) -> None:
    reading = replace(CALM, negative=negative)
    for nothing in (None, settings(), settings(words={})):
        adjustment = Adjustment.compile(nothing)
        assert adjustment.idle
        assert adjustment.adjust(reading, fold(text)) is reading


@given(PROBABILITY, PROBABILITY, PROBABILITY)
def test_the_order_of_messages_stays(first: float, second: float, calm: float) -> None:
    low, high = sorted((first, second))
    assert shifted(low, calm) <= shifted(high, calm)
    assert 0 <= shifted(low, calm) <= 1


@given(PROBABILITY, PROBABILITY)
def test_what_calm_messages_exceed_becomes_the_cut(negative: float, calm: float) -> None:
    assert (shifted(negative, calm) >= NEGATIVE) == (negative > calm)


@given(st.lists(PROBABILITY, min_size=1, max_size=300), st.floats(0.001, 0.5))
def test_the_budget_is_kept_and_used(calm: list[float], budget: float) -> None:
    called = negatives(calm, budget)
    alarms = sum(one.label == "negative" for one in called)
    assert alarms <= budget * len(calm) + 1e-6
    assert alarms == sum(one.negative >= NEGATIVE for one in called)
    if len(set(calm)) == len(calm):
        assert alarms == int(budget * len(calm) + 1e-9)


@given(st.lists(PROBABILITY, min_size=1, max_size=60))
def test_a_larger_budget_never_raises_the_threshold(calm: list[float]) -> None:
    found = list(quantiles(calm).values())
    assert found == sorted(found, reverse=True)


def test_between_two_budgets_the_smaller_counts() -> None:
    known = {0.01: 0.9, 0.05: 0.7}
    assert [threshold(known, budget) for budget in (0.01, 0.03, 0.05, 0.5)] == [0.9, 0.9, 0.7, 0.7]
    assert threshold(known, 0.001) == threshold({}, 0.2) == NEGATIVE


def test_what_was_measured_here_counts_before_what_was_shipped() -> None:
    own = {"en": {0.05: 0.3}}
    asked = settings(false_alarms="5%")
    english, chinese = (replace(CALM, language=tag, negative=0.5) for tag in ("en-GB", "zh-Hant-HK"))
    assert Adjustment.compile(asked, own).adjust(english, fold("x")).label == "negative"
    assert Adjustment.compile(asked, own).adjust(chinese, fold("x")) == Adjustment.compile(asked).adjust(
        chinese, fold("x")
    )


@pytest.mark.parametrize("language", ["en", "zh-Hans", "zh-Hant", "es", "und", "tlh", ""])
def test_every_language_has_quantiles(language: str) -> None:
    shipped = calm_quantiles(language)
    assert tuple(shipped) == BUDGETS
    assert list(shipped.values()) == sorted(shipped.values(), reverse=True)
    assert all(0 <= probability <= 1 for probability in shipped.values())


def test_a_family_is_the_language_without_script_and_region() -> None:
    assert [family(tag) for tag in ("zh-Hant-HK", "EN", "und")] == ["zh", "en", "und"]


def test_what_could_not_be_read_has_no_number_to_shift() -> None:
    unread = replace(CALM, negative=0.9, label="unsure", unread=True)
    assert Adjustment.compile(settings(false_alarms="1%")).adjust(unread, fold("x")) is unread


def test_the_budget_never_makes_less_of_a_harm() -> None:
    hurt = replace(CALM, negative=0.75, label="negative", harm=("injury",))
    after = Adjustment.compile(settings(false_alarms="0.1%"), {"en": {0.001: 0.99}}).adjust(hurt, fold("x"))
    assert (after.negative, after.label) == (0.75, "negative")


@pytest.mark.parametrize(
    ("before", "negative", "label"),
    [
        (replace(CALM, negative=0.7, label="unsure"), 0.6, "unsure"),  # mixed: the reader left it open
        (replace(CALM, negative=0.7, label="unsure", ironic=True), 0.6, "unsure"),
        (replace(CALM, negative=0.5, label="unsure"), 0.6, "unsure"),
        (replace(CALM, negative=0.5, label="unsure"), 0.4, "negative"),
        (replace(CALM, negative=0.3, label="positive"), 0.6, "positive"),
        (replace(CALM, negative=0.7, label="negative", compound=-0.3), 0.9, "neutral"),
        (replace(CALM, negative=0.7, label="negative", compound=0.5), 0.9, "positive"),
    ],
)
def test_the_label_follows_the_number(before: Reading, negative: float, label: str) -> None:
    adjustment = Adjustment.compile(settings(false_alarms="5%"), {"en": {0.05: negative}})
    assert adjustment.adjust(before, fold("x")).label == label


def test_words_pull() -> None:
    assert adjusted("What a SHAMBLES", negative=["shambles"]).label == "negative"
    assert adjusted("What a SHAMBLES", negative=["shambles"]).negative >= 0.8
    assert adjusted("這也太扯了吧", negative=["太扯了"]).label == "negative"
    bad = replace(CALM, negative=0.9, compound=-0.8, label="negative")
    assert adjusted("sick beats", bad, positive=["sick beats"]).label == "positive"
    assert adjusted("sick beats", bad, positive=["sick beats"]).negative <= 0.2
    assert adjusted("boarding closes in 10 minutes", urgent=["boarding close*"]).urgent >= 0.8


def test_words_are_words() -> None:
    assert adjusted("the scampi was good", negative=["scam"]) is CALM


def test_a_negative_word_goes_before_a_positive_one() -> None:
    assert adjusted("good grief", negative=["grief"], positive=["good"]).label == "negative"


def test_a_word_says_where_it_stands() -> None:
    text = "Ｗhat a shambles"
    (weight,) = adjusted(text, negative=["shambles"]).why
    assert (text[weight.start : weight.end], weight.reason) == ("shambles", "word: negative")


def test_what_is_not_for_us_is_no_anger_at_us() -> None:
    angry = replace(CALM, negative=0.9, needs_answer=0.85, label="negative", kind="complaint")
    after = adjusted("acme anvils fell on me", angry, not_for_us=["acme anvils"])
    assert (after.addressed, after.label) == ("about_other", "neutral")
    assert after.negative < 0.6
    assert after.needs_answer < 0.7


def test_no_word_makes_less_of_a_harm() -> None:
    hurt = replace(CALM, negative=0.9, label="negative", harm=("injury",))
    words = {"positive": ["sick"], "not_for_us": ["acme anvils"], "neutral": ["hurt"]}
    adjustment = Adjustment.compile(settings(words=words))
    after = adjustment.adjust(hurt, fold("acme anvils hurt me, sick"), lambda _: CALM)
    assert replace(after, why=()) == hurt


def read(folded: Folded) -> Reading:
    """Two words weigh, whatever else is said."""
    found = [word for word in ("awful", "垃圾") if word in folded.text]
    return replace(CALM, negative=0.9, label="negative", compound=-0.7) if found else CALM


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Awful Nice is the name of my band", "neutral"),
        ("Awful Nice played, and you were awful", "negative"),
        ("垃圾桶在哪里？", "neutral"),
        ("垃 圾 桶在哪里？你们真垃圾", "negative"),
        ("ＡＷＦＵＬ nice", "neutral"),
    ],
)
def test_a_word_that_counts_for_nothing_is_left_out(text: str, label: str) -> None:
    neutral = Adjustment.compile(settings(words={"neutral": ["awful nice", "垃圾桶"]}))
    after = neutral.adjust(read(fold(text)), fold(text), read)
    assert after.label == label
    assert neutral.adjust(read(fold(text)), fold(text)).label == "negative"
    assert [text[one.start : one.end] for one in after.why]


@given(EVIL, st.lists(st.sampled_from(["scam", "太扯", "a b", "pre*"]), min_size=1, unique=True))
def test_no_text_makes_it_raise(text: str, words: list[str]) -> None:
    reader = FastReader(Brand(name="Acme"))
    halves = {"negative": words[::2], "neutral": words[1::2]}
    adjustment = Adjustment.compile(settings(words=halves, false_alarms="2%"))
    folded = fold(text)
    reading = reader.read(folded, Circumstances())
    after = adjustment.adjust(reading, folded, lambda blank: reader.read(blank, Circumstances()))
    assert 0 <= after.negative <= 1
    assert all(0 <= one.start <= one.end <= len(text) for one in after.why)


@given(st.lists(st.sampled_from(["scam", "太扯", "SCAM", "pre*"]), unique=True), st.booleans())
def test_a_team_overrides_key_by_key(words: list[str], silent: bool) -> None:
    root = settings(words={"negative": ["scam", "ok"], "urgent": ["asap"]}, false_alarms="5%")
    team = settings(words={"positive": words}) if silent else settings(words={"positive": words}, false_alarms="1%")
    both = team.over(root)
    assert both.false_alarms == (0.05 if silent else 0.01)
    assert both.words.positive == tuple(words)
    assert both.words.urgent == ("asap",)
    assert ("scam" in both.words.negative) == ({"scam", "SCAM"}.isdisjoint(words))
    assert team.over(None) is team


def test_the_shipped_table_has_the_form_that_the_script_writes() -> None:
    calm = measured(development(), FastReader(Brand(name="Acme Air")))
    lines = list(table(calm))
    assert len(lines) == len(BUDGETS) * len(calm)
    assert all(len(line.split("\t")) == 3 for line in lines)
