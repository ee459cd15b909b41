"""Losses: `losses`."""

from __future__ import annotations

import numpy as np

from ways import losses
from ways.told import clean
from ways.told.clean import LAYER
from ways.way import Way, anp, gradient, hand

ROW = {"X": "N n0", "Y": "N n1", "W": "n0 n1", "b": "n1"}


CLASSES = {**LAYER, "y": "onehot0 n1 N"}


CLASSES_ROWS = {**ROW, "Y": "onehot1 N n1"}


LINE = {"x": "n1 N", "y": "N", "w": "n1", "b": ""}


BINARY = {**LINE, "y": "bits N"}


SIGNED = {"x": "n1 N", "t": "signs N", "w": "n1", "b": ""}


def cross_entropy_by_hand(x, y, W, b):
    """∂C/∂z = (softmax − y)/N, for the columns of y sum to 1."""
    e = np.exp(W @ x + b)
    d = (e / np.sum(e, axis=0) - y) / x.shape[1]
    return d @ x.T, np.sum(d, axis=1, keepdims=True)


def cross_entropy_rows(X, Y, W, b):
    e = np.exp(X @ W + b)
    d = (e / np.sum(e, axis=1)[:, None] - Y) / len(X)
    return X.T @ d, np.sum(d, axis=0)


def cross_entropy(x, y, W, b):
    """No assumption about y."""
    return -anp.sum(y * anp.log(clean.softmax0(anp.dot(W, x) + b))) / x.shape[1]


def log_sum_exp(x, y, W, b):
    z = anp.dot(W, x) + b
    return anp.mean(anp.log(anp.sum(anp.exp(z), axis=0)) - anp.sum(y * z, axis=0))


def label_smoothing(x, y, W, b):
    return cross_entropy(x, 0.9 * y + 0.1 / y.shape[0], W, b)


def logistic_by_hand(x, y, w, b):
    """(σ(z) − y)/N for the mean of the binary cross entropy."""
    d = (1 / (1 + np.exp(-(w @ x + b))) - y) / len(y)
    return x @ d, np.sum(d)


def logistic_course(X, Y, w, b):
    d = (1 / (1 + np.exp(-(w.T @ X + b))) - Y) / X.shape[1]
    return X @ d.T, np.sum(d)


def line(f):
    """A loss that is a function of z = w·x + b and y."""
    return gradient(lambda x, y, w, b: f(anp.dot(w, x) + b, y))


def focal(z, y):
    p = clean.sigmoid(z)
    return -anp.mean(y * (1 - p) ** 2 * anp.log(p) + (1 - y) * p**2 * anp.log(1 - p))


def hinge(x, t, w, b):
    active = (1 - t * (w @ x + b) > 0) * -t / len(t)
    return x @ active + 0.02 * w, np.sum(active)


def squared_hinge(x, t, w, b):
    d = -2 * t * np.clip(1 - t * (w @ x + b), 0, None)
    return x @ d, np.sum(d)


def huber(x, y, w, b):
    """The residual, cut at ±1."""
    d = np.clip(w @ x + b - y, -1, 1)
    return x @ d, np.sum(d)


def absolute(x, y, w, b):
    d = np.sign(w @ x + b - y) / len(y)
    return x @ d, np.sum(d)


def quantile(x, y, w, b):
    d = np.where(y - (w @ x + b) > 0, -0.3, 0.7)
    return x @ d, np.sum(d)


def elastic_net(x, y, w, b):
    r = (w @ x + b - y) / len(y)
    return x @ r + 0.1 * np.sign(w) + 0.1 * w, np.sum(r)


def divergence(z, q):
    p = clean.softmax0(z)
    return anp.sum(p * anp.log(p / q))


def gaussian(mu, s, y):
    r = (y - mu) * np.exp(-s)
    return -r * np.exp(-s), 1 - r**2


def cosine(u, v):
    return 1 - anp.dot(u, v) / anp.sqrt(anp.dot(u, u) * anp.dot(v, v))


def cosine_rows(U, V):
    lengths = anp.sum(U**2, axis=1) * anp.sum(V**2, axis=1)
    return anp.mean(anp.sum(U * V, axis=1) * lengths**-0.5)


def contrastive(U, V, temperature):
    total = 0.0
    for k in range(U.shape[0]):
        s = anp.dot(V, U[k]) / temperature
        total = total + anp.log(anp.sum(anp.exp(s))) - s[k]
    return total / U.shape[0]


def triplet(a, p, n):
    """Inside the margin: 2 (n − p), 2 (p − a), 2 (a − n)."""
    inside = np.sum((a - p) ** 2) - np.sum((a - n) ** 2) + 20 > 0
    return 2 * inside * (n - p), 2 * inside * (p - a), 2 * inside * (a - n)


def softplus(x, w):
    s = 1 / (1 + np.exp(-w * x))
    return s * w, np.sum(s * x)


def gelu(x, w):
    z = x * w
    u = (2 / anp.pi) ** 0.5 * (z + 0.044715 * z * z * z)
    return anp.sum(z / (1 + anp.exp(-2 * u)))


def elu(x, w):
    z = x * w
    d = np.where(z > 0, 1.0, 0.7 * np.exp(z))
    return d * w, np.sum(d * x)


def mish(x, w):
    z = x * w
    u = (1 + anp.exp(z)) ** 2
    return anp.sum(z * (u - 1) / (u + 1))


def angles(x, w):
    n = x**2 + w**2
    dx = w / (1 + (w * x) ** 2) + np.cos(x) * np.cos(w) + w / n + np.cosh(x) / np.cosh(w)
    dw = x / (1 + (w * x) ** 2) - np.sin(x) * np.sin(w) - x / n
    return dx, np.sum(dw - np.sinh(x) * np.sinh(w) / np.cosh(w) ** 2)


def _way(module, name, style, axes, wrt, reference, **more):
    where = module.__name__.split(".")[-1]
    return Way(f"{where}.{name}", style, getattr(module, name), axes, wrt, reference, **more)


def _all(module, name, style, axes, reference, **more):
    return _way(module, name, style, axes, tuple(axes), reference, **more)


def _line(name, style, reference, axes=LINE):
    return _way(losses, name, style, axes, ("w", "b"), reference)


def _classes(name, style, reference):
    return _way(losses, name, style, CLASSES, ("W", "b"), reference)


XW = {"x": "N", "w": ""}


WAYS = [
    _classes("cross_entropy", "softmax with a shift, one-hot", hand(cross_entropy_by_hand)),
    _way(
        losses,
        "cross_entropy_rows",
        "z.max(axis=1)[:, None]",
        CLASSES_ROWS,
        ("W", "b"),
        hand(cross_entropy_rows),
    ),
    _way(
        losses,
        "log_sum_exp",
        "log-sum-exp with a shift, any y",
        LAYER,
        ("W", "b", "y"),
        gradient(log_sum_exp),
    ),
    _classes("reduced_logaddexp", "logaddexp over the rows", hand(cross_entropy_by_hand)),
    _classes("label_smoothing", "label smoothing", gradient(label_smoothing)),
    _classes("clipped_logs", "clip before the log", hand(cross_entropy_by_hand)),
    _line("binary", "log(p), log(1 - p)", hand(logistic_by_hand), BINARY),
    _way(
        losses,
        "binary_course",
        "(1, m) rows, np.dot(Y, log(A).T), squeeze",
        {"X": "n1 N", "Y": "bits 1 N", "w": "n1 1", "b": ""},
        ("w", "b"),
        hand(logistic_course),
    ),
    _line("binary_logits", "max(z, 0) - zy + log1p(exp(-|z|))", hand(logistic_by_hand), BINARY),
    _line("binary_logaddexp", "logaddexp(0, -(2y - 1)z)", hand(logistic_by_hand), BINARY),
    _line("focal", "(1 - pt)**gamma", line(focal), BINARY),
    _line("hinge", "hinge and w @ w", hand(hinge), SIGNED),
    _line("squared_hinge", "where(margin > 0)", hand(squared_hinge), SIGNED),
    _line("huber", "where(|r| <= delta)", hand(huber)),
    _line(
        "pseudo_huber", "sqrt(1 + r²) - 1", line(lambda z, y: anp.sum((1 + (z - y) ** 2) ** 0.5))
    ),
    _line("absolute", "mean of |r|", hand(absolute)),
    _line(
        "log_cosh",
        "log(cosh(r))",
        line(lambda z, y: anp.mean(anp.log(anp.exp(z - y) + anp.exp(y - z)))),
    ),
    _line("quantile", "maximum(τr, (τ - 1)r)", hand(quantile)),
    _line("elastic_net", "L1 and L2", hand(elastic_net)),
    _all(
        losses,
        "divergence",
        "Kullback-Leibler",
        {"z": "n1 N", "q": "positive n1 N"},
        gradient(divergence),
    ),
    _line(
        "poisson",
        "rate - y log(rate)",
        line(lambda z, y: anp.sum(anp.exp(z) - y * z)),
        {**LINE, "w": "small n1"},
    ),
    _way(
        losses,
        "gaussian",
        "np.pi, exp(s)",
        {"mu": "N", "s": "small N", "y": "N"},
        ("mu", "s"),
        hand(gaussian),
    ),
    _all(losses, "cosine", "u @ v over two norms", {"u": "N", "v": "N"}, gradient(cosine)),
    _all(losses, "cosine_rows", "norm(axis=1)", {"U": "N n0", "V": "N n0"}, gradient(cosine_rows)),
    _all(
        losses,
        "contrastive",
        "np.diag of a square",
        {"U": "N n0", "V": "N n0", "temperature": "positive"},
        gradient(contrastive),
    ),
    _all(losses, "triplet", "a margin", {"a": "n1", "p": "n1", "n": "n1"}, hand(triplet)),
    _line(
        "r_squared",
        "a ratio of sums",
        line(lambda z, y: 1 - anp.sum((y - z) ** 2) / anp.sum((y - anp.mean(y)) ** 2)),
    ),
    _line(
        "relative_error",
        "norm over norm",
        line(lambda z, y: anp.sqrt(anp.sum((z - y) ** 2) / anp.sum(y**2))),
    ),
    _all(losses, "softplus", "stable softplus", XW, hand(softplus)),
    _all(
        losses,
        "swish",
        "x*w/(1 + exp(…))",
        XW,
        gradient(lambda x, w: anp.sum(x * w * clean.sigmoid(1.5 * x * w))),
    ),
    _all(losses, "gelu", "0.044715, sqrt(2/np.pi)", XW, gradient(gelu)),
    _all(losses, "elu", "where with exp(minimum(z, 0))", XW, hand(elu)),
    _all(losses, "mish", "tanh of a softplus", XW, gradient(mish)),
    _all(losses, "angles", "arctan, arctan2, sinh, cosh", XW, hand(angles)),
]
