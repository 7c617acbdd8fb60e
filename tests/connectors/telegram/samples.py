"""Messages as the Bot API tells them."""

from __future__ import annotations

from typing import Any

from connectors.api import Author

ME = Author(id="4242", name="Acme Care", handle="@AcmeCareBot", bot=True)
MEI = {
    "id": 501,
    "is_bot": False,
    "first_name": "Mei",
    "last_name": "Chen",
    "username": "mei",
    "language_code": "zh-hans",
}
OWNER = {"id": 900, "is_bot": False, "first_name": "Acme"}
BOT = {"id": 4242, "is_bot": True, "first_name": "Acme Care", "username": "AcmeCareBot"}
TELEGRAM = {"id": 777000, "is_bot": False, "first_name": "Telegram"}
STAND_IN = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}

PRIVATE = {"id": 501, "type": "private", "first_name": "Mei"}
GROUP = {"id": -77, "type": "group", "title": "Acme friends"}
SUPERGROUP = {"id": -1001234, "type": "supergroup", "title": "Acme talk"}
PUBLIC = {"id": -1001235, "type": "supergroup", "title": "Acme talk", "username": "acmetalk"}
CHANNEL = {"id": -1009, "type": "channel", "title": "Acme News", "username": "acmenews"}
DATE = 1_790_000_000


Json = dict[str, Any]


def post(
    text: str | None = "hello", chat: Json = PRIVATE, number: int = 7, author: Json | None = MEI, **more: object
) -> Json:
    """A message of Mei's; `more` adds to it, replaces, or removes by None."""
    whole = {"message_id": number, "date": DATE, "chat": chat, "from": author, "text": text, **more}
    return {name: value for name, value in whole.items() if value is not None}


def update(kind: str = "message", /, **more: Any) -> Json:
    return {"update_id": 1, kind: post(**more)}
