"""A busy morning at Acme Air, for the tests and the pictures: cases in three scripts, kept messages, doubtful texts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert

from config.folding import fold
from config.schema import Care
from feed import staff
from routing.store import events, search
from routing.store.ids import new_id, ref
from routing.store.rows import CASE, GAP, MESSAGE, OUTBOX, TALLY

__all__ = ["CARE", "PASSWORD", "Scene", "people"]

PASSWORD = "correct horse"  # noqa: S105  of a test
_HASH = staff.hash_password(PASSWORD)
CARE = Care.model_validate(
    {
        "version": 1,
        "brand": {"name": "Acme Air", "languages": ["en", "zh-Hans", "zh-Hant"]},
        "channels": {name: {"kind": "replay"} for name in ("telegram-care", "x-mentions", "shop-reviews", "slack-community")},
        "route": {"team": "care"},
        "teams": {"care": {}, "payments": {}, "baggage": {}},
    }
)


def people(connection: Connection, now: datetime) -> None:
    """An account for each role, and an agent who belongs to payments alone."""
    roles: tuple[tuple[str, staff.Role, tuple[str, ...]], ...] = (
        ("Lin Mei", "agent", ()), ("Pat Payne", "agent", ("payments",)), ("Lea Ortiz", "lead", ()), ("Ada Admin", "admin", ()),
    )
    for name, role, teams in roles:
        staff.add(connection, name=name, role=role, teams=teams, password=_HASH, now=now)


class Scene:
    """Puts rows where the pipeline would put them. Times are minutes before `now`."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        self.connection = connection
        self.now = now
        self._number = 0

    def at(self, minutes: float) -> datetime:
        return self.now - timedelta(minutes=minutes)

    def message(self, text: str, *, ago: float = 0, event: bool = True, **more: Any) -> int:
        """A stored message; kept and calm unless told otherwise."""
        at, self._number = self.at(ago), self._number + 1
        number = new_id(at)
        row: dict[str, Any] = {
            "id": number, "account": "telegram:1", "channel": "telegram-care", "external_id": f"m{number}", "revision": "",
            "thread": f"t{number}", "author_id": f"a{number}", "author_name": "Ann", "author_handle": None, "text": text,
            "language": "en", "sent_at": at, "received_at": at, "hour": at.replace(minute=0, second=0, microsecond=0),
            "private": False, "own": False, "deleted": False, "url": None, "body": {}, "outcome": "kept", "kept": "calm",
            "acknowledgement": "suppressed", "acknowledgement_reason": "kept", "case_id": None, "team": None,
            "priority": None, "compound": 0.1, "negative": 0.1, "urgent": 0.05, "needs_answer": 0.1, "label": "neutral",
            "kind": "chatter", "reading": {"harm": [], "scorer": "en/vader-1"}, "because": [], "file_version": "4f1c09d2aa31",
        }  # fmt: skip
        row |= more
        self.connection.execute(insert(MESSAGE), [row])
        search.index(self.connection, [(number, fold(text).text)])
        if event:
            happened = {"at": at, "kind": "message", "channel": row["channel"], "team": row["team"], "message_id": number}
            events.append(self.connection, [happened | {"case_id": row["case_id"]}])
        return number

    def case(
        self, text: str, *, author: str = "Ann", ago: float = 10, priority: str = "P3", team: str = "care", due_in: float = 60,
        rule: str = "negative", detail: str = "", words: tuple[str, ...] = (), acknowledged: bool = True, said: dict[str, Any] | None = None,
        **more: Any,
    ) -> int:  # fmt: skip
        """A message that was routed, its case and its acknowledgement."""
        at, number = self.at(ago), new_id(self.at(ago))
        spans = [[text.index(word), text.index(word) + len(word)] for word in words]
        because = [{"rule": rule, "detail": detail, "spans": spans}, {"rule": "negative", "detail": "0.82 ≥ 0.6", "spans": []}]
        shared = {"team": team, "priority": priority, "because": because, "author_name": author, "label": "negative"}
        shared |= {key: more[key] for key in ("channel", "language", "private", "author_handle", "label") if key in more}
        due = self.now + timedelta(minutes=due_in)
        told = {
            "thread": f"t{number}", "author_id": f"a{number}", "outcome": "routed", "kept": None, "case_id": number,
            "acknowledgement": "sent" if acknowledged else "suppressed", "acknowledgement_reason": None if acknowledged else "harm",
            "negative": 0.82, "urgent": 0.64, "needs_answer": 0.91, "kind": "complaint",
        }  # fmt: skip
        message = self.message(text, ago=ago, event=False, **{**shared, **told, **(said or {})})
        row: dict[str, Any] = {
            "id": number, "ref": ref(number), "account": "telegram:1", "channel": "telegram-care", "thread": f"t{number}",
            "author_id": f"a{number}", "author_handle": None, "private": False, "status": "open", "style": "default",
            "assignee": None, "lease_until": None, "snoozed_until": None, "text": text, "language": "en",
            "opened_at": at, "last_message_id": message, "last_customer_at": at,
            "acknowledged_at": at + timedelta(seconds=3) if acknowledged else None, "first_answered_at": None,
            "last_answered_at": None, "first_answer_due": due, "next_answer_due": None,
            "resolution_due": due + timedelta(hours=4), "promised_due": due if acknowledged else None, "due": due,
            "escalated_at": None, "bot_silent": False, "resolved_at": None, "resolution": None, "resolved_by": None,
        }  # fmt: skip
        row |= shared | more
        self.connection.execute(insert(CASE), [row])
        opened = {"at": at, "kind": "case_opened", "channel": row["channel"], "team": team, "case_id": number}
        events.append(self.connection, [opened | {"message_id": message, "data": {"because": because}}])
        if acknowledged:
            thanks = {"zh-Hans": "已收到您的消息（{}），同事会在今天 11:30 前答复您。【自动回复】", "zh-Hant": "已收到您的訊息（{}），同事會在今天 11:30 前答覆您。【自動回覆】"}
            words_sent = thanks.get(row["language"], "We have your message ({}). A colleague answers by 11:30 today. (automatic)")
            self.text(words_sent.format(row["ref"]), ago=ago - 0.05, case_id=number, message_id=message, team=team, locale=row["language"])
        return number

    def text(self, text: str, *, ago: float = 0, case_id: int | None = None, team: str | None = None, **more: Any) -> int:
        """A text of ours in the outbox."""
        at = self.at(ago)
        number = new_id(at)
        row: dict[str, Any] = {
            "id": number, "key": f"k{number}", "kind": "acknowledgement", "account": "telegram:1", "target": "telegram-care",
            "channel": "telegram-care", "thread": "t", "author_id": "a", "case_id": case_id, "message_id": None, "priority": "P3",
            "style": "default", "locale": "en", "wording": 0, "text": text, "envelope": {}, "state": "sent", "reason": None,
            "attempts": 1, "created_at": at, "due_at": at, "stale_at": None, "claimed_at": at, "settled_at": at, "receipt": None,
            "actor": None, "seen_message_id": None,
        }  # fmt: skip
        self.connection.execute(insert(OUTBOX), [row | more])
        return number

    def morning(self) -> None:
        """Everything that the pictures show."""
        stolen = "Someone used my stolen card on your site, two bookings this morning and I'm about to board. Please call me NOW!!"
        self.case(
            stolen, author="Priya Raman", author_handle="priya_r", ago=9, priority="P1", team="payments", due_in=6, rule="keywords",
            detail="fraud", words=("stolen card",), channel="x-mentions", acknowledged=True,
            said={"reading": {"harm": ["fraud", "travel"], "scorer": "en/vader-1"}, "urgent": 0.93, "url": "https://x.example/priya_r/1"},
        )  # fmt: skip
        self.case(
            "我爸上周走了，他的会员里程还能转给我妈吗？需要什么材料", author="小满", ago=21, priority="P1", due_in=-6, rule="harm", detail="bereavement",
            language="zh-Hans", acknowledged=False, assignee="Lea Ortiz", status="claimed", words=("我爸上周走了",),
            said={"reading": {"harm": ["bereavement"], "scorer": "zh/1"}, "urgent": 0.88},
        )  # fmt: skip
        self.case(
            "行李第三天还没到，客服电话打了四十分钟没人接，明天婚礼要用！！到底有没有人管", author="林小雨", ago=31, priority="P2", team="baggage",
            due_in=14, rule="keywords", detail="lost-bag", words=("行李", "没到"), language="zh-Hans",
        )  # fmt: skip
        self.case(
            "請問颱風天改機票要收手續費嗎？官網跟 App 寫的不一樣，可以給個準話嗎", author="陳大文", ago=44, due_in=130, rule="needs_answer",
            detail="0.94 ≥ 0.7", words=(), language="zh-Hant", label="neutral", channel="slack-community",
        )  # fmt: skip
        self.case(
            "Charged twice for seat 14C. Chat bot says 'resolved', bank says otherwise. Third message this week.", author="Tom Becker", ago=52,
            priority="P2", team="payments", due_in=-11, rule="keywords", detail="fraud", words=("Charged twice",), channel="shop-reviews",
        )  # fmt: skip
        self.case(
            "Great, cancelled again. Best airline ever, 10/10 would sleep on the airport floor again", author="jo.k", author_handle="jok", ago=63,
            due_in=177, label="unsure", channel="x-mentions", rule="text", detail="cancelled", words=("cancelled",), private=False,
        )  # fmt: skip
        self.case(
            "¿Me pueden devolver el importe? Llevo dos semanas esperando y nadie contesta.", author="Lucía Fernández", ago=75, due_in=95,
            language="es", private=True, assignee="Lin Mei", status="claimed", rule="negative", detail="0.71 ≥ 0.6",
        )  # fmt: skip
        self.case(
            "你哋個 App 成日撳唔到check-in，我個航班仲有兩個鐘頭就飛喇，幫幫手", author="阿晴", ago=4, priority="P2", due_in=55, language="zh-Hant",
            rule="urgent", detail="0.78 ≥ 0.5", words=("兩個鐘頭",),
        )  # fmt: skip
        for text, name, tag, label in (
            ("Landed 20 minutes early, crew was lovely. Thanks!", "Maya", "en", "positive"),
            ("今天的云海太美了，第一次坐这条航线", "阿澈", "zh-Hans", "positive"),
            ("轉發抽獎：周年慶送機票，追蹤就抽", "好康情報", "zh-Hant", "neutral"),
            ("anyone else on AC204 to Lisbon tomorrow?", "samir", "en", "neutral"),
        ):
            self.message(text, ago=15 - len(name), author_name=name, language=tag, label=label)
        self._texts()
        self._books()

    def _texts(self) -> None:
        asked = self.message("where is my refund??", ago=33, author_name="Ola")
        self.text("We have your message (M4TX). A colleague answers by 12:00 today. (automatic)", ago=32, state="unknown", message_id=asked)
        legal = self.message("My lawyer will write to you about the injury", ago=28, author_name="R. Stone")
        self.text("We have your message. A colleague reads it now. (automatic)", ago=27, state="approve", message_id=legal, style="plain")
        tried = self.message("App 登不进去了", ago=18, author_name="Yan", language="zh-Hans")
        self.text("已收到您的消息，同事会尽快答复您。【自动回复】", ago=18, state="suppressed", reason="dry_run", message_id=tried, locale="zh-Hans")

    def _books(self) -> None:
        for hours in range(40):
            at = self.at(60 * hours).replace(minute=0, second=0, microsecond=0)
            row = {"channel": "telegram-care", "hour": at, "received": 0, "duplicates": 0}
            if hours == 0:
                row["duplicates"] = row["received"] = 2
            self.connection.execute(insert(TALLY), [row])
        gap = {"id": new_id(self.now), "channel": "telegram-care", "since": self.at(4000), "until": self.at(2500), "count": None}
        self.connection.execute(insert(GAP), [gap | {"reason": "we were away for longer than the platform keeps messages"}])
