"""What X charges, in millionths of a US dollar; pure.

https://docs.x.com/x-api/getting-started/pricing as of 22 August 2026. Prices change; the console
(https://console.x.com) rules. Counted is what stands in an answer's `data`: whether X charges what
comes along with it (authors, media) it does not say.
"""

from __future__ import annotations

from connectors.x.length import has_link

__all__ = ["DOLLAR", "OWNED_READ", "POST_READ", "USER_READ", "of_post"]

DOLLAR = 1_000_000
POST_READ = 5_000
OWNED_READ = 1_000
"""A mention or post of an account that owns the developer app and reads as itself."""
USER_READ = 10_000
_POST = 15_000
_POST_WITH_LINK = 200_000
_SUMMONED = 10_000


def of_post(text: str, *, summoned: bool) -> int:
    """A post, or a reply; `summoned` where its author mentioned or quoted us."""
    if has_link(text):
        return _POST_WITH_LINK
    return _SUMMONED if summoned else _POST
