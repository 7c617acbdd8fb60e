"""Rules of lint: keyword lists, `text:` expressions and their examples."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from config.document import Node, Path
from config.expressions import Expression, ExpressionError, Pattern, Phrase
from config.folding import fold
from config.keywords import Keywords, compile_entry
from config.report import Report, branches, conditions
from config.schema import Care, KeywordList

__all__ = ["check_entry", "check_vocabulary", "expressions_of"]

_SECTIONS = ("en", "zh", "any", "except")
_CHINESE_OPERATOR = re.compile(r"\S\s+(和|与|與|或|或者|非|且|及)\s+\S")
_OPERATOR_OF = {"和": "AND", "与": "AND", "與": "AND", "且": "AND", "及": "AND", "或": "OR", "或者": "OR", "非": "NOT"}
_SEVERAL = re.compile(r"[,;]\s*\S")
_NEVER_EXPIRED = date.min


def expressions_of(care: Care) -> tuple[str, ...]:
    """Every `text:` expression of the routes, as `Keywords.compile` takes them."""
    return tuple(dict.fromkeys(text for _, texts in _texts(care) for text in texts))


def check_vocabulary(care: Care, report: Report, today: date | None) -> None:
    before = len(report.findings)
    for name, keyword_list in care.keywords.items():
        _list(report, name, keyword_list)
        if today is not None and keyword_list.until is not None and keyword_list.until < today:
            report.warning(
                ("keywords", name, "until"),
                "expired",
                f"`{name}` ended on {keyword_list.until}",
                "remove the list, or move the date",
            )
    for path, texts in _texts(care):
        for index, text in enumerate(texts):
            check_entry(report, (*path, index), text)
    _unused(care, report)
    if not any(finding.level == "error" for finding in report.findings[before:]):
        _examples(care, report)


def _texts(care: Care) -> Iterator[tuple[Path, tuple[str, ...]]]:
    for branch in branches(care):
        if branch.when is not None:
            yield from (
                ((*path, "text"), condition.text)
                for path, condition in conditions((*branch.path, "when"), branch.when)
                if condition.text
            )


def _list(report: Report, name: str, keyword_list: KeywordList) -> None:
    if not keyword_list.entries:
        report.error(
            ("keywords", name), "empty-list", f"`{name}` has no keyword", "add `en:`, `zh:` or `any:`", key=True
        )
    seen: dict[str, str] = {}
    for section in _SECTIONS:
        for index, entry in enumerate(getattr(keyword_list, "exceptions" if section == "except" else section)):
            path = ("keywords", name, section, index)
            expression = check_entry(report, path, entry)
            if section == "except" or not isinstance(expression, Phrase):
                continue
            folded = fold(expression.text).text + "*" * expression.prefix
            if folded in seen:
                report.warning(
                    path,
                    "same-keyword",
                    f"`{entry}` is the same keyword as `{seen[folded]}` above",
                    "remove it: letter case, width and Chinese script do not matter",
                )
            seen.setdefault(folded, entry)
            if len(folded) == 1 and not keyword_list.single:
                report.warning(
                    path,
                    "one-character",
                    f"`{entry}` lives inside many words",
                    "use a longer keyword, or say `single: true` in the list",
                )


def check_entry(report: Report, path: Path, entry: str) -> Expression | None:
    """One entry as `Keywords.compile` would take it; None, and a finding, where it would not."""
    if "\n" in entry.strip() or "\t" in entry:
        report.error(path, "several-keywords", "one entry holds a whole list", "write each keyword behind its own `- `")
        return None
    try:
        expression = compile_entry(entry)
    except ExpressionError as error:
        rule = "full-width" if error.what.startswith("full-width") else "bad-expression"
        offset = _offset(report.root.at(path).node, entry, error.position)
        report.error(path, rule, error.what, error.way_out, offset=offset)
        return None
    if not isinstance(expression, Pattern):
        _doubtful(report, path, entry)
    return expression


def _doubtful(report: Report, path: Path, entry: str) -> None:
    unquoted = re.sub('"[^"]*"', '""', entry)
    if found := _CHINESE_OPERATOR.search(unquoted):
        report.warning(
            path,
            "chinese-operator",
            f"`{found[1]}` is read as a word of the keyword",
            f"write {_OPERATOR_OF[found[1]]}, or quote the keyword",
        )
    if found := _SEVERAL.search(unquoted):
        report.warning(
            path,
            "several-keywords",
            f"`{entry}` is read as one keyword, `{found[0][0]}` included",
            "write each keyword as an item of its own, or quote it",
        )


def _offset(node: Node, entry: str, position: int) -> int:
    """How far into the value the fault stands, where it is written on one line as it is read."""
    return position + (not node.plain) if node.value == entry and "\\" not in entry else 0


def _unused(care: Care, report: Report) -> None:
    used = {
        name
        for branch in branches(care)
        if branch.when is not None
        for _, condition in conditions((), branch.when)
        for name in condition.keywords
    }
    for name in care.keywords:
        if name not in used:
            report.warning(
                ("keywords", name),
                "unused-keywords",
                f"no route uses the keyword list `{name}`",
                f"add `when: {{keywords: [{name}]}}` to a route, or remove the list",
                key=True,
            )


def _examples(care: Care, report: Report) -> None:
    """The lists' own examples, whatever their `until` says."""
    if not any(k.should_match or k.should_not_match for k in care.keywords.values()):
        return
    keywords = Keywords.compile(care.keywords)
    for name, keyword_list in care.keywords.items():
        for index, text in enumerate(keyword_list.should_match):
            if name not in keywords.search(fold(text), _NEVER_EXPIRED).lists:
                report.error(
                    ("keywords", name, "should_match", index),
                    "failing-example",
                    f"`{name}` does not match `{text}`",
                    "add the keyword that is missing, or see `except`",
                )
        for index, text in enumerate(keyword_list.should_not_match):
            hits = keywords.search(fold(text), _NEVER_EXPIRED).lists.get(name, ())
            if hits:
                shown = ", ".join(f"`{text[start:end]}`" for start, end in hits)
                report.error(
                    ("keywords", name, "should_not_match", index),
                    "failing-example",
                    f"`{name}` matches `{text}` at {shown}",
                    "narrow the keyword, or add an `except`",
                )
