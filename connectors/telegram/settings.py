"""What staff may say about a Telegram channel."""

from __future__ import annotations

import re
from datetime import timedelta
from ipaddress import ip_address
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

__all__ = ["Settings"]

_SECONDS = re.compile(r"([0-9]{1,2})s")
_TOKEN = re.compile(r"[^\s/?#\\]+")
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_LONGEST_POLL = 50


def _long_poll(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    match = _SECONDS.fullmatch(value) if isinstance(value, str) else None
    if match is None or int(match[1]) > _LONGEST_POLL:
        raise ValueError(f"a long poll lasts 0s to {_LONGEST_POLL}s: write 25s")
    return timedelta(seconds=int(match[1]))


def _token(value: SecretStr) -> SecretStr:
    if not _unresolved(value.get_secret_value()) and not _TOKEN.fullmatch(value.get_secret_value()):
        raise ValueError("not a bot token; copy the one that @BotFather gave you, such as 123456:ABC…")
    return value


def _secret(value: SecretStr) -> SecretStr:
    if not _unresolved(value.get_secret_value()) and not _SECRET.fullmatch(value.get_secret_value()):
        raise ValueError("Telegram takes only 1 to 256 letters, digits, _ and - as a webhook's secret")
    return value


def _unresolved(value: str) -> bool:
    """`${NAME}` is checked before the environment is at hand."""
    return "${" in value


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _address(value: str) -> str:
    """The token travels in the address, so that plain http is for this machine only."""
    if _unresolved(value):
        return value
    parts = urlsplit(value)
    if not parts.hostname or parts.scheme not in ("https", "http") or parts.query or parts.fragment:
        raise ValueError("not a web address; write it as https://host")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise ValueError("plain http would show the token or the messages on the way; write https://…")
    return value.rstrip("/")


Address = Annotated[str, AfterValidator(_address)]


class Settings(BaseModel):
    """A bot. `mode: webhook` needs `secret`; with `webhook_url` heedful registers the hook itself.

    `base_url` may name a Bot API server of your own. `reaction` is the sign of receipt, one of the
    emoji that Telegram allows as a reaction.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    token: Annotated[SecretStr, AfterValidator(_token)]
    mode: Literal["poll", "webhook"] = "poll"
    secret: Annotated[SecretStr, AfterValidator(_secret)] | None = None
    webhook_url: Address | None = None
    base_url: Address = "https://api.telegram.org"
    reaction: Annotated[str, Field(min_length=1, max_length=16)] = "👀"
    long_poll: Annotated[timedelta, BeforeValidator(_long_poll)] = timedelta(seconds=25)

    @model_validator(mode="after")
    def _webhook_is_signed(self) -> Settings:
        if self.mode == "webhook" and self.secret is None:
            raise ValueError("`mode: webhook` needs `secret`: without it anybody could send us messages")
        return self
