"""The public sets that the shipped model learns from, and which of their rows it may see.

No set lies in the repository. Rows that are kept to measure by are never read here: test and validation parts,
English of UMSAB, and a thousand rows of SmSA (`smsa_apart`).
"""

from __future__ import annotations

import csv
import gzip
import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

__all__ = ["CRISIS", "MOODS", "READ_AT_MOST", "REVIEWS", "Line", "Row", "found", "lines", "smsa_apart", "trained"]

MOODS = ("neg", "neu", "pos")
READ_AT_MOST = 300
"""Characters of a text of these sets that teacher and student read."""
CRISIS = "crisislext26"
"""A set of texts without moods: only the teacher's labels make use of it."""
REVIEWS = ("openrice", "asap")
"""Sets of long reviews: read as a whole by their own label, and in stretches by the teacher's."""

_ASAP = "asap_train.csv"
_UMSAB = ("es", "pt", "fr", "de", "it", "ar", "hi")
_SMSA_ROWS, _SMSA_APART = 11_000, 1_000
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")


class Row(NamedTuple):
    """A text and its mood, a place in `MOODS`; none where the set tells of no mood."""

    text: str
    mood: int | None


class Line(NamedTuple):
    """A row of a packed file and its place in it."""

    place: int
    text: str
    label: str
    split: str
    language: str


class _Source(NamedTuple):
    name: str
    file: str
    keeps: Callable[[Line], bool]
    mood: str | None = None  # that of all its rows, where the label is no mood


def _all(_: Line) -> bool:
    return True


def _train(line: Line) -> bool:
    return line.split == "train"


def _not_apart(line: Line) -> bool:
    return line.place not in smsa_apart()


def _of(language: str) -> Callable[[Line], bool]:
    return lambda line: line.language == language and line.split == "train"


_SOURCES = (
    _Source("goemotions", "goemotions_en.tsv.gz", _train),
    *(_Source(f"vgt_{part}", f"vadergt_{part}_en.tsv.gz", _all) for part in ("tweets", "amazon", "movie", "nyt")),
    *(_Source(f"umsab_{language}", "umsab_8langs.tsv.gz", _of(language)) for language in _UMSAB),
    _Source("nsmc", "nsmc_ko.tsv.gz", _train),
    _Source("smsa", "smsa_id.tsv.gz", _not_apart),
    _Source("openrice", "openrice_zh_hant.tsv.gz", lambda line: line.split == "valid"),
    _Source("banking77", "banking77_en.tsv.gz", _all, "neu"),
    _Source("clinc150", "clinc150_en.tsv.gz", _all, "neu"),
    _Source(CRISIS, "crisislext26_mul.tsv.gz", _train, ""),
)


def trained(folders: Sequence[Path]) -> dict[str, list[Row]]:
    """What may be trained on, by set. Raises ValueError where a file is missing or cannot be read."""
    sets = {source.name: list(_rows(source, found(folders, source.file))) for source in _SOURCES}
    return {**sets, "asap": list(_asap(found(folders, _ASAP)))}


def found(folders: Sequence[Path], file: str) -> Path:
    """The first of the folders' files of this name."""
    for folder in folders:
        if (folder / file).exists():
            return folder / file
    raise ValueError(
        f"{file} is in none of {', '.join(map(str, folders))}; sentiment/training/README.md tells where it comes from"
    )


@cache
def smsa_apart() -> frozenset[int]:
    """The places of SmSA's rows that are kept to measure by."""
    places = list(range(_SMSA_ROWS))
    random.Random(1).shuffle(places)  # noqa: S311  the same each time
    return frozenset(places[:_SMSA_APART])


def lines(raw: Iterable[str], place: str) -> Iterator[Line]:
    """The rows of a packed file. Raises ValueError with the place of one that has not four columns."""
    for number, line in enumerate(raw):
        columns = line.rstrip("\n").split("\t")
        if len(columns) != 4:
            raise ValueError(f"{place}:{number + 1}: not text, label, split and language between tabs")
        yield Line(number, *columns)


def _rows(source: _Source, path: Path) -> Iterator[Row]:
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        for line in lines(file, path.name):
            if source.keeps(line):
                label = line.label if source.mood is None else source.mood
                yield Row(_plain(line.text), _mood(label, f"{path.name}:{line.place + 1}"))


def _mood(label: str, place: str) -> int | None:
    if label and label not in MOODS:
        raise ValueError(f"{place}: the label is neither neg, neu nor pos but {label!r}")
    return MOODS.index(label) if label else None


def _plain(text: str) -> str:
    """Some of UMSAB's letters are written as a backslash, u and four digits."""
    return _ESCAPED.sub(lambda letter: chr(int(letter[1], 16)), text) if "\\u" in text else text


def _asap(path: Path) -> Iterator[Row]:
    """Two stars and fewer are negative, three are neutral."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            stars = float(row["star"])
            yield Row(row["reviewbody"], 0 if stars <= 2 else 1 if stars <= 3 else 2)
