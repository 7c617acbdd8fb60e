"""The interface between heedful and a channel: all that a third-party connector imports.

A connector turns one channel into `Page`s and may send a `Reply`. It never scores, routes, stores,
sleeps or retries: the host does. It is any class with `me` and one or more of the abilities below;
there is no base class. What an entry point of the group `heedful.connectors` names is a `Plugin`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, Literal, NewType, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel

from connectors.errors import BadPayload, ConnectorError, Denied, Refused, Unreachable
from connectors.net import Http

__all__ = [
    "Ability",
    "Author",
    "BadPayload",
    "Connector",
    "ConnectorError",
    "Cursor",
    "Denied",
    "Finds",
    "Gap",
    "Hook",
    "HookAnswer",
    "Http",
    "Idempotency",
    "Limits",
    "Listens",
    "Marks",
    "Message",
    "Page",
    "Part",
    "PartKind",
    "Plugin",
    "Policy",
    "Polls",
    "Quota",
    "Receipt",
    "Refused",
    "Replies",
    "Reply",
    "Reports",
    "Retracts",
    "Streams",
    "Unreachable",
    "Unreadable",
    "Vitals",
]

Cursor = NewType("Cursor", str)
"""Opaque to the host: resume *after* everything in the page that carried it."""

PartKind = Literal["photo", "voice", "video", "file", "place", "contact"]
Ability = Literal["polls", "streams", "listens", "replies", "finds", "marks", "retracts"]
Idempotency = Literal["A", "B1", "B2", "C"]
"""A: the platform takes our key; B1: our own replies can be read back; B2: the platform allows one
reply; C: blind, a doubtful reply goes to a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who wrote a message, or which account of ours listens. `id` is stable within the platform."""

    id: str
    name: str
    handle: str | None = None
    followers: int | None = None
    bot: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What came with the text; never fetched by the connector. `ref` is the platform's own id."""

    kind: PartKind
    ref: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One original, edit or delete notice, as the platform told it.

    `id` is unique and stable within the account; an edit repeats it with a larger `revision` (a
    sortable text, "" for the original). `thread` is what a reply goes to. `mentions_us` is None where
    the platform does not tell: the host then looks for a brand handle in the text. `own` marks a post
    in our voice by somebody other than `me` (a colleague in the platform's own app).
    """

    id: str
    author: Author
    text: str
    sent_at: datetime  # aware
    thread: str
    revision: str = ""
    url: str | None = None
    private: bool = False
    mentions_us: bool | None = None
    in_reply_to: str | None = None
    language: str | None = None
    parts: tuple[Part, ...] = ()
    deleted: bool = False
    own: bool = False
    repost: bool = False
    automated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """An item of a readable page that could not be read: its bytes, and why."""

    raw: bytes
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Messages the platform will never give us again, from `since` to `until`."""

    since: datetime | None
    until: datetime
    reason: str
    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Items oldest first, and where to resume once they are safely stored.

    `cursor` None keeps the stored one; `more` asks the host to come again at once. A stream gives an
    empty page as a sign of life. `cost` is what fetching it cost, in millionths of a US dollar.
    """

    messages: tuple[Message, ...] = ()
    cursor: Cursor | None = None
    more: bool = False
    unreadable: tuple[Unreadable, ...] = ()
    gaps: tuple[Gap, ...] = ()
    cost: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One outgoing text. `key` (a UUID text) must not post twice, where the channel can tell."""

    key: str
    to: Message
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the platform says about a reply that it took, and what it cost (millionths of a US dollar)."""

    id: str
    url: str | None = None
    cost: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the host keeps to on the connector's behalf. Lengths in the connector's own `length` unit.

    `spacing` lies between two replies in one place (`Plugin.place` of a thread); an answer that is
    longer than `reply_length` is never sent.
    """

    poll_every: timedelta = timedelta(seconds=60)
    reply_length: int = 280
    replies_per_minute: int = 20
    replies_per_minute_thread: int | None = None
    spacing: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the platform's terms allow, enforced by the guard and by `heedful check`.

    `unsolicited`: may a public message that does not mention us be answered automatically.
    `private_first`: may we write first in private. `automatic_marks`: may a machine set a reaction.
    `per_interaction`: automated replies per message of a customer (None: no bound).
    `reply_window`: how long after the customer's last message a reply is allowed;
    `messages_per_window`: how many; `reopens`: what opens the window again; `cost`: of one reply.
    `delete_within`: how soon the text of a deleted post must be gone.
    """

    unsolicited: bool = True
    private_first: bool = True
    automatic_marks: bool = True
    per_interaction: int | None = None
    reply_window: timedelta | None = None
    messages_per_window: int | None = None
    reopens: str | None = None
    cost: str | None = None
    delete_within: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """How much of what the platform rations is left, as it said last; `resets_at` where it says so."""

    name: str
    left: int
    of: int | None = None
    resets_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """What a connector knows of its own standing; what it cannot know stays None.

    `daily_budget` is what its calls may cost a day (UTC) and `next_call` the most that the next one can
    cost, both in millionths of a US dollar: the host stops reading before the budget is overdrawn.
    """

    token_expires: datetime | None = None
    quotas: tuple[Quota, ...] = ()
    daily_budget: int | None = None
    next_call: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A webhook call as bytes: no web framework reaches a connector. Header names are lower case."""

    method: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class HookAnswer:
    """What to store, and what to answer once it is stored."""

    page: Page = field(default_factory=Page)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""


class Connector(Protocol):
    """Every connector says which account it is, so that we never answer ourselves."""

    @property
    def me(self) -> Author: ...


@runtime_checkable
class Polls(Connector, Protocol):
    """At least once: an empty page keeps the cursor, repeats are dropped by the host."""

    async def poll(self, after: Cursor | None, /) -> Page: ...


@runtime_checkable
class Streams(Connector, Protocol):
    """The next page is asked for only when the last is committed; only then may it be confirmed."""

    def stream(self, after: Cursor | None, /) -> AsyncIterator[Page]: ...


@runtime_checkable
class Listens(Connector, Protocol):
    """No network: the signature is checked before parsing; the answer is sent after the commit."""

    async def hear(self, hook: Hook, /) -> HookAnswer: ...


@runtime_checkable
class Replies(Connector, Protocol):
    """Raises `Refused` or `Denied`, or `Unreachable` with `unsent` where nothing was posted."""

    async def reply(self, reply: Reply, /) -> Receipt: ...


@runtime_checkable
class Finds(Connector, Protocol):
    """Reads back our own replies: None means that this one is not (yet) to be seen."""

    async def find(self, reply: Reply, /) -> Receipt | None: ...


@runtime_checkable
class Marks(Connector, Protocol):
    """An idempotent sign of receipt, such as a reaction."""

    async def mark(self, message: Message, /) -> None: ...


@runtime_checkable
class Retracts(Connector, Protocol):
    """Edits what we sent, or deletes it where `text` is None."""

    async def retract(self, receipt: Receipt, text: str | None, /) -> None: ...


@runtime_checkable
class Reports(Connector, Protocol):
    """Tells its standing, without a call. No ability of a channel: any connector may."""

    @property
    def vitals(self) -> Vitals: ...


S = TypeVar("S", bound=BaseModel)


def _characters(text: str) -> int:
    return len(text)


def _itself(thread: str) -> str:
    return thread


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin(Generic[S]):
    """What a channel of this kind is and can do, declared so that a file is checked unconnected.

    `recovers`: how far back it can catch up (None: as far as the platform still holds; zero: not at all).
    `length` measures a text in the platform's own unit. `place` of a thread is what the platform counts
    replies by (a Slack channel, not a thread in it). `visit` opens a connector that is only asked who it
    is, and changes nothing at the platform; None where `open` changes nothing either. `summary` is one
    line for people; `token` says how to get what the settings ask for and `cannot` what such a channel
    cannot do, in Markdown: the page about the channel under docs/ is made from this.
    """

    kind: str
    summary: str
    settings: type[S]
    open: Callable[[S, Http], AbstractAsyncContextManager[Connector]]
    abilities: frozenset[Ability]
    idempotency: Idempotency = "C"
    recovers: timedelta | None = timedelta(0)
    limits: Limits = Limits()
    policy: Policy = Policy()
    length: Callable[[str], int] = _characters
    place: Callable[[str], str] = _itself
    visit: Callable[[S, Http], AbstractAsyncContextManager[Connector]] | None = None
    token: str = ""
    cannot: str = ""
