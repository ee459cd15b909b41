"""Weights come as arguments, in all the ways that Python passes them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

START = np.random.default_rng(2).normal(size=(3, 2))


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def columns(x, y, W1, b1, W2, b2):
    a1 = sigmoid(W1 @ x + b1[:, None])
    a2 = sigmoid(W2 @ a1 + b2[:, None])
    return np.sum((a2 - y) ** 2) / x.shape[1]


def rows(X, Y, W1, b1, W2, b2):
    h = sigmoid(X @ W1 + b1)
    out = sigmoid(h @ W2 + b2)
    return ((out - Y) ** 2).sum() / len(X)


def dot_method(X, Y, W1, b1, W2, b2):
    out = sigmoid(sigmoid(X.dot(W1) + b1).dot(W2) + b2)
    error = out - Y
    return (error**2).sum(axis=1).mean()


def dot_function(X, Y, W1, b1, W2, b2):
    A1 = sigmoid(np.dot(X, W1) + b1)
    A2 = sigmoid(np.dot(A1, W2) + b2)
    return np.mean(np.sum((A2 - Y) ** 2, axis=-1))


def all_functions(X, Y, W1, b1, W2, b2):
    z = np.add(np.matmul(X, W1), b1)
    a = np.divide(1.0, np.add(1.0, np.exp(np.negative(z))))
    z = np.add(np.matmul(a, W2), b2)
    a = np.reciprocal(1.0 + np.exp(-z))
    return np.true_divide(np.sum(np.square(np.subtract(a, Y))), X.shape[0])


def annotated(
    x: NDArray[Any], y: NDArray[Any], W: NDArray[np.float64], b: NDArray[np.float64]
) -> np.floating[Any]:
    """A careful person's layer.

    Args:
        x: inputs (n0, N).
        y: targets (n1, N).
    """
    n: int = W.shape[0]
    assert x.ndim == 2 and W.ndim == 2, "matrices, please"
    assert b.shape == (n, 1), f"b has the shape {b.shape}, not {(n, 1)}"
    assert x.shape[0] == W.shape[1], (x.shape, W.shape)
    a: NDArray[np.float64] = sigmoid(W @ x + b)
    loss: np.floating[Any] = np.mean(np.sum((a - y) ** 2, axis=0))
    return loss


def keyword_only(x, *, y, W, b):
    return np.sum((sigmoid(W @ x + b) - y) ** 2) / x.shape[1]


def positional_only(x, y, W, b, /):
    return np.sum((sigmoid(W @ x + b) - y) ** 2) / x.shape[1]


def default_array(x, y, W=START):
    return np.sum((W @ x - y) ** 2)


def star(x, y, *weights):
    W1, b1, W2, b2 = weights
    return np.sum((sigmoid(W2 @ sigmoid(W1 @ x + b1) + b2) - y) ** 2) / x.shape[1]


def keywords(x, y, **params):
    a = sigmoid(params["W1"] @ x + params["b1"])
    a = sigmoid(params["W2"] @ a + params["b2"])
    return np.sum((a - y) ** 2) / x.shape[1]


def forwarded(x, y, W1, b1, W2, b2):
    return keywords(x, y, **{"W1": W1, "b1": b1}, **dict(W2=W2, b2=b2))


def one_sample(x, y, W, b):
    z = W @ x + b
    r = sigmoid(z) - y
    return r @ r


def transposed(X, Y, W, b):
    return (((sigmoid((W.T @ X.T).T + b) - Y) ** 2).sum()) / X.T.shape[1]


def packed_tuple(params, x, y):
    W1, b1, W2, b2 = params
    return np.sum((sigmoid(W2 @ sigmoid(W1 @ x + b1) + b2) - y) ** 2) / x.shape[1]


def nested_pairs(params, x, y):
    a = x
    for W, b in params:
        a = sigmoid(W @ a + b)
    return np.sum((a - y) ** 2) / x.shape[1]


def dictionary(params, x, y):
    z1 = params["W1"] @ x + params["b1"]
    a1 = sigmoid(z1)
    z2 = params["W2"] @ a1 + params["b2"]
    a2 = sigmoid(z2)
    return np.sum((a2 - y) ** 2) / x.shape[1]


def nested_dictionary(params, x, y):
    a = x
    for layer in ("hidden", "out"):
        p = params[layer]
        a = sigmoid(p["W"] @ a + p["b"])
    return np.sum((a - y) ** 2) / x.shape[1]


def scalar_weight(x, y, w, b):
    return np.mean((w * x + b - y) ** 2)


def given_activation(x, y, W, b, activation):
    return np.sum((activation(W @ x + b) - y) ** 2) / x.shape[1]
