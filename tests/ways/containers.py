"""The weights lie in lists, dicts, tuples and namespaces of the module."""

import functools
import operator
from collections import OrderedDict, namedtuple
from types import SimpleNamespace

import numpy as np

rng = np.random.default_rng(3)
widths = [2, 3, 5]

Ws = [rng.normal(size=(m, n)) for n, m in zip(widths[:-1], widths[1:], strict=True)]  # noqa: RUF007
bs = [rng.normal(size=(m, 1)) for m in widths[1:]]

params = {}
for l in range(1, len(widths)):  # noqa: E741
    params["W" + str(l)] = rng.normal(size=(widths[l], widths[l - 1]))
    params[f"b{l}"] = np.zeros((widths[l], 1)) + 0.1 * l

layers = [
    {"W": rng.normal(size=(3, 2)), "b": rng.normal(size=(3, 1)), "act": np.tanh},
    {"W": rng.normal(size=(5, 3)), "b": rng.normal(size=(5, 1)), "act": None},
]

pairs = [(W.copy(), b.copy()) for W, b in zip(Ws, bs, strict=True)]

Network = namedtuple("Network", "W1 b1 W2 b2")
net = Network(*(rng.normal(size=s) for s in [(3, 2), (3, 1), (5, 3), (5, 1)]))

model = SimpleNamespace(
    hidden=SimpleNamespace(W=rng.normal(size=(3, 2)), b=rng.normal(size=(3, 1))),
    out=SimpleNamespace(W=rng.normal(size=(5, 3)), b=rng.normal(size=(5, 1))),
)

state = OrderedDict(W=rng.normal(size=(3, 2)), b=rng.normal(size=(3, 1)))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def mse(a, y):
    return np.sum((a - y) ** 2) / y.shape[1]


def zipped(x, y):
    a = x
    for W, b in zip(Ws, bs, strict=True):
        a = sigmoid(W @ a + b)
    return mse(a, y)


def indexed(x, y):
    a = [x]
    for k in range(len(Ws)):
        a.append(sigmoid(Ws[k] @ a[-1] + bs[k]))
    return mse(a[-1], y)


def enumerated(x, y):
    zs, activations = [], [x]
    for k, W in enumerate(Ws):
        zs.append(np.dot(W, activations[k]) + bs[k])
        activations.append(sigmoid(zs[-1]))
    return mse(activations[-1], y)


def by_hand(x, y):
    return mse(sigmoid(Ws[1] @ sigmoid(Ws[0] @ x + bs[0]) + bs[1]), y)


def negative(x, y):
    return mse(sigmoid(Ws[-1] @ sigmoid(Ws[-2] @ x + bs[-2]) + bs[-1]), y)


def forward(X, parameters):
    """The online course's forward pass: a cache on the way."""
    caches = []
    A = X
    L = len(parameters) // 2
    for l in range(1, L + 1):  # noqa: E741
        A_prev = A
        Z = np.dot(parameters["W" + str(l)], A_prev) + parameters["b" + str(l)]
        A, cache = sigmoid(Z), (A_prev, Z)
        caches.append(cache)
    assert A.shape == (parameters[f"b{L}"].shape[0], X.shape[1])
    return A, caches


def dictionary(x, y):
    AL, _caches = forward(x, params)
    return mse(AL, y)


def list_of_dicts(x, y):
    h = x
    for layer in layers:
        h = layer["W"] @ h + layer["b"]
        if layer["act"] is not None:
            h = layer["act"](h)
    return 0.5 * mse(h, y)


def list_of_pairs(x, y):
    a = x
    for W, b in pairs:
        a = sigmoid(W @ a + b)
    return mse(a, y)


def reduced(x, y):
    a = functools.reduce(lambda a, Wb: sigmoid(Wb[0] @ a + Wb[1]), pairs, x)
    return mse(a, y)


def recursive(x, y):
    def run(a, layers):
        if not layers:
            return a
        (W, b), *rest = layers
        return run(sigmoid(W @ a + b), rest)

    return mse(run(x, pairs), y)


def generated(x, y):
    def activations():
        a = x
        for W, b in pairs:
            a = sigmoid(W @ a + b)
            yield a

    *_, last = activations()
    return mse(last, y)


def named(x, y):
    return mse(sigmoid(net.W2 @ sigmoid(net.W1 @ x + net.b1) + net.b2), y)


def unpacked_names(x, y):
    W1, b1, W2, b2 = net
    return mse(sigmoid(W2 @ sigmoid(W1 @ x + b1) + b2), y)


def namespace(x, y):
    h = sigmoid(model.hidden.W @ x + model.hidden.b)
    return mse(sigmoid(model.out.W @ h + model.out.b), y)


def get_and_items(x, y):
    z = state.get("W") @ x
    for key, value in state.items():
        if key.startswith("b"):
            z = z + value
    return mse(sigmoid(z), y)


def comprehension(x, y):
    z = [W @ x + b for W, b in pairs[:1]]
    a = {k: sigmoid(v) for k, v in enumerate(z)}
    return mse(a[0], y)


def weight_decay(x, y):
    penalty = sum(np.sum(W**2) for W in Ws)
    return zipped(x, y) + 0.01 / 2 * penalty


def weight_decay_operators(x, y):
    squares = map(np.square, Ws)
    penalty = functools.reduce(operator.add, [s.sum() for s in squares])
    return operator.add(zipped(x, y), operator.mul(0.005, penalty))


def backwards(x, y):
    """From the last layer to the first: the product of all weights, then x."""
    P = None
    for W in reversed(Ws):
        P = W if P is None else P @ W
    return np.sum((P @ x - y) ** 2)
