"""Tells a team: each new P1 and P2, again after 5, 15 and 60 minutes until somebody claims.

Unlike an acknowledgement a notification is repeated on doubt: two are better than none, and while nobody has
claimed the case none is given up, however long a target is away. Its text is frozen when the case is opened;
what leaves a region holds the priority and a link, and no word of the customer. One target that fails or hangs
never holds up another.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Protocol

import structlog
from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr, ValidationError
from sqlalchemy import Connection, select, update
from yarl import URL

from config.load import MissingSecret, resolve
from config.schema import Care, NotifyTarget
from connectors.api import BadPayload, ConnectorError, Denied, Http, Refused, Unreachable
from connectors.net import Answer, BaseUrl, strict_json
from heedful.delivery import Row
from heedful.signatures import sign
from routing.announcements import describe
from routing.store import events
from routing.store.database import Store
from routing.store.literal import UNSETTLED
from routing.store.rows import CASE as CASES
from routing.store.rows import MESSAGE as MESSAGES
from routing.store.rows import OUTBOX

__all__ = ["KINDS", "Announcement", "Notifier", "open_target"]

log = structlog.get_logger("heedful.notify")

LONGEST_PAUSE = timedelta(minutes=15)
TELL_WITHIN = timedelta(seconds=10)
LONGEST_REST = timedelta(minutes=1)
"""A target that does not answer is left alone, but a new P1 is tried within a minute."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a target is told: `text` for people, `facts` for machines; a repeated delivery has the same `key`."""

    key: str
    text: str
    facts: Mapping[str, str]


class Target(Protocol):
    async def tell(self, announcement: Announcement, /) -> None: ...


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _signs(secret: SecretStr) -> SecretStr:
    try:
        key = base64.b64decode(secret.get_secret_value().removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ValueError("what follows whsec_ is not base64; copy the secret again")
    return secret


class SlackTarget(_Settings):
    """A Slack channel by chat.postMessage: https://docs.slack.dev/reference/methods/chat.postMessage."""

    bot_token: SecretStr
    channel: str
    base_url: BaseUrl = "https://slack.com/api/"

    def bind(self, http: Http) -> Target:
        return _Slack(self, http)


class TelegramTarget(_Settings):
    """A Telegram chat by sendMessage: https://core.telegram.org/bots/api#sendmessage."""

    token: SecretStr
    chat: str
    base_url: BaseUrl = "https://api.telegram.org"

    def bind(self, http: Http) -> Target:
        return _Telegram(self, http)


class AppriseTarget(_Settings):
    """Anything that Apprise speaks to, by its URL."""

    url: SecretStr

    def bind(self, _: Http) -> Target:
        return _Apprise(self)


class WebhookTarget(_Settings):
    """Your own endpoint: a JSON body, signed as Standard Webhooks 1.0.0 says. Any 2xx means taken."""

    url: BaseUrl
    secret: Annotated[SecretStr, AfterValidator(_signs)]

    def bind(self, http: Http) -> Target:
        return _Webhook(self, http)


KINDS: Mapping[str, type[SlackTarget | TelegramTarget | AppriseTarget | WebhookTarget]] = {
    "slack": SlackTarget,
    "telegram": TelegramTarget,
    "apprise": AppriseTarget,
    "webhook": WebhookTarget,
}


@dataclass(frozen=True, slots=True)
class _Slack:
    settings: SlackTarget
    http: Http

    async def tell(self, announcement: Announcement, /) -> None:
        answer = await self.http.json(
            "POST",
            self.settings.base_url.rstrip("/") + "/chat.postMessage",
            token=self.settings.bot_token,
            body={"channel": self.settings.channel, "text": _inert(announcement.text), "unfurl_links": False},
        )
        if isinstance(answer, dict) and answer.get("ok") is True:
            return
        reason = str(answer.get("error", "without ok"))[:80] if isinstance(answer, dict) else "no object"
        raise (Denied if "auth" in reason or "token" in reason else Refused)(f"Slack answered {reason}")


def _inert(text: str) -> str:
    """A stranger's <!channel> must not ring the whole room: https://docs.slack.dev/messaging/formatting-message-text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@dataclass(frozen=True, slots=True)
class _Telegram:
    settings: TelegramTarget
    http: Http

    async def tell(self, announcement: Announcement, /) -> None:
        """Without a preview: a link in a customer's words is not to be fetched and shown as a picture."""
        body = {"chat_id": self.settings.chat, "text": announcement.text}
        answer = await self._send(body | {"link_preview_options": {"is_disabled": True}})
        if answer.status == 400 and b"link_preview_options" in answer.body:  # a server that does not know them yet
            answer = await self._send(body)
        if failure := answer.failure(datetime.now(UTC)):
            raise type(failure)(f"{failure}{_description(answer.body)}") if answer.status != 429 else failure

    async def _send(self, body: Mapping[str, object]) -> Answer:
        token = self.settings.token.get_secret_value()
        url = f"{self.settings.base_url.rstrip('/')}/bot{token}/sendMessage"
        return await self.http.send("POST", url, body=body, hide=(token,))


def _description(body: bytes) -> str:
    """Telegram's own words about a failure, such as `chat not found`."""
    try:
        return f" ({strict_json(body)['description']!s:.100})"
    except (BadPayload, KeyError, TypeError):
        return ""


@dataclass(frozen=True, slots=True)
class _Apprise:
    settings: AppriseTarget

    async def tell(self, announcement: Announcement, /) -> None:
        if not await asyncio.to_thread(self._notify, announcement.text):
            raise Unreachable("Apprise could not deliver")

    def _notify(self, text: str) -> bool:
        """In a thread: the import alone takes a good part of a second."""
        import apprise

        target = apprise.Apprise()
        if not target.add(self.settings.url.get_secret_value()):
            raise Refused("Apprise does not know this kind of address")
        return bool(target.notify(body=text, title="heedful", body_format=apprise.NotifyFormat.TEXT))


@dataclass(frozen=True, slots=True)
class _Webhook:
    settings: WebhookTarget
    http: Http

    async def tell(self, announcement: Announcement, /) -> None:
        """The path of such an address is often its secret, so no error may show it."""
        body = {**announcement.facts, "type": "case.attention", "text": announcement.text}
        headers, raw = sign(self.settings.secret.get_secret_value(), announcement.key, body)
        where = URL(self.settings.url)
        answer = await self.http.send("POST", self.settings.url, headers=headers, body=raw, hide=(where.path,))
        if failure := answer.failure(datetime.now(UTC)):
            raise failure


def open_target(target: NotifyTarget, http: Http, environ: Mapping[str, str] = os.environ) -> Target:
    """Raises Refused where the target's settings do not hold, naming the key and never its value."""
    kind = KINDS.get(target.kind)
    if kind is None:
        raise Refused(f"no notify kind `{target.kind}`; there are {', '.join(KINDS)}")
    try:
        return kind.model_validate(resolve(target.settings, environ)).bind(http)
    except MissingSecret as missing:
        raise Refused(f"{missing}; set it, or write it into .env beside the file, and reload") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise Refused(f"`{'.'.join(map(str, first['loc']))}`: {first['msg']}") from None


class Notifier:
    """Sends the notify rows of the outbox; a claim by anybody ends the repeats."""

    def __init__(
        self,
        store: Store,
        care: Callable[[], Care],
        http: Http,
        clock: Callable[[], datetime],
        variables: Mapping[str, str] = os.environ,
    ) -> None:
        self._store = store
        self._care = care
        self._http = http
        self._clock = clock
        self._variables = variables
        self._resting: dict[str, datetime] = {}
        self._busy: dict[str, asyncio.Task[tuple[bool, str | None]]] = {}

    async def drain(self, patience: float | None = None) -> Mapping[str, str | None]:
        """Send all that is due. For each target that was spoken to: None where it took it, else what is wrong.

        A target that takes longer than `patience` seconds goes on by itself and holds up no other; its
        result is told by a later call.
        """
        now = self._clock()
        resting = [*self._busy, *(name for name, until in self._resting.items() if until > now)]
        rows = await self._store.read(lambda connection: _due(connection, now, resting))
        by_target: dict[str, list[Row]] = {}
        for row in rows:
            by_target.setdefault(row["target"], []).append(row)
        self._busy |= {name: asyncio.create_task(self._tell_all(name, own, now)) for name, own in by_target.items()}
        if self._busy:
            await asyncio.wait(self._busy.values(), timeout=patience)
        done = {name: self._busy.pop(name).result() for name in [*self._busy] if self._busy[name].done()}
        return {name: problem for name, (spoken, problem) in done.items() if spoken}

    def stop(self) -> None:
        """Leave what is being told; it is told again after the next start."""
        for task in self._busy.values():
            task.cancel()

    async def _tell_all(self, name: str, rows: list[Row], now: datetime) -> tuple[bool, str | None]:
        """In order of priority; the first that cannot be delivered ends the round of this target."""
        newest = {row["case_id"]: row["id"] for row in sorted(rows, key=lambda row: int(row["id"]))}
        spoken = False
        for row in rows:
            if row["case_status"] != "open":
                await self._settle(row, "suppressed", "claimed")
            elif newest[row["case_id"]] != row["id"]:
                await self._settle(row, "suppressed", "told anew")
            elif failure := await self._tell(row):
                await self._fail(row, failure, now)
                return True, str(failure)
            else:
                await self._settle(row, "sent")
                spoken = True
        self._resting.pop(name, None)
        return spoken, None

    async def _tell(self, row: Row) -> ConnectorError | None:
        target = self._care().notify.get(row["target"])
        if target is None:
            return Refused("the file no longer names this target")
        facts = {name: str(value) for name, value in row["envelope"].items()}
        text = row["text"]
        if not row["message_text"]:  # deleted in between, or never any
            text = describe(facts, excerpt=None, link=facts.get("link"))
        try:
            async with asyncio.timeout(TELL_WITHIN.total_seconds()):
                await open_target(target, self._http, self._variables).tell(Announcement(row["key"], text, facts))
        except TimeoutError:
            return Unreachable(f"no answer within {TELL_WITHIN.total_seconds():g} s")
        except ConnectorError as failure:
            return failure
        return None

    async def _fail(self, row: Row, failure: ConnectorError, now: datetime) -> None:
        log.warning("not told", target=row["target"], reason=str(failure), attempts=row["attempts"] + 1)
        pause = timedelta(seconds=5 * 2 ** min(row["attempts"], 8))
        if isinstance(failure, Unreachable) and failure.retry_after is not None:
            pause = failure.retry_after
        pause = min(pause, LONGEST_PAUSE)
        self._resting[row["target"]] = now + min(pause, LONGEST_REST)
        statement = (
            update(OUTBOX)
            .where(OUTBOX.c.id == row["id"])
            .values(attempts=OUTBOX.c.attempts + 1, due_at=now + pause, reason=str(failure))
        )
        await self._store.write(lambda connection: connection.execute(statement))

    async def _settle(self, row: Row, state: str, reason: str | None = None) -> None:
        now = self._clock()

        def work(connection: Connection) -> None:
            connection.execute(
                update(OUTBOX).where(OUTBOX.c.id == row["id"]).values(state=state, reason=reason, settled_at=now)
            )
            if state != "suppressed":
                data = {"what": "notify", "target": row["target"], "reason": reason}
                events.append(connection, [{"at": now, "kind": state, "case_id": row["case_id"], "data": data}])

        await self._store.write(work)


def _due(connection: Connection, now: datetime, resting: Iterable[str]) -> list[Row]:
    query = (
        select(OUTBOX, CASES.c.status.label("case_status"), MESSAGES.c.text.label("message_text"))
        .join(CASES, CASES.c.id == OUTBOX.c.case_id)
        .outerjoin(MESSAGES, MESSAGES.c.id == OUTBOX.c.message_id)
        .where(OUTBOX.c.account == "notify", OUTBOX.c.state == "pending", UNSETTLED, OUTBOX.c.due_at <= now)
        .where(OUTBOX.c.target.not_in(tuple(resting)))
        .order_by(OUTBOX.c.priority, OUTBOX.c.id)
        .limit(100)
    )
    return list(connection.execute(query).mappings())
