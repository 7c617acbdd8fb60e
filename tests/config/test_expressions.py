"""The keyword language: what it means, what it refuses, and that it can be printed and read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.expressions import And, ExpressionError, Near, Node, Not, Or, Pattern, Phrase, parse, show

A, B, C, D = (Phrase(word) for word in "abcd")


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("stolen card", Phrase("stolen card")),
        ("  stolen   card ", Phrase("stolen card")),
        ("chargeback*", Phrase("chargeback", prefix=True)),
        ("card hack*", Phrase("card hack", prefix=True)),
        ("a and b", Phrase("a and b")),
        ('"terms AND conditions"', Phrase("terms AND conditions")),
        ('terms "AND" conditions', Phrase("terms AND conditions")),
        ('"a*b"', Phrase("a*b")),
        ('"退款，退货"', Phrase("退款，退货")),
        ("a OR b AND c", Or((A, And((B, C))))),
        ("a AND NOT b", And((A, Not(B)))),
        ("a AND b NEAR/2 c", And((A, Near(B, C, 2)))),
        ("a NEAR/2 b NEAR/3 c", Near(Near(A, B, 2), C, 3)),
        ("(a OR b) AND (c OR d)", And((Or((A, B)), Or((C, D))))),
        ("((a))", A),
        ("a AND (b OR NOT c)", And((A, Or((B, Not(C)))))),
        ("NOT a AND b", And((Not(A), B))),
        ("re:order \\d+ (AND|OR)", Pattern("order \\d+ (AND|OR)")),
        ("退款", Phrase("退款")),
    ],
)
def test_reading(text: str, means: object) -> None:
    assert parse(text) == means


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        ("   ", 0),
        ("NOT a", 0),
        ("a OR NOT b", 0),
        ("a AND", 5),
        ("AND a", 0),
        ("a AND OR b", 6),
        ("(a", 0),
        ("a)", 1),
        ("()", 1),
        ("a (b)", 2),
        ("(a) b", 4),
        ("a NEAR b", 2),
        ("a NEAR/1000 b", 2),
        ("a NEAR/x b", 2),
        ("a NEAR/2 NOT b", 9),
        ("a NEAR/2 (b AND c)", 9),
        ("*", 0),
        ("a*b", 0),
        ("a* b", 3),
        ('"a', 0),
        ('""', 1),
        ("re:", 0),
        ("a，b", 1),
        ("（a）", 0),
        ("x AND “b”", 6),
        ("(" * 40 + "a" + ")" * 40, 21),
        ("a" * 3000 + " OR b", 0),
    ],
)
def test_refusing(text: str, position: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert caught.value.position == position
    assert caught.value.what
    assert caught.value.way_out


WORDS = st.lists(
    st.sampled_from(
        ["refund", "card", "AND", "NEAR", "NEAR/3", "NOT", "退款", "(", "a)b", "，", "re:x", "*", "don't", "c++"]
    ),
    min_size=1,
    max_size=3,
).map(" ".join)
PHRASES = st.builds(Phrase, WORDS) | st.sampled_from([Phrase("charge", prefix=True), Phrase("AND hack", prefix=True)])


def _placed(depth: int) -> st.SearchStrategy[Node]:
    if depth == 0:
        return PHRASES
    inner = _placed(depth - 1)
    return (
        inner
        | st.builds(Near, inner, inner, st.integers(0, 9))
        | st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple))
    )


def _any(depth: int) -> st.SearchStrategy[Node]:
    if depth == 0:
        return _placed(1)
    inner = _any(depth - 1)
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return inner | st.builds(Not, inner) | st.builds(And, several) | st.builds(Or, several)


@given(_any(2).map(lambda node: And((Phrase("anchor"), node))))
def test_what_is_printed_reads_the_same(node: Node) -> None:
    assert parse(show(node)) == node


@given(st.text(alphabet=st.sampled_from('ab "()*ANDORNEAR/3退，NOT re:'), max_size=40))
def test_any_text_reads_or_is_refused(text: str) -> None:
    try:
        expression = parse(text)
    except ExpressionError:
        return
    assert parse(show(expression)) == expression
