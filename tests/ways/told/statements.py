"""Statements around the mathematics: `control`."""

from __future__ import annotations

import numpy as np

from ways import control
from ways.told import clean
from ways.told.clean import LAYER, sigmoid
from ways.told.plain import tanh_layer
from ways.way import Way, anp, gradient, hand


def chained(x, w):
    t = 1 - np.tanh(x * w) ** 2
    return w * t, np.sum(x * t)


def epsilon(x, y, W, b):
    a = sigmoid(anp.dot(W, x) + b)
    return -anp.mean(y * anp.log(a + 1e-8) + (1 - y) * anp.log(1 + 1e-8 - a))


def optional(x, w, bias):
    """2 Σ (xw + bias)² + the first."""
    z = x * w + bias
    d = 4 * z
    d[0] += 1
    return d * w, np.sum(d * x), d


def powers(x, w):
    """Each term by the rules."""
    dx = 2 * x * w**3 + np.log(2) * 2**x + x / np.sqrt(x**2 + 1) + np.log(w) * w**x
    dw = 3 * x**2 * w**2 - w**-2.0 + 0.5 * w**-0.5 + x * w ** (x - 1)
    return dx, dw


def operators(x, w):
    dx = -1 - 3 / w + 8 * x + np.sign(x) * (1 - w)
    dw = 1 + 3 * x / w**2 - np.abs(x)
    return dx, dw


def constants(x):
    return 0.3 + 2 * x / 3 + 3e-3 * x**2 + np.exp(x) + np.pi + 2.5


def columns_of_table(table, w):
    r = 2 * (table @ np.append(w, -1.0)) / len(table)
    return np.outer(r, np.append(w, -1.0)), table[:, :2].T @ r


def _way(module, name, style, axes, wrt, reference, **more):
    where = module.__name__.split(".")[-1].rstrip("_")
    return Way(f"{where}.{name}", style, getattr(module, name), axes, wrt, reference, **more)


def _all(module, name, style, axes, reference, **more):
    return _way(module, name, style, axes, tuple(axes), reference, **more)


def _layer(name, style, clean_one=clean.layer, axes=LAYER, **more):
    return _way(control, name, style, axes, ("W", "b"), gradient(clean_one), **more)


WAYS = [
    _layer("walrus", "a walrus in a condition and in an expression"),
    _layer("ternary_on_shape", "b if b.ndim == 2 else b[:, None]"),
    _layer("flags", "training=…, reduction=…", options={"training": True, "reduction": "mean"}),
    _layer("early_return", "checks on shapes first"),
    _layer("try_finally", "np.seterr and back"),
    _layer("try_except", "an exception that does not come"),
    _layer("with_errstate", "with np.errstate, warnings.catch_warnings"),
    _layer("printing", "print, round, float, f-strings with formats"),
    _layer("checking", "isinstance, dtype, isfinite, chained comparison in asserts"),
    _all(control, "chained", "-10 < v*w < 10", {"x": "N", "w": ""}, hand(chained)),
    _layer("matching", "match", tanh_layer),
    _layer("rebinding", "z again and again, del"),
    _layer("coerced", "asarray(dtype=float), atleast_2d, astype, float()"),
    _layer("epsilon", "log(a + EPS)", epsilon, {**LAYER, "y": "bits n1 N"}),
    _layer("returning_dict", 'one entry of a dict: {…}["loss"]'),
    _all(
        control,
        "optional",
        "bias=None, given here",
        {"x": "N", "w": "", "bias": "N"},
        hand(optional),
    ),
    _all(
        control,
        "powers",
        "x**2, 2**x, w**-1, np.power, w**x",
        {"x": "N", "w": "positive N"},
        hand(powers),
    ),
    _all(
        control,
        "operators",
        "unary plus, %, abs()",
        {"x": "N", "w": "positive N"},
        hand(operators),
    ),
    _all(control, "constants", "3*0.1, 1/3, np.e**x, np.pi", {"x": "N"}, hand(constants)),
    _layer("sorted_names", "sorted keys, [*x.shape][-1]"),
    _all(
        control,
        "columns_of_table",
        "age, height, weight = table.T",
        {"table": "N 3", "w": "2"},
        hand(columns_of_table),
    ),
]
