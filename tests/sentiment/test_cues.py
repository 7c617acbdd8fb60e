from __future__ import annotations

import pytest

from config.folding import fold
from sentiment.cues import Cues, Hit
from sentiment.data import rows
from sentiment.reader import FILES

FILE = [
    ["=who", "(nobody|no one)"],
    ["calls", "0.5", "{who} (calls|rings)( me|); hotline*"],
    ["gap", "0.7", "charged .. (twice|double); 扣.{0,3}两次"],
    ["many", "0.1", "(a1|a2|a3|a4|a5|a6|a7|a8|a9) (b1|b2|b3|b4|b5|b6|b7|b8|b9) (c1|c2)"],
    ["jump", "0.9", "跳楼"],
    ["-jump", "1", "跳楼(价|机)"],
    ["digit", "0.2", "[3-5]折; 真?人"],
]


@pytest.fixture
def cues(monkeypatch: pytest.MonkeyPatch) -> Cues:
    monkeypatch.setattr("sentiment.cues.rows", lambda _: iter(FILE))
    return Cues(("any",))


def tags(cues: Cues, text: str) -> dict[str, list[str]]:
    folded = fold(text).text
    return {tag: [folded[hit.start : hit.end] for hit in hits] for tag, hits in cues.find(folded).items()}


def test_choices_names_and_open_ends(cues: Cues) -> None:
    assert tags(cues, "Nobody rings me, the hotlines are down") == {
        "calls": ["nobody rings", "nobody rings me", "hotline"]
    }


def test_latin_words_match_whole_words_and_chinese_inside_text(cues: Cues) -> None:
    assert tags(cues, "recharged twicely") == {}
    assert tags(cues, "我charged我twice") == {"gap": ["charged我twice"]}
    assert tags(cues, "charged, twice!!") == {"gap": ["charged, twice"]}


def test_a_gap_stays_in_one_sentence_and_close(cues: Cues) -> None:
    assert tags(cues, "charged my card twice") == {"gap": ["charged my card twice"]}
    assert tags(cues, "they charged. Call me twice") == {}
    assert tags(cues, "charged " + "x " * 40 + "twice") == {}
    assert tags(cues, "扣了我兩次") == {"gap": ["扣了我两次"]}
    assert tags(cues, "扣了我好多钱两次") == {}


def test_a_part_with_many_literals_is_cut_and_still_found(cues: Cues) -> None:
    assert tags(cues, "so a7 b3 c2") == {"many": ["a7 b3 c2"]}
    assert tags(cues, "a7 x b3 c2") == {}


def test_an_exception_takes_back_what_it_overlaps(cues: Cues) -> None:
    assert tags(cues, "跳樓價") == {}
    assert tags(cues, "他要跳樓") == {"jump": ["跳楼"]}


def test_short_forms(cues: Cues) -> None:
    assert tags(cues, "4折 6折 真人") == {"digit": ["4折", "真人", "人"]}


@pytest.mark.parametrize("pattern", ["(open", "closed)", "a (b|c"])
def test_a_parenthesis_left_open_is_an_error(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentiment.cues.rows", lambda _: iter([["tag", "1", pattern]]))
    with pytest.raises(ValueError, match="parenthesis"):
        Cues(("any",))


def test_the_shipped_files_have_three_columns_and_known_weights() -> None:
    for file in FILES:
        for row in rows(file):
            assert len(row) == (2 if row[0].startswith("=") else 3), row[:2]
            assert row[0].startswith("=") or -4 <= float(row[1]) <= 4


def test_a_hit_says_where_and_what(cues: Cues) -> None:
    assert cues.find("no one calls")["calls"] == [Hit(0, 12, "calls", 0.5)]
