"""A small house for tests of the host: a real store, a real file, a platform that takes or refuses replies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from config.lint import parse
from config.schema import Care, Channel
from connectors import registry
from connectors.api import Author, Cursor, Gap, Limits, Message, Page, Policy, Receipt, Reply, Unreadable
from heedful.batch import Outcome
from heedful.guidance import Guidance
from heedful.outbox import Sender
from heedful.pipeline import Pipeline
from heedful.source import Source
from routing.desk import Desk
from routing.store import ledger
from routing.store.database import Store
from routing.store.rows import CASE, EVENT, MESSAGE, OUTBOX
from tests.databases import Clock

__all__ = ["CARE", "ME", "Office", "Platform", "care_of"]

ME = Author(id="999", name="Acme bot", bot=True)
CARE = """
version: 1
brand: {name: Acme Air, handles: ["@acmeair"], staff: ["replay:77"]}
timezone: Asia/Shanghai
keywords:
  fraud: {en: [charged twice, stolen card], zh: [盗刷, 重复扣款]}
route:
  team: care
  acknowledge: default
  routes:
    - {name: fraud, when: {keywords: [fraud]}, team: payments, priority: P1, acknowledge: urgent}
acknowledge:
  mode: send
  styles:
    default:
      en:
        - "Thanks {name}, we have your message ({ref}). A colleague answers by {due}."
        - "We have your message ({ref}). A colleague answers by {due}."
      zh-Hans: ["收到（{ref}），同事会在{due}前回复您。"]
      zh-Hant: ["收到（{ref}），同仁會在{due}前回覆您。"]
    urgent:
      en: ["We have your message ({ref}) and treat it as urgent. A colleague answers by {due}."]
      zh-Hans: ["收到（{ref}），我们会优先处理，同事会在{due}前回复您。"]
      zh-Hant: ["收到（{ref}），我們會優先處理，同仁會在{due}前回覆您。"]
teams: {care: {}, payments: {notify: [pager]}}
notify: {pager: {kind: webhook, url: "http://127.0.0.1:9/hook", secret: "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}}
"""


def care_of(text: str = CARE, **changes: str) -> Care:
    for old, new in changes.items():
        text = text.replace(old, new)
    care, findings = parse(text, "test.yaml")
    assert care is not None, findings
    return care


@dataclass
class Platform:
    """A platform seen through its replies; `faults` are raised one after the other, before or after it acted."""

    me: Author = ME
    faults: list[Exception | None] = field(default_factory=list)
    acts_first: bool = False
    posted: list[Reply] = field(default_factory=list)
    marked: list[Message] = field(default_factory=list)

    async def reply(self, reply: Reply, /) -> Receipt:
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None and not self.acts_first:
            raise fault
        self.posted.append(reply)
        if fault is not None:
            raise fault
        return Receipt(id=f"post-{len(self.posted)}")

    async def mark(self, message: Message, /) -> None:
        self.marked.append(message)


class Found(Platform):
    """The same where our own replies can be read back; `blind` looks see nothing yet."""

    blind: int = 0

    async def find(self, reply: Reply, /) -> Receipt | None:
        if self.blind:
            self.blind -= 1
            return None
        return next((Receipt(id=f"post-{n}") for n, one in enumerate(self.posted, 1) if one.text == reply.text), None)


class Office:
    def __init__(self, store: Store, clock: Clock, text: str = CARE, kind: str = "replay", **facts: Any) -> None:
        self.store = store
        self.clock = clock
        self.guidance = Guidance.compile(care_of(text))
        self.pipeline = Pipeline(store, lambda: self.guidance, clock)
        self.desk = Desk(store, lambda: self.guidance.care, clock)
        base = {
            "name": "chat",
            "kind": kind,
            "account": f"{kind}:999",
            "abilities": frozenset({"replies", "marks"}),
            "idempotency": "C",
            "limits": Limits(reply_length=1000, replies_per_minute=600),
            "policy": Policy(),
            "length": len,
            "selves": frozenset({"999"}),
            "machine": "999",
        }
        self.source = Source(**{**base, **facts})
        self._count = 0

    def obey(self, text: str) -> None:
        self.guidance = Guidance.compile(care_of(text))

    def message(self, text: str, author: str = "1", **fields: Any) -> Message:
        self._count += 1
        name, bot = fields.pop("name", "Anna"), fields.pop("bot", False)
        defaults: dict[str, Any] = {
            "id": f"m{self._count}",
            "thread": f"t{author}",
            "sent_at": self.clock(),
            "mentions_us": True,
        }
        return Message(**{**defaults, **fields}, author=Author(id=author, name=name, bot=bot), text=text)

    async def take(
        self,
        *messages: Message,
        cursor: str | None = None,
        unreadable: Sequence[Unreadable] = (),
        gaps: Sequence[Gap] = (),
    ) -> Outcome:
        page = Page(
            messages=messages, cursor=Cursor(cursor) if cursor else None, unreadable=tuple(unreadable), gaps=tuple(gaps)
        )
        return await self.pipeline.take(self.source, page)

    async def hear(self, text: str, author: str = "1", **fields: Any) -> Outcome:
        return await self.take(self.message(text, author, **fields))

    def sender(self, platform: Platform, stopping: Callable[[], bool] = lambda: False) -> Sender:
        return Sender(
            self.store,
            self.source,
            platform,
            lambda: self.guidance,
            self.clock,
            lambda: self.clock().timestamp(),
            stopping,
            settle_pause=timedelta(0),
        )

    async def sender_drains(self, platform: Platform | None = None) -> list[Reply]:
        platform = platform or Platform()
        await self.sender(platform).drain()
        return platform.posted

    async def rows(self, table: Any = MESSAGE, **where: Any) -> list[dict[str, Any]]:
        query = (
            select(table)
            .where(*(table.c[name] == value for name, value in where.items()))
            .order_by(next(iter(table.primary_key)))
        )
        return await self.store.read(lambda connection: [dict(row) for row in connection.execute(query).mappings()])

    async def cases(self) -> list[dict[str, Any]]:
        return await self.rows(CASE)

    async def outbox(self, kind: str = "acknowledgement") -> list[dict[str, Any]]:
        return await self.rows(OUTBOX, kind=kind)

    async def events(self, kind: str) -> list[dict[str, Any]]:
        return await self.rows(EVENT, kind=kind)

    async def books(self) -> ledger.Ledger:
        return await self.store.read(ledger.ledger)


def replay_source(name: str = "chat") -> Source:
    return Source.of(name, Channel(kind="replay"), registry.load("replay"), Author(id="", name=name))


HOUR = timedelta(hours=1)
