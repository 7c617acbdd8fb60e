"""Platt's scaling: log-odds that a network gives as probabilities that come true."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sentiment.model import Floats

__all__ = ["platt"]


def platt(odds: Floats, truth: NDArray[np.bool_]) -> list[float]:
    """Slope and shift of the log-odds, by Newton's steps; Platt's scaling, https://www.jstor.org/stable/1403797."""
    given, fit = np.stack([odds, np.ones_like(odds)], axis=1).astype(np.float64), np.asarray([1.0, 0.0])
    for _ in range(30):
        found = 1 / (1 + np.exp(-np.clip(given @ fit, -30, 30)))
        curve = (given * (found * (1 - found))[:, None]).T @ given + 1e-3 * np.eye(2)
        fit = fit + np.linalg.solve(curve, given.T @ (truth - found) - 1e-3 * (fit - [1.0, 0.0]))
    return [round(float(value), 4) for value in fit]
