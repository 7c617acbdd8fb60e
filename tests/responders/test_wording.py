"""The text that goes out: filled with nothing but ours, within the channel's length."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.schema import Style
from responders.wording import DISCLOSURE, Words, compose, disclosure, placeholders

STYLE = Style.model_validate(
    {
        "en": [
            "Thanks {name}, we have your message ({ref}). A colleague answers by {due}.",
            "We have your message ({ref}). A colleague answers by {due}.",
            "We have it ({ref}).",
        ],
        "zh-Hans": [
            "{name}，您的消息已收到（{ref}），同事会在{due}前回复您。",
            "您的消息已收到（{ref}），同事会在{due}前回复您。",
        ],
        "zh-Hant": [
            "{name}，您的訊息已收到（{ref}），同仁會在{due}前回覆您。",
            "您的訊息已收到（{ref}），同仁會在{due}前回覆您。",
        ],
        "es": ["Hola {name}, {brand} tiene su mensaje.", "{brand} tiene su mensaje."],
        "ja": ["{team}が確認します {ref}"],
    }
)
DUE = "today 18:30 (UTC+8)"


def say(locale: str = "en", **changes: object) -> Words | None:
    given: dict[str, object] = {
        "name": "Ana",
        "ref": "K7Q2",
        "due": DUE,
        "brand": "Acme Air",
        "team": "care",
        "avoid": (),
        "length": 280,
        "measure": len,
        "disclose": True,
        "seed": 0,
    }
    return compose(STYLE, locale=locale, **{**given, **changes})  # type: ignore[arg-type]


def text(locale: str = "en", **changes: object) -> str:
    words = say(locale, **changes)
    assert words is not None
    return words.text


def test_filled_and_marked() -> None:
    assert say() == Words(
        "en",
        0,
        f"Thanks Ana, we have your message (K7Q2). A colleague answers by {DUE}. (Automatic reply)",
        promises=True,
    )
    assert text("zh-Hans", name="李雷", due="明天 09:00（北京时间 UTC+8）") == (
        "李雷，您的消息已收到（K7Q2），同事会在明天 09:00（北京时间 UTC+8）前回复您。（自动回复）"
    )
    assert text("zh-Hant", name=None, due="明天 09:00").endswith("（自動回覆）")
    assert text("es", name=None) == "Acme Air tiene su mensaje. (respuesta automática)"


def test_without_a_name_another_wording_is_taken_and_no_comma_is_left() -> None:
    for locale in ("en", "zh-Hans", "zh-Hant", "es"):
        for seed in range(6):
            said = text(locale, name=None, seed=seed)
            assert not said.startswith((",", "，", " ", "Thanks"))
            assert "{" not in said


def test_a_name_that_does_not_pass_is_never_said() -> None:
    for seed in range(6):
        assert "evil" not in text(name="http://evil.example", seed=seed)


def test_a_wording_is_used_only_where_all_its_values_exist() -> None:
    assert text(due=None).startswith("We have it")
    assert say("es", brand=None) is None
    assert say("fr") is None


def test_a_text_without_the_deadline_promises_nothing() -> None:
    words = say(due=None)
    assert words is not None
    assert not words.promises


def test_the_seed_chooses_and_what_was_said_is_not_repeated() -> None:
    assert {words.index for seed in range(9) if (words := say(seed=seed))} == {0, 1, 2}
    assert {words.index for seed in range(9) if (words := say(seed=seed, avoid={0, 2}))} == {1}
    assert say(avoid={0, 1, 2}) is not None


def test_other_braces_stay_and_values_are_not_read_again() -> None:
    style = Style.model_validate({"en": ["{x} {0} {} {ref!r} {ref} {{ref}} %s"]})
    words = compose(
        style, locale="en", name=None, ref="{due}", due="never", brand="", team=None, length=99, disclose=False
    )
    assert words is not None
    assert words.text == "{x} {0} {} {ref!r} {due} {{due}} %s"


def test_the_mark_is_left_out_where_the_text_says_so_or_the_file_says_no() -> None:
    style = Style.model_validate({"en": ["This is an automatic reply."], "zh-Hans": ["自动回复：已收到。"]})
    for locale, expected in (("en", "This is an automatic reply."), ("zh-Hans", "自动回复：已收到。")):
        words = compose(style, locale=locale, name=None, ref=None, due=None, brand="", team=None, length=99)
        assert words is not None
        assert words.text == expected
    assert "utomatic" not in text(disclose=False)


@pytest.mark.parametrize(
    ("locale", "mark"),
    [
        ("en-GB", "Automatic reply"),
        ("zh-Hant-HK", "自動回覆"),
        ("zh-TW", "自動回覆"),
        ("zh-CN", "自动回复"),
        ("es-MX", "respuesta automática"),
        ("xx", "Automatic reply"),
    ],
)
def test_the_mark_is_in_the_locale_of_the_text(locale: str, mark: str) -> None:
    assert disclosure(locale) == mark


def test_a_shorter_wording_is_taken_before_anything_is_cut() -> None:
    assert text(length=100) == f"We have your message (K7Q2). A colleague answers by {DUE}. (Automatic reply)"
    assert text(length=60) == "We have it (K7Q2). (Automatic reply)"


def test_cut_between_words_or_characters_and_never_inside_a_value() -> None:
    style = Style.model_validate(
        {
            "en": ["We have your message ({ref}) and answer by {due}, promised."],
            "zh-Hans": ["您的消息已收到（{ref}），同事会在{due}前回复您。"],
        }
    )

    def cut(locale: str, length: int) -> Words | None:
        return compose(
            style, locale=locale, name=None, ref="K7Q2", due=DUE, brand="", team=None, length=length, disclose=False
        )

    assert cut("en", 60) == Words("en", 0, "We have your message (K7Q2) and answer by…")
    assert cut("en", 63) == Words("en", 0, f"We have your message (K7Q2) and answer by {DUE}…", promises=True)
    assert cut("en", 20) == Words("en", 0, "We have your… K7Q2")
    assert cut("zh-Hans", 16) == Words("zh-Hans", 0, "您的消息已收到（K7Q2），同…")
    assert cut("zh-Hans", 10) == Words("zh-Hans", 0, "您的消息… K7Q2")
    assert cut("en", 4) == Words("en", 0, "K7Q2")
    assert cut("en", 3) is None


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


wordings = st.lists(
    st.lists(
        st.sampled_from(
            [
                "We",
                " have ",
                "it",
                ", ",
                "{ref}",
                "{name}",
                "{due}",
                "{brand}",
                "{x}",
                "收到",
                "您的消息，",
                "👩‍👩‍👧",
                "🇭🇰",
                "e\u0301",
                "。",
                " ",
            ]
        ),
        min_size=1,
        max_size=30,
    )
    .map("".join)
    .filter(str.strip),
    min_size=1,
    max_size=4,
)


@given(
    wordings,
    st.sampled_from(["en", "zh-Hant", "es", "xx"]),
    st.none() | st.sampled_from(["Ana", "李小明", "@x"]),
    st.none() | st.just("K7Q2"),
    st.none() | st.just(DUE),
    st.integers(1, 200),
    st.sampled_from([len, _utf16, _bytes]),
    st.booleans(),
    st.integers(0, 99),
)
def test_always_within_the_length_and_always_with_reference_and_mark(
    texts: list[str],
    locale: str,
    name: str | None,
    ref: str | None,
    due: str | None,
    length: int,
    measure: Callable[[str], int],
    disclose: bool,
    seed: int,
) -> None:
    style = Style.model_validate({locale: texts})
    words = compose(
        style,
        locale=locale,
        name=name,
        ref=ref,
        due=due,
        brand="Acme",
        team=None,
        length=length,
        measure=measure,
        disclose=disclose,
        seed=seed,
    )
    if words is None:
        return
    assert measure(words.text) <= length
    used = placeholders(texts[words.index])
    assert "ref" not in used or "K7Q2" in words.text
    assert not disclose or disclosure(locale) in words.text
    assert not words.promises or DUE in words.text
    assert "@x" not in words.text
    assert words.text.count("👩") == 2 * words.text.count("👩‍👩‍👧")
    assert words.text.count("🇭") == words.text.count("🇭🇰")


@given(wordings, st.integers(40, 300))
def test_what_fits_is_never_cut(texts: list[str], length: int) -> None:
    style = Style.model_validate({"en": texts})
    words = compose(
        style, locale="en", name="Ana", ref="K7Q2", due=DUE, brand="Acme", team=None, length=length, disclose=False
    )
    if words is not None and "…" in words.text:
        assert all(len(each.format_map(_Values())) > length for each in texts)


class _Values(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return {"name": "Ana", "ref": "K7Q2", "due": DUE, "brand": "Acme"}.get(key, "{" + key + "}")


def test_every_mark_fits_a_short_channel() -> None:
    assert all(len(mark) <= 30 for mark in DISCLOSURE.values())
