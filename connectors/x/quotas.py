"""What X rations, as its answers say: calls of each kind in 15 minutes, and some by the day."""

from __future__ import annotations

import re
from collections.abc import Mapping

from connectors.api import Quota
from connectors.x.verdict import quota_resets

__all__ = ["Quotas"]

_LIMITS = {"rate-limit": "15 min", "user-limit-24hour": "account, 24 h", "app-limit-24hour": "app, 24 h"}
_NAMED = re.compile(r"(?<=/users/)\d+|(?<=/tweets/)\d+|(?<=/username/)\w+")


class Quotas:
    """The last word of X on each."""

    def __init__(self) -> None:
        self._known: dict[str, Quota] = {}

    @property
    def known(self) -> tuple[Quota, ...]:
        return tuple(self._known[name] for name in sorted(self._known))

    def note(self, method: str, path: str, headers: Mapping[str, str]) -> None:
        """Read the headers of an answer, lower case. What is no number there is not believed."""
        route = _NAMED.sub(lambda match: ":id" if match[0].isdigit() else ":handle", path)
        for limit, span in _LIMITS.items():
            left = _number(headers.get(f"x-{limit}-remaining"))
            if left is None:
                continue
            name = f"{method} {route} ({span})"
            self._known[name] = Quota(
                name=name,
                left=left,
                of=_number(headers.get(f"x-{limit}-limit")),
                resets_at=quota_resets(headers, limit),
            )


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else None
