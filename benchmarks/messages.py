"""Messages for the benchmark: seeded, mixed English and Chinese, one in ten naming a problem."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from opencc import OpenCC

from benchmarks.words import THINGS, THINGS_ZH, problems

__all__ = ["BLOCK", "generate"]

BLOCK = 10
"""One message in each block of so many names a problem."""
START = datetime(2026, 1, 1, tzinfo=UTC)
PEOPLE = 5_000

CITIES = "Madrid Porto Lisbon Oslo Vienna Prague Athens Taipei Osaka Seoul Lima Quito Cairo Tunis Perth Cork".split()
CITIES_ZH = "上海 北京 广州 成都 西安 昆明 台北 高雄 香港 澳门 东京 首尔 曼谷 新加坡 马德里 里斯本".split()
DAYS = ["this morning", "on Monday", "last night", "on Sunday", "an hour ago", "on the 14th", "yesterday", "in May"]
DAYS_ZH = ["今天早上", "周一", "昨晚", "周日", "一小时前", "十四号", "昨天", "五月"]
WHO = ["my sister", "my boss", "the kids", "a friend of mine", "our whole team", "my neighbour", "grandma", "we"]
WHO_ZH = ["我妹妹", "老板", "孩子们", "我一个朋友", "我们全组", "邻居", "奶奶", "我们"]
QUIET = ["fine", "quiet", "as usual", "nicely done", "quick", "okay", "new", "simple", "a pleasant surprise", "warm"]
QUIET_ZH = ["还行", "很安静", "跟平时一样", "挺周到", "很快", "可以", "是新的", "简简单单", "有点惊喜", "挺暖和"]
SYLLABLES = "ba ce di fo gu ha jo ka li mu na po ra se ti vo wa yu ze lin tor mar del".split()
SYLLABLES_ZH = list("安博晨丹恩芳冠海吉佳凯兰明宁欧佩奇若思涛文夏言泽")
MOOD = ["", "", "", " 😀", " 👍", "!", "...", " 🙂", " :)", " lol"]

ENGLISH = [
    "Flew from {city} to {other} {day} and the {thing} was {quiet}{mood}",
    "{who} went through {city} {day}, nothing to report, the {thing} felt {quiet}{mood}",
    "Small note about the {thing} on the way to {city}: {quiet}, thanks to the crew {day}{mood}",
    "We spent {day} between {city} and {other}; {who} liked the {thing}{mood}",
    "@acmeair the {thing} in {city} looked {quiet} {day}, and the view over {other} was lovely{mood}",
    "Reading about the new {thing} while waiting in {city}, {day} there was hardly anybody around{mood}",
]
CHINESE = [
    "{day}从{city}飞到{other}，{thing}{quiet}{mood}",
    "{day}带{who}路过{city}，{thing}{quiet}，一路顺利{mood}",
    "说说去{city}路上的{thing}：{quiet}，{day}的机组挺热情{mood}",
    "{day}在{city}和{other}之间转了一圈，{who}很喜欢那个{thing}{mood}",
    "@acmeair {city}的{thing}{day}看着{quiet}，窗外的{other}很美{mood}",
    "在{city}候机的时候看到新的{thing}，{day}人不多{mood}",
]
TROUBLE = [
    "@acmeair {day} in {city}: {phrase}. Booking {code}, flight to {other}, please have a look.",
    "Another {phrase} {day}, {who} noticed it in {city} and asked at the desk in {other}. Booking {code}.",
]
TROUBLE_ZH = [
    "@acmeair {day}在{city}，{phrase}，订单{code}，飞{other}的，请看一下",
    "{day}{phrase}，{who}在{city}发现的，到{other}问了柜台，订单{code}",
]
PRIVATE = [" card 4242 4242 4242 4242", " mail me: someone@example.com", " call +1 202 555 0143"]


def generate(count: int, seed: int = 7) -> Iterator[bytes]:
    """`count` replayed messages, one JSON object a line; the same for the same seed."""
    maker = _Maker(random.Random(seed))
    for number in range(count):
        yield json.dumps(maker.message(number), ensure_ascii=False).encode() + b"\n"


class _Maker:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._traditional = OpenCC("s2t").convert
        self._phrases, self._phrases_zh = problems(400)
        self._next = 0

    def message(self, number: int) -> dict[str, object]:
        """Who has a problem is new each time, so that each is a case of its own; the others come back."""
        chance = self._chance
        if number % BLOCK == 0:
            self._next = number + chance.randrange(BLOCK)
        trouble = number == self._next
        person = f"n{number}" if trouble else f"p{chance.randrange(PEOPLE)}"
        return {
            "id": f"m{number}",
            "channel": "mentions" if chance.random() < 0.7 else "reviews",
            "text": self._text(trouble=trouble),
            "author": {"id": person, "name": f"Ana {person}", "followers": chance.randrange(2_000)},
            "sent_at": (START + timedelta(milliseconds=50 * number)).isoformat(),
            "thread": f"t{number}" if trouble else f"t{chance.randrange(PEOPLE)}",
        }

    def _text(self, *, trouble: bool) -> str:
        chance = self._chance
        language = chance.choices(("en", "zh-Hans", "zh-Hant"), (60, 25, 15))[0]
        sentences = [self._sentence(language, trouble=False) for _ in range(chance.choice((1, 1, 2)))]
        if trouble:
            sentences[0] = self._sentence(language, trouble=True)
        text = (". " if language == "en" else "。").join(sentences)
        if chance.random() < 0.03:
            text += chance.choice(PRIVATE)
        return self._traditional(text) if language == "zh-Hant" else text

    def _somebody(self, *, english: bool) -> str:
        """Half of them under a made-up name, so that no vocabulary is ever complete."""
        chance = self._chance
        if chance.random() < 0.5:
            return chance.choice(WHO if english else WHO_ZH)
        return "".join(chance.choices(SYLLABLES if english else SYLLABLES_ZH, k=3)).capitalize()

    def _sentence(self, language: str, *, trouble: bool) -> str:
        chance, english = self._chance, language == "en"
        forms = (TROUBLE if english else TROUBLE_ZH) if trouble else (ENGLISH if english else CHINESE)
        city, other = chance.sample(CITIES if english else CITIES_ZH, 2)
        return chance.choice(forms).format(
            city=city,
            other=other,
            day=chance.choice(DAYS if english else DAYS_ZH),
            who=self._somebody(english=english),
            thing=chance.choice(THINGS if english else THINGS_ZH),
            quiet=chance.choice(QUIET if english else QUIET_ZH),
            phrase=chance.choice(self._phrases if english else self._phrases_zh),
            mood=chance.choice(MOOD),
            code=f"A{chance.randrange(36**5):05X}",
        )
