"""A small file and a calm reading, on which the tests of decisions make one thing different."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from config.folding import fold
from config.schema import Care
from connectors.api import Author, Message
from routing.decide import Decision, History, Rules, decide
from sentiment.api import Reading

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)  # a Monday noon in Shanghai
CALM = Reading(
    language="en",
    compound=0.0,
    negative=0.1,
    urgent=0.1,
    needs_answer=0.1,
    label="neutral",
    harm=(),
    kind="chatter",
    addressed="to_us",
    scorer="test",
)
FILE: dict[str, Any] = {
    "version": 1,
    "brand": {"name": "Acme Air"},
    "timezone": "Asia/Shanghai",
    "channels": {"x-mentions": {"kind": "x"}, "hk": {"kind": "telegram", "calendar": "hk-office"}},
    "keywords": {"fraud": {"en": ["stolen card"], "zh": ["盗刷"]}, "refund": {"any": ["refund", "退款"]}},
    "people": {"press": ["x:77", "x:@Reporter"]},
    "calendars": {"office": {"hours": {"mon-fri": "09:00-18:00"}}, "hk-office": {"hours": {"mon-fri": "10:00-19:00"}}},
    "teams": {"care": {}, "payments": {}, "night": {"calendar": "always"}},
    "deadlines": {
        "P1": {"first_answer": "15m", "resolve": "4h", "calendar": "always"},
        "P3": {"first_answer": "4h", "resolve": "2d", "calendar": "office"},
    },
}


def care(*routes: dict[str, Any], **root: Any) -> Care:
    route = {"team": "care", "priority": "P3", "acknowledge": "default", **root, "routes": list(routes)}
    return Care.model_validate({**FILE, "route": route})


FRAUD = {"name": "fraud", "when": {"keywords": "fraud"}, "team": "payments", "priority": "P1", "acknowledge": "urgent"}
PLAIN = Rules.compile(care(FRAUD))
NOBODY = History()
ANA = Author(id="9", name="Ana")


def told(
    text: str = "hello there",
    rules: Rules = PLAIN,
    *,
    history: History = NOBODY,
    channel: str = "x-mentions",
    connector: str = "x",
    now: datetime = NOW,
    author: Author = ANA,
    private: bool = False,
    mentions_us: bool | None = True,
    **reading: Any,
) -> Decision:
    message = Message(
        id="1", author=author, text=text, sent_at=now, thread="t", private=private, mentions_us=mentions_us
    )
    hits = rules.keywords.search(fold(text), now.date())
    return decide(
        message, replace(CALM, **reading), hits, rules, history, channel=channel, connector=connector, now=now
    )


def reasons(decision: Decision) -> list[str]:
    return [str(because) for because in decision.because]


def route(name: str, when: dict[str, Any] | None = None, *children: dict[str, Any], **keys: Any) -> dict[str, Any]:
    return {"name": name, "when": when or {}, "routes": list(children), **keys}
