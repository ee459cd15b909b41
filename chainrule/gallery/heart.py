"""The heart curve: the training data of the page."""

from __future__ import annotations

import operator

import numpy as np
from numpy.typing import NDArray


def heart(N: int = 100) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """N points of a heart, at evenly spaced values of its parameter.

    x_k = k/N,   y_k = ([16 sin³φ,  13 cos φ − 5 cos 2φ − 2 cos 3φ − cos 4φ]/20 + 1)/2,   φ = 2π x_k

    N : how many points, ≥ 1.

    Returns x: 1 × N in [0, 1), and y: 2 × N in [0, 1].
    Raises TypeError if N is no integer, ValueError if it is below 1.

    Source: training_data of the page. Its arange(0, 1, 1/N) yields N + 1 numbers for some N
    (49 is the first), because 1/N is rounded; arange(N)/N does not.

    >>> x, y = heart()
    >>> x.shape, y.shape, y[:, 0].tolist()
    ((1, 100), (2, 100), [0.5, 0.625])
    """
    if isinstance(N, bool):
        raise TypeError(f"N = {N} is no number of points: give an integer, 1 or more")
    try:
        N = operator.index(N)
    except TypeError:
        raise TypeError(f"N = {N!r} is no number of points: give an integer, 1 or more") from None
    if N < 1:
        raise ValueError(f"N = {N} is below 1: give at least one point")
    x = np.arange(N) / N
    phi = 2 * np.pi * x
    across = 16 * np.sin(phi) ** 3
    up = 13 * np.cos(phi) - 5 * np.cos(2 * phi) - 2 * np.cos(3 * phi) - np.cos(4 * phi)
    y = (np.array([across, up]) / 20 + 1) / 2
    return x.reshape(1, N), y
