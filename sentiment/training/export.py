"""The student as the file that is shipped: tables in eight bits, probabilities calibrated on texts it never saw."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from config.folding import fold
from sentiment.answers import family
from sentiment.api import HARMS
from sentiment.model import OUTPUTS, Floats, Model
from sentiment.training.calibration import platt
from sentiment.training.corpus import Example
from sentiment.training.inputs import heard

__all__ = ["auc", "calibrated", "odds", "quantised", "rounded", "write"]

_FAMILIES = ("en", "zh", "xx")
_HARM_FROM = 0.2
"""From such a probability on the model's harm stands without a rule's; chosen on the development split."""
_TABLES = ("words", "turns")


def quantised(table: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Eight bits a number and a scale for each column; no number moves by more than half its column's scale."""
    scale = (np.abs(table).max(axis=0) / 127 + 1e-12).astype(np.float32)
    return np.rint(table / scale).clip(-127, 127).astype(np.int8), scale


def rounded(arrays: Mapping[str, Floats], about: Mapping[str, object]) -> Model:
    """The model as it will be read."""
    given: dict[str, Any] = {**arrays, "about": about}
    for name in _TABLES:
        given[name], given[f"{name}_scale"] = quantised(arrays[name])
    return Model(**given)


def calibrated(model: Model, version: str, held: Sequence[Example]) -> Model:
    """With slope and shift of each answer by family of languages. `held` was not trained on."""
    found = odds(model, held)
    families = np.asarray([family(each.language) for each in held])
    truth = {
        "negative": np.asarray([each.negative for each in held]),
        "urgent": np.asarray([each.urgent for each in held]),
        "answer": np.asarray([each.needs_answer for each in held]),
    }
    fits = {
        one: {name: platt(found[name][families == one], truth[name][families == one]) for name in truth}
        for one in _FAMILIES
    }
    return model._replace(
        about={"version": version, "calibration": fits, "harm_from": [_HARM_FROM] * len(HARMS)},
    )


def odds(model: Model, examples: Sequence[Example]) -> dict[str, Floats]:
    """The log-odds of each calibrated answer."""
    folded = [fold(each.text) for each in examples]
    logits = model.logits([each.text for each in folded], heard(folded))
    mood = logits[:, OUTPUTS["mood"]]
    return {
        "negative": mood[:, 0] - np.logaddexp(mood[:, 1], mood[:, 2]),
        "urgent": logits[:, OUTPUTS["urgent"]][:, 0],
        "answer": logits[:, OUTPUTS["answer"]][:, 0],
    }


def write(model: Model, path: Path) -> None:
    """As `sentiment.model` reads it."""
    arrays: dict[str, Any] = {name: getattr(model, name) for name in Model._fields[:-1]}
    arrays["about"] = np.frombuffer(json.dumps(model.about).encode(), np.uint8)
    np.savez_compressed(path, **arrays)


def auc(truth: Sequence[bool], given: Floats) -> float:
    """The chance that one that is so stands above one that is not; ties count half. Both must occur."""
    right = np.asarray(truth)
    above = given[right][:, None] - given[~right][None, :]
    return float((np.sign(above) / 2 + 0.5).mean())
