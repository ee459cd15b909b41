"""Statements around the mathematics: flags, conditions, checks, prints, cleaning up."""

import warnings
from typing import Any

import numpy as np

EPS = 1e-8
DEBUG = False


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def walrus(x, y, W, b):
    if (n := x.shape[1]) > 1:
        print(f"{n} samples")
    return np.sum(((a := sigmoid(W @ x + b)) - y) ** 2) / n + 0 * np.sum(a)


def ternary_on_shape(x, y, W, b):
    b = b if b.ndim == 2 else b[:, None]
    N = x.shape[1] if x.ndim > 1 else 1
    return np.sum((sigmoid(W @ x + b) - y) ** 2) / N


def flags(x, y, W, b, training=True, *, reduction="mean", mask=None):
    a = sigmoid(W @ x + b)
    if training and mask is not None:
        a = a * mask
    errors = np.sum((a - y) ** 2, axis=0)
    if reduction == "mean":
        return errors.mean()
    elif reduction == "sum":
        return errors.sum()
    raise ValueError(f"unknown reduction {reduction!r}")


def early_return(x, y, W, b):
    if x.shape[1] == 0:
        return 0.0
    if x.shape[0] != W.shape[1]:
        raise ValueError(f"shapes do not fit: {x.shape}, {W.shape}")
    return np.sum((sigmoid(W @ x + b) - y) ** 2) / x.shape[1]


def try_finally(x, y, W, b):
    old = np.seterr(over="ignore")
    try:
        return np.sum((sigmoid(W @ x + b) - y) ** 2) / x.shape[1]
    finally:
        np.seterr(**old)


def try_except(x, y, W, b):
    try:
        z = W @ x + b[:, :1]
    except IndexError:
        z = W @ x + b[:, None]
    return np.sum((sigmoid(z) - y) ** 2) / x.shape[1]


def with_errstate(x, y, W, b):
    with np.errstate(over="ignore", under="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        a = 1 / (1 + np.exp(-(W @ x + b)))
    return np.sum((a - y) ** 2) / x.shape[1]


def printing(x, y, W, b):
    z = W @ x + b
    print("z:", z.shape, z.dtype, "mean", round(float(z.mean()), 3))
    a = sigmoid(z)
    print(f"a lies in [{a.min():.2f}, {a.max():.2f}]")
    return np.sum((a - y) ** 2) / x.shape[1]


def checking(x, y, W, b):
    assert isinstance(W, np.ndarray), type(W)
    assert W.dtype == np.float64
    assert np.all(np.isfinite(W)) and not np.isnan(b).any()
    a = sigmoid(W @ x + b)
    assert a.shape == y.shape and 0 <= a.min() <= a.max() <= 1
    return np.sum((a - y) ** 2) / x.shape[1]


def chained(x, w):
    total = 0.0
    for v in x:
        if -10 < v * w < 10 or v is None:
            total += np.tanh(v * w)
        else:
            total += 1e6
    return total


def matching(x, y, W, b, activation="tanh"):
    z = W @ x + b
    match activation:
        case "tanh":
            a = np.tanh(z)
        case "sigmoid":
            a = sigmoid(z)
        case _:
            raise ValueError(activation)
    return np.sum((a - y) ** 2) / x.shape[1]


def rebinding(x, y, W, b):
    z = W @ x
    z = z + b
    z = -z
    z = np.exp(z)
    z = 1 + z
    z = 1 / z
    z = z - y
    z = z * z
    del b
    return z.sum() / x.shape[1]


def coerced(x, y, W, b):
    x, y = np.asarray(x, dtype=float), np.atleast_2d(y)
    W = np.array(W, dtype=np.float64, copy=True)
    b = np.asanyarray(b).reshape((-1, 1)).astype(float)
    return float(np.sum((sigmoid(W @ x + b) - y) ** 2) / x.shape[1])


def epsilon(x, y, W, b):
    a = sigmoid(W @ x + b)
    if DEBUG:
        breakpoint()
    return -np.mean(y * np.log(a + EPS) + (1 - y) * np.log(1 - a + EPS))


def returning_dict(x, y, W, b):
    a = sigmoid(W @ x + b)
    return {"loss": np.sum((a - y) ** 2) / x.shape[1], "a": a}["loss"]


def optional(x, w, bias: Any | None = None):
    z = x * w
    if bias is not None:
        z += bias
    scale = 1 if bias is None else 2
    return scale * (z**2).sum() + (0 if not len(z) else z[0])


def powers(x, w):
    return np.sum(x**2 * w**3 + 2**x + w**-1 + np.power(w, 0.5) + np.sqrt(np.square(x) + 1) + w**x)


def operators(x, w):
    return np.sum(-x + +w - (x - -w) * 3 / w + (x * 2) ** 2 % 1e9 + abs(x) * (1 - w))


def constants(x):
    return np.sum(3 * 0.1 * x + 1 / 3 * x**2 + 1e-3 * x**3 + np.e**x + np.pi * x + 2.5e0 * x)


def sorted_names(x, y, W, b):
    parts = {"z": W @ x, "b": b}
    z = sum(parts[k] for k in sorted(parts))
    return np.sum((sigmoid(z) - y) ** 2) / [*x.shape][-1]


def columns_of_table(table, w):
    """A structured use of a plain array: unpacked columns."""
    age, height, weight = table.T
    return np.sum((w[0] * age + w[1] * height - weight) ** 2) / len(age)
