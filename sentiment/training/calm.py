"""Measures what the shipped reader says about calm messages: `python -m sentiment.training.calm` writes calm.tsv.

Calm are the neutral and positive examples that are never trained on, those with a harm left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.resources import as_file, files

from config.folding import fold
from config.schema import Brand
from sentiment.adjustment import EVERYTHING_ELSE, family, quantiles
from sentiment.api import Circumstances, Reader
from sentiment.reader import FastReader
from sentiment.training.corpus import Example, development

__all__ = ["measured", "table"]

ENOUGH = 50
"""So many calm examples make a language family one of its own."""
HEAD = """# The share of calm messages (budget) that the shipped reader gives more than a probability of being negative.
# Written by `python -m sentiment.training.calm`: language family (* is any other), budget, probability.
"""


def measured(examples: Iterable[Example], reader: Reader) -> dict[str, list[float]]:
    """How negative each calm example reads, by language family; `*` holds all of them."""
    found: dict[str, list[float]] = {EVERYTHING_ELSE: []}
    for example in examples:
        if example.negative or example.harms:
            continue
        reading = reader.read(fold(example.text), Circumstances(language=example.language))
        if reading.unread or reading.harm:
            continue
        found[EVERYTHING_ELSE].append(reading.negative)
        found.setdefault(family(example.language), []).append(reading.negative)
    return {name: values for name, values in found.items() if name == EVERYTHING_ELSE or len(values) >= ENOUGH}


def table(calm: dict[str, list[float]]) -> Iterator[str]:
    for language, values in sorted(calm.items()):
        for budget, probability in quantiles(values).items():
            yield f"{language}\t{budget:g}\t{probability:.4f}"


def _main() -> None:
    calm = measured(development(), FastReader(Brand(name="Acme Air")))
    with as_file(files("sentiment.data").joinpath("calm.tsv")) as path:
        path.write_text(HEAD + "\n".join(table(calm)) + "\n", "utf-8")
    print({language: len(values) for language, values in calm.items()})  # noqa: T201


if __name__ == "__main__":
    _main()
