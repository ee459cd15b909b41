"""Globals and arguments: `page`, `arguments`, and the gallery's lecture."""

from __future__ import annotations

import numpy as np

from chainrule.gallery import lecture
from ways import arguments, page
from ways.told import clean
from ways.told.clean import LAYER, NET, NET_FLAT, ROWS, WEIGHTS, renamed
from ways.way import Way, anp, gradient, hand, jacobian

PAGE = {name: getattr(page, name) for name in WEIGHTS}
SIX = ("W1", "b1", "W2", "b2", "W3", "b3")


def lecture_by_hand(x, y, *_):
    """The page's own six Jacobians."""
    return tuple(getattr(lecture, f"J_{name}")(x, y) for name in SIX)


def lecture_clean(x, y, W1, b1, W2, b2, W3, b3):
    a = clean.sigmoid(anp.dot(W1, x) + b1)
    a = clean.sigmoid(anp.dot(W2, a) + b2)
    a = clean.sigmoid(anp.dot(W3, a) + b3)
    return anp.sum((a - y) ** 2) / (x.shape[0] * x.shape[1])


def by_size(*args):
    return clean.net(*args) / args[0].shape[0]


def halved(*args):
    return clean.net(*args) / 2


def page_output(x, W1, b1, W2, b2):
    return clean.sigmoid(anp.dot(W2, clean.sigmoid(anp.dot(W1, x) + b1)) + b2)


def regression_by_hand(x, y, W):
    """∂/∂W ‖Wx − y‖² = 2 (Wx − y) xᵀ."""
    return 2 * np.dot(np.dot(W, x) - y, x.T)


def line_by_hand(x, y, w, b):
    r = w * x + b - y
    return 2 * np.mean(r * x), 2 * np.mean(r)


def tanh_layer(x, y, W, b):
    return anp.sum((anp.tanh(anp.dot(W, x) + b) - y) ** 2) / x.shape[1]


def flat_layer(x, y, W, b):
    return clean.layer(x, y, W, anp.reshape(b, (-1, 1)))


def one_sample(x, y, W, b):
    return anp.sum((clean.sigmoid(anp.sum(W * x, axis=1) + b) - y) ** 2)


def _page(name, clean_one=clean.net, style="globals, columns, b (n, 1)"):
    function = getattr(page, name)
    return Way(f"page.{name}", style, function, NET, WEIGHTS, gradient(clean_one), PAGE)


def _net(name, style, **more):
    function = getattr(arguments, name)
    return Way(f"arguments.{name}", style, function, NET, WEIGHTS, gradient(clean.net), **more)


def _rows(name, style):
    function = getattr(arguments, name)
    return Way(f"arguments.{name}", style, function, ROWS, WEIGHTS, gradient(clean.net_rows))


def _layer(name, style, reference=clean.layer, axes=LAYER, **more):
    function = getattr(arguments, name)
    return Way(f"arguments.{name}", style, function, axes, ("W", "b"), gradient(reference), **more)


def _places(name, style, pack, **names):
    axes = renamed(NET, **names)
    wrt = tuple(names.values())
    function = getattr(arguments, name)
    return Way(f"arguments.{name}", style, function, axes, wrt, gradient(clean.net), pack=pack)


LECTURE = {"x": "1 N", "y": "two N", "W1": "6 1", "b1": "6 1", "W2": "7 6", "b2": "7 1"}
LECTURE |= {"W3": "two 7", "b3": "two 1"}

WAYS = [
    _page("cost"),
    _page("cost_by_size", by_size, "divided by x.size, which is n0·N"),
    _page("cost_by_len", style="len of a transpose"),
    _page("cost_halved", halved, "*_, a2 = …; float(shape)"),
    Way(
        "page.output",
        "an array as output",
        page.output,
        {k: v for k, v in NET.items() if k != "y"},
        ("W1", "b2"),
        jacobian(page_output),
        PAGE,
    ),
    Way(
        "lecture.cost",
        "the gallery's page, against its own hand-coded Jacobians",
        lecture.cost,
        LECTURE,
        SIX,
        gradient(lecture_clean),
        {name: getattr(lecture, name) for name in SIX},
    ),
    Way(
        "lecture.network_function",
        "a tuple of seven arrays, of which one is taken by a lambda",
        lambda x: lecture.network_function(x)[5],
        {k if k == "x" else f"lecture.{k}": v for k, v in LECTURE.items() if k != "y"},
        tuple(f"lecture.{name}" for name in SIX),
        jacobian(
            lambda x, W1, b1, W2, b2, W3, b3: (
                anp.dot(W3, clean.sigmoid(anp.dot(W2, clean.sigmoid(anp.dot(W1, x) + b1)) + b2))
                + b3
            )
        ),
        {f"lecture.{name}": getattr(lecture, name) for name in SIX},
    ),
    Way(
        "arguments.columns",
        "b[:, None]",
        arguments.columns,
        NET_FLAT,
        WEIGHTS,
        gradient(clean.net_flat),
    ),
    _rows("rows", "rows, b (n,), ((…) ** 2).sum(), len(X)"),
    _rows("dot_method", ".dot, .sum(axis=1).mean()"),
    _rows("dot_function", "np.dot, np.mean(np.sum(axis=-1))"),
    _rows("all_functions", "np.add, np.matmul, np.reciprocal … in place of operators"),
    _layer("annotated", "annotations, docstring, asserts on shapes with f-strings"),
    _layer("keyword_only", "keyword-only arguments"),
    _layer("positional_only", "positional-only arguments"),
    Way(
        "arguments.default_array",
        "a default argument holds the weights",
        arguments.default_array,
        {"x": "n0 N", "y": "n1 N", "W": "n1 n0"},
        ("W",),
        hand(regression_by_hand),
        {"W": arguments.START},
    ),
    _places(
        "star",
        "*weights",
        lambda v: {"x": v["x"], "y": v["y"], "weights": tuple(v.values())[2:]},
        **{w: f"weights[{k}]" for k, w in enumerate(WEIGHTS)},
    ),
    Way(
        "arguments.keywords",
        "**params",
        arguments.keywords,
        renamed(NET, **{w: f'params["{w}"]' for w in WEIGHTS}),
        tuple(f'params["{w}"]' for w in WEIGHTS),
        gradient(clean.net),
        pack=lambda v: {
            "x": v["x"],
            "y": v["y"],
            "params": dict(zip(WEIGHTS, tuple(v.values())[2:], strict=True)),
        },
    ),
    _net("forwarded", "f(**{…}, **dict(…))"),
    _layer(
        "one_sample",
        "one sample (n,), r @ r",
        one_sample,
        {"x": "n0", "y": "n1", "W": "n1 n0", "b": "n1"},
    ),
    _layer(
        "transposed",
        "(W.T @ X.T).T",
        lambda X, Y, W, b: flat_layer(X.T, Y.T, W.T, b),
        {"X": "N n0", "Y": "N n1", "W": "n0 n1", "b": "n1"},
    ),
    _places(
        "packed_tuple",
        "W1, b1, W2, b2 = params",
        lambda v: {"x": v["x"], "y": v["y"], "params": tuple(v.values())[2:]},
        **{w: f"params[{k}]" for k, w in enumerate(WEIGHTS)},
    ),
    _places(
        "nested_pairs",
        "for W, b in params",
        lambda v: {
            "x": v["x"],
            "y": v["y"],
            "params": [tuple(v.values())[2:4], tuple(v.values())[4:]],
        },
        W1="params[0][0]",
        b1="params[0][1]",
        W2="params[1][0]",
        b2="params[1][1]",
    ),
    _places(
        "dictionary",
        'params["W1"], an argument',
        lambda v: {
            "x": v["x"],
            "y": v["y"],
            "params": dict(zip(WEIGHTS, tuple(v.values())[2:], strict=True)),
        },
        **{w: f'params["{w}"]' for w in WEIGHTS},
    ),
    _places(
        "nested_dictionary",
        "a dict of dicts",
        lambda v: {
            "x": v["x"],
            "y": v["y"],
            "params": {
                name: dict(zip(("W", "b"), tuple(v.values())[k : k + 2], strict=True))
                for name, k in (("hidden", 2), ("out", 4))
            },
        },
        W1='params["hidden"]["W"]',
        b1='params["hidden"]["b"]',
        W2='params["out"]["W"]',
        b2='params["out"]["b"]',
    ),
    Way(
        "arguments.scalar_weight",
        "w and b are scalars (0-d)",
        arguments.scalar_weight,
        {"x": "N", "y": "N", "w": "", "b": ""},
        ("w", "b"),
        hand(line_by_hand),
    ),
    _layer(
        "given_activation",
        "the activation is an argument: np.tanh",
        tanh_layer,
        options={"activation": np.tanh},
    ),
]
