"""Messages with known moods: our own development split, and whatever public sets a folder holds.

Of the public sets only what training leaves alone is read.
"""

from __future__ import annotations

import csv
import gzip
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sentiment.api import Label
from sentiment.training.corpus import Example, development
from sentiment.training.data import smsa_apart

__all__ = ["OWN", "Row", "Sample", "own", "public"]

OWN = "development"
MOODS: dict[str, Label] = {"neg": "negative", "neu": "neutral", "pos": "positive"}
STARS: dict[str, Label] = {"cry": "negative", "ok": "neutral", "smile": "positive"}


class Row(NamedTuple):
    """`example` is known of our own messages only."""

    text: str
    mood: Label
    example: Example | None = None


class Line(NamedTuple):
    """A row of a packed file and its place in it."""

    place: int
    text: str
    label: str
    split: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Messages of one set in one language; `whole` counts those from which they were drawn."""

    name: str
    language: str
    rows: tuple[Row, ...]
    whole: int


class Source(NamedTuple):
    """A set, the file it is in, and which of its lines count."""

    name: str
    file: str
    keeps: Callable[[Line], bool]


SOURCES = (
    Source("GoEmotions test", "goemotions_en.tsv.gz", lambda line: line.split == "test"),
    Source("general English posts (UMSAB)", "umsab_8langs.tsv.gz", lambda line: line.language == "en"),
    Source("UMSAB val", "umsab_8langs.tsv.gz", lambda line: line.language != "en" and line.split == "val"),
    Source("NSMC test", "nsmc_ko.tsv.gz", lambda line: line.split == "test"),
    Source("SmSA, kept apart", "smsa_id.tsv.gz", lambda line: line.place in smsa_apart()),
)


def own() -> list[Sample]:
    """Our own development split, never trained on, by language: all of it."""
    found: dict[str, list[Row]] = {}
    for example in development():
        found.setdefault(example.language, []).append(Row(example.text, MOODS[example.mood], example))
    return [_sample(OWN, language, rows, None) for language, rows in found.items()]


def public(folders: Sequence[Path], most: int) -> tuple[list[Sample], list[str]]:
    """At most `most` rows of each set and language, always the same ones; and the files that are in no folder."""
    missing: list[str] = []

    def there(*files: str) -> list[Path]:
        found = {file: folder / file for file in files for folder in reversed(folders) if (folder / file).exists()}
        missing.extend(file for file in files if file not in (*found, *missing))
        return list(found.values())

    samples = [one for source in SOURCES for path in there(source.file) for one in _packed(source, path, most)]
    if paths := there("openrice_test.tsv"):
        samples.append(_openrice(paths, most))
    if paths := there("asap_dev.csv", "asap_test.csv"):
        samples.append(_asap(paths, most))
    return samples, missing


def _packed(source: Source, path: Path, most: int) -> Iterator[Sample]:
    found: dict[str, list[Row]] = {}
    for line in _lines(path):
        if source.keeps(line):
            found.setdefault(line.language, []).append(Row(line.text, MOODS[line.label]))
    for language, rows in sorted(found.items()):
        yield _sample(source.name, language, rows, most)


def _lines(path: Path) -> Iterator[Line]:
    """Raises ValueError with the place of a line that has not the four columns, or an unknown label."""
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        for place, raw in enumerate(file):
            columns = raw.rstrip("\n").split("\t")
            if len(columns) != 4 or columns[1] not in MOODS:
                raise ValueError(f"{path.name}:{place + 1}: not text, neg|neu|pos, split and language between tabs")
            yield Line(place, *columns)


def _openrice(paths: list[Path], most: int) -> Sample:
    rows: list[Row] = []
    for path in paths:
        for raw in path.read_text("utf-8-sig").splitlines():
            label, _, text = raw.partition("\t")
            if label in STARS:
                rows.append(Row(text, STARS[label]))
    return _sample("OpenRice test", "zh-Hant-HK", rows, most)


def _asap(paths: list[Path], most: int) -> Sample:
    rows: list[Row] = []
    for path in paths:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows += [Row(one["reviewbody"], _stars(float(one["star"]))) for one in csv.DictReader(file)]
    return _sample("ASAP dev and test", "zh-Hans", rows, most)


def _stars(stars: float) -> Label:
    return "negative" if stars <= 2 else "positive" if stars >= 4 else "neutral"


def _sample(name: str, language: str, rows: list[Row], most: int | None) -> Sample:
    kept = rows if most is None or len(rows) <= most else random.Random(7).sample(rows, most)
    return Sample(name=name, language=language, rows=tuple(kept), whole=len(rows))
