from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from config.folding import fold
from config.schema import Brand
from sentiment.api import ADDRESSED, HARMS, KINDS, LABELS, NEGATIVE, UNSURE, Circumstances, Reading
from sentiment.hearing import cues
from sentiment.reader import READ, FastReader

BRAND = Brand(
    name="Acme Air",
    handles=("@acmeair",),
    aliases=("爱客航空",),
    not_us=("acme airbed",),
    competitors=("Rival", "@rivalair", "某家"),
)
READER = FastReader(BRAND)
LABEL = {"neg": "negative", "neu": "neutral", "pos": "positive"}
PROBES = [
    line.split("\t")
    for line in (Path(__file__).parent / "probes.tsv").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]


def read(text: str, *, mentions_us: bool = True, private: bool = False, language: str | None = None) -> Reading:
    return READER.read(fold(text), Circumstances(mentions_us=mentions_us, private=private, language=language))


def share(right: list[bool]) -> float:
    return sum(right) / len(right)


def test_probes_of_mood() -> None:
    assert share([read(text).label == LABEL[label] for text, label, *_ in PROBES if label in LABEL]) >= 0.90


def test_neutral_probes_are_hardly_ever_negative() -> None:
    calm = [text for text, label, *_ in PROBES if label == "neu"]
    assert share([read(text).label != "negative" and read(text).negative < NEGATIVE for text in calm]) >= 0.88


def test_probes_of_urgency() -> None:
    assert share([(read(row[0]).urgent >= 0.5) == (row[2] == "1") for row in PROBES if row[2] != "-"]) >= 0.95


def test_probes_of_harm() -> None:
    assert share([row[3] in read(row[0]).harm for row in PROBES if row[3] != "-"]) >= 0.95
    assert share([not read(row[0]).harm for row in PROBES if row[3] == "-"]) >= 0.96


def test_probes_of_kind() -> None:
    assert share([read(row[0]).kind == row[4] for row in PROBES if row[4] != "-"]) >= 0.94


def test_probes_that_ask_for_a_person() -> None:
    assert all(read(row[0]).asks_person == (row[5] == "1") for row in PROBES)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ok",
        "👍",
        "12345",
        "2026-11-21",
        "Order A12345678",
        "嗯",
        "好的",
        "A",
        "@acmeair",
        "https://example.org/some/page",
    ],
)
def test_plain_text_is_not_negative(text: str) -> None:
    reading = read(text)
    assert reading.negative < 0.5
    assert reading.label in ("neutral", "positive")
    assert not reading.unread
    assert not reading.harm


@pytest.mark.parametrize(
    "text",
    [
        "跳楼价",
        "跳樓價！",
        "饿死了",
        "想死你了",
        "帅炸了",
        "笑死",
        "killing it",
        "dying of laughter",
        "抵死好笑",
        "饿到想死你家的面",
    ],
)
def test_a_joke_is_no_harm(text: str) -> None:
    assert not read(text).harm
    assert read(text).urgent < 0.5


@pytest.mark.parametrize(
    "text",
    [
        "真有你的",
        "谢谢你啊，等了三天",
        "呵呵",
        "你们真棒[微笑]",
        "[狗头]",
        "thanks for nothing",
        "great job, cancelled again",
        "Well done. Locked out.",
    ],
)
def test_irony_is_never_praise(text: str) -> None:
    reading = read(text)
    assert reading.ironic
    assert reading.label in ("unsure", "negative")
    assert reading.kind != "praise"


@pytest.mark.parametrize(
    ("text", "mentions_us", "private", "addressed"),
    [
        ("anything", True, False, "to_us"),
        ("anything", False, True, "to_us"),
        ("Acme Air lost my bag", False, False, "about_us"),
        ("爱客航空又延误", False, False, "about_us"),
        ("this acme airbed is great", False, False, "unknown"),
        ("Rival lost my bag", False, False, "about_other"),
        ("lost my bag", False, False, "unknown"),
    ],
)
def test_to_whom(text: str, mentions_us: bool, private: bool, addressed: str) -> None:
    assert read(text, mentions_us=mentions_us, private=private).addressed == addressed


@pytest.mark.parametrize(
    "text",
    [
        "@rivalair 你们比 @acmeair 还差",
        "Rival lost my bag, absolutely terrible",
        "还是爱客航空的客服靠谱，不像某家",
        "Rival never answers, unlike Acme Air",
    ],
)
def test_anger_at_a_competitor_is_not_anger_at_us(text: str) -> None:
    assert read(text, mentions_us=False).negative < 0.6


def test_anger_at_us_stays_where_a_competitor_is_named() -> None:
    assert read("Acme Air is worse than Rival, terrible service").label == "negative"


@pytest.mark.parametrize(
    "text",
    [
        "Το πακέτο μου δεν έφτασε ποτέ",
        "შეკვეთა ჯერ არ მოსულა",
        "ההזמנה שלי לא הגיעה",
        "agizo langu halijafika bado tafadhali nisaidie",
    ],
)
def test_other_languages_are_left_unread(text: str) -> None:
    reading = read(text)
    assert reading.unread
    assert reading.label == "unsure"
    assert reading.scorer == "und/none-1"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("注文が届きません、どうなっていますか", "ja"),
        ("주문이 안 왔어요 도와주세요", "ko"),
        ("mi pedido no ha llegado y nadie responde", "es"),
        ("где мой заказ, никто не отвечает", "ru"),
    ],
)
def test_a_complaint_in_a_language_of_the_model_is_read(text: str, language: str) -> None:
    reading = read(text)
    assert (reading.language, reading.unread) == (language, False)
    assert language in READ
    assert reading.negative >= UNSURE
    assert reading.scorer.startswith(f"{language}/fused-")


@pytest.mark.parametrize(
    ("text", "harm"),
    [
        ("someone used my stolen card", "fraud"),
        ("honestly I don't want to be alive anymore", "self_harm"),
        ("活着真没意思，不想活了", "self_harm"),
        ("电动车充电时着火了", "safety"),
        ("we will take this to court", "legal"),
    ],
)
def test_a_plain_harm_is_urgent_whatever_the_model_says(text: str, harm: str) -> None:
    reading = read(text)
    assert harm in reading.harm
    assert reading.urgent >= 0.85
    assert reading.kind == "complaint"


@pytest.mark.parametrize(
    "text", ["someone used my stolen card", "我的卡被盗刷了", "the charger caught fire on my desk"]
)
def test_an_upsetting_harm_is_negative_unless_it_is_a_competitors(text: str) -> None:
    assert read(text).negative >= NEGATIVE
    assert read(f"Rival: {text}", mentions_us=False).negative < NEGATIVE


@given(st.text(st.sampled_from("0123456789 .,;:#*+=\n\t…—·٣"), max_size=40))
def test_a_text_without_letters_and_cues_is_neutral(text: str) -> None:
    assume(not cues().find(fold(text).text))
    reading = read(text)
    assert (reading.label, reading.harm, reading.unread) == ("neutral", (), False)
    assert reading.negative < UNSURE
    assert reading.urgent < 0.5


@given(st.lists(st.sampled_from([row[0] for row in PROBES]), max_size=8))
def test_a_batch_is_read_like_each_on_its_own(texts: list[str]) -> None:
    together = READER.read_many([(fold(text), Circumstances()) for text in texts])
    for text, one in zip(texts, together, strict=True):
        alone = read(text)
        assert (one.label, one.kind, one.harm, one.language) == (alone.label, alone.kind, alone.harm, alone.language)
        for name in ("negative", "urgent", "needs_answer", "compound"):
            assert getattr(one, name) == pytest.approx(getattr(alone, name), abs=2e-4)


def test_curly_quotes_and_invisible_characters_change_nothing() -> None:
    for odd, plain in (
        ("I don’t like this", "I don't like this"),
        ("terrible\u200bservice", "terribleservice"),
        ("bad service 😡️", "😡 bad service"),
    ):
        assert read(odd).label == read(plain).label


def test_why_points_into_the_original() -> None:
    text = "請注意：我的卡被盜刷了！！"
    words = {text[weight.start : weight.end] for weight in read(text).why}
    assert "盜刷" in " ".join(words)
    assert len(read("bad awful terrible broken lost late wrong rude cold dirty refund fraud").why) <= 6


def test_only_the_beginning_of_a_long_text_is_read() -> None:
    assert read("hello " * 400 + "terrible").negative == read("hello " * 400).negative


@given(st.text(max_size=300), st.booleans(), st.booleans(), st.one_of(st.none(), st.text(max_size=5)))
def test_no_text_is_too_odd(text: str, mentions_us: bool, private: bool, language: str | None) -> None:
    reading = read(text, mentions_us=mentions_us, private=private, language=language)
    assert -1 <= reading.compound <= 1
    assert all(0 <= number <= 1 for number in (reading.negative, reading.urgent, reading.needs_answer))
    assert reading.label in LABELS
    assert reading.kind in KINDS
    assert reading.addressed in ADDRESSED
    assert set(reading.harm) <= set(HARMS)
    assert list(reading.harm) == sorted(reading.harm)
    assert all(0 <= weight.start <= weight.end <= len(text) for weight in reading.why)


WORDS = [row[0] for row in PROBES]


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4), st.sampled_from([" ", "，", "\n", ". ", ""]))
def test_mixes_of_messages_are_read_the_same_every_time(parts: list[str], between: str) -> None:
    text = between.join(parts)
    assert read(text) == read(text)


@pytest.mark.parametrize(
    "text", ["my order 182", "flight 187 at gate 303", "今天是星期三 911", "the sky is blue, 182."]
)
def test_a_bare_number_is_no_mood_and_no_emergency(text: str) -> None:
    reading = FastReader(Brand(name="Acme")).read(fold(text), Circumstances())
    assert reading.label != "negative"
    assert reading.urgent < 0.5
