"""Calls of the Bot API: what comes back, or what went wrong in our words, never with the token.

The token is part of every address. Whatever the libraries below raise or log may hold that address:
their exceptions end here, without a chain, and their loggers are filtered.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import httpx
from telegram import Bot
from telegram.error import NetworkError, TelegramError
from telegram.request import BaseRequest, HTTPXRequest, RequestData

from connectors.errors import ConnectorError, Denied, Refused, Unreachable
from connectors.telegram.settings import Settings
from connectors.telegram.wire import loads

__all__ = ["Api", "open_api"]

_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""No connection, or no TLS on it: not a byte of the request left us."""
_ANSWER_WITHIN = 20.0
_CONNECT_WITHIN = 10.0
_RETRY_AT_LEAST, _RETRY_AT_MOST = 1, 3600
_SECOND_READER = (
    "two bots or a leaked token: somebody else reads this bot's messages too (or has set a webhook). "
    "Stop the other program, or have @BotFather issue a new token"
)


class _Lost(TelegramError):
    """No answer."""

    def __init__(self, what: str, *, unsent: bool) -> None:
        super().__init__(what)
        self.unsent = unsent


@dataclass(frozen=True, slots=True)
class _Verdict:
    """An answer that is not a yes. `told` is True where it is the Bot API's own."""

    status: int
    description: str
    told: bool
    retry_after: object = None
    migrated_to: object = None


class _Rejected(TelegramError):
    def __init__(self, verdict: _Verdict) -> None:
        super().__init__(verdict.description)
        self.verdict = verdict


class _Request(HTTPXRequest):
    """PTB's transport, which keeps the status of a bad answer and the cause of a missing one."""

    __slots__ = ()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        timeouts = (read_timeout, write_timeout, connect_timeout, pool_timeout)
        try:
            status, body = await super().do_request(url, method, request_data, *timeouts)
        except NetworkError as error:
            cause = error.__cause__
            lost = _Lost(type(cause or error).__name__, unsent=isinstance(cause, _UNSENT))
        else:
            if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
                return status, body
            raise _Rejected(_verdict(status, body))
        raise lost

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """PTB's own would log what customers wrote."""
        answer = _object(payload)
        if "result" not in answer:
            raise _Lost("an answer that is none", unsent=False)
        return answer


def _object(body: bytes) -> dict[str, Any]:
    try:
        answer = loads(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _verdict(status: int, body: bytes) -> _Verdict:
    answer = _object(body)
    description, parameters = answer.get("description"), answer.get("parameters")
    hints: dict[str, Any] = parameters if isinstance(parameters, dict) else {}
    return _Verdict(
        status=status,
        description=description[:300] if isinstance(description, str) else f"HTTP {status}",
        told="ok" in answer,
        retry_after=hints.get("retry_after"),
        migrated_to=hints.get("migrate_to_chat_id"),
    )


class Api:
    """The Bot API of one bot."""

    def __init__(self, bot: Bot, token: str) -> None:
        self._bot = bot
        self._token = token

    async def ask(self, method: str, *, wait: timedelta = timedelta(0), **parameters: object) -> object:
        """Call a method that posts nothing. `wait`: how long Telegram was asked to wait before it answers."""
        return await self._call(method, parameters, wait, posting=False)

    async def post(self, method: str, **parameters: object) -> object:
        """Call a method that shows in a chat. Raises Refused where Telegram says no."""
        return await self._call(method, parameters, timedelta(0), posting=True)

    async def _call(self, method: str, parameters: dict[str, object], wait: timedelta, *, posting: bool) -> object:
        within = wait.total_seconds() + _ANSWER_WITHIN
        try:
            # PTB warns where it has a method of this name, and its methods would fail a whole page of
            # updates for one that it cannot read. The underscore is dropped on the way.
            return await self._bot.do_api_request(f"{method}_", api_kwargs=parameters, read_timeout=within)
        except TelegramError as error:
            failure = _explained(error, posting=posting)
        raise self._scrubbed(failure)

    def _scrubbed(self, failure: ConnectorError) -> ConnectorError:
        failure.args = tuple(str(argument).replace(self._token, "…") for argument in failure.args)
        return failure


def _explained(error: TelegramError, *, posting: bool) -> ConnectorError:
    if isinstance(error, _Rejected):
        return _rejection(error.verdict, posting=posting)
    if isinstance(error, _Lost):
        return Unreachable(f"no answer from Telegram ({error.message})", unsent=error.unsent)
    return Unreachable("Telegram could not be asked")


def _rejection(verdict: _Verdict, *, posting: bool) -> ConnectorError:
    status, says = verdict.status, f"Telegram says {verdict.status}: {verdict.description}"
    unknown_method = status == HTTPStatus.NOT_IMPLEMENTED or "method not found" in verdict.description
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND) and not unknown_method:
        return Denied(f"{says}. The bot's token is wrong or revoked; copy it anew from @BotFather")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Unreachable(says, retry_after=_retry_after(verdict.retry_after), unsent=True)
    if status == HTTPStatus.CONFLICT:
        return Unreachable(_SECOND_READER)
    if verdict.migrated_to is not None:
        return Refused("this group has become a supergroup; what is written there comes with a new thread")
    if verdict.told and (unknown_method or status < HTTPStatus.INTERNAL_SERVER_ERROR):
        return Refused(says) if posting else Denied(says)
    return Unreachable(says)


def _retry_after(value: object) -> timedelta | None:
    """Between a second and an hour, whatever Telegram or somebody on the way asks for."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:  # noqa: PLR0124 - NaN
        return None
    return timedelta(seconds=min(max(value, _RETRY_AT_LEAST), _RETRY_AT_MOST))


class _NoToken(logging.Filter):
    """Takes the token out of what the libraries log, and their record of every request with it."""

    _ADDRESS = re.compile(r"(/(?:file/)?bot)[^/\s\"']+")

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return False
        record.msg, record.args = self._ADDRESS.sub(r"\1…", record.getMessage()), ()
        return True


_FILTER = _NoToken()
_TALKATIVE = (
    "httpx",
    *("httpcore", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy"),
    *("telegram", "telegram.Bot", "telegram.request.BaseRequest", "telegram.request.HTTPXRequest"),
)


def _hush() -> None:
    for name in _TALKATIVE:
        logging.getLogger(name).addFilter(_FILTER)


def _transport(connections: int) -> _Request:
    return _Request(
        connection_pool_size=connections,
        write_timeout=_ANSWER_WITHIN,
        connect_timeout=_CONNECT_WITHIN,
        pool_timeout=_CONNECT_WITHIN,
    )


@asynccontextmanager
async def open_api(settings: Settings) -> AsyncIterator[Api]:
    """A bot with two connections: the long poll's own, and a pool for the rest."""
    _hush()
    token = settings.token.get_secret_value()
    async with _transport(connections=1) as reading, _transport(connections=8) as asking:
        bot = Bot(token, base_url=f"{settings.base_url.rstrip('/')}/bot", request=asking, get_updates_request=reading)
        yield Api(bot, token)
