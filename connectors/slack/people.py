"""What people are called: a message tells only an id, unless its author is of another workspace."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from connectors.errors import BadPayload, Denied, Refused, Unreachable
from connectors.slack.transport import Api
from connectors.slack.wire import Profile, checked

__all__ = ["People"]

_KEPT = 10_000
_ASKED_AT_ONCE = 10
_WITHIN = timedelta(seconds=1)
"""For all that are asked for at once: messages wait for it, and Slack repeats what is not confirmed in three."""
_REST = timedelta(minutes=1)


class People:
    """Names by id. A name is worth a question, but never a message: whoever cannot be asked for stays unnamed."""

    def __init__(self, api: Api, clock: Callable[[], datetime]) -> None:
        self._api = api
        self._clock = clock
        self._asks_at = datetime.min.replace(tzinfo=UTC)
        self._names: OrderedDict[str, str] = OrderedDict()
        self._missed: OrderedDict[str, None] = OrderedDict()
        self._may_ask = True

    def name(self, user: str) -> str:
        """What is known, "" where nothing is; whoever is missed here is asked for by the next `learn`."""
        if user not in self._names:
            self._missed[user] = None
            while len(self._missed) > _KEPT:
                self._missed.popitem(last=False)
        return self._names.get(user, "")

    async def learn(self, users: Iterable[str] = ()) -> None:
        """Ask for some of these, and of those that were missed: for a second, and after a failure not for a minute."""
        wanted = [user for user in dict.fromkeys((*users, *self._missed)) if user not in self._names]
        if self._clock() < self._asks_at:
            return
        try:
            async with asyncio.timeout(_WITHIN.total_seconds()):
                for user in wanted[:_ASKED_AT_ONCE]:
                    await self._ask(user)
        except (TimeoutError, Unreachable):
            self._asks_at = self._clock() + _REST

    async def _ask(self, user: str) -> None:
        if not self._may_ask:
            return
        if user in self._missed:
            self._missed.move_to_end(user)  # so that one that fails does not stand before the others
        try:
            self._keep(user, _shown(await self._api.ask("users.info", user=user)))
        except Denied as error:
            # A user that is not to be seen is one matter, a scope that is missing for all another.
            self._may_ask = "missing_scope" not in str(error)
            self._keep(user, "")
        except Refused:
            self._keep(user, "")

    def _keep(self, user: str, name: str) -> None:
        self._names[user] = name
        self._missed.pop(user, None)
        while len(self._names) > _KEPT:
            self._names.popitem(last=False)


class _User(Struct, frozen=True):
    real_name: str | None = None
    profile: Profile | None = None


class _Answer(Struct, frozen=True):
    user: _User


def _shown(answer: object) -> str:
    """As Slack shows it: the display name, else the full one."""
    try:
        user = checked(answer, _Answer).user
    except BadPayload:
        return ""
    return (user.profile.shown if user.profile else "") or user.real_name or ""
