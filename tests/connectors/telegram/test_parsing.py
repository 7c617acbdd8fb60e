from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.api import BadPayload, Message, Part
from connectors.telegram.parsing import WANTED, parse
from connectors.telegram.target import Target, message_number
from tests.connectors.telegram.samples import (
    BOT,
    CHANNEL,
    DATE,
    GROUP,
    ME,
    MEI,
    OWNER,
    PRIVATE,
    PUBLIC,
    STAND_IN,
    SUPERGROUP,
    TELEGRAM,
    post,
    update,
)

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def only(raw: dict[str, Any]) -> Message:
    [parsed] = parse(raw, ME, NOW)
    return parsed.message


def test_a_private_message() -> None:
    message = only(update(text="我的包裹呢 📦"))
    assert message.id == "501/7"
    assert message.thread == "501"
    assert (message.author.id, message.author.name, message.author.handle) == ("501", "Mei Chen", "@mei")
    assert message.text == "我的包裹呢 📦"
    assert message.sent_at == datetime.fromtimestamp(DATE, UTC)
    assert (message.revision, message.url, message.private, message.mentions_us) == ("", None, True, True)
    assert message.language == "zh-hans"
    assert not any((message.own, message.repost, message.automated, message.deleted, message.author.bot))


@pytest.mark.parametrize(
    ("raw", "thread"),
    [
        (update(chat=GROUP), "-77"),
        (update(chat=SUPERGROUP, message_thread_id=3), "-1001234"),
        (update(chat=SUPERGROUP, message_thread_id=3, is_topic_message=True), "-1001234/3"),
        (update(chat=SUPERGROUP, direct_messages_topic={"topic_id": 501}), "-1001234/d501"),
        (update("business_message", business_connection_id="AQ:b/c"), "b:AQ:b/c:501"),
    ],
)
def test_the_thread_says_where_a_reply_goes(raw: dict[str, Any], thread: str) -> None:
    message = only(raw)
    assert message.thread == thread
    assert Target.parse(thread).thread == thread
    assert message_number(message.id, None) == 7
    assert message.id == f"{Target.parse(thread).room}/7"


@pytest.mark.parametrize(
    ("chat", "more", "url"),
    [
        (PRIVATE, {}, None),
        (GROUP, {}, None),
        (SUPERGROUP, {}, "https://t.me/c/1234/7"),
        (PUBLIC, {}, "https://t.me/acmetalk/7"),
        (PUBLIC, {"message_thread_id": 3, "is_topic_message": True}, "https://t.me/acmetalk/3/7"),
        (CHANNEL, {}, "https://t.me/acmenews/7"),
        (SUPERGROUP, {"direct_messages_topic": {"topic_id": 501}}, None),
    ],
)
def test_the_address_for_people(chat: dict[str, Any], more: dict[str, Any], url: str | None) -> None:
    assert only(update(chat=chat, **more)).url == url


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"text": "hello all"}, None),
        ({"text": "📦 @acmecarebot hi", "entities": [{"type": "mention", "offset": 3, "length": 12}]}, True),
        ({"text": "📦 @acmecarebot hi", "entities": [{"type": "mention", "offset": 2, "length": 5}]}, None),
        ({"text": "@other hi", "entities": [{"type": "mention", "offset": 0, "length": 6}]}, None),
        ({"text": "/help@AcmeCareBot", "entities": [{"type": "bot_command", "offset": 0, "length": 17}]}, True),
        ({"text": "/help", "entities": [{"type": "bot_command", "offset": 0, "length": 5}]}, None),
        ({"text": "Acme hi", "entities": [{"type": "text_mention", "offset": 0, "length": 4, "user": BOT}]}, True),
        ({"text": "Mei hi", "entities": [{"type": "text_mention", "offset": 0, "length": 3, "user": MEI}]}, None),
        ({"text": None, "photo": [{"file_id": "p"}], "caption": "@AcmeCareBot",
          "caption_entities": [{"type": "mention", "offset": 0, "length": 12}]}, True),
        ({"reply_to_message": post("we looked", GROUP, 6, author=BOT)}, True),
        ({"reply_to_message": post("what?", GROUP, 6)}, None),
        ({"reply_to_message": post("News", GROUP, 6, author=TELEGRAM, is_automatic_forward=True)}, True),
    ],
)  # fmt: skip
def test_who_mentions_us_in_a_group(more: dict[str, Any], expected: bool | None) -> None:
    assert only(update(chat=GROUP, **more)).mentions_us is expected


def test_a_reply_names_what_it_answers() -> None:
    assert only(update(reply_to_message=post(number=6))).in_reply_to == "501/6"


def test_in_a_forum_the_start_of_the_topic_is_not_answered() -> None:
    start = post(None, SUPERGROUP, 3, forum_topic_created={"name": "Lost", "icon_color": 1})
    message = only(update(chat=SUPERGROUP, message_thread_id=3, is_topic_message=True, reply_to_message=start))
    assert message.in_reply_to is None


@pytest.mark.parametrize(
    ("raw", "own", "author"),
    [
        (update("channel_post", chat=CHANNEL, sender_chat=CHANNEL, author=None), True, "-1009"),
        (update("channel_post", chat=CHANNEL, author=None), True, "-1009"),
        (update(chat=SUPERGROUP, sender_chat=CHANNEL, is_automatic_forward=True, author=TELEGRAM), True, "-1009"),
        (update(chat=SUPERGROUP, sender_chat=SUPERGROUP, **{"from": STAND_IN}), False, "-1001234"),
        (update(chat=SUPERGROUP, sender_chat=CHANNEL, **{"from": STAND_IN}), False, "-1009"),
        (update("business_message", business_connection_id="AQ"), False, "501"),
        (update("business_message", business_connection_id="AQ", author=OWNER), True, "900"),
        (update("business_message", business_connection_id="AQ", sender_business_bot=BOT, author=OWNER), True, "900"),
        (update(), False, "501"),
    ],
)  # fmt: skip
def test_whose_voice_it_is(raw: dict[str, Any], own: bool, author: str) -> None:
    message = only(raw)
    assert (message.own, message.author.id) == (own, author)
    assert not message.author.bot


def test_another_bot_is_known_as_one() -> None:
    assert only(update(chat=GROUP, author={**BOT, "id": 9})).author.bot


def test_what_was_made_by_a_bot_or_sent_without_a_person_is_automated() -> None:
    assert only(update(via_bot={**BOT, "id": 9})).automated
    assert only(update("business_message", business_connection_id="AQ", is_from_offline=True)).automated


@pytest.mark.parametrize(
    ("origin", "repost"),
    [
        ({"type": "user", "sender_user": OWNER, "date": 1}, True),
        ({"type": "hidden_user", "sender_user_name": "x", "date": 1}, True),
        ({"type": "channel", "chat": CHANNEL, "message_id": 1, "date": 1}, True),
        ({"type": "user", "sender_user": MEI, "date": 1}, False),
    ],
)
def test_what_somebody_else_wrote_is_a_repost(origin: dict[str, Any], repost: bool) -> None:
    assert only(update(forward_origin=origin)).repost is repost


@pytest.mark.parametrize("kind", ["edited_message", "edited_channel_post", "edited_business_message"])
def test_an_edit_repeats_the_id_with_a_larger_revision(kind: str) -> None:
    earlier, later = (only(update(kind, text="better", edit_date=DATE + after)) for after in (9, 10))
    assert earlier.id == only(update()).id
    assert "" < earlier.revision < later.revision
    assert earlier.sent_at == datetime.fromtimestamp(DATE, UTC)


def test_what_vanished_from_a_business_account_is_told_message_by_message() -> None:
    raw = {"deleted_business_messages": {"business_connection_id": "AQ", "chat": PRIVATE, "message_ids": [7, 8]}}
    messages = [parsed.message for parsed in parse(raw, ME, NOW)]
    assert [message.id for message in messages] == ["b:AQ:501/7", "b:AQ:501/8"]
    assert all(message.deleted and message.author.id == "501" and message.sent_at == NOW for message in messages)
    edit = only(update("edited_business_message", business_connection_id="AQ", edit_date=2**33))
    assert messages[0].id == edit.id
    assert messages[0].revision > edit.revision


FILE = {"file_id": "F", "file_unique_id": "U"}


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ({"photo": [{"file_id": "small"}, {"file_id": "large"}]}, [Part(kind="photo", ref="large")]),
        ({"voice": FILE}, [Part(kind="voice", ref="F")]),
        ({"video": {**FILE, "file_name": "a.mp4"}}, [Part(kind="video", ref="F", name="a.mp4")]),
        ({"video_note": FILE}, [Part(kind="video", ref="F")]),
        ({"animation": FILE, "document": FILE}, [Part(kind="video", ref="F")]),
        ({"audio": {**FILE, "title": "Song"}}, [Part(kind="file", ref="F", name="Song")]),
        ({"document": {**FILE, "file_name": "发票.pdf"}}, [Part(kind="file", ref="F", name="发票.pdf")]),
        ({"sticker": {**FILE, "emoji": "😡"}}, [Part(kind="file", ref="F", name="😡")]),
        ({"location": {"latitude": 1.5, "longitude": 2.5}}, [Part(kind="place", ref="1.5,2.5")]),
        ({"venue": {"title": "Gate 7", "address": "x", "location": {"latitude": 1.5, "longitude": 2.5}},
          "location": {"latitude": 1.5, "longitude": 2.5}}, [Part(kind="place", ref="1.5,2.5", name="Gate 7")]),
        ({"contact": {"phone_number": "+86 138", "first_name": "Li", "last_name": "Na"}},
         [Part(kind="contact", name="Li Na")]),
        ({"story": {"id": 1, "chat": CHANNEL}}, [Part(kind="file")]),
        ({"paid_media": {"star_count": 1, "paid_media": [{"type": "photo", "photo": []}, {"type": "preview"}]}},
         [Part(kind="photo"), Part(kind="photo")]),
    ],
)  # fmt: skip
def test_what_came_without_words(content: dict[str, Any], parts: list[Part]) -> None:
    message = only(update(text=None, **content))
    assert (message.text, list(message.parts)) == ("", parts)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"photo": [FILE], "caption": "broken on arrival"}, "broken on arrival"),
        ({"poll": {"id": "1", "question": "Still waiting?"}}, "Still waiting?"),
        ({"dice": {"emoji": "🎲", "value": 1}}, "🎲"),
        ({"checklist": {"title": "To do", "tasks": [{"id": 1, "text": "refund"}]}}, "To do\nrefund"),
    ],
)
def test_words_that_stand_elsewhere(content: dict[str, Any], text: str) -> None:
    assert only(update(text=None, **content)).text == text


@pytest.mark.parametrize(
    "raw",
    [
        update(text=None, new_chat_members=[MEI]),
        update(text=None, pinned_message=post()),
        update(text=None, successful_payment={}),
        update(
            "edited_message", text=None, location={"latitude": 1, "longitude": 2, "live_period": 900}, edit_date=DATE
        ),
        {"update_id": 1, "my_chat_member": {"chat": GROUP}},
        {"update_id": 1, "callback_query": {"id": "1"}},
        {"update_id": 1},
    ],
)
def test_what_nobody_said_is_no_message(raw: dict[str, Any]) -> None:
    assert parse(raw, ME, NOW) == ()


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (None, "no object"),
        ([], "no object"),
        ({"update_id": 1, "hologram": {}}, "hologram"),
        ({"message": None}, "Bot API"),
        ({"message": []}, "Bot API"),
        ({"message": {"message_id": 1}}, "date"),
        (update(date="yesterday"), r"\$\.date"),
        (update(date=10**17), "calendar"),
        (update(text=None), "kind unknown"),
        (update(text=None, hologram={"file_id": "x"}), "kind unknown"),
    ],
)
def test_what_cannot_be_read_says_why(raw: object, reason: str) -> None:
    with pytest.raises(BadPayload, match=reason):
        parse(raw, ME, NOW)


def test_the_reason_does_not_quote_the_customer() -> None:
    with pytest.raises(BadPayload) as caught:
        parse(update(date="my card is 4111111111111111"), ME, NOW)
    assert "4111" not in str(caught.value)


def test_every_kind_that_carries_messages_is_asked_for() -> None:
    assert {"message", "edited_message", "channel_post", "edited_channel_post"} < set(WANTED)
    assert {"business_message", "edited_business_message", "deleted_business_messages"} < set(WANTED)


WHOLE = update(
    chat=PUBLIC,
    text="hi @AcmeCareBot",
    entities=[{"type": "mention", "offset": 3, "length": 12}],
    reply_to_message=post(number=2),
    photo=[FILE],
    forward_origin={"type": "user", "sender_user": MEI},
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def paths(value: object, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, child in inner for path in ((*here, key), *paths(child, (*here, key)))]


@given(st.sampled_from(paths(WHOLE)), JSON)
def test_whatever_stands_in_a_field_is_read_or_kept_aside(path: tuple[Any, ...], value: object) -> None:
    raw = copy.deepcopy(WHOLE)
    place: Any = raw
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    try:
        parse(raw, ME, NOW)
    except BadPayload as error:
        json.dumps(str(error))
