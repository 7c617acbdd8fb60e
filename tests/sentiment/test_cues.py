from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from config.folding import fold
from sentiment.cues import Cues, Hit
from sentiment.data import rows
from sentiment.hearing import FILES
from sentiment.literals import Literal, plain

PROBES = Path(__file__).with_name("probes.tsv")

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


SHIPPED = Cues(FILES)
FORMS = [(one, one.padded() if one.is_word else "") for ones in SHIPPED._literals.values() for one in ones]


def places(text: str) -> dict[int, list[tuple[int, int]]]:
    """Where each part stands, by looking for each literal on its own."""
    line = re.sub("[\n\r\t]", " ", text)
    words = f" {plain(line)} "
    found: dict[int, list[tuple[int, int]]] = {}
    for literal, padded in FORMS:
        if not line.isascii():
            spans = [(at, at + len(literal.text)) for at in occurrences(literal.text, line)]
            spans = [span for span in spans if is_bounded(literal, line, *span)]
        elif padded:
            left, right = literal.bounded_left - 1, -literal.bounded_right - 1
            spans = [(at + left, at + len(padded) + right) for at in occurrences(padded, words)]
        else:
            continue
        if spans:
            found.setdefault(literal.part, []).extend(spans)
    return found


def occurrences(literal: str, text: str) -> list[int]:
    if literal not in text:
        return []
    return [at for at in range(len(text)) if text.startswith(literal, at)]


def is_bounded(literal: Literal, text: str, start: int, end: int) -> bool:
    before, behind = text[start - 1 : start] if start else "", text[end : end + 1]
    goes_on = [bool(one) and one < "\u2e80" and one.isalnum() for one in (before, behind)]
    return not (literal.bounded_left and goes_on[0]) and not (literal.bounded_right and goes_on[1])


def follows(text: str, end: int, rest: tuple[tuple[int, int], ...], where: dict[int, list[tuple[int, int]]]) -> int:
    (part, width), more = rest[0], rest[1:]
    for start, stop in sorted(where.get(part, [])):
        if start < end:
            continue
        if start > end + width or (width > 1 and re.search(r"[.!?。！？;；\n](?!\d)", text[end:start])):
            return 0
        last = follows(text, stop, more, where) if more else stop
        if last:
            return last
    return 0


def plainly(text: str) -> dict[str, list[Hit]]:
    """What `find` is to find, rule by rule."""
    where = places(text)
    found: dict[str, list[Hit]] = {}
    begun = sorted((*span, part) for part, spans in where.items() for span in spans if part in SHIPPED._rules)
    for start, end, part in begun:
        for rule in SHIPPED._rules[part]:
            stop = follows(text, end, rule.rest, where) if rule.rest else end
            if stop and len(found.get(rule.tag, ())) < 32:
                found.setdefault(rule.tag, []).append(Hit(start, stop, rule.tag, rule.weight))
    for exception in [tag for tag in found if tag.startswith("-")]:
        spans = found.pop(exception)
        for tag in [exception[1:]] if len(exception) > 1 else list(found):
            hits = [
                hit
                for hit in found.get(tag, [])
                if all(span.start >= hit.end or hit.start >= span.end for span in spans)
            ]
            found[tag] = hits
            if not hits:
                del found[tag]
    return found


LITERALS = sorted({one.text for ones in SHIPPED._literals.values() for one in ones})
BETWEEN = [
    "",
    "",
    " ",
    " ",
    "  ",
    ", ",
    ". ",
    "！",
    "\n",
    "-",
    "é",
    "+",
    "s",
    "了",
    "1",
    "'",
    "\u200b",
    "😡",
    "привет",
    "\x00",
]

CHAINS = sorted(
    (first, *(part for part, _ in rule.rest)) for first, rules in SHIPPED._rules.items() for rule in rules if rule.rest
)


@st.composite
def cued(draw: st.DrawFn) -> str:
    """Literals of all files with anything between them, or the words of one pattern in their order."""
    piece = st.one_of(st.sampled_from(LITERALS), st.sampled_from(LITERALS), st.text(max_size=4))
    if draw(st.booleans()):
        first = draw(st.sampled_from(CHAINS))
        pieces = [draw(st.sampled_from(SHIPPED._literals[part])).text for part in first]
    else:
        pieces = draw(st.lists(piece, max_size=12))
    return "".join(one + draw(st.sampled_from(BETWEEN)) for one in pieces)


@settings(max_examples=80, deadline=None)
@given(st.lists(cued(), max_size=4))
@example(["", "\n", "\ud800", "😡" * 30, "x\u200by 退 款"])
def test_every_cue_is_found_as_by_looking_for_each_literal(texts: list[str]) -> None:
    folded = [fold(text).text for text in texts]
    expected = [plainly(text) for text in folded]
    assert [SHIPPED.find(text) for text in folded] == expected
    assert SHIPPED.find_many(folded) == expected
    assert [list(found) for found in SHIPPED.find_many(folded)] == [list(found) for found in expected]


def test_the_probes_are_read_as_by_looking_for_each_literal() -> None:
    texts = [fold(line.split("\t")[0]).text for line in PROBES.read_text("utf-8").splitlines()[1:]]
    assert len(texts) > 200
    assert SHIPPED.find_many(texts) == [plainly(text) for text in texts]


def test_a_flood_of_literals_is_read_at_both_ends() -> None:
    flood = "投诉" + "没有人" * 600 + "退款"
    found = SHIPPED.find(fold(flood).text)
    starts = [hit.start for hits in found.values() for hit in hits]
    assert min(starts) < 10
    assert len(SHIPPED._others.matches(flood)) == 800
    assert max(end for _, _, end in SHIPPED._others.matches(flood)) >= len(flood) - 2
