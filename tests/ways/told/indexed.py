"""Parts of arrays: `indexing`."""

from __future__ import annotations

import numpy as np

from ways import indexing
from ways.told import clean
from ways.told.clean import LAYER
from ways.told.plain import flat_layer
from ways.way import Way, anp, gradient, hand

FLAT = {**LAYER, "b": "n1"}


def relu(x, y, W, b):
    z = anp.dot(W, x) + b
    return anp.sum((anp.where(z > 0, z, 0.0) - y) ** 2) / x.shape[1]


def leaky(x, y, W, b):
    z = anp.dot(W, x) + b
    return anp.sum((z * anp.where(z > 0, 1.0, 0.1) - y) ** 2) / x.shape[1]


def clipped(x, y, W, b):
    z = anp.dot(W, x) + b
    inside = anp.where(z < -1, -1.0, anp.where(z > 1.5, 1.5, z))
    return anp.sum((inside - y) ** 2) / x.shape[1]


def clip_method(x, w):
    """Σ max(z, −½)² + Σ clip(z, −1, 1), z = w x."""
    z = w * x
    slope = 2 * z * (z > -0.5) + 1.0 * (np.abs(z) < 1)
    return slope * w, np.sum(slope * x)


def hard_sigmoid(x, w):
    u = 0.2 * w * x + 0.5
    inside = (u > 0) & (u < 1)
    return np.sum(inside * 0.2 * x * x), np.clip(u, 0, 1) + inside * 0.2 * w * x


def theta(theta, x, y):
    n0, n2 = x.shape[0], y.shape[0]
    cuts = np.cumsum([0, 3 * n0, 3, 3 * n2, n2])
    shapes = [(3, n0), (3, 1), (n2, 3), (n2, 1)]
    parts = [
        anp.reshape(theta[i:j], s) for i, j, s in zip(cuts[:-1], cuts[1:], shapes, strict=True)
    ]
    return clean.net(x, y, *parts)


def flattened(W, b, x):
    z = anp.dot(W, x) + anp.reshape(b, (-1, 1))
    return anp.sum(W**2) + anp.sum(b**2) + anp.sum(z**3)


def labels(X, y, W, b):
    """∂C/∂scores = (softmax − one-hot)/N: the formula by hand."""
    scores = X @ W + b
    P = np.exp(scores) / np.sum(np.exp(scores), axis=1)[:, None]
    R = (P - np.eye(W.shape[1])[y]) / len(y)
    return X.T @ R, np.sum(R, axis=0)


def embedding(E, words, w):
    """Σ tanh(v·w)²: rows are added as often as their word occurs."""
    v = E[words]
    t = np.tanh(v @ w)
    r = 2 * t * (1 - t**2)
    dE = np.zeros_like(E)
    for i, word in enumerate(words):
        dE[word] += r[i] * w
    return dE, v.T @ r


def embedding_mean(E, words, w):
    counts = np.array([np.sum(words == k) for k in range(len(E))]) / len(words)
    return np.outer(counts, w), counts @ E


def picked(X, w):
    """Rows 0 and 1 once, row 2 twice."""
    rows = np.array([1.0, 1.0, 2.0] + [0.0] * (len(X) - 3)) * np.exp(X @ w)
    return np.outer(rows, w), X.T @ rows


def negatives(x, w):
    """Σ_k x_k x_{n−1−k} w_k and three more terms."""
    total = x[-1] * w[0] + x[-2] * w[0] + x[-1] * w[1]
    n = x.shape[0]
    for k in range(n):
        total = total + x[k] * x[n - 1 - k] * w[k]
    return total + anp.sum(x**2) - x[0] ** 2 - x[n - 1] ** 2


def newaxes(X, C):
    squares = anp.sum(X**2, axis=1)[:, None] + anp.sum(C**2, axis=1)[None, :]
    return anp.sum(anp.sqrt(1 + squares - 2 * anp.dot(X, C.T)))


def ellipsis(T, w):
    """Hand: w at the last place 0, 2T in block 0, 1 at the last place −1."""
    dT = np.zeros_like(T)
    dT[:, :, 0] += w
    dT[0] += 2 * T[0]
    dT[:, :, -1] += 1.0
    return dT, T[:, :, 0]


def chosen(x, w, keep):
    picked_ = keep.astype(float)
    return 2 * picked_ * x * w**2 / np.sum(keep), 2 * np.sum(picked_ * x**2) * w / np.sum(keep)


def upper(A, x):
    n = len(x)
    dA = np.array([[x[i] * x[j] if i <= j else 2 * A[i, j] for j in range(n)] for i in range(n)])
    U = np.array([[A[i, j] if i <= j else 0.0 for j in range(n)] for i in range(n)])
    return dA, (U + U.T) @ x


def causal(S, V):
    """Row by row, over what is not masked."""
    total = 0.0
    for t in range(S.shape[0]):
        e = anp.exp(S[t, : t + 1])
        total = total + anp.sum((anp.dot(e, V[: t + 1]) / anp.sum(e)) ** 2)
    return total


def maximum_entry(x, w):
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    i, j, k = np.argmax(x * w), np.argmin(x - w), np.argmax(w)
    dx[i] += w[i]
    dw[i] += x[i]
    dx[j] += 1
    dw[j] -= 1
    dx[k] += 2 * x[k]
    return dx, dw


def split_gates(z):
    n = len(z) // 3
    i, f, g = z[:n], z[n : 2 * n], z[2 * n :]
    return np.concatenate([f * (1 - np.tanh(i) ** 2), np.tanh(i), 2 * g])


def unpacked_rows(p):
    return np.array([p[1], p[0], -2 * p[2]])


def _way(module, name, style, axes, wrt, reference, **more):
    where = module.__name__.split(".")[-1]
    return Way(f"{where}.{name}", style, getattr(module, name), axes, wrt, reference, **more)


def _layer(module, name, style, clean_one=flat_layer, axes=FLAT):
    return _way(module, name, style, axes, ("W", "b"), gradient(clean_one))


def _two(module, name, style, axes, reference, **more):
    return _way(module, name, style, axes, tuple(axes), reference, **more)


THETA = {"theta": "29", "x": "n0 N", "y": "n2 N"}  # 3·2 + 3 + 5·3 + 5


LABELS = {"X": "N n0", "y": "labels<n2 N", "W": "n0 n2", "b": "n2"}


WORDS = {"E": "n2 n1", "words": "labels<n2 T", "w": "n1"}


WAYS = [
    *(
        _layer(indexing, name, style, relu, LAYER)
        for name, style in (
            ("relu_mask", "z[z < 0] = 0"),
            ("relu_where", "np.where"),
            ("relu_maximum", "np.maximum(0, z)"),
            ("relu_product", "z * (z > 0)"),
            ("relu_abs", "(|z| + z)/2"),
        )
    ),
    _layer(indexing, "leaky", "a default slope", leaky, LAYER),
    _layer(indexing, "leaky_mask", "z[negative] *= 0.1", leaky, LAYER),
    _layer(indexing, "clipped", "np.clip", clipped, LAYER),
    _two(indexing, "clip_method", ".clip(min=…)", {"x": "N", "w": ""}, hand(clip_method)),
    _way(
        indexing,
        "hard_sigmoid",
        "minimum of maximum",
        {"x": "N", "w": ""},
        ("w", "x"),
        hand(hard_sigmoid),
    ),
    _way(
        indexing,
        "theta_slices",
        "all parameters in one vector",
        THETA,
        ("theta",),
        gradient(theta),
        grows=False,
    ),
    _way(
        indexing,
        "theta_loop",
        "an offset that walks along",
        THETA,
        ("theta",),
        gradient(theta),
        grows=False,
    ),
    _two(
        indexing,
        "flattened",
        "ravel, flatten, reshape(-1)",
        {"W": "n1 n0", "b": "n1", "x": "n0 N"},
        gradient(flattened),
    ),
    _way(indexing, "labels", "p[np.arange(N), y]", LABELS, ("W", "b"), hand(labels)),
    _way(
        indexing,
        "labels_loop",
        "row[label], a label is an integer of Python",
        LABELS,
        ("W", "b"),
        hand(labels),
        fixed=("y",),
    ),
    _way(indexing, "embedding", "E[words]", WORDS, ("E", "w"), hand(embedding)),
    _way(indexing, "embedding_mean", "E[words, :]", WORDS, ("E", "w"), hand(embedding_mean)),
    _two(indexing, "picked", "X[[0, 2, 1, 2]]", {"X": "N n0", "w": "n0"}, hand(picked)),
    _two(
        indexing,
        "negatives",
        "x[-1], x[::-1], x[1:-1]",
        {"x": "N", "w": "N"},
        gradient(negatives),
    ),
    _two(indexing, "newaxes", "X[:, None, :]", {"X": "N n0", "C": "n1 n0"}, gradient(newaxes)),
    _two(
        indexing,
        "ellipsis",
        "T[..., 0]",
        {"T": "n0 n1 N", "w": "n0 n1"},
        hand(ellipsis),
    ),
    _way(
        indexing,
        "chosen",
        "a boolean mask picks",
        {"x": "N", "w": "", "keep": "mask N"},
        ("x", "w"),
        hand(chosen),
        fixed=("keep",),
    ),
    _two(indexing, "upper", "np.triu, np.tril", {"A": "N N", "x": "N"}, hand(upper)),
    _two(indexing, "causal", "arange ≥ arange, where", {"S": "N N", "V": "N K"}, gradient(causal)),
    _two(
        indexing,
        "maximum_entry",
        "max, min, argmax",
        {"x": "N", "w": "N"},
        hand(maximum_entry),
        fixed=("x", "w"),
    ),
    _two(indexing, "split_gates", "np.split", {"z": "T"}, hand(split_gates), grows=False),
    _two(indexing, "unpacked_rows", "x, y, z = p", {"p": "3 N"}, hand(unpacked_rows)),
]
