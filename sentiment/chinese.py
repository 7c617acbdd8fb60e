"""Chinese, both scripts: what stands right before a word turns or strengthens it."""

from __future__ import annotations

import re

from sentiment.cues import Hit

__all__ = ["scale"]

_CLAUSE = re.compile(r"[,，。!！?？;；:：、~～\n ]")
_NEGATORS = re.compile(
    r"(?:不|没有|没|沒|未|无|勿|(?<![特个分区级差类性鉴识辨告送离道])别|毋|唔系|唔|冇|无需|并非|并不|不是|不会|不算|不太"
    r"|不够|不怎么|没那么|没啥|没什么|没有什么|从未|从不|从来不|从来没|毫无|不再|谈不上"
    r"|称不上|不至于|唔使|零|免于|不用)"
    r"(?:[很太算那么什么有再会能是被出任何过任]|这么|特别|非常|怎么){0,2}$"
)
_FALSE_NEGATORS = re.compile(
    r"(?:不得不|不仅|不但|不光|不只|没想到|不知道|不是说|是不是|有没有|能不能|会不会"
    r"|好不|不料|差不|不就是|还不|不止|不停|不断|无比|无论|不管|一直不|别提多|别提有多"
    r"|要不|说不定)(?:[很太算那么什么有]|这么|特别|非常){0,2}$"
)
_BOOSTERS = (
    "非常", "特别", "十分", "超级", "超", "极其", "极", "太", "很", "好", "真", "真的",
    "巨", "贼", "老", "最", "更", "相当", "实在", "简直", "完全", "越来越", "无比", "有够",
    "好鬼", "真系", "几咁", "咁", "够晒", "蛮", "挺", "忒", "死", "完完全全", "彻底",
)  # fmt: skip
_DAMPERS = (
    "有点", "有点儿", "有些", "稍微", "略", "稍", "一点", "少少", "有啲", "比较", "还", "尚",
    "不太", "不怎么", "不大", "没那么", "不够", "不是很", "唔系好", "唔太",
)  # fmt: skip
_NEGATING = frozenset("不没沒未无勿别毋唔冇零免并毫谈称至")


def scale(text: str, hit: Hit) -> float:
    """The weight of a Chinese word after the negation and intensity of its clause."""
    weight = hit.weight
    if hit.tag == "emoji":
        return weight
    before = text[max(0, hit.start - 8) : hit.start]
    before = _CLAUSE.split(before)[-1]
    if not before:
        return weight
    negated = not _NEGATING.isdisjoint(before) and _NEGATORS.search(before) is not None
    if not negated and before.endswith(_DAMPERS):
        return weight * 0.75
    if negated and hit.tag != "fail" and not _FALSE_NEGATORS.search(before):
        return weight * (-0.45 if weight < 0 else -0.8)
    return weight * 1.2 if before.endswith(_BOOSTERS) else weight
