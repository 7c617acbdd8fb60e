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

    token: Annotated[SecretStr, AfterValidator(_token)] = Field(description="of the bot, as @BotFather gives it")
    mode: Literal["poll", "webhook"] = Field("poll", description="whether heedful asks Telegram, or Telegram calls")
    secret: Annotated[SecretStr, AfterValidator(_secret)] | None = Field(
        None, description="with `mode: webhook`: what Telegram says in each call, so that nobody else can call"
    )
    webhook_url: BaseUrl | None = Field(
        None, description="the public address of `/hooks/NAME`; with it heedful registers the webhook itself"
    )
    base_url: BaseUrl = Field("https://api.telegram.org", description="a Bot API server of your own")
    reaction: Annotated[str, Field(min_length=1, max_length=16)] = Field(
        "👀", description="the sign of receipt, one of the emoji that Telegram allows as a reaction"
    )
    long_poll: Annotated[Duration, Field(le=timedelta(seconds=50))] = Field(
        timedelta(seconds=25), description="how long Telegram holds an unanswered poll open"
    )

    @model_validator(mode="after")
    def _webhook_is_signed(self) -> Settings:
        if self.mode == "webhook" and self.secret is None:
            raise ValueError("`mode: webhook` needs `secret`: without it anybody could send us messages")
        return self
