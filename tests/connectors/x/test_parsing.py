"""Posts in X's shape, our own samples: whole, sparse, hostile; and how far a cursor reaches."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.answers import Answer
from connectors.api import Author, Cursor
from connectors.errors import BadPayload, ConnectorError, Denied, Refused, Unreachable
from connectors.x import prices, snowflake
from connectors.x.parsing import account, plain, read
from connectors.x.position import Position
from connectors.x.quotas import Quotas
from connectors.x.verdict import explained

ME = Author(id="783214", name="Acme Air", handle="@AcmeAir")
NOW = datetime(2027, 1, 31, 12, tzinfo=UTC)
SAMPLE: dict[str, Any] = {
    "id": "1846987139428634858",
    "text": "@AcmeAir my bag &amp; I are still in Oslo https://t.co/abc",
    "author_id": "2244994945",
    "created_at": "2024-10-17T18:41:30.000Z",
    "conversation_id": "1846987139428634858",
    "edit_history_tweet_ids": ["1846987139428634858"],
    "edit_controls": {"edits_remaining": 5, "is_edit_eligible": True, "editable_until": "2024-10-17T19:41:30.000Z"},
    "lang": "en",
    "possibly_sensitive": False,
    "entities": {
        "mentions": [{"start": 0, "end": 8, "username": "AcmeAir", "id": "783214"}],
        "urls": [{"start": 36, "end": 49, "url": "https://t.co/abc", "expanded_url": "https://x.com/a/photo/1"}],
        "annotations": [{"start": 30, "end": 33, "probability": 0.9, "type": "Place", "normalized_text": "Oslo"}],
    },
    "public_metrics": {"retweet_count": 0, "reply_count": 0, "like_count": 1, "quote_count": 0},
    "some_field_of_tomorrow": {"deep": [1, 2, {"er": None}]},
}
ALONG = {"users": [{"id": "2244994945", "name": "Ola", "username": "ola", "public_metrics": {"followers_count": 12}}]}

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


def test_a_post_as_x_describes_it() -> None:
    found = read([SAMPLE], ALONG, ME)
    (message,) = found.messages.values()
    assert message.text == "@AcmeAir my bag & I are still in Oslo https://t.co/abc"
    assert message.sent_at == datetime(2024, 10, 17, 18, 41, 30, tzinfo=UTC)
    assert (message.author.name, message.author.handle, message.author.followers) == ("Ola", "@ola", 12)
    assert message.mentions_us
    assert found.ids == {1846987139428634858}


def test_an_id_tells_its_time() -> None:
    """The post by which X announced this API: 12 August 2020, 17:01:42."""
    (message,) = read([{"id": "1293593516040269825", "text": "It’s finally here!"}], None, ME).messages.values()
    assert message.sent_at.replace(microsecond=0) == datetime(2020, 8, 12, 17, 1, 42, tzinfo=UTC)
    assert message.author.id == "of-1293593516040269825", "nobody else's post bears this author"


@pytest.mark.parametrize("key", ["id", "text"])
def test_a_post_without_what_counts_is_kept_aside(key: str) -> None:
    broken = {name: value for name, value in SAMPLE.items() if name != key}
    found = read([broken, SAMPLE], ALONG, ME)
    ((_, item),) = found.unreadable
    assert json.loads(item.raw) == broken
    assert item.reason
    assert len(found.messages) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"id": "12a"}, {"id": "9" * 40}, {"id": 5}, {"id": ""}, {"text": None}, {"entities": 5}, {"created_at": "soon"},
        {"edit_history_tweet_ids": ["x"]}, {"referenced_tweets": [{}]}, {"attachments": []}, {"id": "٣"},
    ],
)  # fmt: skip
def test_wrong_types_spoil_their_own_post_only(change: dict[str, Any]) -> None:
    found = read([{**SAMPLE, **change}, {**SAMPLE, "id": "5", "edit_history_tweet_ids": ["5"]}], ALONG, ME)
    assert (len(found.unreadable), len(found.messages)) == (1, 1)


@given(st.lists(anything, max_size=4), anything)
def test_whatever_comes_is_read_or_kept_aside(posts: list[object], along: object) -> None:
    found = read(posts, along, ME)
    assert len(found.unreadable) + len(found.messages) <= len(posts) == found.count


@given(st.dictionaries(st.sampled_from(sorted(SAMPLE)), anything))
def test_whatever_stands_in_a_field(change: dict[str, Any]) -> None:
    found = read([{**SAMPLE, **change}], {"users": [change], "media": change}, ME)
    assert len(found.unreadable) + len(found.messages) == 1


@pytest.mark.parametrize("text", ["nul \x00", "half \ud83d", "rtl \u202e", "好" * 25_000])
def test_hostile_texts_come_in_as_they_are(text: str) -> None:
    (message,) = read([{**SAMPLE, "text": text}], ALONG, ME).messages.values()
    assert message.text == text


@given(st.text())
def test_what_x_escapes_is_undone_exactly(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert plain(escaped) == text


def test_an_account_that_is_none() -> None:
    raws: tuple[object, ...] = (None, [], {}, {"id": 5}, "x")
    for raw in raws:
        with pytest.raises(BadPayload):
            account(raw)


# Positions.

ids = st.integers(min_value=0, max_value=2**62)


@given(ids, st.lists(ids, max_size=200))
def test_a_cursor_comes_back_as_it_was_and_leads_past_what_it_saw(since: int, seen: list[int]) -> None:
    position = Position(since=since).after(seen)
    assert Position.parse(position.cursor) == position
    assert not any(map(position.is_new, seen))
    assert position.since >= since


@given(ids, st.lists(ids, max_size=80), ids)
def test_settling_forgets_nothing_that_it_should_know(since: int, seen: list[int], other: int) -> None:
    """What was seen stays seen; and nothing younger than a minute is ruled out by its number alone."""
    position = Position(since=since).after(seen)
    looked = snowflake.at(max([since, *seen])) + timedelta(seconds=30)
    settled = position.settled(looked)
    assert not any(map(settled.is_new, seen))
    if position.is_new(other) and snowflake.at(other) >= looked - timedelta(seconds=60):
        assert settled.is_new(other)


def test_a_storm_does_not_cut_the_minute_short() -> None:
    """A hundred posts within ten seconds, and one of them is indexed late."""
    ids = [snowflake.first_at(NOW + timedelta(milliseconds=100 * at)) for at in range(100)]
    late = ids.pop(20)
    position = Position(since=snowflake.first_at(NOW - timedelta(hours=1))).after(ids)
    assert position.is_new(late)
    assert not any(map(position.is_new, ids))


def test_a_cursor_has_a_bound_all_the_same() -> None:
    position = Position(since=0).after(range(2**62, 2**62 + 100_000))
    assert len(position.cursor) < 100_000


@given(st.text())
def test_any_text_is_a_cursor_or_denied(text: str) -> None:
    try:
        position = Position.parse(Cursor(text))
    except Denied:
        return
    assert position is not None
    assert Position.parse(position.cursor) == position


@given(st.datetimes(min_value=datetime(2011, 1, 1), max_value=datetime(2060, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 — hypothesis adds the zone
def test_the_first_id_of_a_moment_lies_in_it(moment: datetime) -> None:
    assert timedelta(0) <= moment - snowflake.at(snowflake.first_at(moment)) < timedelta(milliseconds=1)
    assert snowflake.is_id(str(snowflake.first_at(moment)))


# Verdicts and prices.


@given(
    st.integers(min_value=100, max_value=999), anything, st.dictionaries(st.text(max_size=9), st.text()), st.booleans()
)
def test_every_answer_has_a_verdict(status: int, body: object, headers: dict[str, str], posting: bool) -> None:
    answer = Answer("GET x", status, headers, json.dumps(body).encode("utf-8", "surrogatepass"))
    error = explained(answer, NOW, posting=posting)
    assert (error is None) == (200 <= status < 300)
    if isinstance(error, Unreachable):
        assert error.unsent == (status in {402, 429})
    assert posting or not isinstance(error, Refused)


@given(st.text(), st.text(), st.text())
def test_a_429_waits_between_a_second_and_an_hour_or_does_not_say(reset: str, left: str, after: str) -> None:
    headers = {"x-rate-limit-reset": reset, "x-rate-limit-remaining": left, "retry-after": after}
    error: ConnectorError | None = explained(Answer("GET x", 429, headers, b""), NOW, posting=False)
    assert isinstance(error, Unreachable)
    assert error.retry_after is None or timedelta(seconds=1) <= error.retry_after <= timedelta(hours=1)
    quotas = Quotas()
    quotas.note("GET", "/2/users/me", headers)
    assert all(quota.left >= 0 for quota in quotas.known)


def test_a_link_costs_thirteen_times_as_much() -> None:
    assert prices.of_post("We have it (Ref K7Q2).", summoned=True) == 10_000
    assert prices.of_post("We have it (Ref K7Q2).", summoned=False) == 15_000
    assert prices.of_post("We have it: acme.example", summoned=True) == 200_000
