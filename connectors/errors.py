"""Whatever goes wrong in a channel, named by what happens next.

The tree:

    ConnectorError        whatever a connector raises on purpose
    ├── Unreachable       back off, try again (retry_after); logged once, not once a try
    ├── Denied            stop this channel, tell a person
    ├── Refused           give up this one reply, hand the message to a person
    └── BadPayload        keep it aside, go on
"""

from __future__ import annotations

from datetime import timedelta

__all__ = ["BadPayload", "ConnectorError", "Denied", "Refused", "Unreachable"]


class ConnectorError(Exception):
    """The channel failed in a way that its connector foresaw."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (self.__doc__ or "").partition("\n")[0])


class Unreachable(ConnectorError):
    """The channel cannot be reached now; the host backs off and tries again.

    `retry_after` is the platform's own wish, where it stated one. `unsent` is True only where it is
    proven that nothing was posted: DNS failure, connection refused, TLS failure or HTTP 429. A read
    timeout, a reset, a 5xx or an unreadable answer leaves it False, and the reply counts as doubtful.
    """

    def __init__(self, message: str = "", *, retry_after: timedelta | None = None, unsent: bool = False) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.unsent = unsent


class Denied(ConnectorError):
    """The platform no longer lets us in: the token is wrong, revoked or lacks a scope."""


class Refused(ConnectorError):
    """The platform will not post this reply, and says so; nothing was posted.

    `gone` where it says that the message we answer was deleted: to the host this is a delete notice.
    """

    def __init__(self, message: str = "", *, gone: bool = False) -> None:
        super().__init__(message)
        self.gone = gone


class BadPayload(ConnectorError):
    """An item that cannot be read; it is kept aside with its reason and the rest goes on."""
