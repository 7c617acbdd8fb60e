"""Structured logs: coloured on a terminal, one JSON object a line elsewhere. Never a customer's text or a secret."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog

__all__ = ["configure", "scrub"]

_SECRETS = re.compile(
    r"(?i)(bot)?\d{6,12}:[A-Za-z0-9_-]{20,}"  # Telegram: the token stands in the path of each call
    r"|xox[abeprs]-[A-Za-z0-9-]{8,}|xapp-[A-Za-z0-9-]{8,}|whsec_[A-Za-z0-9+/=]{8,}"
    r"|(?<=bearer )[A-Za-z0-9._~+/=-]{12,}|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
)


def scrub(text: str) -> str:
    """The last net under the rule that no secret is logged at all."""
    return _SECRETS.sub("[secret]", text)


def _scrub_event(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = scrub(value)
    return event


# A traceback with its locals would show what a customer wrote, and every secret in reach.
_console = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)


def _on_terminal(logger: Any, name: str, event: MutableMapping[str, Any]) -> str:
    return scrub(_console(logger, name, event))


class _Unbreakable:
    """Standard error, for a program that must go on where it cannot be written: a full disk, a closed pipe."""

    def write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.write(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.flush()


class _Scrubbed(logging.Formatter):
    """The whole of what is written: a traceback ends with the words of its error."""

    def format(self, record: logging.LogRecord) -> str:
        return scrub(super().format(record))


def configure(level: str = "INFO") -> None:
    """Set up structlog and the standard library's logging, both to standard error."""
    terminal = sys.stderr.isatty()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    render: list[Any] = (
        [_scrub_event, _on_terminal]
        if terminal
        else [structlog.processors.format_exc_info, _scrub_event, structlog.processors.JSONRenderer(ensure_ascii=False)]
    )
    structlog.configure(
        processors=[*shared, *render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Unbreakable())),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Scrubbed("%(asctime)s [%(levelname)s] %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in ("httpx", "httpcore", "telegram", "aiohttp.access", "uvicorn.access", "apscheduler"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it prints whole addresses, and so their secrets
