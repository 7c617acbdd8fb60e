"""Webhooks signed by Standard Webhooks."""

from __future__ import annotations

import base64
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
from connectors.webhook import BODY_AT_MOST, ITEMS_AT_MOST, Settings, Webhook
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
    import hashlib
    import hmac

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
