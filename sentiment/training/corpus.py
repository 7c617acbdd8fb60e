r"""The corpus that heedful's authors wrote: realistic customer messages, labelled by hand.

A file under `corpus/` is blocks. A block begins with a line `= WORD WORD …`, whose words label every line
below it up to the next such line: a language tag (once), `neg`, `neu` or `pos` (once), a kind (once), and as
they apply `urgent`, `answer` (an answer is needed), harms, `about_us`, `about_other` or `unknown` (otherwise
the message speaks to us), `irony`, `mixed`, `person` (asks for a human being). Each other line is one message,
with `\n` for a line break. Blank lines and lines that begin with `## ` are skipped.

Files under `corpus/development/` were written apart from the rest and are never trained on. Those under
`corpus/unlabelled/` are bare messages, one a line: the teacher labels them.
"""

from __future__ import annotations

import re
import sys
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sentiment.api import ADDRESSED, HARMS, KINDS, Addressed, Harm, Kind

__all__ = ["HERE", "Example", "calibrates", "development", "parse", "training", "unlabelled"]

HERE = Path(__file__).parent / "corpus"
_MOODS = ("neg", "neu", "pos")
_FLAGS = ("irony", "mixed", "person")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-[A-Z]{2})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One message and what it is."""

    text: str
    language: str
    mood: str
    kind: Kind
    urgent: bool = False
    needs_answer: bool = False
    harms: frozenset[Harm] = frozenset()
    addressed: Addressed = "to_us"
    flags: frozenset[str] = frozenset()

    @property
    def negative(self) -> bool:
        return self.mood == "neg"


def parse(lines: Iterable[str], place: str) -> Iterator[Example]:
    """The examples of one file. Raises ValueError with the place of what cannot be read."""
    head: dict[str, object] | None = None
    for number, raw in enumerate(lines, 1):
        line = raw.strip()
        if not line or line.startswith("## "):
            continue
        if line.startswith("= "):
            head = _head(line[2:].split(), f"{place}:{number}")
        elif head is None:
            raise ValueError(f"{place}:{number}: a message stands before the first block; begin with `= en neg …`")
        else:
            yield Example(text=line.replace("\\n", "\n"), **head)  # type: ignore[arg-type]


def _head(words: list[str], place: str) -> dict[str, object]:
    known = {*_MOODS, *KINDS, *HARMS, *ADDRESSED, *_FLAGS, "urgent", "answer"}
    languages = [word for word in words if word not in known]
    moods = [word for word in words if word in _MOODS]
    kinds = [word for word in words if word in KINDS]
    addressed = [word for word in words if word in ADDRESSED]
    if len(languages) != 1 or not _LANGUAGE.fullmatch(languages[0]):
        raise ValueError(f"{place}: not one language but {languages}; a word may be misspelt")
    if len(moods) != 1 or len(kinds) != 1 or len(addressed) > 1:
        raise ValueError(f"{place}: one mood and one kind are needed, and at most one address")
    return {
        "language": languages[0],
        "mood": moods[0],
        "kind": kinds[0],
        "urgent": "urgent" in words,
        "needs_answer": "answer" in words,
        "harms": frozenset(harm for harm in HARMS if harm in words),
        "addressed": addressed[0] if addressed else "to_us",
        "flags": frozenset(word for word in words if word in _FLAGS),
    }


def _read(folder: Path) -> list[Example]:
    found: dict[str, Example] = {}
    for path in sorted(folder.glob("*.txt")):
        for example in parse(path.read_text("utf-8").splitlines(), path.name):
            found.setdefault(example.text, example)
    return list(found.values())


def training(folder: Path = HERE) -> list[Example]:
    """What may be trained on, each text once."""
    return _read(folder)


def calibrates(text: str) -> bool:
    """Whether a text of the corpus is kept from teacher and student, to fit their probabilities on: one in twelve."""
    return zlib.crc32(text.encode("utf-8", "surrogatepass")) % 12 == 0


def development(folder: Path = HERE) -> list[Example]:
    """What is kept apart to judge by, each text once."""
    return _read(folder / "development")


def unlabelled(folder: Path = HERE) -> list[str]:
    """Messages that we wrote and only the teacher labels, each once: one a line."""
    lines = [line for path in sorted(folder.glob("unlabelled/*.txt")) for line in path.read_text("utf-8").splitlines()]
    return list(dict.fromkeys(line.strip().replace("\\n", "\n") for line in lines if line.strip()))


def _main(paths: list[str]) -> None:
    """Print what the files hold, by language, mood, kind and harm; duplicates are named."""
    seen: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for path in map(Path, paths or sorted(str(one) for one in HERE.rglob("*.txt") if one.parent.name != "unlabelled")):
        for example in parse(path.read_text("utf-8").splitlines(), path.name):
            if example.text in seen:
                print(f"twice: {seen[example.text]} and {path.name}: {example.text}")  # noqa: T201
            seen[example.text] = path.name
            urgent = " urgent" if example.urgent else ""
            counts.update((example.language, f"{example.language} {example.mood}", example.kind, *example.harms))
            counts.update([f"{example.language}{urgent}"] if urgent else [])
    print(len(seen), "messages", dict(sorted(counts.items())))  # noqa: T201


if __name__ == "__main__":
    _main(sys.argv[1:])
