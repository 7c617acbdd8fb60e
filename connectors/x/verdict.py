"""What an answer of X means, in our errors; pure.

https://docs.x.com/x-api/fundamentals/response-codes-and-errors. An explanation of X's own is shown,
shortened: it names problems and parameters, and no key.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.answers import Answer, retry_after, strict_json
from connectors.errors import BadPayload, ConnectorError, Denied, Refused, Unreachable

__all__ = ["explained", "is_duplicate", "quota_resets", "says"]

_LIMITS = ("rate-limit", "user-limit-24hour", "app-limit-24hour")
_HOUR = timedelta(hours=1)
_LATER = frozenset({408, 409, 425})
"""409: a stream whose new rule has not yet come into force."""
_NEW_KEYS = "make new keys at https://console.x.com and put them into the settings"
_GONE = re.compile(r"deleted or not visible|deleted|not visible to you", re.IGNORECASE)
_LOCKED_OUT = re.compile(
    r"oauth1-permissions|client-forbidden|unsupported-authentication|suspended|locked|not-authorized-for-(?:app|client)",
    re.IGNORECASE,
)
_DUPLICATE = "duplicate content"


def explained(answer: Answer, now: datetime, *, posting: bool) -> ConnectorError | None:
    """The error that an answer stands for; None for a success. `posting`: whether it was to show on X."""
    status = answer.status
    if 200 <= status < 300:
        return None
    what = f"{answer.where}: X says {status}"
    words = says(answer)
    if words:
        what = f"{what}: {words}"
    if status == 429:
        wait = _HOUR if "usage-capped" in _problems(answer) else _reset(answer.headers, now)
        return Unreachable(what, retry_after=wait, unsent=True)
    if status == 402:
        return Unreachable(f"{what}. Buy credits at https://console.x.com", retry_after=_HOUR, unsent=True)
    if status == 401:
        return Denied(f"{what}. A key is wrong, expired or revoked: {_NEW_KEYS}")
    if status in _LATER or status >= 500 or status < 400:
        return Unreachable(what, retry_after=retry_after(answer.headers.get("retry-after"), now))
    if not posting:
        return Denied(what)
    if status == 403 and _LOCKED_OUT.search(f"{_problems(answer)} {words}"):
        return Denied(f"{what}. The app or the account may not post")
    return Refused(what, gone=status in {403, 404} and _GONE.search(words) is not None)


def is_duplicate(error: Refused) -> bool:
    """Whether X refuses a text because the account has just posted the same."""
    return _DUPLICATE in str(error)


def says(answer: Answer) -> str:
    """X's explanation, or nothing: what is no JSON (a proxy's HTML) is not shown."""
    body = _object(answer)
    texts = [body.get("detail") or body.get("title")]
    texts += [error.get("message") or error.get("detail") for error in _errors(body)]
    found = dict.fromkeys(" ".join(text.split()) for text in texts if isinstance(text, str))
    return "; ".join(found)[:300]


def quota_resets(headers: Mapping[str, str], limit: str) -> datetime | None:
    """When a limit's window starts again. None where X does not say, or says nonsense."""
    try:
        return datetime.fromtimestamp(int(headers[f"x-{limit}-reset"]), UTC)
    except (KeyError, ValueError, OverflowError, OSError):
        return None


def _reset(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """The wait for the latest of the limits that are used up; never less than `Retry-After`."""
    waits: list[float] = []
    for limit in _LIMITS:
        resets, left = quota_resets(headers, limit), headers.get(f"x-{limit}-remaining", "")
        if resets is not None and left in {"0", ""}:
            waits.append(math.ceil((resets - now).total_seconds()))
    wished = retry_after(headers.get("retry-after"), now)
    if wished is not None:
        waits.append(wished.total_seconds())
    return retry_after(max(waits), now) if waits else None


def _problems(answer: Answer) -> str:
    body = _object(answer)
    return " ".join(str(part.get("type", "")) for part in (body, *_errors(body)))


def _errors(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    errors = body.get("errors")
    return [error for error in errors if isinstance(error, Mapping)] if isinstance(errors, list) else []


def _object(answer: Answer) -> Mapping[str, Any]:
    try:
        body = strict_json(answer.body)
    except BadPayload:
        return {}
    return body if isinstance(body, Mapping) else {}
