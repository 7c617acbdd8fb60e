"""Writes the configuration of the benchmark: `python -m benchmarks.care 500 > benchmarks/care.yaml`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from benchmarks.words import PROBLEM_LISTS, keywords, problems, topics

__all__ = ["care"]

HEAD = """\
# {count} keywords. Messages that name a problem are routed, and all of those are acknowledged (to a recording sink);
# messages that only name a thing are not. Written by `python -m benchmarks.care {count}`; do not edit by hand.
version: 1
brand: {{name: Acme Air, handles: ["@acmeair"], languages: [en, zh-Hans, zh-Hant]}}
timezone: UTC
channels:
  mentions: {{kind: replay}}
  reviews: {{kind: replay}}
keywords:
"""
TAIL = """\
route:
  team: care
  acknowledge: default
  keep: {{negative: null, urgent: null, needs_answer: null}}
  routes:
{routes}
    - {{name: things, when: {{keywords: things, followers: 100000000}}, priority: P4}}
acknowledge:
  mode: send
  caps:
    per_thread: 999999 per 24h
    per_person: 999999 per 24h
    per_channel: 999999 per 1m
    overall: 999999 per 1m
  too_old: never
  kinds: [complaint, question, request, praise, chatter]
  styles:
    default:
      en:
        - "{{name}}, we have your message ({{ref}}). A colleague answers by {{due}}."
        - "We have your message ({{ref}}). A colleague answers by {{due}}."
      zh-Hans: ["您的消息已收到（{{ref}}），同事会在{{due}}前回复您。"]
      zh-Hant: ["您的訊息已收到（{{ref}}），同仁會在{{due}}前回覆您。"]
teams: {{care: {{}}, desk: {{}}}}
"""


def care(count: int) -> str:
    """The file with `count` keywords: one in five (at most 190) a thing, the others problems in eight lists."""
    often = min(count // 5, 190)
    lists = [("things", *topics(often))]
    english, chinese = problems(count - often)
    lists += [(f"problem_{n}", english[n::PROBLEM_LISTS], chinese[n::PROBLEM_LISTS]) for n in range(PROBLEM_LISTS)]
    assert sum(len(en) + len(zh) for _, en, zh in lists) == len(keywords(count))
    return HEAD.format(count=count) + "".join(map(_list, lists)) + TAIL.format(routes="\n".join(_routes()))


def _list(entry: tuple[str, Sequence[str], Sequence[str]]) -> str:
    name, english, chinese = entry
    return f"  {name}:\n    en: {_flow(english)}\n    zh: {_flow(chinese)}\n"


def _flow(words: Sequence[str]) -> str:
    return json.dumps(list(words), ensure_ascii=False)


def _routes() -> list[str]:
    return [
        f"    - {{name: problem-{n}, when: {{keywords: problem_{n}}}, team: desk, priority: P{n % 3 + 2}}}"
        for n in range(PROBLEM_LISTS)
    ]


if __name__ == "__main__":
    sys.stdout.write(care(int(sys.argv[1]) if len(sys.argv) > 1 else 500))
