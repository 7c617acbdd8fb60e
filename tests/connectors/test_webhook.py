"""Webhooks signed by Standard Webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from standardwebhooks.webhooks import Webhook as Reference

from connectors.api import Hook, HookAnswer
from connectors.testing import ConnectorContract, FakeChannel, Item
from connectors.webhook import BODY_AT_MOST, ITEMS_AT_MOST, Settings, Webhook, _items, _parted
from connectors.webhook import plugin as webhook

KEY = b"0123456789abcdef0123456789abcdef"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
OLD = "an older secret, 24 bytes or more"
NOW = datetime(2027, 1, 31, 9, tzinfo=UTC)


def call(body: bytes, *, at: datetime = NOW, secret: str = SECRET, identity: str = "msg_1") -> Hook:
    """Signed by the reference implementation, not by ours."""
    signature = Reference(secret).sign(identity, at, body.decode(errors="surrogateescape"))
    headers = {
        "webhook-id": identity,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }
    return Hook(method="POST", headers=headers, query={}, body=body)


def message(identity: str = "1", **more: object) -> dict[str, object]:
    author = {"id": "u1", "name": "小明"}
    return {"id": identity, "text": "坏了", "author": author, "sent_at": "2027-01-31T09:00:00Z"} | more


def body(value: object) -> bytes:
    return json.dumps(value).encode()


async def hear(hook: Hook, *, now: datetime = NOW, **settings: object) -> HookAnswer:
    values = Settings.model_validate({"secret": SECRET, **settings})
    return await Webhook(values, clock=lambda: now).hear(hook)


class ShopChannel(FakeChannel):
    def body(self, items: Sequence[Item]) -> bytes:
        return body([self._row(item) for item in items])

    def _row(self, item: Item) -> dict[str, object]:
        author = {"id": item.author.id, "name": item.author.name}
        row = message(
            item.id, text=item.text, author=author, thread=item.thread, sent_at=item.sent_at.isoformat(),
            revision=item.revision, deleted=item.deleted,
        )  # fmt: skip
        return row if not item.spoiled else row | {"text": 7}

    def signed(self, body: bytes) -> Hook:
        return _raw(body, datetime.now(UTC))

    def stale(self, body: bytes) -> Hook:
        return _raw(body, datetime.now(UTC) - timedelta(minutes=6))


def _raw(content: bytes, at: datetime) -> Hook:
    """As `call`, for bytes that are no text."""
    stamp = str(int(at.timestamp()))
    digest = hmac.new(KEY, b"msg_1." + stamp.encode() + b"." + content, hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(digest).decode()
    headers = {"webhook-id": "msg_1", "webhook-timestamp": stamp, "webhook-signature": signature}
    return Hook(method="POST", headers=headers, query={}, body=content)


class TestWebhook(ConnectorContract):
    plugin = webhook
    channel = ShopChannel

    def settings(self, base_url: str) -> dict[str, object]:
        return {"secret": SECRET, "old_secret": OLD}


async def test_one_message_signed_by_the_reference() -> None:
    answer = await hear(call(body(message())))
    assert answer.status == 200
    assert [(one.id, one.text, one.thread) for one in answer.page.messages] == [("1", "坏了", "u1")]


async def test_a_list_where_one_item_is_unreadable() -> None:
    items = [
        json.dumps(message("1")),
        '{"id": "2", "text": "\\ud83d[{,\\"]"}',
        "7",
        '{"id": NaN}',
        json.dumps(message("3")),
    ]
    content = ("[" + " , ".join(items) + "]").encode()
    answer = await hear(_raw(content, NOW))
    assert answer.status == 200
    assert [one.id for one in answer.page.messages] == ["1", "3"]
    assert [(item.raw.decode(), item.reason) for item in answer.page.unreadable] == [
        (items[1], "author is missing"),
        ("7", "not an object"),
        ('{"id": NaN}', "NaN is not a number"),
    ]


async def test_the_channel_is_the_one_of_the_address() -> None:
    for channel in ("another", 7, None):
        assert len((await hear(call(body(message(channel=channel))))).page.messages) == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"hello", "not JSON"),
        (b"", "not JSON"),
        (b"\xff", "not UTF-8"),
        (b"[1", "not JSON"),
        (b"[1] x", "not JSON"),
        (b"null", "not an object"),
    ],
)
async def test_a_signed_body_that_nobody_can_read_is_taken_and_kept_aside(content: bytes, reason: str) -> None:
    answer = await hear(_raw(content, NOW))
    assert answer.status == 200
    (item,) = answer.page.unreadable
    assert item.raw == content
    assert reason in item.reason


async def test_an_empty_list_is_nothing() -> None:
    for content in (b"[]", b" [ ] "):
        assert await hear(_raw(content, NOW)) == HookAnswer()


async def test_half_a_character_is_kept_for_the_host_to_repair() -> None:
    answer = await hear(call(body(message(text="a\ud83d"))))
    assert answer.page.messages[0].text == "a\ud83d"


async def test_bodies_and_lists_are_bounded() -> None:
    assert (await hear(_raw(b" " * (BODY_AT_MOST + 1), NOW))).status == 413
    for count, status in ((ITEMS_AT_MOST, 200), (ITEMS_AT_MOST + 1, 413)):
        answer = await hear(_raw(b"[" + b",".join([b"1"] * count) + b"]", NOW))
        assert answer.status == status
        assert len(answer.page.unreadable) == (count if status == 200 else 0)


@pytest.mark.parametrize(("seconds", "status"), [(-301, 401), (-300, 200), (0, 200), (300, 200), (301, 401)])
async def test_the_window_has_two_sides(seconds: int, status: int) -> None:
    answer = await hear(call(body(message()), at=NOW + timedelta(seconds=seconds)))
    assert (answer.status, len(answer.page.messages)) == (status, int(status == 200))


async def test_the_window_is_a_setting() -> None:
    hook = call(body(message()), at=NOW - timedelta(minutes=20))
    assert (await hear(hook, tolerance="30m")).status == 200
    assert (await hear(hook, tolerance="1m")).status == 401


async def test_two_secrets_while_senders_are_moved() -> None:
    old = "whsec_" + base64.b64encode(OLD.encode()).decode()
    assert (await hear(call(body(message()), secret=old))).status == 401
    assert (await hear(call(body(message()), secret=old), old_secret=OLD)).status == 200
    assert (await hear(call(body(message())), old_secret=OLD)).status == 200


async def test_one_of_several_signatures_is_enough() -> None:
    hook = call(body(message()))
    good = hook.headers["webhook-signature"]
    for several in (f"v1,AAAA {good}", f"{good} v1a,BBBB", f"v2,x  {good}"):
        assert (await hear(replace(hook, headers={**hook.headers, "webhook-signature": several}))).status == 200
    flood = " ".join(["v1,AAAA"] * 50 + [good])
    assert (await hear(replace(hook, headers={**hook.headers, "webhook-signature": flood}))).status == 401


async def test_only_post_is_heard() -> None:
    answer = await hear(replace(call(body(message())), method="GET"))
    assert (answer.status, answer.headers) == (405, {"allow": "POST"})


header = st.text(st.characters(codec=None, exclude_categories=())) | st.sampled_from(["", "v1,", "9" * 400, "-0", "١"])


@given(header, header, header, st.binary())
async def test_no_header_and_no_body_breaks_it(identity: str, at: str, signature: str, content: bytes) -> None:
    headers = {"webhook-id": identity, "webhook-timestamp": at, "webhook-signature": signature}
    answer = await hear(Hook(method="POST", headers=headers, query={}, body=content))
    assert answer == HookAnswer(status=401)


@given(st.binary() | st.recursive(st.text() | st.integers() | st.none(), st.lists).map(body))
async def test_no_signed_body_breaks_it(content: bytes) -> None:
    answer = await hear(_raw(content, NOW))
    assert answer.status in {200, 413}
    assert not answer.page.messages


@given(
    st.lists(
        st.recursive(
            st.text() | st.floats(allow_nan=False), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
        )
    )
)
def test_items_are_parted_as_a_parser_parts_them(values: list[object]) -> None:
    content = body(values)
    for part in (_items, _parted):
        assert [json.loads(item) for item in part(content)] == values


@pytest.mark.parametrize(
    "secret", ["short", "whsec_" + base64.b64encode(b"short").decode(), "whsec_not base64!", "whsec_é"]
)
def test_a_weak_secret_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"secret": secret})
    assert secret not in str(caught.value)


def test_settings_show_no_secret() -> None:
    assert SECRET not in repr(Settings.model_validate({"secret": SECRET}))


def test_an_account_without_a_name_of_its_own() -> None:
    assert Webhook.me.id == ""
