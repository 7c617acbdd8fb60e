"""Signs what we send to webhooks: Standard Webhooks 1.0.0 (https://www.standardwebhooks.com)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import orjson
from standardwebhooks import Webhook

__all__ = ["sign"]


def sign(
    secret: str, message_id: str, body: Mapping[str, str], at: datetime | None = None
) -> tuple[dict[str, str], bytes]:
    """The headers and the exact bytes to send; `secret` as `whsec_…` or its bare base64."""
    moment = at or datetime.now(UTC)
    raw = orjson.dumps(body)
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(msg_id=message_id, timestamp=moment, data=raw.decode()),
        "content-type": "application/json",
    }
    return headers, raw
