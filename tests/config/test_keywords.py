"""Searching: words, scripts, exceptions, and agreement with a reference that is slow and obvious."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.expressions import And, ExpressionError, Near, Node, Not, Or, Phrase, show
from config.folding import fold
from config.keywords import Keywords
from config.schema import KeywordList

TODAY = date(2026, 11, 21)


def listed(*entries: str, **more: object) -> KeywordList:
    return KeywordList.model_validate({"any": list(entries), **more})


def hits(entry: str, text: str) -> list[str] | None:
    """What a single expression hits, as written; None where it does not hold."""
    found = Keywords.compile({}, [entry]).search(fold(text), TODAY).expressions.get(entry)
    return None if found is None else [text[start:end] for start, end in found]


@pytest.mark.parametrize(
    ("entry", "text", "found"),
    [
        ("refund", "I want a REFUND!", ["REFUND"]),
        ("refund", "refunds", None),
        ("refund", "prerefund", None),
        ("refund", "refund2", None),
        ("refund", "refundé", None),
        ("app", "我的app崩了", ["app"]),
        ("app", "我的apps崩了", None),
        ("app 崩了", "我的app崩了", ["app崩了"]),
        ("app崩了", "我的 APP 崩了", ["APP 崩了"]),
        ("退款", "我要退款了", ["退款"]),
        ("退款", "我要退 款", ["退 款"]),
        ("退款", "我要\u200b退\u200b款\u200b", ["退\u200b款"]),
        ("盗刷", "信用卡被盜刷", ["盜刷"]),
        ("盜刷", "信用卡被盗刷", ["盗刷"]),
        ("コード", "クーポンコードが使えない", ["コード"]),
        ("환불", "환불을 원해요", ["환불"]),
        ("คืนเงิน", "ขอคืนเงินด้วย", ["คืนเงิน"]),
        ("возврат", "хочу возврат", ["возврат"]),
        ("возврат", "возвраты", None),
        ("stolen card", "my stolen\ncard", ["stolen\ncard"]),
        ("stolen card", "my stolen   card", ["stolen   card"]),
        ("12315", "打12315投诉", ["12315"]),
        ("12315", "123156", None),
        ("c++", "I like C++.", ["C++"]),
        ("#acme20", "so happy #ACME20!", ["#ACME20"]),
        ("chargeback*", "two chargebacks", ["chargeback"]),
        ("charge*", "discharged", None),
        ("AAA battery", "an aaa battery", ["aaa battery"]),
        ("AAA", "an AA battery", None),
        ("paypal", "my pаypаl account", ["pаypаl"]),
        ("a AND b", "b then a", ["b", "a"]),
        ("a AND b", "only a", None),
        ('refund AND NOT "refund policy"', "refund now", ["refund"]),
        ('refund AND NOT "refund policy"', "the refund policy says refund", None),
        ("a AND (b OR NOT c)", "a", ["a"]),
        ("a AND (b OR NOT c)", "a c", None),
        ("a AND (b OR NOT c)", "a b c", ["a", "b"]),
        ("card NEAR/4 (hacked OR cloned)", "my card was really badly hacked", ["card was really badly hacked"]),
        ("card NEAR/2 hacked", "card was really badly hacked", None),
        ("card NEAR/4 hacked", "hacked my card", ["hacked my card"]),
        ("card NEAR/0 hacked", "card hacked", ["card hacked"]),
        ("多扣 NEAR/3 钱", "多扣了我的钱", ["多扣了我的钱"]),
        ("多扣 NEAR/2 钱", "多扣了我的钱", None),
        ("don NEAR/1 card", "don, it's card", ["don, it's card"]),
        ("a NEAR/1 b NEAR/1 c", "a x b y c", ["a x b y c"]),
        ("re:order #?\\d+", "My ORDER #123", ["ORDER #123"]),
        ("re:退.?款", "我要退了款", ["退了款"]),
        ("re:盜刷", "被盗刷", ["盗刷"]),
        ("re:(a|b)c", "nothing", None),
    ],
)
def test_what_hits(entry: str, text: str, found: list[str] | None) -> None:
    got = hits(entry, text)
    assert (got is None) == (found is None)
    assert sorted(got or []) == sorted(found or [])


def test_every_list_is_searched_and_names_its_spans() -> None:
    keywords = Keywords.compile({"fraud": listed("stolen card", "card"), "refund": listed("退款")})
    found = keywords.search(fold("STOLEN card, 退款, card"), TODAY)
    assert found.lists == {"fraud": ((0, 11), (7, 11), (17, 21)), "refund": ((13, 15),)}
    assert not keywords.search(fold("nothing of it"), TODAY).lists


def test_except_cancels_what_it_overlaps_and_nothing_else() -> None:
    keywords = Keywords.compile(
        {"fraud": listed("fraud", "re:fra.d", **{"except": ["fraud department", "re:frand team"]})}
    )
    assert not keywords.search(fold("the fraud department, the frand team"), TODAY).lists
    assert keywords.search(fold("fraud department! fraud!"), TODAY).lists == {"fraud": ((18, 23),)}


def test_except_reaches_into_expressions_but_not_into_their_not() -> None:
    keywords = Keywords.compile(
        {"list": listed("refund AND card AND NOT gift", **{"except": ["refund policy", "gift shop"]})}
    )
    assert not keywords.search(fold("refund policy card"), TODAY).lists
    assert not keywords.search(fold("refund card gift shop"), TODAY).lists
    assert keywords.search(fold("refund card"), TODAY).lists


def test_a_list_is_searched_on_its_last_day_and_not_after() -> None:
    keywords = Keywords.compile({"campaign": listed("acme", until="2026-11-21")})
    assert keywords.search(fold("acme"), TODAY).lists
    assert not keywords.search(fold("acme"), date(2026, 11, 22)).lists


def test_one_expression_may_be_asked_for_twice() -> None:
    keywords = Keywords.compile({"a": listed("x")}, ["x", "x", "x AND y"])
    found = keywords.search(fold("x y"), TODAY)
    assert found.lists == {"a": ((0, 1),)}
    assert found.expressions == {"x": ((0, 1),), "x AND y": ((0, 1), (2, 3))}


@pytest.mark.parametrize(
    "entry", ["re:(a", "re:a*", "re:(?=a)b", "re:(a{1000}b{1000}){1000}", "\u200b", '"\u200b"', "a AND"]
)
def test_what_cannot_be_searched_is_refused(entry: str) -> None:
    with pytest.raises(ExpressionError):
        Keywords.compile({"list": listed(entry)})
    with pytest.raises(ExpressionError):
        Keywords.compile({"list": listed("x", **{"except": [entry]})})


def test_hostile_text_is_searched_in_bounded_work() -> None:
    keywords = Keywords.compile({"list": listed("a NEAR/3 b", "a AND b", "re:(a ?b ?)+c", **{"except": ["b a"]})})
    assert keywords.search(fold("a b " * 5000), TODAY).lists == {"list": ((0, 1), (1998, 1999))}


# The reference: no automaton, no folding tricks, one obvious sentence a rule.

WORDS = ("a", "b", "ab", "退", "款", "退款")


def _occurrences(phrase: Phrase, text: str) -> set[tuple[int, int]]:
    literal = re.escape(phrase.text)
    before = r"(?<![a-z])" if phrase.text[0].isascii() else ""
    after = r"(?![a-z])" if phrase.text[-1].isascii() and not phrase.prefix else ""
    return {(m.start(), m.start() + len(phrase.text)) for m in re.finditer(f"(?={before}{literal}{after})", text)}


def _tokens(text: str, start: int, end: int) -> int:
    """How many words or Chinese characters begin between; the rest of a word that began before is none."""
    return sum(start <= token.start() < end for token in re.finditer(r"[a-z]+|[退款]", text))


def _reference(node: Node, text: str) -> set[tuple[int, int]] | None:
    match node:
        case Phrase():
            return _occurrences(node, text) or None
        case Not(of):
            return set() if _reference(of, text) is None else None
        case Or(parts):
            held = [spans for spans in (_reference(part, text) for part in parts) if spans is not None]
            return set().union(*held) if held else None
        case And(parts):
            every = [_reference(part, text) for part in parts]
            return None if None in every else set().union(*(spans for spans in every if spans))
        case Near(left, right, within):
            pairs = [(a, b) for a in _reference(left, text) or () for b in _reference(right, text) or ()]
            pairs = [tuple(sorted(pair)) for pair in pairs]  # type: ignore[misc]
            return {(a[0], b[1]) for a, b in pairs if a[1] <= b[0] and _tokens(text, a[1], b[0]) <= within} or None


PHRASES = st.builds(Phrase, st.sampled_from(WORDS), st.booleans())
PLACED = PHRASES | st.builds(Near, PHRASES, PHRASES, st.integers(0, 3)) | st.builds(Or, st.tuples(PHRASES, PHRASES))
NEARS = st.builds(Near, PLACED, PLACED, st.integers(0, 3))
NODES = st.recursive(
    PLACED | NEARS,
    lambda inner: (
        st.builds(Not, inner) | st.builds(And, st.tuples(inner, inner)) | st.builds(Or, st.tuples(inner, inner))
    ),
    max_leaves=4,
).map(lambda node: And((Or((Phrase("a"), Phrase("退"))), node)))
TEXTS = (
    st.lists(st.sampled_from([*WORDS, " ", " ", ", "]), max_size=14)
    .map("".join)
    .filter(lambda text: fold(text).offsets is None)
)


@given(NODES, TEXTS)
def test_it_agrees_with_the_reference(node: Node, text: str) -> None:
    entry = show(node)
    found = Keywords.compile({}, [entry]).search(fold(text), TODAY).expressions.get(entry)
    wanted = _reference(node, text)
    assert (None if found is None else set(found)) == wanted


@given(
    st.lists(st.sampled_from(["a", "b*", "退款", "a b", "c NEAR/2 d", "re:x+", "ab", "c AND NOT b"]), min_size=1), TEXTS
)
def test_a_list_hits_what_its_entries_hit(entries: list[str], text: str) -> None:
    together = Keywords.compile({"list": listed(*entries)}).search(fold(text), TODAY).lists.get("list", ())
    alone = [Keywords.compile({}, [entry]).search(fold(text), TODAY).expressions.get(entry, ()) for entry in entries]
    assert set(together) == {span for spans in alone for span in spans}
