"""Buffers and views: `buffers`."""

from __future__ import annotations

import numpy as np

from ways import buffers
from ways.told import clean
from ways.told.clean import LAYER
from ways.told.plain import flat_layer, one_sample
from ways.way import Way, anp, gradient, hand

FLAT = {**LAYER, "b": "n1"}


SAMPLE = {"x": "n0", "y": "n1", "W": "n1 n0", "b": "n1"}


def through_a_view(x, w):
    """z = sin x, doubled from 1 on, w added to the last."""
    z = anp.sin(x) * anp.array([1.0] + [2.0] * (x.shape[0] - 1))
    last = z[-1] + w
    return w * (anp.sum(z[:-1] ** 2) + last**2)


def through_ravel(x, w):
    n = x.shape[0] * x.shape[1]
    factors = [0.0 if k == 0 else (1.0 if k % 3 == 0 else 0.0) for k in range(n)]
    third = anp.array(factors)
    rest = anp.array([0.0 if k % 3 == 0 else 1.0 for k in range(n)])
    flat = anp.reshape(x, (-1,)) * w
    return anp.sum(flat**2 * rest) + anp.sum((flat * w) ** 2 * third)


def through_transpose(x, w):
    """Column 0 times x10; then row 0, from column 1 on, is 3w."""
    first = (x[:, 0] + w) * x[1, 0]
    inner = x[1:, 1:] + w
    return anp.sum(first**3) + anp.sum(inner**3) + (x.shape[1] - 1) * 27 * w**3


def through_reshape(x, w):
    return anp.sum((x[0] + w) ** 2) + anp.sum(x[1:] ** 2)


def copied(x, w):
    """w² + Σ x_k² from 1, and w³ + (2w)³ + Σ x_k³ from 2."""
    dx = 2 * x + 3 * x**2
    dx[0], dx[1] = 0.0, 2 * x[1]
    return dx, 2 * w + 3 * w**2 + 24 * w**2


def tanh_columns(x, y, W, b):
    a = anp.tanh(anp.dot(W, x) + anp.reshape(b, (-1, 1)))
    return anp.sum((a - y) ** 2) / x.shape[1]


def bias_column(X, Y, theta):
    return anp.mean((theta[0] + anp.dot(X, theta[1:]) - Y) ** 2)


def ones_and_full(x, w):
    """a = (x0, w, w, …), c = (½, x0, w, w, …): 2 (½ x0² + w x0 x1 + w² Σ_{k≥2} x_k)."""
    tail = np.sum(x[2:])
    dx = np.full(x.shape, 2 * w**2)
    dx[0], dx[1] = 2 * x[0] + 2 * w * x[1], 2 * w * x[0]
    return dx, 2 * x[0] * x[1] + 4 * w * tail


def accumulate_slices(x, k):
    n = x.shape[0] - k.shape[0] + 1
    rows = anp.stack([x[i : i + k.shape[0]] for i in range(n)])
    return anp.sum(anp.dot(rows, k) ** 2)


def running(x):
    squares = x**2
    return sum(anp.sum(squares[: k + 1]) ** 2 for k in range(x.shape[0]))


def swapped(x, w):
    """w (3 x0 x1 + Σ_{k≥2} x_k²)."""
    dx = 2 * w * x
    dx[0], dx[1] = 3 * w * x[1], 3 * w * x[0]
    return dx, 3 * x[0] * x[1] + np.sum(x[2:] ** 2)


def tridiagonal(a, b, x):
    """Σ a x² + 2 Σ b x x' + Σ a² + 2 Σ b²; the last b is not used."""
    db = 2 * x[:-1] * x[1:] + 4 * b[:-1]
    dx = 2 * a * x
    dx[:-1] += 2 * b[:-1] * x[1:]
    dx[1:] += 2 * b[:-1] * x[:-1]
    return x**2 + 2 * a, np.append(db, 0.0), dx


def diagonal(d, x):
    return 2 * (d + 0.5) * x**2, 2 * (d + 0.5) ** 2 * x


def gradient_lists(x, W1, W2):
    h1 = anp.tanh(anp.dot(W1, x))
    h2 = anp.tanh(anp.dot(W2, h1))
    return anp.sum(h1) * anp.sum(h2) + anp.sum(h1)


def reused_buffer(x, y, W):
    """2 (Wx − y) xᵀ, and with respect to y −2 (Wx − y)."""
    r = W @ x - y
    return 2 * r @ x.T, -2 * r


def masked_rows(x, w):
    """Row 1 is 0 and the last column w; row 0 is three times itself at even places."""
    weights = np.ones(x.shape)
    weights[0, ::2] = 9.0
    weights[1] = 0.0
    weights[:, -1] = 0.0
    last = 9.0 if (x.shape[1] - 1) % 2 == 0 else 1.0
    return 2 * weights * x, 2 * w * (x.shape[0] - 1 + last)


def theta(theta, x, y):
    n0, n2 = x.shape[0], y.shape[0]
    cuts = np.cumsum([0, 3 * n0, 3, 3 * n2, n2])
    shapes = [(3, n0), (3, 1), (n2, 3), (n2, 1)]
    parts = [
        anp.reshape(theta[i:j], s) for i, j, s in zip(cuts[:-1], cuts[1:], shapes, strict=True)
    ]
    return clean.net(x, y, *parts)


def _way(module, name, style, axes, wrt, reference, **more):
    where = module.__name__.split(".")[-1]
    return Way(f"{where}.{name}", style, getattr(module, name), axes, wrt, reference, **more)


def _layer(module, name, style, clean_one=flat_layer, axes=FLAT):
    return _way(module, name, style, axes, ("W", "b"), gradient(clean_one))


def _two(module, name, style, axes, reference, **more):
    return _way(module, name, style, axes, tuple(axes), reference, **more)


WAYS = [
    _layer(buffers, "column_buffer", "out[:, i] = …"),
    _layer(buffers, "empty_rows", "np.empty, out[j] = …"),
    _layer(buffers, "entries", "z[j, i] += …"),
    _layer(buffers, "out_argument", "out= everywhere", clean.layer, LAYER),
    _layer(buffers, "in_place", "+=, *=, **=, -=, /=", clean.layer, LAYER),
    _two(
        buffers,
        "through_a_view",
        "v = z[1:]; v *= 2",
        {"x": "N", "w": ""},
        gradient(through_a_view),
    ),
    _two(
        buffers,
        "through_ravel",
        "z.ravel() is a view",
        {"x": "n1 N", "w": ""},
        gradient(through_ravel),
    ),
    _two(
        buffers,
        "through_transpose",
        "z.T is a view",
        {"x": "n1 N", "w": ""},
        gradient(through_transpose),
    ),
    _two(
        buffers,
        "through_reshape",
        "reshape is a view",
        {"x": "n1 N", "w": "N"},
        gradient(through_reshape),
    ),
    _two(buffers, "copied", "copies are no views", {"x": "N", "w": ""}, hand(copied)),
    _layer(buffers, "listed", "append, np.array(rows)"),
    _layer(buffers, "array_of_scalars", "np.array of scalars", one_sample, SAMPLE),
    _layer(buffers, "stacked", "np.stack(axis=1)"),
    _layer(buffers, "vstacked", "np.vstack of rows W[j:j+1] @ x"),
    _layer(buffers, "bias_trick", "vstack of ones, hstack of [W, b]", clean.layer, LAYER),
    _two(
        buffers,
        "bias_column",
        "concatenate of ones",
        {"X": "N n0", "Y": "N", "theta": "n0+1"},
        gradient(bias_column),
    ),
    _layer(buffers, "column_stack", "np.column_stack", tanh_columns),
    _two(buffers, "ones_and_full", "ones_like, full", {"x": "N", "w": ""}, hand(ones_and_full)),
    _two(
        buffers,
        "accumulate_slices",
        "out += k[j]*x[j:j+n]",
        {"x": "L", "k": "K"},
        gradient(accumulate_slices),
    ),
    _two(buffers, "running", "c[i + 1] = c[i] + …", {"x": "N"}, gradient(running)),
    _two(buffers, "swapped", "z[0], z[1] = z[1], z[0]", {"x": "N", "w": ""}, hand(swapped)),
    _two(
        buffers,
        "tridiagonal",
        "T[i, i+1] = T[i+1, i] = b[i]",
        {"a": "N", "b": "N", "x": "N"},
        hand(tridiagonal),
    ),
    _two(buffers, "diagonal", "np.diag, np.eye", {"d": "N", "x": "N"}, hand(diagonal)),
    _two(
        buffers,
        "gradient_lists",
        "np.array(list).prod()",
        {"x": "n0", "W1": "n1 n0", "W2": "n2 n1"},
        gradient(gradient_lists),
    ),
    _way(
        buffers,
        "reused_buffer",
        "np.dot(…, out=buffer) again and again",
        {"x": "n0 N", "y": "n1 N", "W": "n1 n0"},
        ("W", "y"),
        hand(reused_buffer),
    ),
    _two(
        buffers,
        "masked_rows",
        "rows and columns set and scaled",
        {"x": "n1 N", "w": ""},
        hand(masked_rows),
    ),
]
