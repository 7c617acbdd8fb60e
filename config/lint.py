"""The file's text -> (Care | None, findings). Pure; never raises on any text or bytes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

from config.corrections import check_corrections
from config.document import LARGEST, Node, decode, read
from config.findings import Finding
from config.names import check_names
from config.report import Report
from config.schema import Care
from config.shape import shape
from config.values import check_values, check_variables
from config.vocabulary import check_vocabulary
from config.wordings import check_wordings

__all__ = ["Examined", "examine", "parse"]


@dataclass(frozen=True, slots=True)
class Examined:
    """A file with all that lint knows of it; `care` is there as soon as the shape is right, errors or not."""

    care: Care | None
    findings: tuple[Finding, ...]
    root: Node | None = None


def parse(text: str | bytes, name: str, *, today: date | None = None) -> tuple[Care | None, tuple[Finding, ...]]:
    """Lint a file. Care is None where there is an error; its digest names this version of the file.

    `name` stands in findings about the file as a whole. With `today` expired lists are found, too.
    """
    examined = examine(text, name, today=today)
    refused = any(finding.level == "error" for finding in examined.findings)
    return None if refused else examined.care, examined.findings


def examine(text: str | bytes, name: str, *, today: date | None = None) -> Examined:
    """As `parse`, for those who go on to check more than the file itself can tell."""
    source = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(source) > LARGEST:
        return Examined(
            None,
            (
                Finding(
                    1,
                    1,
                    "error",
                    "too-large",
                    f"{name} has {len(source):,} bytes",
                    f"at most {LARGEST:,} are read: is it the right file?",
                ),
            ),
        )
    decoded, finding = decode(source, name)
    if finding is not None:
        return Examined(None, (finding,))
    root, findings = read(decoded)
    if root is None:
        return Examined(None, tuple(sorted(set(findings))))
    care, unfit = shape(root, hashlib.sha256(source).hexdigest()[:12])
    findings += _rules(root, care, today)
    explained = {(finding.line, finding.column) for finding in findings}
    unfit = [finding for finding in unfit if (finding.line, finding.column) not in explained]
    return Examined(care, tuple(sorted({*findings, *unfit})), root)


def _rules(root: Node, care: Care | None, today: date | None) -> list[Finding]:
    report = Report(root)
    check_variables(root, report)
    if care is not None:
        check_names(care, report)
        check_vocabulary(care, report, today)
        check_corrections(care, report)
        check_wordings(care, report)
        check_values(care, report)
    return report.findings
