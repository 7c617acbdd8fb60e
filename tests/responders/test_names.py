"""Names are written by strangers: what may be said in public, and what may not."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from responders.names import graphemes, usable_name

FORBIDDEN = ("Acme Air", "Acme", "@acmeair", "艾克米", "Zenith Wings", "HP", "telegram:@linwei", "王")


@pytest.mark.parametrize(
    "name",
    [
        "Ana",
        "José María",
        "O’Brien",
        "O'Brien",
        "Zoë-Anne",
        "J. R. Tolkien",
        "Nguyễn Văn A",
        "李小明",
        "歐陽·娜娜",
        "張三",
        "さくら花子",
        "ラーメン太郎",
        "김철수",
        "Дмитрий",
        "Ελένη",
        "نور",
        "מרים",
        "สมชาย",
        "स्मिता",
        "Skilling",
        "Robin",
        "Caroline",
    ],
)
def test_usable(name: str) -> None:
    assert usable_name(name, FORBIDDEN) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "-",
        "·",
        ".",
        "Bob42",
        "Call 13800138000",
        "一三八零零一三八",
        "①②③",
        "Ⅻ",
        "acme.com",
        "www example",
        "https://evil.example",
        "t.me/x",
        "@bob",
        "#win",
        "Bob & Co",
        "<b>Bob</b>",
        "[x](y)",
        "*Bob*",
        "_Bob_",
        "`Bob`",
        "{ref}",
        "Bob\u202e",
        "\u200bBob",
        "Bob\nSmith",
        "Bob\x00",
        "\u2066Bob\u2069",
        "Bob\ud800",
        "小明Ming",
        "Bоb",
        "Ｂｏｂ",
        "𝓐𝓷𝓷",
        "ℬob",
        "z̴̡̢̛͇a",
        "Anna 🌸",
        "Bob--",
        "-Bob",
        "Bob..",
        "a" * 31,
        "a b c d e f",
        "Acme",
        "ACME Support",
        "A c m e",
        "A-c-m-e",
        "Аcme",
        "acmeair",
        "艾克米客服",
        "艾 克 米",
        "ZENITH WINGS",
        "HP",
        "hp",
        "Lin Wei LinWei",
        "官方客服",
        "官 方 客 服",
        "客服小李",
        "微信用戶",
        "骗子公司",
        "黑心店",
        "null",
        "Deleted Account",
        "Support Team",
        "Kill You",
        "王",
        "[card]",
    ],
)
def test_not_usable(name: str) -> None:
    assert usable_name(name, FORBIDDEN) is None


def test_a_single_forbidden_character_forbids_only_itself() -> None:
    assert usable_name("王小明", FORBIDDEN) == "王小明"


def test_blanks_are_tidied() -> None:
    assert usable_name("  Ana   María ", ()) == "Ana María"
    assert usable_name("Jose\u0301", ()) == "José"


@given(st.text(max_size=60))
def test_whatever_passes_is_harmless(name: str) -> None:
    shown = usable_name(name, FORBIDDEN)
    if shown is None:
        return
    assert 1 <= graphemes(shown) <= 30
    assert shown == shown.strip()
    assert "  " not in shown
    assert not set(shown) & set('<>&[]`*_@#{}/\\:;,，、"()（）|~+=$%^!?！？')
    assert not any(unicodedata.category(c)[0] in "CSN" for c in shown)
    assert usable_name(shown, FORBIDDEN) == shown


letters = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyzéñ"), min_size=1, max_size=8)


@given(
    letters,
    st.sampled_from(["<", "@", "#", "\u202e", "\u200d", "12", "http://", "🌸", "\x07", "[", "_", "щ", "客"]),
    letters,
)
def test_one_bad_character_anywhere_spoils_it(before: str, bad: str, after: str) -> None:
    assert usable_name(before + bad + after, ()) is None


@given(
    letters,
    st.sampled_from(["Acme", "aCmE", "a.c.m.e", "A c m e", "ａｃｍｅ", "Zenith Wings", "客服", "官方"]),
    letters,
)
def test_no_forbidden_word_gets_through(before: str, word: str, after: str) -> None:
    assert usable_name(f"{before} {word} {after}", FORBIDDEN) is None


@given(st.text(st.sampled_from("李王张明小华丽芳伟强磊洋艳勇杰"), min_size=2, max_size=30))
def test_han_names_of_up_to_thirty_characters(name: str) -> None:
    assert usable_name(name, ()) == name


@given(st.text(st.characters(categories=["Lu", "Ll", "Lo"]), min_size=1, max_size=10))
def test_scripts_are_not_mixed(name: str) -> None:
    assume(usable_name(name, ()) is not None)
    first = {unicodedata.name(c, "UNNAMED").split()[0] for c in name}
    assert len(first - {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC"}) <= 1
