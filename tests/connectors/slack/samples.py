"""Messages in the shape of docs.slack.dev/reference/events/message."""

from __future__ import annotations

from typing import Any

from connectors.api import Author, Message
from connectors.slack.parsing import Us, parse_event

Json = dict[str, Any]
US = Us(
    author=Author(id="U0CARE", name="care", handle="@care", bot=True), bot_id="B0CARE", url="https://acme.slack.com/"
)
TS, LATER, ROOT = "1790000000.000100", "1790000060.000200", "1789990000.000500"
NAMES = {"U0MING": "小明"}


def post(text: str | None = "hello", **more: object) -> Json:
    """A message of Ming's in C0HELP; `more` adds to it, replaces, or removes by None."""
    about = {"channel": "C0HELP", "channel_type": "channel", "event_ts": TS}
    whole = {"type": "message", "user": "U0MING", "text": text, "ts": TS, **about, **more}
    return {name: value for name, value in whole.items() if value is not None}


def bare(message: Json) -> Json:
    """As it stands inside other events and in a history."""
    return {name: value for name, value in message.items() if name not in {"channel", "channel_type", "event_ts"}}


def changed(before: Json | None, after: Json, **more: object) -> Json:
    previous = {} if before is None else {"previous_message": bare(before)}
    about = {"channel": "C0HELP", "channel_type": "channel", "hidden": True, "ts": LATER, "event_ts": LATER}
    return {"type": "message", "subtype": "message_changed", "message": bare(after), **previous, **about, **more}


def deleted(message: Json, **more: object) -> Json:
    about = {"channel": "C0HELP", "channel_type": "channel", "hidden": True, "ts": LATER, "event_ts": LATER}
    notice = {"type": "message", "subtype": "message_deleted", "deleted_ts": message["ts"]}
    return {**notice, "previous_message": bare(message), **about, **more}


def envelope(event: object, **more: object) -> Json:
    return {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": event, **more}


def read(event: object) -> Message | None:
    return parse_event(event, US, lambda user: NAMES.get(user, ""))


def only(event: object) -> Message:
    message = read(event)
    assert message is not None
    return message
