"""What teacher and student are to say of a text: one row of numbers, laid out as `sentiment.model.OUTPUTS`."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from sentiment.api import ADDRESSED, HARMS, KINDS
from sentiment.model import OUTPUTS, Floats
from sentiment.training.corpus import Example
from sentiment.training.data import MOODS

__all__ = ["UNKNOWN", "WIDTH", "of_example", "of_mood", "probabilities"]

FLAGS = ("irony", "mixed", "person")
WIDTH = OUTPUTS["flags"].stop
UNKNOWN = -1.0
"""Stands where nothing is known of an answer; urgency is known where any but the mood is."""
_ONE_OF = ("mood", "kind", "addressed")


def of_example(example: Example) -> Floats:
    """All that a labelled message tells."""
    row = np.zeros(WIDTH, np.float32)
    row[OUTPUTS["mood"]][MOODS.index(example.mood)] = 1
    row[OUTPUTS["urgent"]] = example.urgent
    row[OUTPUTS["answer"]] = example.needs_answer
    row[OUTPUTS["kind"]][KINDS.index(example.kind)] = 1
    row[OUTPUTS["harm"]] = [harm in example.harms for harm in HARMS]
    row[OUTPUTS["addressed"]][ADDRESSED.index(example.addressed)] = 1
    row[OUTPUTS["flags"]] = [flag in example.flags for flag in FLAGS]
    return row


def of_mood(mood: int) -> Floats:
    """A mood, and nothing else."""
    row = np.full(WIDTH, UNKNOWN, np.float32)
    row[OUTPUTS["mood"]] = np.eye(len(MOODS), dtype=np.float32)[mood]
    return row


def probabilities(logits: Floats | NDArray[np.float16]) -> Floats:
    """Of rows of a network's answers, before calibration."""
    given = logits.astype(np.float32)
    result = cast("Floats", 1 / (1 + np.exp(-np.clip(given, -30, 30))))
    for name in _ONE_OF:
        some = given[:, OUTPUTS[name]]
        powers = np.exp(some - some.max(axis=1, keepdims=True))
        result[:, OUTPUTS[name]] = powers / powers.sum(axis=1, keepdims=True)
    return result
