"""The wrong mood: who would be thanked for a complaint, and who be offered an apology for praise.

`moods.tsv` holds irony, mixed messages, slang that praises with harsh words and complaints in polite ones, written for
this purpose and nowhere trained on. A style is taken only where the reading is sure and shows no irony: thanks where
the kind is praise and `negative` at most .05, an apology where the kind is a complaint and `negative` at least .95.
A contender that tells no kind is taken at its label.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

from benchmarks.measures import accuracy
from benchmarks.reading.contenders import Contender, Opinion

__all__ = ["FILE", "Moods", "Probe", "moods", "probes", "style"]

FILE = Path(__file__).parents[1] / "moods.tsv"
SURE = 0.95
Truth = Literal["complaint", "praise"]
Style = Literal["thanks", "apology", "neutral"]


class Probe(NamedTuple):
    text: str
    language: str
    truth: Truth


@dataclass(frozen=True, slots=True, kw_only=True)
class Moods:
    """Shares: wrong are `thanked_complaints` and `apologised_praise`; the other two are right."""

    language: str
    contender: str
    complaints: int
    praise: int
    thanked_complaints: float | None
    apologised_praise: float | None
    thanked_praise: float | None
    apologised_complaints: float | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def probes(path: Path = FILE) -> list[Probe]:
    """Raises ValueError with the place of a line that is not text, language and complaint or praise."""
    found: list[Probe] = []
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE), 1):
            if number == 1:
                continue
            if len(row) != 3 or row[2] not in {"complaint", "praise"}:
                raise ValueError(f"{path.name}:{number}: not text, language and complaint|praise between tabs")
            found.append(Probe(row[0], row[1], cast("Truth", row[2])))
    return found


def style(opinion: Opinion) -> Style:
    """How a machine that trusts this opinion would answer."""
    reading = opinion.reading
    if reading is None:
        return {"negative": "apology", "positive": "thanks"}.get(opinion.label, "neutral")  # type: ignore[return-value]
    if reading.ironic or reading.unread:
        return "neutral"
    if reading.kind == "praise" and reading.negative <= 1 - SURE:
        return "thanks"
    return "apology" if reading.kind == "complaint" and reading.negative >= SURE else "neutral"


def moods(contender: Contender, asked: Sequence[Probe], language: str = "all") -> Moods:
    """Over the probes of one language, or of all."""
    chosen = [probe for probe in asked if language in {"all", probe.language}]
    styles = [style(opinion) for opinion in contender.judge([probe.text for probe in chosen])]
    pairs = list(zip(chosen, styles, strict=True))

    def share(truth: Truth, wanted: Style) -> float | None:
        return accuracy([told == wanted for probe, told in pairs if probe.truth == truth])

    return Moods(
        language=language,
        contender=contender.name,
        complaints=sum(probe.truth == "complaint" for probe in chosen),
        praise=sum(probe.truth == "praise" for probe in chosen),
        thanked_complaints=share("complaint", "thanks"),
        apologised_praise=share("praise", "apology"),
        thanked_praise=share("praise", "thanks"),
        apologised_complaints=share("complaint", "apology"),
    )
