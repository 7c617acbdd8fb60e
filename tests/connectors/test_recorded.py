"""Recorded messages: strict on types, exact, and unbreakable."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors import recorded
from connectors.api import Author, BadPayload, Message, Part
from connectors.recorded import Recorded, parse_line, parse_object

LINE: dict[str, Any] = {
    "id": "m-1",
    "channel": "x-mentions",
    "text": "my card was charged twice!!",
    "author": {"id": "u-1", "name": "Mei"},
    "sent_at": "2027-01-31T09:00:00Z",
}


def line(**changes: Any) -> bytes:
    return json.dumps(LINE | changes).encode()


def reason(raw: bytes | str) -> str:
    with pytest.raises(BadPayload) as caught:
        parse_line(raw)
    return str(caught.value)


def test_the_least_that_a_line_may_say() -> None:
    assert parse_line(line()) == Recorded(
        "x-mentions",
        Message(
            id="m-1",
            author=Author(id="u-1", name="Mei"),
            text="my card was charged twice!!",
            sent_at=datetime(2027, 1, 31, 9, tzinfo=UTC),
            thread="u-1",
        ),
    )


def test_all_that_a_line_may_say() -> None:
    raw = line(
        author={"id": 7, "name": "小明", "handle": "ming", "followers": 50_000, "bot": True},
        thread=-1001,
        private=True,
        url="https://example.org/p/1",
        language="zh-Hant",
        in_reply_to=12,
        mentions_us=False,
        revision=3,
        deleted=True,
        parts=["photo", {"kind": "voice", "ref": 9, "name": "a.ogg"}, "sticker"],
        unheard_of={"deep": [1, {"id": "not this one"}]},
    )
    message = parse_line(raw).message
    assert message == Message(
        id="m-1",
        author=Author(id="7", name="小明", handle="ming", followers=50_000, bot=True),
        text="my card was charged twice!!",
        sent_at=datetime(2027, 1, 31, 9, tzinfo=UTC),
        thread="-1001",
        private=True,
        url="https://example.org/p/1",
        language="zh-Hant",
        in_reply_to="12",
        mentions_us=False,
        revision="00000000000000000003",
        deleted=True,
        parts=(Part(kind="photo"), Part(kind="voice", ref="9", name="a.ogg"), Part(kind="file", name="sticker")),
    )


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"id": None}, "id is missing"),
        ({"id": ""}, "id is empty"),
        ({"id": True}, "id is not a text or a whole number"),
        ({"id": 1.5}, "id is not a text or a whole number"),
        ({"id": "x" * 513}, "id is longer"),
        ({"id": "a\0"}, "id holds a NUL"),
        ({"thread": "\ud83d"}, "thread holds a NUL or half a character"),
        ({"channel": None}, "channel is missing"),
        ({"text": None}, "text is missing"),
        ({"text": 5}, "text is not a text"),
        ({"author": None}, "author is missing"),
        ({"author": "Mei"}, "author is not an object"),
        ({"author": {"name": "Mei"}}, "author.id is missing"),
        ({"author": {"id": "1"}}, "author.name is missing"),
        ({"author": {"id": "1", "name": "M", "followers": -1}}, "author.followers"),
        ({"author": {"id": "1", "name": "M", "followers": "9"}}, "author.followers"),
        ({"author": {"id": "1", "name": "M", "bot": 1}}, "author.bot"),
        ({"private": "yes"}, "private is not true or false"),
        ({"mentions_us": 0}, "mentions_us is not true or false"),
        ({"url": 1}, "url is not a text"),
        ({"language": ["en"]}, "language is not a text"),
        ({"in_reply_to": {}}, "in_reply_to"),
        ({"revision": -1}, "revision"),
        ({"revision": 2**63}, "revision"),
        ({"revision": 1.5}, "revision"),
        ({"parts": "photo"}, "parts is not a list"),
        ({"parts": [1]}, "parts[0]"),
        ({"parts": ["photo", {"ref": "x"}]}, "parts[1].kind is missing"),
        ({"parts": ["photo"] * 1001}, "parts holds more than"),
        ({"sent_at": None}, "sent_at is missing"),
        ({"sent_at": 1_800_000_000}, "sent_at is not a text"),
        ({"sent_at": "2027-01-31T09:00:00"}, "sent_at has no offset"),
        ({"sent_at": "2027-02-30T09:00:00Z"}, "sent_at is not a time that exists"),
        ({"sent_at": "2027-W01-1T09:00:00Z"}, "sent_at is not a time such as"),
        ({"sent_at": "yesterday"}, "sent_at is not a time such as"),
        ({"sent_at": "٢٠٢٧-01-31T09:00:00Z"}, "sent_at is not a time such as"),
    ],
)
def test_a_wrong_key_is_named(changes: dict[str, Any], names: str) -> None:
    assert names in reason(line(**changes))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2027-01-31T09:00:00+08:00", datetime(2027, 1, 31, 1, tzinfo=UTC)),
        ("2027-01-31t09:00:00.25z", datetime(2027, 1, 31, 9, 0, 0, 250_000, tzinfo=UTC)),
        ("2027-01-31 09:00:00Z", datetime(2027, 1, 31, 9, tzinfo=UTC)),
        ("2026-12-31T23:59:60Z", datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
        ("0001-01-01T00:00:00+23:59", datetime(1970, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59-23:59", datetime(2199, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_times(written: str, meant: datetime) -> None:
    assert parse_line(line(sent_at=written)).message.sent_at == meant


@pytest.mark.parametrize(
    ("written", "sorted_text"),
    [(None, ""), ("", ""), (0, ""), (9, f"{9:020}"), ("10", f"{10:020}"), ("1700.01", "1700.01"), ("b", "b")],
)
def test_revisions_sort(written: object, sorted_text: str) -> None:
    assert parse_line(line(revision=written)).message.revision == sorted_text


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "not JSON"),
        (b"[]", "not an object"),
        (b'{"id": 1', "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (line(x=1).replace(b'"x": 1', b'"x": NaN'), "NaN is not a number"),
        (line(x=1).replace(b'"x": 1', b'"x": -Infinity'), "-Infinity is not a number"),
        (line(x=1).replace(b'"x": 1', b'"x": ' + b"9" * 5000), "too many digits"),
        (line(x=1).replace(b'"x": 1', b'"x": ' + b"[" * 100_000 + b"]" * 100_000), "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (line(x=1).replace(b'"x"', b'"text"'), "the key 'text' stands twice"),
        (line(x=1).replace(b'"x"', b'"te\\u0078t"'), "the key 'text' stands twice"),
        (line(x={"a": 1, "b": 2}).replace(b'"b"', b'"a"'), "the key 'a' stands twice"),
        (line(text="x" * recorded.LINE_AT_MOST), "longer than"),
    ],
)
def test_hostile_lines(raw: bytes, says: str) -> None:
    assert says in reason(raw)
    assert says in reason(raw.decode(errors="surrogateescape")) or not raw.isascii()


def test_large_whole_numbers_stay_exact() -> None:
    message = parse_line(line(id=2**70 + 1, author={"id": 2**64 + 1, "name": "M"})).message
    assert (message.id, message.author.id) == (str(2**70 + 1), str(2**64 + 1))


def test_halves_of_a_pair_and_nul_stay_in_texts_for_the_host_to_repair() -> None:
    message = parse_line(line(text="a\ud83d\0b", author={"id": "1", "name": "\udc00"})).message
    assert (message.text, message.author.name) == ("a\ud83d\0b", "\udc00")
    assert parse_line(json.dumps(LINE | {"text": "a\ud83d"}, ensure_ascii=False)).message.text == "a\ud83d"


def test_a_byte_order_mark_is_passed_over() -> None:
    assert parse_line(b"\xef\xbb\xbf" + line()) == parse_line(line())


def test_a_delete_notice_needs_no_text() -> None:
    assert parse_line(line(text=None, deleted=True)).message.text == ""


def test_a_given_channel_stands_for_the_one_in_the_line() -> None:
    assert parse_line(line(), channel="shop").channel == "shop"
    assert parse_line(line(channel=None), channel="shop").channel == "shop"


texts = st.text(st.characters(codec=None, exclude_categories=())) | st.sampled_from(
    ["", ":", '":', "a", "\ud83d", "\0", "2027-01-31T09:00:00Z", "2027-01-31T09:00:00.5+08:00", "photo", "x" * 600]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))
instants = st.from_regex(recorded._INSTANT, fullmatch=True) | st.datetimes(timezones=st.timezones()).map(
    lambda at: at.isoformat()
)
authors = st.fixed_dictionaries(
    {"id": texts | st.integers(), "name": texts},
    optional={"handle": texts, "followers": st.integers(0) | scalars, "bot": st.booleans() | scalars},
)
lines = st.fixed_dictionaries(
    {
        "id": texts | st.integers(),
        "channel": texts,
        "text": texts,
        "author": authors | values,
        "sent_at": instants | values,
    },
    optional={
        "thread": texts | scalars,
        "private": st.booleans() | scalars,
        "url": texts | scalars,
        "language": texts | scalars,
        "in_reply_to": texts | scalars,
        "mentions_us": st.booleans() | scalars,
        "revision": texts | scalars,
        "deleted": st.booleans() | scalars,
        "parts": st.lists(texts | st.dictionaries(st.sampled_from(["kind", "ref", "name"]), scalars)) | values,
        "else": values,
    },
)


def told(read: Any, raw: bytes | str) -> Recorded | str:
    try:
        found = read(raw)
        assert isinstance(found, Recorded)
        return found
    except BadPayload as error:
        return str(error)


@given(lines, st.booleans(), st.sampled_from([(",", ":"), (", ", ": "), (" ,", " : ")]))
def test_both_ways_lead_to_one_result(value: dict[str, Any], escaped: bool, separators: tuple[str, str]) -> None:
    text = json.dumps(value, ensure_ascii=escaped, separators=separators)
    raw: bytes | str = text.encode() if escaped else text
    assert told(parse_line, raw) == told(lambda r: parse_object(recorded._exact(r)), raw)


keys = st.sampled_from([*LINE, "thread", "private", "x", "te\\u0078t", ":"])


@given(
    st.lists(
        st.tuples(keys, st.sampled_from(['"a"', "1", "true", '"\\u003a"', '{"id":"1","id":"2","name":":"}'])),
        max_size=4,
    )
)
@example([("text", '"\\u003a"'), ("text", '"a"')])
def test_a_repeated_key_is_never_passed_over(more: list[tuple[str, str]]) -> None:
    pairs = [(key, json.dumps(value)) for key, value in LINE.items()] + more
    raw = "{" + ",".join(f'"{key}":{value}' for key, value in pairs) + "}"
    assert told(parse_line, raw) == told(lambda r: parse_object(recorded._exact(r)), raw)


@given(st.binary() | st.text().map(str.encode) | values.map(lambda v: json.dumps(v).encode()))
def test_nothing_but_bad_payload_is_ever_raised(raw: bytes) -> None:
    told(parse_line, raw)
