"""What staff may say about an X channel."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from connectors.settings import BaseUrl, Duration
from connectors.x import prices
from connectors.x.wire import PAGE

__all__ = ["KEYS", "Settings"]

KEYS = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
"""An OAuth 1.0a user context takes all four."""

_HANDLE = re.compile(r"@?[A-Za-z0-9_]{1,15}")
_TO_SPARE = 10_000
"""What saying who we are costs, once a start."""
_LONGEST_QUERY = {"search": 512, "stream": 1024}


def _handle(value: str) -> str:
    if "${" not in value and not _HANDLE.fullmatch(value):
        raise ValueError("not a handle of X: at most 15 letters, digits and _, such as acmeair")
    return value.removeprefix("@")


class Settings(BaseModel):
    """An account on X. The four OAuth 1.0a keys, or `user_token`, are needed to answer.

    `query` is X's own search language, for `search` and `stream`. `daily_budget` is in US dollars and
    counts what is read and what is posted, by day in UTC; the default of 5 buys 1,000 posts (5,000 with
    `own_app`). `own_app` says that the account owns the developer app, so that X charges its mentions
    as Owned Reads. `look_back`: how far the very first look goes.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        json_schema_extra={"examples": [{"account": "acmeair", **{key: f"${{X_{key.upper()}}}" for key in KEYS}}]},
    )

    mode: Annotated[Literal["mentions", "search", "stream"], Field(description="what is heard")] = "mentions"
    account: Annotated[str, AfterValidator(_handle), Field(description="the handle that the keys belong to")]
    query: Annotated[
        Annotated[str, Field(min_length=1)] | None, Field(description="for `search` and `stream`, in X's own language")
    ] = None
    bearer_token: Annotated[SecretStr | None, Field(description="of the app; reads, for `search` and `stream` too")] = (
        None
    )
    consumer_key: Annotated[SecretStr | None, Field(description="of the app: the API key")] = None
    consumer_secret: Annotated[SecretStr | None, Field(description="of the app: the API key secret")] = None
    access_token: Annotated[SecretStr | None, Field(description="of the account; answers, and reads mentions")] = None
    access_token_secret: Annotated[SecretStr | None, Field(description="of the account")] = None
    user_token: Annotated[SecretStr | None, Field(description="by OAuth 2.0, instead of the four; lasts two hours")] = (
        None
    )
    poll_every: Annotated[Duration, Field(ge=timedelta(seconds=5), description="the wait between two polls")] = (
        timedelta(seconds=60)
    )
    daily_budget: Annotated[
        float, Field(gt=0, le=100_000, allow_inf_nan=False, description="US dollars a day (UTC) that reading may cost")
    ] = 5.0
    own_app: Annotated[bool, Field(description="whether the account owns the app: mentions are cheaper then")] = False
    look_back: Annotated[
        Duration, Field(le=timedelta(days=6, hours=23), description="how far the very first look goes")
    ] = timedelta(days=1)
    base_url: Annotated[BaseUrl, Field(description="X, or a proxy before it")] = "https://api.x.com"

    @property
    def signs(self) -> bool:
        """Whether there is an OAuth 1.0a user context."""
        return self.consumer_key is not None

    @property
    def speaks(self) -> bool:
        """Whether there is anybody to post as."""
        return self.signs or self.user_token is not None

    @property
    def own_price(self) -> int:
        """Of a mention, or a post of ours, in millionths of a US dollar."""
        return prices.OWNED_READ if self.own_app and self.speaks else prices.POST_READ

    @model_validator(mode="after")
    def _budget_buys_a_page(self) -> Settings:
        """Before each call the dearest answer is set aside: with less than that nothing would ever be read."""
        price = self.own_price if self.mode == "mentions" else prices.POST_READ
        least = PAGE * price + _TO_SPARE
        if round(self.daily_budget * prices.DOLLAR) < least:
            raise ValueError(
                f"`mode: {self.mode}` needs a `daily_budget` of at least {least / prices.DOLLAR:.2f}:"
                f" one answer of X may hold {PAGE} posts at ${price / prices.DOLLAR:.3f}"
            )
        return self

    @model_validator(mode="after")
    def _keys_are_whole(self) -> Settings:
        missing = [key for key in KEYS if getattr(self, key) is None]
        if 0 < len(missing) < len(KEYS):
            raise ValueError(f"the four keys of OAuth 1.0a belong together; missing: {', '.join(missing)}")
        if self.signs and self.user_token is not None:
            raise ValueError("`user_token` or the four keys of OAuth 1.0a, not both: who would speak?")
        if not self.speaks and self.bearer_token is None:
            raise ValueError("X answers nobody without a key: `bearer_token`, the four keys of OAuth 1.0a, or both")
        return self

    @model_validator(mode="after")
    def _query_fits_the_mode(self) -> Settings:
        if self.mode == "mentions":
            if self.query is not None:
                raise ValueError("`mode: mentions` takes no `query`; `mode: search` does")
            return self
        if self.query is None or not self.query.strip():
            raise ValueError(f"`mode: {self.mode}` needs a `query`")
        if len(self.query) > _LONGEST_QUERY[self.mode]:
            raise ValueError(f"`query` is longer than the {_LONGEST_QUERY[self.mode]} characters that X takes")
        if self.bearer_token is None and self.user_token is None:
            raise ValueError(f"`mode: {self.mode}` needs `bearer_token`")
        if self.mode == "stream" and self.bearer_token is None:
            raise ValueError("`mode: stream` needs `bearer_token`: X opens its stream to an app only")
        return self
