"""Weights in containers and objects: `containers`, `objects`."""

from __future__ import annotations

from ways import containers as c
from ways import objects as o
from ways.told import clean
from ways.told.clean import LAYER, NET, ROWS, WEIGHTS, renamed
from ways.told.plain import tanh_layer
from ways.way import Way, anp, gradient, hand

LISTS = {"W1": "Ws[0]", "b1": "bs[0]", "W2": "Ws[1]", "b2": "bs[1]"}
LISTED = dict(zip(LISTS.values(), (c.Ws[0], c.bs[0], c.Ws[1], c.bs[1]), strict=True))
PARAMS = {w: f'params["{w}"]' for w in WEIGHTS}
PAIRS = {"W1": "pairs[0][0]", "b1": "pairs[0][1]", "W2": "pairs[1][0]", "b2": "pairs[1][1]"}
PAIRED = dict(
    zip(PAIRS.values(), [a for pair in c.pairs for a in pair], strict=True),
)
NAMED = {w: f"net.{w}" for w in WEIGHTS}
SELF = {w: f"self.{w}" for w in WEIGHTS}


def list_of_dicts(x, y, W1, b1, W2, b2):
    out = anp.dot(W2, anp.tanh(anp.dot(W1, x) + b1)) + b2
    return anp.sum((out - y) ** 2) / (2 * x.shape[1])


def decayed(rate):
    def loss(x, y, W1, b1, W2, b2):
        return clean.net(x, y, W1, b1, W2, b2) + rate * (anp.sum(W1**2) + anp.sum(W2**2))

    return loss


def deep_linear(x, y, W1, W2):
    """R = W2 W1 x − y;  ∂W1 = 2 W2ᵀ R xᵀ,  ∂W2 = 2 R (W1 x)ᵀ."""
    R = W2 @ W1 @ x - y
    return 2 * W2.T @ R @ x.T, 2 * R @ (W1 @ x).T


def quadratic(x, A):
    """∂/∂x ½ xᵀAx = ½ (A + Aᵀ) x,  ∂/∂A = ½ x xᵀ."""
    return (A + A.T) @ x / 2, x[:, None] * x / 2


def _net(name, style, names, places, clean_one=clean.net, function=None):
    function = getattr(c, name) if function is None else function
    prefix = "containers" if function is getattr(c, name, None) else "objects"
    axes = renamed(NET, **names)
    wrt = tuple(names.values())
    return Way(f"{prefix}.{name}", style, function, axes, wrt, gradient(clean_one), places)


def _lists(name, style, clean_one=clean.net):
    return _net(name, style, LISTS, LISTED, clean_one)


def _pairs(name, style):
    return _net(name, style, PAIRS, PAIRED)


def _held(name, style, owner, function, clean_one=clean.net, at="self"):
    places = {f"{at}.{w}": getattr(owner, w) for w in WEIGHTS}
    return _net(name, style, {w: f"{at}.{w}" for w in WEIGHTS}, places, clean_one, function)


def _layer(name, style, function, owner, at, clean_one=clean.layer):
    names = {"W": f"{at[0]}W{at[1]}", "b": f"{at[0]}b{at[1]}"}
    wrt = tuple(names.values())
    places = dict(zip(wrt, owner, strict=True))
    return Way(name, style, function, renamed(LAYER, **names), wrt, gradient(clean_one), places)


SEQUENCE = {"W1": "self.layers[0].W", "b1": "self.layers[0].b"}
SEQUENCE |= {"W2": "self.layers[2].W", "b2": "self.layers[2].b"}
LINEAR = (o.sequential.layers[0], o.sequential.layers[2])

WAYS = [
    _lists("zipped", "lists of weights, zip"),
    _lists("indexed", "range(len(Ws)), append, a[-1]"),
    _lists("enumerated", "enumerate, two lists"),
    _lists("by_hand", "Ws[1] @ … Ws[0]"),
    _lists("negative", "Ws[-1] and Ws[0] are named from the front"),
    _lists("weight_decay", "sum() of a generator", decayed(0.005)),
    _lists("weight_decay_operators", "map, functools.reduce, operator.add", decayed(0.005)),
    Way(
        "containers.backwards",
        "reversed, None first",
        c.backwards,
        {"x": "n0 N", "y": "n2 N", "Ws[0]": "n1 n0", "Ws[1]": "n2 n1"},
        ("Ws[0]", "Ws[1]"),
        hand(deep_linear),
        {"Ws[0]": c.Ws[0], "Ws[1]": c.Ws[1]},
    ),
    _net(
        "dictionary",
        'the online course: params["W" + str(l)], caches',
        PARAMS,
        {PARAMS[w]: c.params[w] for w in WEIGHTS},
    ),
    _net(
        "list_of_dicts",
        'layers[0]["W"], an activation that is None',
        {
            "W1": 'layers[0]["W"]',
            "b1": 'layers[0]["b"]',
            "W2": 'layers[1]["W"]',
            "b2": 'layers[1]["b"]',
        },
        {f'layers[{k}]["{w}"]': c.layers[k][w] for k in (0, 1) for w in ("W", "b")},
        list_of_dicts,
    ),
    _pairs("list_of_pairs", "for (W, b) in pairs"),
    _pairs("reduced", "functools.reduce with a lambda"),
    _pairs("recursive", "recursion over the layers, (W, b), *rest"),
    _pairs("generated", "a generator, *_, last"),
    _net("named", "a namedtuple", NAMED, {NAMED[w]: getattr(c.net, w) for w in WEIGHTS}),
    _net(
        "unpacked_names",
        "a namedtuple, unpacked",
        NAMED,
        {NAMED[w]: getattr(c.net, w) for w in WEIGHTS},
    ),
    _net(
        "namespace",
        "model.hidden.W",
        {
            "W1": "model.hidden.W",
            "b1": "model.hidden.b",
            "W2": "model.out.W",
            "b2": "model.out.b",
        },
        {
            f"model.{part}.{w}": getattr(getattr(c.model, part), w)
            for part in ("hidden", "out")
            for w in "Wb"
        },
    ),
    _layer(
        "containers.get_and_items",
        "an OrderedDict, .get and .items()",
        c.get_and_items,
        c.state.values(),
        ('state["', '"]'),
    ),
    Way(
        "containers.comprehension",
        "a list and a dict comprehension",
        c.comprehension,
        renamed(LAYER, W="pairs[0][0]", b="pairs[0][1]"),
        ("pairs[0][0]", "pairs[0][1]"),
        gradient(clean.layer),
        {"pairs[0][0]": c.pairs[0][0], "pairs[0][1]": c.pairs[0][1]},
    ),
    _held("loss", "self.W1, a bound method, a staticmethod", o.network, o.network.loss),
    _held("__call__", "an object with __call__", o.network, o.network),
    _held(
        "inherited",
        "super(), a property, a class attribute",
        o.decayed,
        o.decayed.loss,
        decayed(0.05),
    ),
    _held("through_module", "network.W1 of the module", o.network, o.through_module, at="network"),
    Way(
        "objects.sequential",
        "Sequential of Linear and Tanh, abc, __slots__",
        o.sequential.loss,
        renamed(ROWS, **SEQUENCE),
        tuple(SEQUENCE.values()),
        gradient(clean.tanh_rows),
        dict(
            zip(
                SEQUENCE.values(),
                [getattr(linear, w) for linear in LINEAR for w in "Wb"],
                strict=True,
            )
        ),
    ),
    _layer(
        "objects.dataclass",
        "a dataclass, activation by name",
        o.dense.loss,
        (o.dense.W, o.dense.b),
        ("self.", ""),
    ),
    _layer(
        "objects.dataclass_tanh",
        "the same, np.tanh looked up in a dict",
        o.dense_tanh.loss,
        (o.dense_tanh.W, o.dense_tanh.b),
        ("self.", ""),
        tanh_layer,
    ),
    _layer(
        "objects.frozen_dataclass",
        "a frozen dataclass of the module",
        o.frozen_dataclass,
        (o.weights.W, o.weights.b),
        ("weights.", ""),
    ),
    _held("dynamic", 'getattr(self, f"W{k}")', o.dynamic, o.dynamic.loss),
    _held("trainer", "self.net.W1", o.trainer.net, o.trainer.cost, at="self.net"),
    _layer(
        "objects.attribute_dict",
        "a dict whose items are attributes",
        o.trainer.attributes,
        o.trainer.p.values(),
        ('self.p["', '"]'),
    ),
    Way(
        "objects.operator",
        "an object with __matmul__",
        o.quadratic.energy,
        {"x": "K", "self.A": "K K"},
        ("x", "self.A"),
        hand(quadratic),
        {"self.A": o.quadratic.A},
    ),
    Way(
        "objects.classmethod",
        "a classmethod",
        o.quadratic.halves,
        {"x": "K", "self.A": "K K"},
        ("x", "self.A"),
        hand(quadratic),
        {"self.A": o.quadratic.A},
    ),
]
