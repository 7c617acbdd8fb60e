from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.folding import fold
from sentiment import language as module
from sentiment.language import identify


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("hello, where is my parcel", "en"),
        ("SOS refund", "en"),
        ("Where’s my luggage??", "en"),
        ("My order from 小米 never arrived", "en"),
        ("我的包裹还没到", "zh-Hans"),
        ("我的包裹還沒到", "zh-Hant"),
        ("冇人覆我", "zh-Hant"),
        ("login 又 fail", "zh-Hans"),
        ("優の良品好吃", "zh-Hant"),
        ("mi pedido no ha llegado", "es"),
        ("o meu pedido não chegou", "pt"),
        ("où est ma commande ?", "fr"),
        ("wo ist meine bestellung", "de"),
        ("pesanan saya belum sampai", "id"),
        ("注文が届きません", "ja"),
        ("주문이 안 왔어요", "ko"),
        ("أين طلبي", "ar"),
        ("где мой заказ", "ru"),
        ("สินค้ายังไม่มา", "th"),
        ("", "und"),
        ("12345", "und"),
        ("😡", "und"),
        ("habari yako tafadhali nisaidie", "und"),
    ],
)
def test_language_without_a_hint(text: str, language: str) -> None:
    assert identify(fold(text), None) == language


@pytest.mark.parametrize(
    ("text", "hint", "language"),
    [
        ("你好", "zh-TW", "zh-Hant"),
        ("你好", "zh-HK", "zh-Hant"),
        ("你好", "yue", "zh-Hant"),
        ("你好", "zh_CN", "zh-Hans"),
        ("你好", "en", "zh-Hans"),
        ("我的包裹还没到", "zh-TW", "zh-Hans"),
        ("hello, where is my parcel", "zh", "en"),
        ("🙏", "es", "es"),
        ("habari yako tafadhali nisaidie", "sw", "sw"),
        ("🙏", "not a tag!", "und"),
    ],
)
def test_a_hint_counts_only_where_the_text_does_not_tell(text: str, hint: str, language: str) -> None:
    assert identify(fold(text), hint) == language


@given(st.text(), st.one_of(st.none(), st.text(max_size=8)))
def test_any_text_has_a_language_or_und(text: str, hint: str | None) -> None:
    assert identify(fold(text), hint)


@given(st.text(st.sampled_from("abz AZ'’09_-.,!é我\n\x00"), max_size=40))
def test_words_are_what_the_pattern_finds(text: str) -> None:
    assert module._words_in(text) == module._WORD.findall(text)


SCRIPTS = st.text(st.sampled_from("жіپعأיกअবਅઅஅఅಅഅඅລမកაհአ한ㅎᄀαἀカなーの我a é1\u1fff\u0378"), max_size=12)


@given(st.one_of(SCRIPTS, st.text()))
def test_the_commonest_script_is_counted_script_by_script(text: str) -> None:
    counts = [(len(script.letters.findall(text)), script) for script in module._SCRIPTS]
    kana = len(module._KANA.findall(text))
    count, script = max(counts, key=lambda counted: counted[0])
    expected = (script.language(text), count) if count else ("", 0)
    if kana > count:
        expected = ("ja", kana) if kana >= 2 else ("", 0)
    assert module._commonest(text) == expected


def test_the_memory_of_scripts_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentiment.language._REMEMBERED", 50)
    for code in range(0x400, 0x800):
        module._commonest(chr(code))
    assert len(module._SCRIPT_OF) <= 50
