"""What a platform answered, and which of our errors a status stands for. Pure."""

from __future__ import annotations

import json as stdlib_json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from connectors.errors import BadPayload, ConnectorError, Denied, Refused, Unreachable

__all__ = ["Answer", "Fetched", "retry_after", "strict_json"]

_TRANSIENT = frozenset({408, 425})
_LONG_NUMBER = re.compile(rb"[0-9]{19}")


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """What a platform answered, whatever its status. Header names are lower case."""

    where: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON. Raises `Unreachable`: an answer that cannot be read leaves all in doubt."""
        try:
            return strict_json(self.body)
        except BadPayload as error:
            raise Unreachable(f"{self.where}: the answer cannot be read: {error}") from None

    def failure(self, now: datetime) -> ConnectorError | None:
        """The error that the status stands for; None for a success."""
        if 200 <= self.status < 300:
            return None
        what = f"{self.where}: answered {self.status}"
        if self.status == 429:
            return Unreachable(what, retry_after=retry_after(self.headers.get("retry-after"), now), unsent=True)
        if self.status in {401, 403}:
            return Denied(what)
        if 400 <= self.status < 500 and self.status not in _TRANSIENT:
            return Refused(what)
        return Unreachable(what, retry_after=retry_after(self.headers.get("retry-after"), now))


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a guarded address gave; `url` is the last hop, `status` is 200 to 299 or 304."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


def retry_after(value: object, now: datetime) -> timedelta | None:
    """Read a platform's wish to be left alone: seconds or an HTTP date, held within 1 s and 1 h.

    None where there is none or it cannot be read. Takes any value and never raises.
    """
    seconds = _seconds(value, now)
    if seconds is None or math.isnan(seconds):
        return None
    return timedelta(seconds=min(max(seconds, 1.0), 3600.0))


def _seconds(value: object, now: datetime) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    try:
        return float(value)
    except OverflowError:  # an int beyond 10^308
        return math.inf if isinstance(value, int) and value > 0 else -math.inf
    except ValueError:
        return _date_seconds(str(value), now)


def _date_seconds(value: str, now: datetime) -> float | None:
    try:
        at = parsedate_to_datetime(value[:64])
        return (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def strict_json(body: bytes) -> Any:
    """Parse JSON, exact for large integers and tolerant of halves of a surrogate pair. Raises `BadPayload`."""
    if not _LONG_NUMBER.search(body):  # the fast parser rounds what is beyond 64 bits
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            pass
    try:
        return stdlib_json.loads(body.decode("utf-8-sig"), parse_constant=_no_constant)
    except RecursionError:
        raise BadPayload("nested too deeply") from None
    except UnicodeDecodeError:
        raise BadPayload("not UTF-8") from None
    except ValueError:
        raise BadPayload("not JSON") from None


def _no_constant(name: str) -> None:
    raise ValueError(name)
