"""Folding: what is alike becomes the same, and every position leads back."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from config.folding import READ_AT_MOST, fold, simplify

_LOOKS = {"a": "а", "o": "о", "e": "е", "p": "ρ"}
"""What a Latin letter may have been, where its neighbours decided."""

MIXED = st.text(
    alphabet=st.one_of(
        st.sampled_from(
            "abcABC xyzéßﬁ\n\t退款盜刷務务。！，ＡＢｃ１２ 　ooo\u200b\u200d\ufe0f\u0301ｶﾞАоеρ👍❤️ไทย각ㅋㅎ…İ"
        ),
        st.characters(),
    ),
    max_size=60,
)


@pytest.mark.parametrize(
    ("written", "same_as"),
    [
        ("REFUND", "refund"),
        ("ｒｅｆｕｎｄ", "refund"),
        ("re\u200bfu\u00adnd\ufeff", "refund"),
        ("soooooo", "soo"),
        ("太太太差", "太太差"),
        ("don\u2019t", "don't"),
        ("\u201crefund\u201d", '"refund"'),
        ("盜刷", "盗刷"),
        ("臺灣信用卡被盜刷", "台湾信用卡被盗刷"),
        ("衞生", "卫生"),
        ("退 款　了", "退款了"),
        ("refund  \t now", "refund now"),
        ("one \r\n\n two", "one\ntwo"),
        ("раypаl", "paypal"),
        ("ｶﾞ", "ガ"),
        ("cafe\u0301", "café"),
        ("Straße", "strasse"),
        ("İstanbul", "istanbul"),
        ("1️⃣", "1"),
        ("❤️", "❤"),
        ("\ud800", "\ufffd"),
        ("１０００００", "100000"),
    ],
)
def test_what_is_alike_folds_to_the_same(written: str, same_as: str) -> None:
    assert fold(written).text == same_as


@pytest.mark.parametrize("kept", ["100000", "!!!", "привет", "καλημέρα", "app 崩了", "ㅋㅋ", "\\_(ツ)_/", "a\nb"])
def test_what_says_something_stays(kept: str) -> None:
    assert fold(kept).text == kept


def test_only_the_first_two_thousand_characters_are_read() -> None:
    text = "ab" * READ_AT_MOST
    assert fold(text).text == text[:READ_AT_MOST]
    assert fold("退" + text).original == "退" + text
    assert len(fold("退" + text).text) == READ_AT_MOST


@pytest.mark.parametrize(
    ("text", "found", "stands"),
    [
        ("退 \u200b款 了", "退款", "退 \u200b款"),
        ("I waited sooooo long", "soo", "sooooo"),
        ("ﬁx it", "f", "ﬁ"),
        ("ﬁx it", "fix", "ﬁx"),
        ("a  b", " b", "  b"),
        ("cafe\u0301!", "café", "cafe\u0301"),
        ("㍿です", "会", "㍿"),
    ],
)
def test_spans_cover_what_was_written(text: str, found: str, stands: str) -> None:
    folded = fold(text)
    at = folded.text.index(found)
    start, end = folded.span(at, at + len(found))
    assert text[start:end] == stands


@given(MIXED)
@example("\u0301a")
@example("e\u200b\u0301")
@example("ᄀ가\u1161\u11a8")
def test_offsets_are_monotone_and_in_range(text: str) -> None:
    folded = fold(text)
    if folded.offsets is None:
        assert len(folded.text) == len(text)
        return
    assert len(folded.offsets) == len(folded.text) + 1
    assert list(folded.offsets) == sorted(folded.offsets)
    assert folded.offsets[-1] == len(text)
    assert all(0 <= offset <= len(text) for offset in folded.offsets)


@given(MIXED)
def test_the_span_of_each_character_holds_what_it_came_from(text: str) -> None:
    folded = fold(text)
    for at, character in enumerate(folded.text):
        start, end = folded.span(at, at + 1)
        assert 0 <= start < end <= len(text)
        alone = fold(text[start:end]).text
        assert character.isspace() or character in alone or _LOOKS.get(character, character) in alone


@given(MIXED, st.data())
def test_the_span_of_a_stretch_is_the_hull_of_its_ends(text: str, data: st.DataObject) -> None:
    folded = fold(text)
    if not folded.text:
        return
    start = data.draw(st.integers(0, len(folded.text) - 1))
    end = data.draw(st.integers(start + 1, len(folded.text)))
    whole = folded.span(start, end)
    assert whole[0] == folded.span(start, start + 1)[0]
    assert whole[1] == folded.span(end - 1, end)[1]


@given(MIXED)
@example("x\u200bxx")
@example("о\u200boo")
def test_folding_twice_changes_nothing(text: str) -> None:
    once = fold(text).text
    assert fold(once).text == once


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126)))
def test_ascii_folds_as_the_general_way_does(text: str) -> None:
    assert fold(text + "é").text.removesuffix("é").rstrip() == fold(text).text.rstrip()


def test_simplify_is_one_for_one() -> None:
    assert simplify("盜刷 ABC ＡＢＣ") == "盗刷 ABC ＡＢＣ"


def test_a_character_that_unfolds_eighteenfold_does_not_make_a_long_text() -> None:
    folded = fold("\ufdfa" * READ_AT_MOST)
    assert folded.text == fold("\ufdfa").text * 223
    assert folded.offsets is not None
    assert (len(folded.text), len(folded.offsets), folded.offsets[-1]) == (4014, 4015, 223)
