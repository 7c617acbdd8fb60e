"""A recording whose books are known before it is played: every line is made to become one thing."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

__all__ = ["CARE", "Recording", "recording"]

CARE = """
version: 1
brand: {name: Acme Air, handles: ["@acmeair"], staff: ["replay:staff"]}
keywords:
  fraud: {en: [stolen card], zh: [盗刷]}
route:
  team: care
  acknowledge: default
  routes:
    - {name: fraud, when: {keywords: [fraud]}, team: payments, priority: P1}
acknowledge:
  mode: send
  too_old: never
  caps: {per_thread: 9 per 24h, per_person: 9 per 24h, per_channel: 900000 per 1m, overall: 900000 per 1m}
  styles:
    default:
      en: ["We have your message ({ref}). A colleague answers by {due}."]
      zh-Hans: ["收到（{ref}），同事会在{due}前回复您。"]
      zh-Hant: ["收到（{ref}），同仁會在{due}前回覆您。"]
teams: {care: {}, payments: {}}
"""
START = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
FAR = 800
"""Lines after which a text has surely left, whatever the size of a batch."""
BROKEN: tuple[Callable[[int], bytes], ...] = (
    lambda n: b'{"id": "%d", "channel": ' % n,
    lambda n: b'{"id": "%d", "channel": "chat", "author": {"id": "1"}, "sent_at": "2026-05-01T08:00:00Z"}' % n,
    lambda n: b'{"id": "%d", "text": "\xff\xfe stolen card"}' % n,
    lambda n: b'{"id": "%d", "channel": "chat", "text": "a raw \x00 byte"}' % n,
    lambda n: b"[%d]" % n,
    lambda n: b"%d" % (10**25 + n),
    lambda n: b"not JSON at all \x1b[31m %d" % n,
    lambda n: (
        b'{"id": "%d", "channel": "chat", "text": "x", "author": {"id": "1", "name": "A"}, "sent_at": "once"}' % n
    ),
    lambda n: b'{"id": "%d", "channel": "chat", "text": 7, "author": {"id": "1", "name": "A"}, "sent_at": 1}' % n,
    lambda n: b"[" * 2000 + b"%d" % n,
)
ROUTED = (
    "somebody used my stolen card {n}",
    "我的卡被盗刷了 {n}",
    "stolen card\x00 {n}",
    "stolen card \ud83d {n}",
    "我的卡被盜刷了 {n} 🔥",
)
CALM = ("the sky is blue {n}", "今天是星期三 {n}", "\x00 the sky is blue \udfff {n}", "\u202ethe sky is blue {n}")


@dataclass
class Recording:
    """`lines` as they stand in the file; `books` as they must come out; `channels` how many are stored in each."""

    lines: list[bytes] = field(default_factory=list)
    books: Counter[str] = field(default_factory=Counter)
    channels: Counter[str] = field(default_factory=Counter)

    def expected(self) -> dict[str, Any]:
        books = self.books
        stored = books["routed"] + books["kept"]
        return {
            "received": len(self.lines),
            "duplicates": books["duplicates"],
            "quarantined": books["quarantined"],
            "stored": stored,
            "routed": books["routed"],
            "kept": books["kept"],
            "acknowledgements": {
                "due": stored,
                "sent": books["sent"],
                "suppressed": stored - books["sent"],
                "refused": 0,
                "unknown": 0,
                "pending": 0,
            },
        }


Original = tuple[int, dict[str, Any], bytes]


class _Maker:
    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._originals: dict[str, list[Original]] = {"routed": [], "calm": []}
        self._broken: list[bytes] = []
        self.made = Recording()

    def add(self, number: int) -> None:
        """One more line; what has no original to refer to yet becomes an original."""
        kinds = {"routed": 30, "calm": 30, "again": 15, "edit": 5, "delete": 5, "broken": 6, "broken again": 2}
        what = self._random.choices((*kinds, "own", "bot"), (*kinds.values(), 4, 3))[0]
        if what in {"routed", "calm"} or (what in {"again", "edit", "delete"} and not self._old(number)):
            self._original(number, "calm" if what == "calm" else "routed")
        elif what in {"again", "edit", "delete"}:
            self._later(what, number)
        elif what.startswith("broken"):
            self._break(number, again=what == "broken again")
        else:
            self._voice(what, number)

    def _put(self, raw: bytes, *became: str, channel: str | None = None) -> bytes:
        self.made.lines.append(raw)
        self.made.books.update(became)
        if channel:
            self.made.channels[channel] += 1
        return raw

    def _store(self, message: dict[str, Any], *became: str) -> bytes:
        odd = any("\ud800" <= character <= "\udfff" for character in message["text"])
        raw = json.dumps(message, ensure_ascii=odd or self._random.random() < 0.5).encode()
        return self._put(raw, *became, channel=message["channel"])

    def _message(self, number: int, text: str) -> dict[str, Any]:
        return {
            "id": f"m{number}",
            "channel": self._random.choice(("chat", "forum", "留言")),
            "text": text.format(n=f"x{number}"),
            "author": {"id": f"a{number}", "name": "\x1b[31mEvil\x07[/b]"},
            "sent_at": (START + timedelta(seconds=number)).isoformat(),
            "thread": f"t{number}",
        }

    def _original(self, number: int, kind: str) -> None:
        text = self._random.choice(ROUTED if kind == "routed" else CALM)
        message = self._message(number, text)
        raw = self._store(message, *(("routed", "sent") if kind == "routed" else ("kept",)))
        self._originals[kind].append((number, message, raw))

    def _old(self, number: int) -> list[tuple[str, Original]]:
        """The oldest of each kind, where it is old enough."""
        firsts = [(kind, found[0]) for kind, found in self._originals.items() if found]
        return [(kind, original) for kind, original in firsts if original[0] < number - FAR]

    def _later(self, what: str, number: int) -> None:
        """Each original is edited or deleted once at most; what was repeated may still be either."""
        kind, original = self._random.choice(self._old(number))
        message = original[1]
        if what == "again":
            anyone = self._random.choice(self._originals[kind])  # also one of this very batch
            self._put(anyone[2], "duplicates")
            return
        self._originals[kind].remove(original)
        later = {**message, "revision": "2", "sent_at": (START + timedelta(seconds=number)).isoformat()}
        if what == "edit":
            self._store({**later, "text": message["text"] + " (edited)"}, "routed" if kind == "routed" else "kept")
        else:
            self._store({**later, "text": "", "deleted": True}, "kept")

    def _break(self, number: int, *, again: bool) -> None:
        if again and self._broken:
            self._put(self._random.choice(self._broken), "duplicates")
            return
        raw = self._random.choice(BROKEN)(number)
        self._broken.append(self._put(raw, "quarantined"))

    def _voice(self, what: str, number: int) -> None:
        message = self._message(number, "stolen card of {n}")
        message["author"] |= {"id": "staff"} if what == "own" else {"bot": True}
        self._store(message, "kept")


def recording(count: int, seed: int = 1) -> Recording:
    """`count` lines, in the order of their times."""
    maker = _Maker(seed)
    for number in range(count):
        maker.add(number)
    return maker.made
