"""What Slack's deliveries say, however they come: by call or through a socket.

They pass through slack-bolt's dispatcher, which knows the envelopes; ours is the last middleware, so that
nothing is answered there before it is done (bolt's own listeners would be: it answers 200 first, and when
they fail, too). Whether anything is confirmed to Slack is not decided here at all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from connectors.api import Gap, HookAnswer, Message, Page
from connectors.errors import BadPayload, Denied
from connectors.slack.parsing import Names, Us, parse_event
from connectors.slack.places import Place
from connectors.slack.settings import Settings
from connectors.slack.transport import SILENT, Api

__all__ = ["Events"]

_A_MINUTE = timedelta(minutes=1)


class Events:
    """Reads deliveries of one app. `shut_out` is why Slack lets us in no longer, once it has said so."""

    def __init__(self, api: Api, us: Us, settings: Settings, names: Names) -> None:
        self.shut_out: Denied | None = None
        self._us = us
        self._channels = settings.channels
        self._names = names
        self._app = AsyncApp(
            name="slack_bolt.heedful",
            client=api.client,
            authorize=_Known(us),
            logger=SILENT,
            process_before_response=True,
            request_verification_enabled=False,  # done before: bolt answers 500 to a time that is no number
            ignoring_self_events_enabled=False,  # the host wants to see what we said
            ssl_check_enabled=False,
            attaching_function_token_enabled=False,
            attaching_conversation_kwargs_enabled=False,
        )
        self._app.use(_Ours(self._read))

    async def take(self, body: object) -> HookAnswer:
        """What a delivery brings, and what to answer. Raises BadPayload for one that cannot be read."""
        if not isinstance(body, dict) or not isinstance(body.get("type"), str):
            raise BadPayload("no delivery of Slack's")
        heard: list[Page] = []
        try:
            request = AsyncBoltRequest(mode="socket_mode", body=body, context={_HEARD: heard})
            answer = await self._app.async_dispatch(request)
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError):  # bolt trusts whatever is signed
            answer = BoltResponse(status=HTTPStatus.INTERNAL_SERVER_ERROR)
        if answer.status != HTTPStatus.OK:
            raise BadPayload(answer.body or "an envelope that is not as Slack describes it")
        kind = answer.first_headers().get("content-type", "text/plain")
        return HookAnswer(page=heard[0] if heard else Page(), headers={"content-type": kind}, body=answer.body.encode())

    def _read(self, body: Mapping[str, Any]) -> Page:
        if body["type"] == "app_rate_limited":
            return Page(gaps=(_held_back(body),))
        event = body.get("event")
        kind = event.get("type") if isinstance(event, Mapping) else None
        if not isinstance(kind, str):
            raise BadPayload("a delivery without an event")
        if kind in {"app_uninstalled", "tokens_revoked"}:
            self._revoked(kind, event)
        # `app_mention` tells the same once more, without saying whether it was in private: `message` does.
        message = parse_event(event, self._us, self._names) if kind == "message" else None
        return Page(messages=(message,) if message and self._listens_to(message) else ())

    def _listens_to(self, message: Message) -> bool:
        return self._channels is None or Place.parse(message.id).channel in self._channels

    def _revoked(self, kind: str, event: Any) -> None:
        """`tokens_revoked` tells of people's tokens, too: only ours matters."""
        tokens = event.get("tokens")
        bots = tokens.get("bot") if isinstance(tokens, Mapping) else None
        if kind == "app_uninstalled":
            self.shut_out = Denied(
                "the app was uninstalled from the workspace; install it again, and copy its new token"
            )
        elif isinstance(bots, list) and self._us.author.id in bots:
            self.shut_out = Denied("the bot's token was revoked; install the app again, and copy its new token")


_HEARD = "heedful_heard"


class _Known(AsyncAuthorize):
    """Who we are was asked once, at opening: a delivery asks nobody."""

    def __init__(self, us: Us) -> None:
        self._us = us

    async def __call__(self, **_: Any) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id=None, bot_user_id=self._us.author.id, bot_id=self._us.bot_id)


class _Ours(AsyncMiddleware):
    """The end of the chain: what was read goes beside the request, what could not be read into the answer."""

    def __init__(self, read: Callable[[Mapping[str, Any]], Page]) -> None:
        self._read = read

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,  # noqa: ARG002 — the names are bolt's
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002, ARG002 — the names are bolt's
    ) -> BoltResponse:
        try:
            req.context[_HEARD].append(self._read(req.body))
        except BadPayload as error:
            return BoltResponse(status=HTTPStatus.BAD_REQUEST, body=str(error))
        return BoltResponse(status=HTTPStatus.OK)


def _held_back(body: Mapping[str, Any]) -> Gap:
    """A minute in which more than 30,000 events an hour came: docs.slack.dev/reference/events/app_rate_limited."""
    minute = body.get("minute_rate_limited")
    if not isinstance(minute, int) or not 0 <= minute < 2**33:
        raise BadPayload("a rate limit that does not say since when")
    since = datetime.fromtimestamp(minute, UTC)
    return Gap(since=since, until=since + _A_MINUTE, reason="Slack held back events: more than 30,000 in an hour")
