"""What staff may say about a Slack channel."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from connectors.settings import BaseUrl, Duration

__all__ = ["Settings"]


def _unresolved(value: SecretStr) -> bool:
    """`${NAME}` is checked before the environment is at hand."""
    return "${" in value.get_secret_value()


def _printable(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("empty, or with characters that no secret of Slack holds; copy it again")
    return value


def _bot_token(value: SecretStr) -> SecretStr:
    if not _unresolved(value) and value.get_secret_value().startswith("xapp-"):
        raise ValueError("this is an app-level token; the bot token begins with xoxb- (OAuth & Permissions)")
    return value


def _app_token(value: SecretStr) -> SecretStr:
    if not _unresolved(value) and value.get_secret_value().startswith("xox"):
        raise ValueError("this is no app-level token; that one begins with xapp- (Basic Information)")
    return value


Secret = Annotated[SecretStr, AfterValidator(_printable)]
Channel = Annotated[str, Field(pattern=r"^[CDG][A-Z0-9]{2,30}$")]


class Settings(BaseModel):
    """An app in one workspace. `mode: events` needs `signing_secret`, `mode: socket` needs `app_token`.

    Without `channels` every conversation is read that the bot is a member of. However it listens, it reads
    the history every `poll_every` too, so that what an event failed to bring is found: of its threads and
    edits those that hang on the last `threads_back`. A channel seen for the first time is read from
    `backfill` ago. `reaction` is the name of the emoji that is the sign of receipt.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    mode: Literal["events", "socket"] = "events"
    bot_token: Annotated[Secret, AfterValidator(_bot_token)]
    signing_secret: Secret | None = None
    app_token: Annotated[Secret, AfterValidator(_app_token)] | None = None
    base_url: BaseUrl = "https://slack.com/api/"
    channels: Annotated[tuple[Channel, ...], Field(min_length=1)] | None = None
    poll_every: Annotated[Duration, Field(ge=timedelta(seconds=10))] = timedelta(minutes=5)
    backfill: Duration = timedelta(days=1)
    threads_back: Duration = timedelta(days=3)
    reaction: Annotated[str, Field(pattern=r"^[a-z0-9_+'-]{1,100}(::skin-tone-[2-6])?$")] = "eyes"

    @model_validator(mode="after")
    def _can_listen(self) -> Settings:
        if self.mode == "events" and self.signing_secret is None:
            raise ValueError("`mode: events` needs `signing_secret`: without it anybody could send us messages")
        if self.mode == "events" and self.app_token is not None:
            raise ValueError("`app_token` belongs to `mode: socket`; take it out, or write `mode: socket`")
        if self.mode == "socket" and self.app_token is None:
            raise ValueError("`mode: socket` needs `app_token`: an app-level token with connections:write")
        if self.mode == "socket" and self.signing_secret is not None:
            raise ValueError("`signing_secret` belongs to `mode: events`; take it out, or write `mode: events`")
        return self
