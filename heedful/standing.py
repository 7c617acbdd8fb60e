"""What about a connector's standing needs a person in time: a token that expires, a quota that runs out. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from connectors.api import Quota, Vitals

__all__ = ["SOON", "VERY_SOON", "short", "warnings"]

SOON, VERY_SOON = timedelta(days=7), timedelta(days=1)
LEAST_LEFT = 0.1
REFILLS_BY_ITSELF = timedelta(minutes=15)
"""A window that opens again so soon is the limiter's affair: nobody could act in time."""


def warnings(vitals: Vitals, now: datetime) -> dict[str, str]:
    """By what it is about; a text stays the same until it gets worse, so that it is told once."""
    return dict((*_token(vitals.token_expires, now), *_quotas(vitals, now)))


def short(quota: Quota, now: datetime) -> bool:
    """Under a tenth is left, and it does not refill by itself in a moment."""
    if quota.resets_at is not None and quota.resets_at - now <= REFILLS_BY_ITSELF:
        return False
    return quota.left <= 0 if not quota.of else quota.left < quota.of * LEAST_LEFT


def _token(expires: datetime | None, now: datetime) -> Iterator[tuple[str, str]]:
    if expires is None or expires - now > SOON:
        return
    when = f"{expires:%Y-%m-%d %H:%M} UTC"
    if expires <= now:
        yield "token", f"the token expired at {when} → renew it and reload"
    elif expires - now <= VERY_SOON:
        yield "token", f"the token expires within a day, at {when} → renew it now"
    else:
        yield "token", f"the token expires within a week, at {when} → renew it"


def _quotas(vitals: Vitals, now: datetime) -> Iterator[tuple[str, str]]:
    for quota in vitals.quotas:
        if short(quota, now):
            of = f" of {quota.of}" if quota.of else ""
            again = f", full again at {quota.resets_at:%Y-%m-%d %H:%M} UTC" if quota.resets_at else ""
            yield f"quota {quota.name}", f"less than a tenth{of} is left{again} → ask less often, or for more"
