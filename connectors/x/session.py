"""tweepy's client over our own HTTP client.

tweepy knows one address, https://api.twitter.com, and signs for it; without a session of ours it opens
one for each call, reads an error page as JSON, and prints keys at level DEBUG. So it is given this
session: it sends to `base_url`, signs anew for that address, and says in our errors what went wrong,
before tweepy looks at it.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from oauthlib.oauth1 import Client as Signer
from yarl import URL

from connectors.answers import Answer
from connectors.api import Http
from connectors.x.quotas import Quotas
from connectors.x.verdict import explained

__all__ = ["Session", "hush", "moved"]

_TALKATIVE = (
    *("tweepy.client", "tweepy.asynchronous.client", "tweepy.asynchronous.streaming", "tweepy.streaming"),
    *("oauthlib.oauth1.rfc5849", "oauthlib.oauth1.rfc5849.signature"),
)


class _Silence(logging.Filter):
    """Nothing of these loggers: their records hold headers, base strings and answers."""

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 — the interface names it
        return False


_SILENCE = _Silence()


def hush() -> None:
    for name in _TALKATIVE:
        logging.getLogger(name).addFilter(_SILENCE)


def moved(url: str | URL, base_url: str) -> str:
    """Tweepy's address at another origin, its path and query as they are."""
    return base_url.rstrip("/") + URL(url).raw_path_qs


@dataclass(frozen=True, slots=True)
class _Response:
    """What tweepy reads of a success."""

    answer: Answer
    reason: str = "OK"

    @property
    def status(self) -> int:
        return self.answer.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self.answer.headers

    async def read(self) -> bytes:
        return self.answer.body

    async def json(self) -> Any:
        """Raises Unreachable for what cannot be read."""
        return self.answer.json()


class Session:
    """What tweepy's AsyncClient takes for an aiohttp session."""

    def __init__(
        self,
        http: Http,
        base_url: str,
        clock: Callable[[], datetime],
        quotas: Quotas,
        signer: Signer | None = None,
    ) -> None:
        self._http = http
        self._base_url = base_url
        self._clock = clock
        self._quotas = quotas
        self._signer: Any = signer

    @asynccontextmanager
    async def request(
        self,
        method: str,
        url: str | URL,
        *,
        params: Mapping[str, Any] | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[_Response]:
        """Ask once. Raises Unreachable, Denied or Refused for all but a success."""
        target = moved(url, self._base_url)
        posting = method != "GET" and not target.endswith("/rules")
        answer = await self._http.send(
            method, target, headers=self._signed(method, target, headers or {}), params=params or None, body=json
        )
        self._quotas.note(method, URL(target).path, answer.headers)
        failure = explained(answer, self._clock(), posting=posting)
        if failure is not None:
            raise failure
        yield _Response(answer)

    def _signed(self, method: str, target: str, headers: Mapping[str, str]) -> dict[str, str]:
        """Tweepy's signature is for an address that we do not call."""
        if self._signer is None or not headers.get("Authorization", "").startswith("OAuth "):
            return dict(headers)
        bare = {name: value for name, value in headers.items() if name != "Authorization"}
        _, signed, _ = self._signer.sign(target, method, headers=bare)
        return dict(signed)
