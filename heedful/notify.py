"""Tells a team: each new P1 and P2, again after 5, 15 and 60 minutes until somebody claims.

Unlike an acknowledgement a notification is repeated on doubt: two are better than none. Its text is frozen
when the case is opened; what leaves a region holds the priority and a link, and no word of the customer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError
from sqlalchemy import Connection, select, update

from config.load import MissingSecret, resolve
from config.schema import Care, NotifyTarget
from connectors.api import ConnectorError, Http, Refused, Unreachable
from heedful.delivery import Row
from heedful.signatures import sign
from routing.store import events
from routing.store.database import Store
from routing.store.rows import CASE as CASES
from routing.store.rows import OUTBOX

__all__ = ["KINDS", "REPEATS", "Announcement", "Notifier", "open_target"]

log = structlog.get_logger("heedful.notify")

REPEATS = (timedelta(0), timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=60))
GIVE_UP = 12


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a target is told: `text` for people, `facts` for machines, `key` so that a pager may fold repeats."""

    key: str
    text: str
    facts: Mapping[str, str]


class Target(Protocol):
    async def tell(self, announcement: Announcement, /) -> None: ...


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SlackTarget(_Settings):
    """A Slack channel by chat.postMessage: https://docs.slack.dev/reference/methods/chat.postMessage."""

    bot_token: SecretStr
    channel: str
    base_url: str = "https://slack.com/api/"

    def bind(self, http: Http) -> Target:
        return _Slack(self, http)


class TelegramTarget(_Settings):
    """A Telegram chat by sendMessage: https://core.telegram.org/bots/api#sendmessage."""

    token: SecretStr
    chat: str
    base_url: str = "https://api.telegram.org"

    def bind(self, http: Http) -> Target:
        return _Telegram(self, http)


class AppriseTarget(_Settings):
    """Anything that Apprise speaks to, by its URL."""

    url: SecretStr

    def bind(self, _: Http) -> Target:
        return _Apprise(self)


class WebhookTarget(_Settings):
    """Your own endpoint: a JSON body, signed as Standard Webhooks 1.0.0 says."""

    url: str
    secret: SecretStr

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
            token=self.settings.bot_token.get_secret_value(),
            body={"channel": self.settings.channel, "text": announcement.text, "unfurl_links": False},
        )
        if not answer.get("ok"):
            raise Refused(f"Slack answered {answer.get('error', 'without ok')!s:.80}")


@dataclass(frozen=True, slots=True)
class _Telegram:
    settings: TelegramTarget
    http: Http

    async def tell(self, announcement: Announcement, /) -> None:
        token = self.settings.token.get_secret_value()
        await self.http.json(
            "POST",
            f"{self.settings.base_url.rstrip('/')}/bot{token}/sendMessage",
            body={"chat_id": self.settings.chat, "text": announcement.text, "disable_web_page_preview": True},
            hide=(token,),
        )


@dataclass(frozen=True, slots=True)
class _Apprise:
    settings: AppriseTarget

    async def tell(self, announcement: Announcement, /) -> None:
        import apprise

        target = apprise.Apprise()
        if not target.add(self.settings.url.get_secret_value()):
            raise Refused("Apprise does not know this kind of address")
        if not await target.async_notify(body=announcement.text, title="heedful"):
            raise Unreachable("Apprise could not deliver")


@dataclass(frozen=True, slots=True)
class _Webhook:
    settings: WebhookTarget
    http: Http

    async def tell(self, announcement: Announcement, /) -> None:
        body = {"type": "case.attention", "text": announcement.text, **announcement.facts}
        headers, raw = sign(self.settings.secret.get_secret_value(), announcement.key, body)
        await self.http.json("POST", self.settings.url, headers=headers, body=raw)


def open_target(target: NotifyTarget, http: Http, environ: Mapping[str, str] = os.environ) -> Target:
    """Raises Refused where the target's settings do not hold, naming the key and never its value."""
    kind = KINDS.get(target.kind)
    if kind is None:
        raise Refused(f"no notify kind `{target.kind}`; there are {', '.join(KINDS)}")
    try:
        return kind.model_validate(resolve(target.settings, environ)).bind(http)
    except MissingSecret as missing:
        raise Refused(f"{missing} is not set in the environment") from None
    except ValidationError as error:
        raise Refused(f"`{'.'.join(map(str, error.errors()[0]['loc']))}`: {error.errors()[0]['msg']}") from None


class Notifier:
    """Sends the notify rows of the outbox; a claim by anybody ends the repeats."""

    def __init__(self, store: Store, care: Callable[[], Care], http: Http, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._care = care
        self._http = http
        self._clock = clock

    async def drain(self) -> tuple[str, ...]:
        """Send all that is due; returns the names of targets that failed, for the alarm."""
        now = self._clock()
        rows = await self._store.read(lambda connection: _due(connection, now))
        failed = [row["target"] for row in rows if not await self._tell(row, now)]
        return tuple(dict.fromkeys(failed))

    async def _tell(self, row: Row, now: datetime) -> bool:
        if row["case_status"] != "open":
            await self._settle(row, "suppressed", "claimed")
            return True
        try:
            target = self._care().notify.get(row["target"])
            if target is None:
                raise Refused("the file no longer names this target")
            facts = {name: str(value) for name, value in row["envelope"].items()}
            await open_target(target, self._http).tell(Announcement(row["key"], row["text"], facts))
        except ConnectorError as failure:
            await self._fail(row, failure, now)
            return False
        await self._settle(row, "sent")
        return True

    async def _fail(self, row: Row, failure: ConnectorError, now: datetime) -> None:
        log.warning("not told", target=row["target"], reason=str(failure), attempts=row["attempts"] + 1)
        if row["attempts"] + 1 >= GIVE_UP:
            await self._settle(row, "refused", str(failure))
            return
        pause = timedelta(seconds=min(900, 5 * 2 ** row["attempts"]))
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


def _due(connection: Connection, now: datetime) -> list[Row]:
    query = (
        select(OUTBOX, CASES.c.status.label("case_status"))
        .join(CASES, CASES.c.id == OUTBOX.c.case_id)
        .where(OUTBOX.c.account == "notify", OUTBOX.c.state == "pending", OUTBOX.c.due_at <= now)
        .order_by(OUTBOX.c.priority, OUTBOX.c.id)
        .limit(100)
    )
    return list(connection.execute(query).mappings())


def describe(facts: Mapping[str, Any], *, excerpt: str | None, link: str | None) -> str:
    """The text of a notification: priority, channel and team; the customer's words only where they may go."""
    head = f"{facts['priority']} · {facts['channel']} · {facts['team']}"
    words = f"\n{facts['author']}: {excerpt}" if excerpt else ""
    return head + words + (f"\n{link}" if link else "")
