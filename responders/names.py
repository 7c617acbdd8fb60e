"""A customer's name, before we say it in public: names are written by strangers. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from functools import lru_cache
from itertools import pairwise

from config.folding import fold

__all__ = ["graphemes", "usable_name", "well_formed"]

LONGEST = 30
MOST_MARKS = 3
MOST_WORDS = 5
BETWEEN = frozenset(" -'’.·・")

_ONE_SCRIPT = {"CJK": "Han", "HIRAGANA": "Kana", "KATAKANA": "Kana", "HANGUL": "Hangul", "BOPOMOFO": "Bopomofo"}
_TOGETHER = (frozenset({"Han", "Kana"}), frozenset({"Han", "Hangul"}), frozenset({"Han", "Bopomofo"}))
_INNER_DOT = re.compile(r"\.(?=\S)")
_HAN_NUMBER = re.compile("[〇零一二三四五六七八九十壹贰叁肆伍陆柒捌玖幺两]{4}")

FORBIDDEN = (
    "support", "official", "helpdesk", "hotline", "password", "whatsapp", "telegram", "wechat", "paypal",
    "bitcoin", "casino", "http", "dot com", "scammer", "fuck", "bitch", "nigger", "faggot", "hitler",
    "soporte", "oficial", "mierda",
    "客服", "官方", "管理员", "工作人员", "经理", "小助手", "系统", "热线", "电话", "微信", "加我", "加微",
    "转账", "退款", "兼职", "贷款", "赌场", "博彩", "代购", "返利", "红包", "免费", "点击", "骗", "黑心", "垃圾",
    "傻逼", "傻b", "操你", "草泥马", "他妈", "妈的", "去死", "死全家", "杀", "强奸", "婊", "贱", "混蛋", "王八",
    "屌", "撚", "仆街", "冚家",
)  # fmt: skip
"""Words that impersonate, advertise, accuse or insult, in folded form; forbidden anywhere in a name."""

FORBIDDEN_ALONE = frozenset({
    "admin", "service", "refund", "refunds", "crypto", "ww", "click", "scam", "fraud", "thief", "thieves",
    "shit", "cunt", "rape", "rapist", "whore", "nazi", "idiot", "idiots", "kill", "killer", "die", "estafa",
    "puta", "robo", "ladron",
})  # fmt: skip
"""The same, but living inside honest names too: forbidden as a word of its own."""

NOBODY = frozenset({
    "null", "none", "undefined", "unknown", "user", "anonymous", "deleted account", "deleted user", "nobody", "test",
    "用户", "匿名", "匿名用户", "无名", "已注销", "微信用户", "游客",
})  # fmt: skip
"""What a platform shows where there is no name."""


def usable_name(name: str, forbidden: Collection[str]) -> str | None:
    """The name as it may be written into a text, or None: then a wording without {name} is used.

    Usable are letters of one script (Han with kana, hangul or bopomofo count as one), of at most 30
    graphemes and 5 words, with blanks, hyphens, apostrophes, middle dots and dots of initials between
    them. `forbidden` are further words: the brand, competitors, staff, what the file forbids.
    """
    shown = well_formed(name)
    return None if shown is None or _says_forbidden(shown, forbidden) else shown


@lru_cache(maxsize=1024)
def well_formed(name: str) -> str | None:
    """The name tidied, if it has the form of one, whatever it says; otherwise None."""
    if len(name) > LONGEST * (1 + MOST_MARKS) or any(unicodedata.category(c)[0] == "C" for c in name):
        return None
    shown = unicodedata.normalize("NFC", " ".join(name.split()))
    return shown if _formed(shown) and _one_script(shown) and not _HAN_NUMBER.search(shown) else None


def graphemes(text: str) -> int:
    """How many characters a reader sees, marks not counted apart."""
    return sum(not unicodedata.category(c).startswith("M") for c in text)


def _formed(name: str) -> bool:
    """Letters, what may stand between them, and nothing that folds into something else."""
    if not 1 <= graphemes(name) <= LONGEST or name.count(" ") >= MOST_WORDS or not name[0].isalpha():
        return False
    if _INNER_DOT.search(name.replace(". ", "").rstrip(".")):
        return False
    marks = 0
    for character in name:
        category = unicodedata.category(character)
        marks = marks + 1 if category.startswith("M") else 0
        if marks > MOST_MARKS or not (category[0] in "LM" or character in BETWEEN):
            return False
    return unicodedata.normalize("NFKC", name) == name and _letters_apart(name)


def _letters_apart(name: str) -> bool:
    """No two signs in a row, but for a dot or a blank behind the dot of an initial."""
    return not any(a in BETWEEN and b in BETWEEN and (a, b) != (".", " ") for a, b in pairwise(name))


def _one_script(name: str) -> bool:
    scripts = frozenset(map(_script, filter(str.isalpha, name))) - {""}
    return len(scripts) == 1 or any(scripts <= together for together in _TOGETHER)


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    """The first word of a letter's Unicode name is its script; prolonged sound marks belong to any."""
    words = unicodedata.name(letter, "UNNAMED").split()
    if "PROLONGED" in words or letter in "々〆":
        return "" if "PROLONGED" in words else "Han"
    return _ONE_SCRIPT.get(words[0], words[0].title())


def _says_forbidden(name: str, forbidden: Collection[str]) -> bool:
    text = fold(name).text
    joined = "".join(filter(str.isalpha, text))
    words = frozenset(text.replace("-", " ").split())
    if text in NOBODY or joined in NOBODY or not FORBIDDEN_ALONE.isdisjoint({*words, joined}):
        return True
    if any(word in text or word in joined for word in FORBIDDEN):
        return True
    return any(_contains(word, text, joined, words) for word in _folded(tuple(forbidden)))


@lru_cache(maxsize=16)
def _folded(words: tuple[str, ...]) -> tuple[str, ...]:
    """Entries such as `@acmeair` or `telegram:@lin` without what is not a name in them."""
    names = (fold(word).text.rpartition(":")[2].strip("@ ") for word in words)
    return tuple(name for name in names if any(map(str.isalpha, name)))


def _contains(word: str, text: str, joined: str, words: Collection[str]) -> bool:
    """Long words anywhere, spelled apart too; one Han character or three Latin letters only as a word of their own."""
    if len(word) == 1 or (word.isascii() and len(word) <= 3):
        return word in words or word == joined
    return word in text or "".join(filter(str.isalpha, word)) in joined
