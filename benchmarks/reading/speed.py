"""Messages a second of one core, by the time of the process; and the slowest single text of a hostile list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from time import process_time
from typing import Any

from benchmarks.reading.contenders import Contender

__all__ = ["Speed", "hostile", "slowest", "speed"]

ROUNDS = 5
LONG = 50_000
READ = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """The median of the rounds, by pool of texts. The slowest text is looked for of heedful's own readers alone."""

    contender: str
    messages_per_second: Mapping[str, float]
    slowest_ms: float | None = None
    slowest_on: str | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def speed(contenders: Sequence[Contender], texts: Sequence[str]) -> dict[str, float]:
    """By name. Each round measures all in turns, over texts that no round before had: a memo of texts helps nobody."""
    found: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for contender in contenders:
        contender.judge(["Hello there", "你好", "こんにちは"])
    for start in range(ROUNDS):
        chosen = texts[start::ROUNDS]
        for contender in contenders:
            found[contender.name].append(len(chosen) / max(1e-9, _seconds(contender, chosen)))
    return {name: median(rates) for name, rates in found.items()}


def _seconds(contender: Contender, texts: Sequence[str]) -> float:
    began = process_time()
    contender.judge(texts)
    return process_time() - began


def slowest(contender: Contender, texts: dict[str, str]) -> tuple[float, str]:
    """Milliseconds and name. Each text is met once, as from a stranger: what was remembered of it does not help."""
    found = {name: _seconds(contender, [text]) * 1e3 for name, text in texts.items()}
    name = max(found, key=found.__getitem__)
    return found[name], name


def hostile() -> dict[str, str]:
    """What somebody could send to keep a reader busy; each is as long as a platform may let through."""
    parts = {
        "one letter": "a",
        "one Han character": "差",
        "exclamation marks": "!",
        "question marks, full width": "？",
        "phone numbers": "+1 202 555 0143 ",
        "card numbers": "4242 4242 4242 4242 ",
        "digits and dashes": "1-2-3-",
        "emoji": "😡🤬👎🏽👨‍👩‍👧‍👦",
        "bracket faces": "[微笑][裂开]",
        "not, without end": "not ",
        "words of mood": "not very good but really awful, never bad ",
        "combining marks": "e\u0301\u0302\u0303",
        "Zalgo": "z\u0300\u0316\u0334\u035c",
        "invisible characters": "b\u200b\u200d\u2060",
        "right-to-left marks": "\u202eabc\u202c",
        "look-alikes": "реfund ",
        "brackets": "([{",
        "quotes": "\"'“‘",
        "blanks": " \t\u3000",
        "line breaks": "x\n\n",
        "mentions and links": "@acme https://example.org/?a=%20 ",
        "Hangul": "환불해 주세요 ",
        "Arabic": "أريد استرداد أموالي ",
        "Thai, unbroken": "บริการแย่มากไม่ประทับใจเลย",
        "kana": "返金してください。サービスが最悪です。",
        "script by script": "aあ가差аب",
    }
    texts = {name: (part * (LONG // len(part) + 1))[:LONG] for name, part in parts.items()}
    dense = "我等了三个小时都没有人理我退款也不给客服态度差极了真的太失望了再也不会来了请你们尽快处理谢谢"
    texts["dense Chinese, 2,000 characters"] = (dense * 50)[:READ]
    texts["dense traditional Chinese, 2,000 characters"] = (
        "櫃檯說沒有這筆訂單，退款等了兩個月，態度很差，傻眼。" * 99
    )[:READ]
    texts["different Han characters"] = "".join(map(chr, range(0x4E00, 0x4E00 + 20_000)))
    texts["different emoji"] = "".join(map(chr, range(0x1F300, 0x1F6FF))) * 20
    texts["different words"] = " ".join(f"w{number:x}ing" for number in range(LONG // 8))
    return texts
