"""X's filtered stream: our rule, one connection, and its lines as pages.

https://docs.x.com/x-api/posts/filtered-stream/introduction: one connection an app, at least one sign of
life each 20 seconds. The rules belong to the app and outlive the connection; ours name our account and query
in their tag, so that another account's channel, or another program, is left alone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from hashlib import sha256
from typing import Any

from connectors.answers import strict_json
from connectors.api import Author, Page, Unreadable
from connectors.errors import BadPayload, Unreachable
from connectors.x import prices
from connectors.x.line import Line
from connectors.x.parsing import read
from connectors.x.position import Position
from connectors.x.settings import Settings
from connectors.x.transport import Api
from connectors.x.wire import ASKED

__all__ = ["SILENCE", "Stream"]

SILENCE = timedelta(seconds=30)


class Stream:
    """The stream of one app, with one rule of ours."""

    def __init__(self, api: Api, settings: Settings, me: Author, silence: timedelta = SILENCE) -> None:
        self._api = api
        self._settings = settings
        self._me = me
        self._silence = silence
        self._query = settings.query or ""
        self._ours = f"heedful:{settings.account.casefold()}:"
        self.tag = self._ours + sha256(self._query.encode("utf-8", "surrogatepass")).hexdigest()[:12]

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Line]:
        """A connection that X has taken. Raises Unreachable or Denied where it has not."""
        await self._keep_rule()
        line = Line(self._settings, self._silence)
        try:
            await line.open(**ASKED)
            yield line
        finally:
            await line.close()

    async def _keep_rule(self) -> None:
        """The new one first, then the old ones away: in between too much is told, never too little."""
        ours = [rule for rule in await self._api.rules() if str(rule.get("tag")).startswith(self._ours)]
        if not any(rule.get("tag") == self.tag for rule in ours):
            await self._api.add_rule(self._query, self.tag)
        if old := [str(rule["id"]) for rule in ours if rule.get("tag") != self.tag and "id" in rule]:
            await self._api.delete_rules(old)

    def page(self, line: bytes, position: Position) -> tuple[Page, Position]:
        """A line as a page, an empty one for a sign of life. Raises Unreachable for X's word that it ends."""
        if not line:
            return Page(), position
        try:
            told = strict_json(line)
        except BadPayload as error:
            return Page(unreadable=(Unreadable(raw=line, reason=str(error)),)), position
        if not isinstance(told, Mapping) or "data" not in told:
            if isinstance(told, Mapping) and told.get("errors"):
                raise Unreachable(f"X ends the stream: {_reason(told['errors'])}")
            return Page(unreadable=(Unreadable(raw=line, reason="a line of a kind unknown to us"),)), position
        if not _is_for_us(told.get("matching_rules"), self.tag):
            return Page(cost=prices.POST_READ), position
        found = read([told["data"]], told.get("includes"), self._me)
        # One that comes late may be older than what is done with: only what was told is not told again.
        messages = tuple(message for identity, message in found.messages.items() if identity not in position.seen)
        position = position.after(found.ids)
        return Page(
            messages=messages,
            unreadable=tuple(item for _, item in found.unreadable),
            cursor=position.cursor if found.ids else None,
            cost=prices.POST_READ,
        ), position


def _is_for_us(rules: object, tag: str) -> bool:
    """Another program's rules of the same app bring posts that are not for us."""
    tags = [rule.get("tag") for rule in rules if isinstance(rule, Mapping)] if isinstance(rules, list) else []
    return not tags or tag in tags


def _reason(errors: Any) -> str:
    first = errors[0] if isinstance(errors, list) and errors else errors
    if not isinstance(first, Mapping):
        return "no reason given"
    return str(first.get("title") or first.get("detail") or "no reason given")[:200]
