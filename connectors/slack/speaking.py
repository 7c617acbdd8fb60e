"""What an app does in Slack however it listens: answer, look an answer up, mark, and take back."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.api import Author, Message, Receipt, Reply
from connectors.errors import Refused, Unreachable
from connectors.slack.mrkdwn import escaped, plain
from connectors.slack.parsing import Us
from connectors.slack.places import Place
from connectors.slack.settings import Settings
from connectors.slack.transport import Api, listed, next_cursor

__all__ = ["REPLY_LENGTH", "Speaking"]

REPLY_LENGTH = 4_000
"""docs.slack.dev/reference/methods/chat.postMessage: beyond that Slack advises against it, beyond 40,000 it cuts."""
_METADATA = "heedful_ack"
_READ_BACK_PAGES = 5


class Speaking:
    """The half that sends."""

    def __init__(self, api: Api, us: Us, settings: Settings) -> None:
        self._api = api
        self._us = us
        self._settings = settings

    @property
    def me(self) -> Author:
        return self._us.author

    async def reply(self, reply: Reply) -> Receipt:
        """Plain text, into the thread of what it answers."""
        _check_length(reply.text)
        place = Place.parse(reply.to.thread)
        below = {"thread_ts": place.ts} if place.ts else {}
        posted = await self._api.post(
            "chat.postMessage",
            channel=place.channel,
            **below,
            **_plainly(reply.text),
            unfurl_links=False,
            unfurl_media=False,
            metadata={"event_type": _METADATA, "event_payload": {"key": reply.key}},
        )
        ts = posted.get("ts")
        if not isinstance(ts, str):
            raise Unreachable("Slack's answer does not say what was posted")
        return Receipt(id=str(Place(place.channel, ts)))

    async def find(self, reply: Reply) -> Receipt | None:
        """By the key in the metadata; where Slack keeps none, by our own text."""
        place = Place.parse(reply.to.thread)
        method = "conversations.replies" if place.ts else "conversations.history"
        asked: dict[str, str | int] = {"channel": place.channel, "limit": 200, "include_all_metadata": 1}
        asked |= {"ts": place.ts} if place.ts else {}
        asked["oldest"] = reply.to.id.rpartition("/")[2]
        for _ in range(_READ_BACK_PAGES):
            answer = await self._api.ask(method, **asked)
            for told in listed(answer, "messages"):
                if self._is_it(told, reply):
                    return Receipt(id=f"{place.channel}/{told['ts']}")
            cursor = next_cursor(answer)
            if not cursor:
                return None
            asked["cursor"] = cursor
        raise Unreachable("too much was said since: our own answer cannot be looked up")

    def _is_it(self, told: object, reply: Reply) -> bool:
        if not isinstance(told, Mapping) or not isinstance(told.get("ts"), str):
            return False
        metadata = told.get("metadata")
        if isinstance(metadata, Mapping) and metadata.get("event_type") == _METADATA:
            payload = metadata.get("event_payload")
            return isinstance(payload, Mapping) and payload.get("key") == reply.key
        ours = told.get("user") == self._us.author.id
        text = told.get("text")
        return ours and isinstance(text, str) and plain(text) == reply.text

    async def mark(self, message: Message) -> None:
        """Set our reaction; one that is already there is as good."""
        place = Place.parse(message.id)
        try:
            await self._api.post(
                "reactions.add", channel=place.channel, timestamp=place.ts, name=self._settings.reaction
            )
        except Refused as error:
            if "already_reacted" not in str(error):
                raise

    async def retract(self, receipt: Receipt, text: str | None) -> None:
        """Edit what we sent, or delete it. What is already gone counts as deleted."""
        place = Place.parse(receipt.id)
        if text is not None:
            _check_length(text)
            await self._api.post("chat.update", channel=place.channel, ts=place.ts, **_plainly(text))
            return
        try:
            await self._api.post("chat.delete", channel=place.channel, ts=place.ts)
        except Refused as error:
            if not error.gone:
                raise


def _plainly(text: str) -> dict[str, object]:
    """So that it shows as it is: no bold, nobody called."""
    return {"text": escaped(text), "mrkdwn": False, "parse": "none", "link_names": False}


def _check_length(text: str) -> None:
    if not text.strip() or len(text) > REPLY_LENGTH:
        raise Refused(f"Slack takes 1 to {REPLY_LENGTH} characters, and not only spaces")
