"""Names from elsewhere, and functions of functions: `imported`, `functional`."""

from __future__ import annotations

from ways import functional as f
from ways import imported as i
from ways import weights
from ways.told import clean
from ways.told.clean import LAYER, NET, WEIGHTS, renamed
from ways.told.plain import flat_layer, tanh_layer
from ways.way import Way, anp, gradient

HELD = {w: getattr(weights, w) for w in WEIGHTS}
DEEP = {"Ws": f.deep_closure.__closure__[0].cell_contents.__closure__}
Ws, bs = (cell.cell_contents for cell in DEEP["Ws"])
LISTS = {"W1": "Ws[0]", "b1": "bs[0]", "W2": "Ws[1]", "b2": "bs[1]"}


def swish(x, y, W, b):
    z = anp.dot(W, x) + b
    return anp.mean((z * clean.sigmoid(z) - y) ** 2)


def own_tanh(x, y, W, b):
    return anp.mean((anp.tanh(anp.dot(W, x) + b) - anp.tanh(y)) ** 2)


def root_mean_square(x, y, W, b):
    z = anp.dot(W, x) + b
    return anp.sqrt(anp.mean((anp.where(z > 0, z, 0.0) - y) ** 2)) + 0.0 * anp.sum(b)


def ridge(x, y, W, b):
    return clean.layer(x, y, W, b) + 0.1 * anp.sum(W**2)


def _layer(module, name, style, clean_one=clean.layer, function=None, **more):
    where = module.__name__.split(".")[-1]
    function = getattr(module, name) if function is None else function
    axes = more.pop("axes", LAYER)
    return Way(f"{where}.{name}", style, function, axes, ("W", "b"), gradient(clean_one), **more)


def _net(name, style):
    return Way(f"functional.{name}", style, getattr(f, name), NET, WEIGHTS, gradient(clean.net))


WAYS = [
    Way(
        "imported.from_helper",
        "from .weights import W1, from .activations import sigmoid",
        i.from_helper,
        NET,
        WEIGHTS,
        gradient(clean.net),
        HELD,
    ),
    Way(
        "imported.short_names",
        "norm as length, logistic as s, dot, add",
        i.short_names,
        NET,
        WEIGHTS,
        gradient(clean.net),
        HELD,
    ),
    Way(
        "imported.helper_alias",
        "weights.W1 of another module, import x as y",
        i.helper_alias,
        renamed(NET, **{w: f"weights.{w}" for w in WEIGHTS}),
        tuple(f"weights.{w}" for w in WEIGHTS),
        gradient(clean.net),
        {f"weights.{w}": a for w, a in HELD.items()},
    ),
    _layer(i, "whole_name", "import numpy; numpy.shape(x)[1]"),
    _layer(i, "other_alias", "numpy by another name, norm(r, 'fro'), np.size(x, 1)"),
    _layer(i, "inside", "imports in the function"),
    _layer(i, "by_name", "a function out of a dict of another module", swish),
    _layer(i, "own_tanh", "tanh by e = np.exp, beside numpy's own", own_tanh),
    _layer(i, "root_mean_square", "sqrt(mean(…)), relu, 0 * exp(0)", root_mean_square),
    _layer(
        f,
        "closure",
        "weights in a closure",
        places={
            name: cell.cell_contents
            for name, cell in zip(
                f.closure.__code__.co_freevars, f.closure.__closure__, strict=True
            )
        },
    ),
    Way(
        "functional.deep_closure",
        "lists of weights in the closure of a function in a closure",
        f.deep_closure,
        renamed(NET, **LISTS),
        tuple(LISTS.values()),
        gradient(clean.net),
        dict(zip(LISTS.values(), (Ws[0], bs[0], Ws[1], bs[1]), strict=True)),
    ),
    _layer(f, "square_error", "a lambda with a name"),
    _layer(f, "ridge", "functools.partial with numbers", ridge),
    _layer(
        f,
        "bound",
        "functools.partial with an array",
        places={"b": f.bound.keywords["b"]},
    ),
    _layer(f, "decorated", "a decorator with functools.wraps that prints"),
    _layer(f, "decorated_twice", "a decorator with an argument on one without wraps"),
    _net("composed", "compose(linear(W1, b1), sigmoid, …)"),
    _net("accumulated", "itertools.accumulate"),
    _net("nested", "an inner function, nonlocal"),
    _net("late_lambdas", "a list of lambdas with defaults"),
    _layer(
        f,
        "mapped",
        "map over columns, sum() of a generator",
        flat_layer,
        axes={**LAYER, "b": "n1"},
    ),
    _layer(f, "cached_factor", "a helper with lru_cache"),
    _layer(f, "dispatched", "functools.singledispatch", tanh_layer),
]
