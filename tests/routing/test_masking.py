from __future__ import annotations

import re
import sys
import unicodedata
from itertools import combinations
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from routing.masking import mask, repair

KEPT = [
    "order A12345678 has not arrived",
    "order 1234567890123456 and nothing else",
    "flight CA1234 at 18:30 on 2026-11-21, $1,299.00",
    "订单号 2026112100012345 还没发货",
    "call 400-820-8820",
    "in 2 hours 15 minutes 30 people 200 items 5000 points",
    "my password is incorrect",
    "the token: expired",
    "21/11/2026 10:30",
    "房号1203，3月15日入住，¥1,280.50",
    "@acmeair @someone #topic#",
    "谢谢，没有数字",
]
MASKED = [
    ("card 4111 1111 1111 1111 exp 12/27", "card [card] exp 12/27"),
    ("卡号4111-1111-1111-1111。", "卡号[card]。"),
    ("４１１１１１１１１１１１１１１１", "[card]"),
    ("visa4111111111111111", "visa[card]"),
    ("4111 1111 1111 1111 5500 0000 0000 0004", "[card] [card]"),
    ("身份证11010519491231002X", "身份证[id]"),
    ("身份证号 110105 19491231 002x", "身份证号 [id]"),
    ("手机13812345678打给我", "手机[phone]打给我"),
    ("+86 138 1234 5678", "[phone]"),
    ("0912-345-678 或 +852 9123 4567", "[phone] 或 [phone]"),
    ("call me on 91234567", "call me on [phone]"),
    ("(415) 555-2671", "[phone]"),
    ("GB82 WEST 1234 5698 7654 32 please", "[iban] please"),
    ("mail a.b@example.co.uk now", "mail [email] now"),
    ("passport E12345678", "passport [passport]"),
    ("护照号码：EA1234567", "护照号码：[passport]"),
    ("key sk-proj-abcdefghijklmnopqrstuv12345", "key [secret]"),
    ("123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1", "[secret]"),
    ("password: hunter2", "password: [secret]"),
    ("密码是abc12345", "密码是[secret]"),
]


@pytest.mark.parametrize("text", KEPT)
def test_what_gives_nothing_away_stays(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize(("text", "masked"), MASKED)
def test_what_gives_somebody_away_goes(text: str, masked: str) -> None:
    assert mask(text) == masked


@st.composite
def card_numbers(draw: st.DrawFn) -> str:
    """A card number with its check digit, written in one of many ways."""
    start = draw(st.sampled_from(["4", "51", "37", "62", "6011", "35", "2221"]))
    length = draw(st.integers(13, 19))
    body = start + draw(st.text("0123456789", min_size=length - 1 - len(start), max_size=length - 1 - len(start)))
    digits = body + luhn.calc_check_digit(body)
    step = draw(st.sampled_from([1, 4, 19]))
    between = draw(st.sampled_from([" ", "-", "  ", " - ", ".", "\u00a0", "\u200b", "·", "\u3000"]))
    written = between.join(digits[i : i + step] for i in range(0, len(digits), step))
    wide = draw(st.booleans())
    return written.translate({ord("0") + i: 0xFF10 + i for i in range(10)}) if wide else written


@given(
    card_numbers(),
    st.sampled_from(["my card ", "卡号", "", "(", "order 12 "]),
    st.sampled_from(["", "。谢谢", " 12/27 123", ") ok"]),
)
def test_no_card_number_survives(number: str, before: str, after: str) -> None:
    masked = unicodedata.normalize("NFKC", mask(before + number + after)).replace("\u200b", "")
    assert "[card]" in masked
    for run in re.findall(r"\d(?:[ \-.·]{0,3}\d){12,18}", masked):
        assert not luhn.is_valid(re.sub(r"\D", "", run))


@given(st.text(st.sampled_from("0123456789 -+()[]@.:,Xx sk密码身份证phone护照passport=/\n，４５"), max_size=80))
def test_masking_twice_is_masking_once(text: str) -> None:
    once = mask(text)
    assert mask(once) == once


@given(st.text())
def test_no_text_is_too_odd(text: str) -> None:
    assert mask(mask(text)) == mask(text)


LONG = [
    "1 ", "1***", "4 ", "4-", "1234 ", "12345 ", "AB12 ", "GB12 ", "GB82 WEST 1234 5698 7654 32 ",
    "4111 1111 1111 1111 ", "13812345678 ", "+1 ", "+1 1 1 1 1 1 1 ", "call 1-", "phone 1234567 ", "a 1111111 ",
    "1 1 1 1 1 1 1 1a ", "a@", "1", "password is ", "passport 1", "eyJaaaaaaaa-@", "２ ", "(1)",
    "110105 19491231 002x ",
]  # fmt: skip


def work(text: str) -> int:
    """How many calls masking takes, those into the interpreter's own code among them."""
    calls = 0

    def count(_frame: FrameType, event: str, _: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        mask(text)
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize("piece", LONG)
def test_the_work_grows_with_the_length_and_no_faster(piece: str) -> None:
    once = work(piece * (8_000 // len(piece)))
    assert work(piece * (64_000 // len(piece))) <= 10 * once + 1_000


@pytest.mark.parametrize("text", ["password is" + " " * 200_000, "eyJaaaaaaaa-" * 20_000 + "@", "1" + "-" * 200_000])
def test_no_pattern_looks_at_the_same_again_and_again(text: str) -> None:
    """What took a search that takes back what it took hours."""
    assert mask(text) == text


@given(
    st.integers(0, 150), st.sampled_from([" ", "-", " - "]), st.sampled_from(["4111111111111111", "378282246310005"])
)
def test_no_card_number_hides_in_a_long_run(place: int, between: str, number: str) -> None:
    masked = mask(between.join("1" * place + number + "1" * (160 - place)))
    assert number not in re.sub(r"\D", "", masked)
    assert mask(masked) == masked


@given(st.text(st.sampled_from("0123456789"), min_size=20, max_size=300), st.integers(1, 5))
def test_no_card_number_survives_in_a_table_of_numbers(digits: str, size: int) -> None:
    """Nothing is left that begins at a group with a card's first digit, ends with a group and passes the check."""
    masked = mask(" ".join(digits[at : at + size] for at in range(0, len(digits), size)))
    assert mask(masked) == masked
    for run in re.findall(r"\d[\d ]*", masked):
        groups = run.split()
        for first, last in combinations(range(len(groups) + 1), 2):
            number = "".join(groups[first:last])
            assert not (13 <= len(number) <= 19 and number[0] in "23456" and luhn.is_valid(number)), masked


def test_what_no_encoding_can_hold_is_repaired() -> None:
    assert repair("a\0b") == "a\ufffdb"
    assert repair("\ud83d\ude00") == "😀"
    assert repair("x\ud800y") == "x\ufffdy"
    assert repair("好") == "好"
