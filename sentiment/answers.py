"""From the rows of the learned model to probabilities, calibrated by family of languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from sentiment.api import HARMS, KINDS, Harm, Kind
from sentiment.model import OUTPUTS, Model

__all__ = ["Answers", "Judge", "family"]

_FAMILIES = ("en", "zh", "xx")
_CALIBRATED = ("negative", "urgent", "answer")


def family(language: str) -> str:
    """The family whose calibration counts: `en`, `zh`, or `xx` for all others."""
    primary = language.partition("-")[0]
    return primary if primary in _FAMILIES else "xx"


class Answers(NamedTuple):
    """What the model says of one text, as probabilities."""

    negative: float
    positive: float
    urgent: float
    needs_answer: float
    kind: Kind
    kind_sure: float
    irony: float
    mixed: float
    harms: Mapping[Harm, float]  # those that reach their threshold
    every_harm: Sequence[float]  # in the order of HARMS


class Judge:
    """Turns texts and their signals into answers; holds a model and its calibration."""

    def __init__(self, model: Model) -> None:
        self._model = model
        fitted = cast("Mapping[str, Mapping[str, Sequence[float]]]", model.about["calibration"])
        self._fits = {name: np.asarray([fitted[one][name] for one in _FAMILIES], np.float32) for name in _CALIBRATED}
        self._least = np.asarray(model.about["harm_from"], np.float32)

    @cached_property
    def version(self) -> str:
        """Of the model, such as `2`."""
        return str(self._model.about["version"])

    def answers(
        self, texts: Sequence[str], signals: Sequence[Sequence[float]], languages: Sequence[str]
    ) -> list[Answers]:
        """One for each folded text, in order."""
        if not texts:
            return []
        logits = self._model.logits(texts, signals)
        families = np.asarray([_FAMILIES.index(family(language)) for language in languages])
        mood = logits[:, OUTPUTS["mood"]]
        negative = self._calibrated("negative", mood[:, 0] - np.logaddexp(mood[:, 1], mood[:, 2]), families)
        positive = (1.0 - negative) * _sigmoid(mood[:, 2] - mood[:, 1])
        kinds = _softmax(logits[:, OUTPUTS["kind"]])
        best = kinds.argmax(axis=1)
        harms = _sigmoid(logits[:, OUTPUTS["harm"]])
        columns: list[Any] = [
            negative,
            positive,
            self._calibrated("urgent", logits[:, OUTPUTS["urgent"]][:, 0], families),
            self._calibrated("answer", logits[:, OUTPUTS["answer"]][:, 0], families),
            best,
            kinds[np.arange(len(best)), best],
            *_sigmoid(logits[:, OUTPUTS["flags"]][:, :2]).T,  # irony, mixed
        ]
        found, every = _over(harms, self._least), harms.tolist()
        return [
            Answers._make((*row[:4], KINDS[row[4]], *row[5:], found.get(at, {}), every[at]))
            for at, row in enumerate(zip(*[column.tolist() for column in columns], strict=True))
        ]

    def _calibrated(self, name: str, odds: NDArray[np.float32], families: NDArray[np.int64]) -> NDArray[np.float32]:
        """Platt's scaling, https://www.jstor.org/stable/1403797: a slope and a shift of the log-odds."""
        fit = self._fits[name][families]
        return _sigmoid(odds * fit[:, 0] + fit[:, 1])


def _over(harms: NDArray[np.float32], least: NDArray[np.float32]) -> dict[int, dict[Harm, float]]:
    found: dict[int, dict[Harm, float]] = {}
    for at, which in zip(*np.nonzero(harms >= least), strict=True):
        found.setdefault(int(at), {})[HARMS[which]] = float(harms[at, which])
    return found


def _sigmoid(odds: NDArray[np.float32]) -> NDArray[np.float32]:
    return cast("NDArray[np.float32]", 1.0 / (1.0 + np.exp(-np.clip(odds, -30.0, 30.0))))


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return cast("NDArray[np.float32]", powers / powers.sum(axis=1, keepdims=True))
