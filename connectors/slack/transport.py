"""Calls of the Web API: what comes back, or what went wrong in our words.

slack_sdk's client is told to try nothing again (its default is to, and it raises on 429 as on any other
error), to log nothing (it would log what customers wrote) and to take no proxy out of the environment.
Its exceptions hold the request with the token: they end here, without a chain.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from pydantic import SecretStr
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from connectors.errors import ConnectorError, Denied, Refused, Unreachable
from connectors.net import retry_after
from connectors.slack.settings import Settings

__all__ = ["SILENT", "Api", "Lapsed", "NoSuchRoom", "listed", "next_cursor", "open_api"]

ANSWER_WITHIN = timedelta(seconds=20)
_CONNECT_WITHIN = 10.0

SILENT = logging.Logger("slack", logging.CRITICAL + 1)  # noqa: LOG001 not of the tree: nobody can turn it on

# The codes: docs.slack.dev/reference/methods, under each method.
_SHUT_OUT = frozenset({
    "accesslimited", "account_inactive", "ekm_access_denied", "enterprise_is_restricted", "invalid_auth",
    "missing_scope", "not_allowed_token_type", "not_authed", "org_login_required", "team_access_not_granted",
    "token_expired", "token_revoked", "two_factor_setup_required",
})  # fmt: skip
_IN_DOUBT = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable", "team_added_to_org"})
_TOO_MANY = frozenset({"rate_limited", "ratelimited"})
_GONE = frozenset({"message_not_found", "thread_not_found"})
_NOBODY = frozenset({"user_not_found", "user_not_visible"})
_ROOM = frozenset({
    "access_denied", "channel_not_found", "is_archived", "method_not_supported_for_channel_type", "no_permission",
    "not_in_channel",
})  # fmt: skip


class NoSuchRoom(Refused):
    """A conversation that we cannot read, or a message that is no longer in it."""


class Lapsed(Unreachable):
    """A `next_cursor` that Slack no longer knows: what it led through is to be read from the start."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    """An answer that is not a yes."""

    status: int
    code: str | None
    scopes: str = ""
    retry_after: object = None


class Api:
    """The Web API of one workspace, for one bot."""

    def __init__(self, client: AsyncWebClient, session: aiohttp.ClientSession, clock: Callable[[], datetime]) -> None:
        self.client = client
        self.session = session
        self._clock = clock

    async def ask(self, method: str, **parameters: str | int) -> Mapping[str, Any]:
        """Call a method that changes nothing.

        Raises NoSuchRoom where one room is meant, Refused for what is not there, Lapsed, Denied, and
        Unreachable for whatever else Slack says: a word that we do not know is no reason to stop a channel.
        """
        return await self._call(method, posting=False, http_verb="GET", params=parameters)

    async def post(self, method: str, **fields: object) -> Mapping[str, Any]:
        """Call a method that shows in a channel. Raises Refused where Slack says no."""
        return await self._call(method, posting=True, json=fields)

    async def open_socket(self, app_token: SecretStr) -> object:
        """Where to connect for Socket Mode, good for one connection that is made at once."""
        headers = {"Authorization": f"Bearer {app_token.get_secret_value()}"}
        return (await self._call("apps.connections.open", posting=False, headers=headers)).get("url")

    async def _call(self, method: str, *, posting: bool, **request: Any) -> Mapping[str, Any]:
        try:
            answer = (await self.client.api_call(method, **request)).data
            if isinstance(answer, Mapping):
                return answer
            failure: ConnectorError = Unreachable(f"{method}: an answer that is none")
        except SlackApiError as error:
            failure = _explained(method, _verdict(error.response), self._clock(), posting=posting)
        except (aiohttp.ClientError, SlackClientError, TimeoutError, OSError) as error:
            failure = _lost(method, error)
        except (AttributeError, TypeError, ValueError, RecursionError):  # the client trips over what is no object
            failure = Unreachable(f"{method}: an answer that is none")
        raise failure


def listed(answer: Mapping[str, Any], key: str) -> list[Any]:
    """What an answer must hold. Raises Unreachable: without it the answer is none."""
    told = answer.get(key)
    if not isinstance(told, list):
        raise Unreachable(f"Slack's answer holds no {key}")
    return told


def next_cursor(answer: Mapping[str, Any]) -> str:
    """Where an answer goes on; "" at its end."""
    told = answer.get("response_metadata")
    cursor = told.get("next_cursor") if isinstance(told, Mapping) else None
    return cursor if isinstance(cursor, str) else ""


def _verdict(response: Any) -> _Verdict:
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    headers = getattr(response, "headers", None) or {}
    data = getattr(response, "data", None)
    told: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
    code, needed = told.get("error"), told.get("needed")
    return _Verdict(
        status=status,
        code=code[:80] if isinstance(code, str) else None,
        scopes=f": it needs the scope {needed[:200]}" if isinstance(needed, str) else "",
        retry_after=headers.get("Retry-After"),
    )


def _explained(method: str, verdict: _Verdict, now: datetime, *, posting: bool) -> ConnectorError:
    code = verdict.code
    says = f"{method}: Slack says {code or verdict.status}{verdict.scopes}"
    if verdict.status == 429 or code in _TOO_MANY:
        return Unreachable(says, retry_after=retry_after(verdict.retry_after, now), unsent=True)
    if code is None or code in _IN_DOUBT or verdict.status >= 500:
        return Unreachable(says, retry_after=retry_after(verdict.retry_after, now))
    if code in _SHUT_OUT:
        return Denied(f"{says}. Look at the app under api.slack.com/apps: its tokens, scopes and where it is installed")
    if code in _GONE:
        return Refused(says, gone=True)
    if posting or code in _NOBODY:
        return Refused(says)
    if code in _ROOM:
        return NoSuchRoom(says)
    return Lapsed(says) if code == "invalid_cursor" else Unreachable(says)


def _lost(method: str, error: Exception) -> Unreachable:
    """`unsent` only where no connection was ever made: DNS, refused, TLS, or not in time."""
    unsent = isinstance(error, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError))
    return Unreachable(f"{method}: no answer from Slack ({type(error).__name__})", unsent=unsent)


def _now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def open_api(
    settings: Settings, clock: Callable[[], datetime] = _now, answer_within: timedelta = ANSWER_WITHIN
) -> AsyncIterator[Api]:
    timeout = aiohttp.ClientTimeout(total=answer_within.total_seconds(), sock_connect=_CONNECT_WITHIN)
    async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False) as session:
        client = AsyncWebClient(
            token=settings.bot_token.get_secret_value(),
            base_url=settings.base_url,
            session=session,
            logger=SILENT,
            retry_handlers=[],
        )
        client.proxy = None
        yield Api(client, session, clock)
