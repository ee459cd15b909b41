"""Second writings that several ways share: all arguments, one line an operation, no cleverness."""

from __future__ import annotations

from ways.way import anp


def sigmoid(z):
    return 1.0 / (1.0 + anp.exp(-z))


def layer(x, y, W, b):
    """Columns; b is (n, 1)."""
    return anp.sum((sigmoid(anp.dot(W, x) + b) - y) ** 2) / x.shape[1]


def net(x, y, W1, b1, W2, b2):
    """Columns; b1, b2 are (n, 1)."""
    a1 = sigmoid(anp.dot(W1, x) + b1)
    a2 = sigmoid(anp.dot(W2, a1) + b2)
    return anp.sum((a2 - y) ** 2) / x.shape[1]


def net_flat(x, y, W1, b1, W2, b2):
    """Columns; b1, b2 are (n,)."""
    return net(x, y, W1, anp.reshape(b1, (-1, 1)), W2, anp.reshape(b2, (-1, 1)))


def net_rows(X, Y, W1, b1, W2, b2):
    """Rows: X (N, n0), W1 (n0, n1), b1 (n1,)."""
    return net_flat(X.T, Y.T, W1.T, b1, W2.T, b2)


def tanh_rows(X, Y, W1, b1, W2, b2):
    """Rows, tanh, a linear output, the mean over all entries."""
    out = anp.dot(anp.tanh(anp.dot(X, W1) + b1), W2) + b2
    return anp.mean((out - Y) ** 2)


def linear_rows(X, Y, W, b):
    """Rows, the sum of squares."""
    return anp.sum((anp.dot(X, W) + b - Y) ** 2)


def softmax0(z):
    """Down each column."""
    e = anp.exp(z)
    return e / anp.sum(e, axis=0, keepdims=True)


def softmax1(z):
    """Along each row."""
    return softmax0(z.T).T


#: Axes that several ways share.
NET = {"x": "n0 N", "y": "n2 N", "W1": "n1 n0", "b1": "n1 1", "W2": "n2 n1", "b2": "n2 1"}
NET_FLAT = {**NET, "b1": "n1", "b2": "n2"}
ROWS = {"X": "N n0", "Y": "N n2", "W1": "n0 n1", "b1": "n1", "W2": "n1 n2", "b2": "n2"}
LAYER = {"x": "n0 N", "y": "n1 N", "W": "n1 n0", "b": "n1 1"}
WEIGHTS = ("W1", "b1", "W2", "b2")


def renamed(axes, **names):
    """Axes with places in place of names."""
    return {names.get(k, k): v for k, v in axes.items()}
