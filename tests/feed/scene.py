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
from routing.store.rows import CASE, GAP, MESSAGE, OUTBOX, TALLY, upsert

__all__ = ["CARE", "PASSWORD", "Scene", "people"]

PASSWORD = "correct horse"
_HASH = staff.hash_password(PASSWORD)
CARE = Care.model_validate(
    {
        "version": 1,
        "brand": {"name": "Acme Air", "languages": ["en", "zh-Hans", "zh-Hant"]},
        "channels": {
            name: {"kind": "replay"} for name in ("telegram-care", "x-mentions", "shop-reviews", "slack-community")
        },
        "route": {"team": "care"},
        "teams": {"care": {}, "payments": {}, "baggage": {}},
    }
)

CASES: tuple[dict[str, Any], ...] = (
    {
        "text": "Someone used my stolen card on your site, two bookings this morning and I'm about to board. "
        "Please call me NOW!!",
        "author": "Priya Raman",
        "author_handle": "priya_r",
        "ago": 9,
        "priority": "P1",
        "team": "payments",
        "due_in": 6,
        "rule": "keywords",
        "detail": "fraud",
        "words": ("stolen card",),
        "channel": "x-mentions",
        "said": {
            "reading": {"harm": ["fraud", "travel"], "scorer": "en/vader-1"},
            "urgent": 0.93,
            "url": "https://x.example/priya_r/1",
        },
    },
    {
        "text": "我爸上周走了，他的会员里程还能转给我妈吗？需要什么材料",
        "author": "小满",
        "ago": 21,
        "priority": "P1",
        "due_in": -6,
        "rule": "harm",
        "detail": "bereavement",
        "language": "zh-Hans",
        "acknowledged": False,
        "assignee": "Lea Ortiz",
        "status": "claimed",
        "words": ("我爸上周走了",),
        "said": {"reading": {"harm": ["bereavement"], "scorer": "zh/1"}, "urgent": 0.88},
    },
    {
        "text": "行李第三天还没到，客服电话打了四十分钟没人接，明天婚礼要用！！到底有没有人管",
        "author": "林小雨",
        "ago": 31,
        "priority": "P2",
        "team": "baggage",
        "due_in": 14,
        "rule": "keywords",
        "detail": "lost-bag",
        "words": ("行李", "没到"),
        "language": "zh-Hans",
        "follow_up": "刚才又打了一次，还是没人接。箱子里有爸爸的药。",
    },
    {
        "text": "請問颱風天改機票要收手續費嗎？官網跟 App 寫的不一樣，可以給個準話嗎",
        "author": "陳大文",
        "ago": 44,
        "due_in": 130,
        "rule": "needs_answer",
        "detail": "0.94 ≥ 0.7",
        "language": "zh-Hant",
        "label": "neutral",
        "channel": "slack-community",
    },
    {
        "text": "Charged twice for seat 14C. Chat bot says 'resolved', bank says otherwise. Third message this week.",
        "author": "Tom Becker",
        "ago": 52,
        "priority": "P2",
        "team": "payments",
        "due_in": -11,
        "rule": "keywords",
        "detail": "fraud",
        "words": ("Charged twice",),
        "channel": "shop-reviews",
    },
    {
        "text": "Great, cancelled again. Best airline ever, 10/10 would sleep on the airport floor again",
        "author": "jo-k",
        "author_handle": "jok",
        "ago": 63,
        "due_in": 177,
        "label": "unsure",
        "channel": "x-mentions",
        "rule": "text",
        "detail": "cancelled",
        "words": ("cancelled",),
    },
    {
        "text": "¿Me pueden devolver el importe? Llevo dos semanas esperando y nadie contesta.",
        "author": "Lucía Fernández",
        "ago": 75,
        "due_in": 95,
        "language": "es",
        "private": True,
        "assignee": "Lin Mei",
        "status": "claimed",
        "detail": "0.71 ≥ 0.6",
    },
    {
        "text": "你哋個 App 成日撳唔到check-in，我個航班仲有兩個鐘頭就飛喇，幫幫手",
        "author": "阿晴",
        "ago": 4,
        "priority": "P2",
        "due_in": 55,
        "language": "zh-Hant",
        "rule": "urgent",
        "detail": "0.78 ≥ 0.5",
        "words": ("兩個鐘頭",),
    },
)
CALM: tuple[dict[str, Any], ...] = (
    {
        "text": "Landed 20 minutes early, crew was lovely. Thanks!",
        "author_name": "Maya",
        "label": "positive",
        "ago": 2,
        "kind": "praise",
    },
    {
        "text": "今天的云海太美了，第一次坐这条航线",
        "author_name": "阿澈",
        "language": "zh-Hans",
        "label": "positive",
        "ago": 7,
    },
    {
        "text": "轉發抽獎：周年慶送機票，追蹤就抽",
        "author_name": "好康情報",
        "language": "zh-Hant",
        "ago": 12,
        "kind": "campaign",
        "kept": "muted",
    },
    {"text": "anyone else on AC204 to Lisbon tomorrow?", "author_name": "samir", "ago": 17},
    {
        "text": "where is my refund??",
        "ago": 33,
        "author_name": "Ola",
        "sent": {
            "text": "We have your message (M4TX). A colleague answers by 12:00 today. (automatic)",
            "state": "unknown",
        },
    },
    {
        "text": "My lawyer will write to you about the injury",
        "ago": 28,
        "author_name": "R. Stone",
        "sent": {
            "text": "We have your message. A colleague reads it now. (automatic)",
            "state": "approve",
            "style": "plain",
        },
    },
    {
        "text": "App 登不进去了",
        "ago": 18,
        "author_name": "Yan",
        "language": "zh-Hans",
        "sent": {
            "text": "已收到您的消息，同事会尽快答复您。【自动回复】",
            "state": "suppressed",
            "reason": "dry_run",
            "locale": "zh-Hans",
        },
    },
)


def people(connection: Connection, now: datetime) -> None:
    """An account for each role, and an agent who belongs to payments alone."""
    roles: tuple[tuple[str, staff.Role, tuple[str, ...]], ...] = (
        ("Lin Mei", "agent", ()),
        ("Pat Payne", "agent", ("payments",)),
        ("Lea Ortiz", "lead", ()),
        ("Ada Admin", "admin", ()),
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
            "id": number,
            "account": "telegram:1",
            "channel": "telegram-care",
            "external_id": f"m{number}",
            "revision": "",
            "thread": f"chat/{number % 99991}",
            "author_id": f"a{number}",
            "author_name": "Ann",
            "author_handle": None,
            "text": text,
            "language": "en",
            "sent_at": at,
            "received_at": at,
            "hour": at.replace(minute=0, second=0, microsecond=0),
            "private": False,
            "own": False,
            "deleted": False,
            "url": None,
            "body": {},
            "outcome": "kept",
            "kept": "calm",
            "acknowledgement": "suppressed",
            "acknowledgement_reason": "kept",
            "case_id": None,
            "team": None,
            "priority": None,
            "compound": 0.1,
            "negative": 0.1,
            "urgent": 0.05,
            "needs_answer": 0.1,
            "label": "neutral",
            "kind": "chatter",
            "reading": {"harm": [], "scorer": "en/vader-1"},
            "because": [],
            "file_version": "4f1c09d2aa31",
        }
        row |= more
        self.connection.execute(insert(MESSAGE), [row])
        self._count(row["channel"], row["hour"])
        search.index(self.connection, [(number, fold(text).text)])
        if event:
            happened = {
                "at": at,
                "kind": "message",
                "channel": row["channel"],
                "team": row["team"],
                "message_id": number,
            }
            events.append(self.connection, [happened | {"case_id": row["case_id"]}])
        return number

    def case(
        self,
        text: str,
        *,
        author: str = "Ann",
        ago: float = 10,
        priority: str = "P3",
        team: str = "care",
        due_in: float = 60,
        rule: str = "negative",
        detail: str = "",
        words: tuple[str, ...] = (),
        acknowledged: bool = True,
        said: dict[str, Any] | None = None,
        follow_up: str = "",
        **more: Any,
    ) -> int:
        """A message that was routed, its case and its acknowledgement."""
        at, number = self.at(ago), new_id(self.at(ago))
        spans = [[text.index(word), text.index(word) + len(word)] for word in words]
        because = [
            {"rule": rule, "detail": detail, "spans": spans},
            {"rule": "negative", "detail": "0.82 ≥ 0.6", "spans": []},
        ]
        shared = {"team": team, "priority": priority, "because": because, "author_name": author, "label": "negative"}
        shared |= {
            key: more[key] for key in ("channel", "language", "private", "author_handle", "label") if key in more
        }
        due = self.now + timedelta(minutes=due_in)
        told = {
            "thread": f"chat/{number % 99991}",
            "author_id": f"a{number}",
            "outcome": "routed",
            "kept": None,
            "case_id": number,
            "acknowledgement": "sent" if acknowledged else "suppressed",
            "acknowledgement_reason": None if acknowledged else "harm",
            "negative": 0.82,
            "urgent": 0.64,
            "needs_answer": 0.91,
            "kind": "complaint",
        }
        message = self.message(text, ago=ago, event=False, **{**shared, **told, **(said or {})})
        row: dict[str, Any] = {
            "id": number,
            "ref": ref(number),
            "account": "telegram:1",
            "channel": "telegram-care",
            "thread": f"chat/{number % 99991}",
            "author_id": f"a{number}",
            "author_handle": None,
            "private": False,
            "status": "open",
            "style": "default",
            "assignee": None,
            "lease_until": None,
            "snoozed_until": None,
            "text": text,
            "language": "en",
            "opened_at": at,
            "last_message_id": message,
            "last_customer_at": at,
            "acknowledged_at": at + timedelta(seconds=3) if acknowledged else None,
            "first_answered_at": None,
            "last_answered_at": None,
            "first_answer_due": due,
            "next_answer_due": None,
            "resolution_due": due + timedelta(hours=4),
            "promised_due": due if acknowledged else None,
            "due": due,
            "escalated_at": None,
            "bot_silent": False,
            "resolved_at": None,
            "resolution": None,
            "resolved_by": None,
        }
        row |= shared | more
        self.connection.execute(insert(CASE), [row])
        opened = {"at": at, "kind": "case_opened", "channel": row["channel"], "team": team, "case_id": number}
        events.append(self.connection, [opened | {"message_id": message, "data": {"because": because}}])
        if acknowledged:
            thanks = {
                "zh-Hans": "已收到您的消息（{}），同事会在今天 11:30 前答复您。【自动回复】",
                "zh-Hant": "已收到您的訊息（{}），同事會在今天 11:30 前答覆您。【自動回覆】",
            }
            words_sent = thanks.get(
                row["language"], "We have your message ({}). A colleague answers by 11:30 today. (automatic)"
            )
            self.text(
                words_sent.format(row["ref"]),
                ago=ago - 0.05,
                case_id=number,
                message_id=message,
                locale=row["language"],
            )
        if follow_up:
            again = {**shared, **told, "because": [{"rule": "open case", "detail": "", "spans": []}]}
            again |= {"acknowledgement": "suppressed", "acknowledgement_reason": "cap"}
            self.message(follow_up, ago=ago / 3, event=False, **again)
        return number

    def text(self, text: str, *, ago: float = 0, case_id: int | None = None, **more: Any) -> int:
        """A text of ours in the outbox."""
        at = self.at(ago)
        number = new_id(at)
        row: dict[str, Any] = {
            "id": number,
            "key": f"k{number}",
            "kind": "acknowledgement",
            "account": "telegram:1",
            "target": "telegram-care",
            "channel": "telegram-care",
            "thread": "t",
            "author_id": "a",
            "case_id": case_id,
            "message_id": None,
            "priority": "P3",
            "style": "default",
            "locale": "en",
            "wording": 0,
            "text": text,
            "envelope": {},
            "state": "sent",
            "reason": None,
            "attempts": 1,
            "created_at": at,
            "due_at": at,
            "stale_at": None,
            "claimed_at": at,
            "settled_at": at,
            "receipt": None,
            "actor": None,
            "seen_message_id": None,
        }
        self.connection.execute(insert(OUTBOX), [row | more])
        return number

    def morning(self) -> None:
        """Everything that the pictures show, oldest first, as it came in."""
        for put in sorted([*CASES, *CALM], key=lambda one: -float(one["ago"])):
            if "priority" in put or "due_in" in put:
                self.case(**put)
            else:
                self._calm(**put)
        self._books()

    def _calm(self, text: str, *, ago: float, sent: dict[str, Any] | None = None, **more: Any) -> None:
        state = sent.get("state") if sent else None
        if sent and state:
            outcome = {"approve": "pending"}.get(state, state)
            more |= {"acknowledgement": outcome, "acknowledgement_reason": sent.get("reason")}
        number = self.message(text, ago=ago, **more)
        if sent:
            self.text(**{"ago": ago - 0.1, "message_id": number, **sent})

    def history(self) -> None:
        """Two days of ordinary traffic, so that charts and figures look like a working week."""
        for hours in range(47, 0, -1):
            for turn in range(2 + (hours * 7) % 9 + (8 if hours % 24 in range(6, 15) else 0)):
                ago = hours * 60 + 7 * turn % 53
                if turn % 4 == 0:
                    done: dict[str, Any] = {
                        "status": "resolved",
                        "resolved_at": self.at(ago - 20),
                        "resolution": "answered",
                        "due": None,
                    }
                    self.case("where is my bag?", ago=ago, resolved_by="Lin Mei", **done)
                else:
                    channel = ("telegram-care", "x-mentions")[turn % 2]
                    self.message(
                        "lovely flight", ago=ago, channel=channel, kept=("calm", "calm", "muted", "calm")[turn % 4]
                    )

    def _count(self, channel: str, hour: datetime, duplicates: int = 0) -> None:
        """As a listener counts what it received."""
        tally = TALLY.c
        statement = upsert(
            self.connection,
            TALLY,
            lambda new: {"received": tally.received + new.received, "duplicates": tally.duplicates + new.duplicates},
        )
        row = {"channel": channel, "hour": hour, "received": duplicates or 1, "duplicates": duplicates}
        self.connection.execute(statement, row)

    def _books(self) -> None:
        """Two duplicates, and a gap."""
        self._count("telegram-care", self.now.replace(minute=0, second=0, microsecond=0), duplicates=2)
        gap = {"id": new_id(self.now), "channel": "telegram-care", "since": self.at(4000), "until": self.at(2500)}
        reason = "we were away for longer than the platform keeps messages"
        self.connection.execute(insert(GAP), [gap | {"reason": reason, "count": None}])
