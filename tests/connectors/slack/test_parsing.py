from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.api import Author, BadPayload, Part, Refused
from connectors.slack.parsing import _SERVICE
from tests.connectors.slack.samples import LATER, ROOT, TS, US, changed, deleted, only, post, read


def test_a_message_in_a_channel() -> None:
    message = only(post("where is my <https://acme.example|parcel>? &lt;3"))
    assert message.id == message.thread == f"C0HELP/{TS}"
    assert message.text == "where is my parcel (https://acme.example)? <3"
    assert message.author == Author(id="U0MING", name="小明")
    assert message.sent_at == datetime.fromtimestamp(1_790_000_000, UTC).replace(microsecond=100)
    assert (message.revision, message.private, message.mentions_us, message.in_reply_to) == ("", False, None, None)
    assert message.url == f"https://acme.slack.com/archives/C0HELP/p{TS.replace('.', '')}"


def test_a_reply_in_a_thread_and_one_that_is_shown_to_all() -> None:
    shown: tuple[dict[str, Any], ...] = ({}, {"subtype": "thread_broadcast", "root": post(ts=ROOT)})
    for more in shown:
        message = only(post(thread_ts=ROOT, parent_user_id="U0MING", **more))
        assert (message.id, message.thread, message.in_reply_to) == (f"C0HELP/{TS}", f"C0HELP/{ROOT}", f"C0HELP/{ROOT}")
        assert message.url is not None
        assert message.url.endswith(f"?thread_ts={ROOT}&cid=C0HELP")


def test_the_root_of_a_thread_answers_nobody() -> None:
    message = only(post(thread_ts=TS))
    assert (message.thread, message.in_reply_to) == (f"C0HELP/{TS}", None)


def test_a_direct_message_is_private_and_answered_at_its_end() -> None:
    message = only(post(channel="D0MING", channel_type="im"))
    assert (message.thread, message.private, message.mentions_us) == ("D0MING", True, True)
    assert only(post(channel="D0MING", thread_ts=ROOT)).thread == f"D0MING/{ROOT}"


def test_a_group_of_a_few_is_private_and_a_private_channel_is_not() -> None:
    assert only(post(channel="G0FEW", channel_type="mpim")).private
    assert not only(post(channel="G0CLUB", channel_type="group")).private


@pytest.mark.parametrize(
    ("event", "mentions"),
    [
        (post("<@U0CARE> help"), True),
        (post("<@U0CARE|care> help"), True),
        (post("<@U0CAREX> help"), None),
        (post("@care help"), None),
        (post("and?", thread_ts=ROOT, parent_user_id="U0CARE"), True),
    ],
)
def test_who_names_us(event: dict[str, Any], mentions: bool | None) -> None:
    assert only(event).mentions_us is mentions


@pytest.mark.parametrize("more", [{"user": "U0CARE"}, {"bot_id": "B0CARE", "user": None, "subtype": "bot_message"}])
def test_what_we_say_is_known_as_ours(more: dict[str, Any]) -> None:
    assert only(post(**more)).author == US.author


def test_other_bots_are_bots() -> None:
    by_name = only(post(subtype="bot_message", bot_id="B1", username="Deploys", user=None)).author
    assert by_name == Author(id="B1", name="Deploys", bot=True)
    by_profile = only(post(bot_id="B1", user="U0BOT", bot_profile={"id": "B1", "name": "CI"})).author
    assert by_profile == Author(id="U0BOT", name="CI", bot=True)
    assert only(post(user="USLACKBOT")).author.bot


def test_people_of_other_workspaces_bring_their_name() -> None:
    profile = {"display_name": "", "real_name": "Mei Chen", "name": "mei", "team": "T2"}
    message = only(post(user="U0MEI", user_team="T2", source_team="T2", user_profile=profile))
    assert message.author == Author(id="U0MEI", name="Mei Chen")


def test_a_stranger_has_no_name_yet() -> None:
    assert only(post(user="U0NEW")).author == Author(id="U0NEW", name="")


def test_an_edit_has_a_larger_revision() -> None:
    before = post("frist")
    edit = only(changed(before, {**before, "text": "first", "edited": {"user": "U0MING", "ts": "1790000059.000000"}}))
    assert (edit.id, edit.text, edit.revision) == (f"C0HELP/{TS}", "first", "1790000059.000000")
    assert edit.sent_at == only(before).sent_at


def test_an_edit_of_a_message_that_does_not_say_when_it_was_posted() -> None:
    before = post("frist")
    edit = only(changed(before, {**before, "ts": None, "text": "first"}))
    assert (edit.id, edit.revision) == (f"C0HELP/{TS}", LATER)


def test_an_unfolded_link_is_no_edit() -> None:
    before = post("see https://acme.example")
    after = {**before, "attachments": [{"title": "Acme", "text": "The shop"}]}
    assert read(changed(before, after)) is None
    assert read(changed(None, after)) is None


def test_a_deleted_message() -> None:
    notice = only(deleted(post("in anger", thread_ts=ROOT)))
    assert (notice.id, notice.thread, notice.text) == (f"C0HELP/{TS}", f"C0HELP/{ROOT}", "")
    assert notice.deleted
    assert notice.revision == LATER
    assert notice.author.id == "U0MING"


def test_a_deleted_root_leaves_a_stone() -> None:
    stone = post("This message was deleted.", subtype="tombstone", user="USLACKBOT")
    notice = only(changed(post("in anger"), stone))
    assert (notice.id, notice.deleted, notice.author.id) == (f"C0HELP/{TS}", True, "U0MING")
    assert read(stone) is None


def test_files() -> None:
    files = [
        {"id": "F1", "name": "a.png", "mimetype": "image/png"},
        {"id": "F2", "title": "a clip", "mimetype": "video/mp4", "subtype": "slack_audio"},
        {"id": "F3", "mimetype": "video/mp4"},
        {"id": "F4", "file_access": "check_file_info"},
    ]
    message = only(post("", subtype="file_share", files=files))
    assert message.parts == (
        Part(kind="photo", ref="F1", name="a.png"),
        Part(kind="voice", ref="F2", name="a clip"),
        Part(kind="video", ref="F3"),
        Part(kind="file", ref="F4"),
    )


def test_me_and_words_in_blocks() -> None:
    assert only(post("shrugs", subtype="me_message")).text == "shrugs"
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "&lt;alarm&gt;"}}]
    assert only(post("", blocks=blocks)).text == "<alarm>"


@pytest.mark.parametrize("subtype", sorted(_SERVICE))
def test_what_nobody_said_is_no_message(subtype: str) -> None:
    assert read(post("<@U0MING> has joined the channel", subtype=subtype)) is None


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (None, "Slack"),
        ([], "Slack"),
        (post(channel=None), "without a channel"),
        (post(ts=None), "time"),
        (post(ts="yesterday"), "time"),
        (post(ts=1790000000.0001), r"\$\.ts"),
        (post() | {"text": 5}, r"\$\.text"),
        (post(subtype="hologram"), "hologram"),
        (post(thread_ts="x"), "time"),
        (post(files={}), r"\$\.files"),
        (changed(post(), post()) | {"message": None}, "Slack"),
        (deleted(post()) | {"deleted_ts": None}, "time"),
    ],
)
def test_what_cannot_be_read_says_why(event: object, reason: str) -> None:
    with pytest.raises(BadPayload, match=reason):
        read(event)


def test_the_reason_does_not_quote_the_customer() -> None:
    with pytest.raises(BadPayload) as caught:
        read(post(ts="my card is 4111111111111111"))
    assert "4111" not in str(caught.value)


WHOLE = changed(
    post("<@U0CARE> frist"),
    {
        **post("<@U0CARE> first", thread_ts=ROOT, files=[{"id": "F1"}], blocks=[{"type": "x"}]),
        "edited": {"user": "U0MING", "ts": LATER},
        "user_profile": {"display_name": "x"},
    },
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
        read(raw)
    except (BadPayload, Refused) as error:
        json.dumps(str(error))
