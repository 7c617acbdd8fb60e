"""What staff may say about a feed."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from connectors.addresses import Unsafe, hop, is_loopback, public, trusted
from connectors.settings import Duration

__all__ = ["Settings", "is_trusted"]


def is_trusted(url: str) -> bool:
    """Whether the address is called as it stands: https to anywhere, or plain http to this machine.

    Plain http to anywhere else is fetched, but under guard: whoever answers there may be anybody.
    """
    try:
        trusted(url)
    except Unsafe:
        return False
    return True


def _fetchable(url: str) -> str:
    if is_trusted(url):
        return url
    here = hop(url)
    if here.ip is not None and not is_loopback(here.host) and not public(here.ip, here.port):
        raise ValueError("plain http is fetched from public addresses and from this machine only; write https://")
    return url


class Settings(BaseModel):
    """A feed. `url` may hold a key of yours (`${NAME}`): no error and no log shows more of it than its host."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: Annotated[
        str,
        AfterValidator(_fetchable),
        Field(repr=False, description="the address of the feed", examples=["https://example.org/feed.xml"]),
    ]
    poll_every: Annotated[
        Duration,
        Field(
            ge=timedelta(seconds=10),
            le=timedelta(days=1),
            description="how long to wait after each answer before asking again: from `10s` to `1d`",
        ),
    ] = timedelta(minutes=5)
