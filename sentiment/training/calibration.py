"""Platt's scaling: log-odds that a network gives as probabilities that come true."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentiment.model import Floats

__all__ = ["platt"]

_START = np.asarray([1.0, 0.0])
_PULL = 1e-3
"""Towards the log-odds as they are: it keeps the fit finite where they part the two without a mistake."""
_STEPS, _HALVINGS = 50, 40


def platt(odds: Floats, truth: NDArray[np.bool_]) -> list[float]:
    """Slope and shift of the log-odds, by Newton's steps; Platt's scaling, https://www.jstor.org/stable/1403797.

    A step that makes it worse is halved until it does not: where odds are wide, whole ones run away.
    """
    given, fit = np.stack([odds, np.ones_like(odds)], axis=1).astype(np.float64), _START
    for _ in range(_STEPS):
        found = 1 / (1 + np.exp(-np.clip(given @ fit, -30, 30)))
        curve = (given * (found * (1 - found))[:, None]).T @ given + _PULL * np.eye(2)
        step = np.linalg.solve(curve, given.T @ (truth - found) - _PULL * (fit - _START))
        now = _lost(given, fit, truth)
        for _ in range(_HALVINGS):
            if _lost(given, fit + step, truth) <= now:
                fit = fit + step
                break
            step = step / 2
    return [round(float(value), 4) for value in fit]


def _lost(given: NDArray[np.float64], fit: NDArray[np.floating[Any]], truth: NDArray[np.bool_]) -> float:
    odds = given @ fit
    return float(np.logaddexp(0, np.where(truth, -odds, odds)).sum() + _PULL / 2 * ((fit - _START) ** 2).sum())
