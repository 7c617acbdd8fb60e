"""What staff may say about a Telegram channel."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from connectors.settings import BaseUrl, Duration

__all__ = ["Settings"]

_TOKEN = re.compile(r"[^\s/?#\\]+")
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")


def _token(value: SecretStr) -> SecretStr:
    if not _unresolved(value) and not _TOKEN.fullmatch(value.get_secret_value()):
        raise ValueError("not a bot token; copy the one that @BotFather gave you, such as 123456:ABC…")
    return value


def _secret(value: SecretStr) -> SecretStr:
    if not _unresolved(value) and not _SECRET.fullmatch(value.get_secret_value()):
        raise ValueError("Telegram takes only 1 to 256 letters, digits, _ and - as a webhook's secret")
    return value


def _unresolved(value: SecretStr) -> bool:
    """`${NAME}` is checked before the environment is at hand."""
    return "${" in value.get_secret_value()


class Settings(BaseModel):
    """A bot. `mode: webhook` needs `secret`; with `webhook_url` heedful registers the hook itself.

    `base_url` may name a Bot API server of your own. `reaction` is the sign of receipt, one of the
    emoji that Telegram allows as a reaction.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    token: Annotated[SecretStr, AfterValidator(_token)]
    mode: Literal["poll", "webhook"] = "poll"
    secret: Annotated[SecretStr, AfterValidator(_secret)] | None = None
    webhook_url: BaseUrl | None = None
    base_url: BaseUrl = "https://api.telegram.org"
    reaction: Annotated[str, Field(min_length=1, max_length=16)] = "👀"
    long_poll: Annotated[Duration, Field(le=timedelta(seconds=50))] = timedelta(seconds=25)

    @model_validator(mode="after")
    def _webhook_is_signed(self) -> Settings:
        if self.mode == "webhook" and self.secret is None:
            raise ValueError("`mode: webhook` needs `secret`: without it anybody could send us messages")
        return self
