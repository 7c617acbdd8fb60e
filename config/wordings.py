"""Rules of lint: acknowledgement texts promise nothing that nobody keeps, and read well."""

from __future__ import annotations

import re
from collections.abc import Iterator

from config.document import Path, half_width
from config.findings import did_you_mean
from config.folding import simplify
from config.report import Branch, Report, branches
from config.schema import Care, Deadline, Route, Style

__all__ = ["FIELDS", "check_wordings"]

FIELDS = ("name", "ref", "due", "brand", "team")
_FIELD = re.compile(r"\{([^{}]*)\}")
_BRACE = re.compile(r"[{}｛｝]")
_DUE = "{due}"
_HALF_WIDTH_AFTER_CHINESE = re.compile(r"[\u3400-\u9fff][,;:!?.](?!\w)")
_HAN = re.compile(r"[\u3400-\u9fff]")

_FOREIGN_TERMS: dict[str, dict[str, str]] = {
    "zh-Hant": {
        "信息": "訊息", "視頻": "影片", "軟件": "軟體", "網絡": "網路", "短信": "簡訊", "質量": "品質",
        "默認": "預設", "屏幕": "螢幕", "打印": "列印",
    },
    "zh-Hant-HK": {"信息": "訊息", "視頻": "影片", "軟體": "軟件", "網路": "網絡", "簡訊": "短訊", "列印": "打印"},
    "zh-Hans": {"简讯": "短信", "软体": "软件", "网路": "网络", "萤幕": "屏幕", "列印": "打印"},
}  # fmt: skip


def check_wordings(care: Care, report: Report) -> None:
    for name, style in care.acknowledge.styles.items():
        path = ("acknowledge", "styles", name)
        if not style.wordings:
            report.error(
                path, "no-wording", f"the style `{name}` has no text", "add at least one locale with a text", key=True
            )
        for locale, texts in style.wordings.items():
            _locale(report, (*path, locale), locale, texts)
    _promises(care, report)
    _languages(care, report)


def _locale(report: Report, path: Path, locale: str, texts: tuple[str, ...]) -> None:
    for index, text in enumerate(texts):
        _fields(report, (*path, index), text)
        if locale.startswith("zh"):
            _chinese(report, (*path, index), locale, text)
    if all("{name}" in text for text in texts):
        report.error(
            path,
            "no-nameless",
            f"every `{locale}` text uses {{name}}",
            "add a text without {name}, for customers whose name cannot be used",
            key=True,
        )


def _fields(report: Report, path: Path, text: str) -> None:
    for field in _FIELD.findall(text):
        if field not in FIELDS:
            report.error(path, "bad-field", f"`{{{field}}}` is not a field", did_you_mean(field, FIELDS))
    stray = _BRACE.search(_FIELD.sub("", text))
    if stray is None:
        return
    if stray[0] in "｛｝":
        report.error(
            path,
            "full-width",
            f"full-width `{stray[0]}` where a field needs `{{`",
            f"write {half_width(text) if len(text) < 60 else '{name}'}",
        )
    else:
        report.error(path, "bad-field", f"a `{stray[0]}` without its partner", "write a field as {name}")


def _promises(care: Care, report: Report) -> None:
    """A text that says {due} needs a case, and a deadline of which {due} can be told."""
    for branch in branches(care):
        style = care.acknowledge.styles.get(branch.style)
        if style is None or not _promising(style):
            continue
        path = (*branch.path, "acknowledge") if branch.route.acknowledge is not None else branch.path
        if isinstance(branch.route, Route) and branch.route.queue is False and branch.route.acknowledge is not None:
            report.error(
                path,
                "promise-without-case",
                f"`{branch.style}` promises an answer, but this route queues nothing",
                "remove `acknowledge`, or `queue: false`",
            )
        elif not any(deadline.first_answer for deadline in _deadlines(care, branch)):
            report.error(
                path,
                "promise-without-deadline",
                f"`{branch.style}` promises {{due}}, but {branch.priority} has no first_answer here",
                f"add first_answer to `deadlines: {branch.priority}`, or take {{due}} out of the texts",
            )
    keep = care.acknowledge.styles.get(care.route.keep.acknowledge or "")
    if keep is not None and _promising(keep):
        report.error(
            ("route", "keep", "acknowledge"),
            "promise-without-case",
            f"`{care.route.keep.acknowledge}` promises {{due}}, but what is kept has no case",
            "use a style whose texts do not say {due}",
        )


def _promising(style: Style) -> bool:
    return any(_DUE in text for texts in style.wordings.values() for text in texts)


def _deadlines(care: Care, branch: Branch) -> Iterator[Deadline]:
    team = care.teams.get(branch.team)
    for level in (care, *branch.line, *((team,) if team else ())):
        deadline = next((d for p, d in level.deadlines.items() if p == branch.priority), None)
        if deadline is not None:
            yield deadline


def _languages(care: Care, report: Report) -> None:
    for name, style in care.acknowledge.styles.items():
        for language in care.brand.languages:
            if style.wordings and not any(_serves(locale, language) for locale in style.wordings):
                report.warning(
                    ("acknowledge", "styles", name),
                    "missing-language",
                    f"the style `{name}` has no text in `{language}`, a language of the brand",
                    f"add `{language}:`; until then the fallback speaks",
                    key=True,
                )


def _serves(locale: str, language: str) -> bool:
    return locale == language or locale.startswith(language + "-") or language.startswith(locale + "-")


def _chinese(report: Report, path: Path, locale: str, text: str) -> None:
    plain = _FIELD.sub("", text)
    mixed = [c for c in plain if _wrong_script(c, locale)]
    if mixed:
        report.warning(
            path,
            "mixed-script",
            f"`{''.join(dict.fromkeys(mixed))}` is not written so in {locale}",
            "write the text in one script",
        )
    if "您" in plain and "你" in plain:
        report.warning(path, "mixed-address", "the text says both 您 and 你", "keep to one of them")
    if found := _HALF_WIDTH_AFTER_CHINESE.search(plain):
        report.warning(
            path, "half-width", f"half-width `{found[0][-1]}` in a Chinese text", "write ，。！？：； in Chinese texts"
        )
    terms = _FOREIGN_TERMS.get(locale) or _FOREIGN_TERMS["zh-Hant" if locale.startswith("zh-Hant") else "zh-Hans"]
    for term, better in terms.items():
        if term in plain:
            report.warning(path, "foreign-term", f"`{term}` is not said so where {locale} is read", f"write {better}")


def _wrong_script(character: str, locale: str) -> bool:
    """Simplified-only in a traditional text, or the reverse, told by what the old national sets hold."""
    if not _HAN.match(character):
        return False
    if locale.startswith("zh-Hant"):
        return not _holds("big5hkscs", character) or (not _holds("big5", character) and _holds("gb2312", character))
    return simplify(character) != character and not _holds("gb2312", character)


def _holds(codec: str, character: str) -> bool:
    try:
        character.encode(codec)
    except UnicodeEncodeError:
        return False
    return True
