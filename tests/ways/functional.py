"""Functions that make, wrap, bind and compose functions."""

import functools
import itertools
from collections.abc import Callable
from functools import partial, reduce, wraps

import numpy as np

rng = np.random.default_rng(6)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def make_cost(W, b):
    def cost(x, y):
        return np.sum((sigmoid(W @ x + b) - y) ** 2) / x.shape[1]

    return cost


closure = make_cost(rng.normal(size=(3, 2)), rng.normal(size=(3, 1)))


def make_network(widths):
    Ws = [rng.normal(size=(n, m)) for m, n in itertools.pairwise(widths)]
    bs = [rng.normal(size=(n, 1)) for n in widths[1:]]

    def forward(x):
        for W, b in zip(Ws, bs, strict=True):
            x = sigmoid(W @ x + b)
        return x

    def cost(x, y):
        return np.sum((forward(x) - y) ** 2) / x.shape[1]

    return cost


deep_closure = make_network((2, 3, 5))

square_error = lambda x, y, W, b: np.sum((sigmoid(W @ x + b) - y) ** 2) / x.shape[1]  # noqa: E731


def regularized(x, y, W, b, lam, power):
    return np.sum((sigmoid(W @ x + b) - y) ** 2) / x.shape[1] + lam * np.sum(np.abs(W) ** power)


ridge = partial(regularized, lam=0.1, power=2)
bound = partial(square_error, b=rng.normal(size=(3, 1)))


def logged(function):
    @wraps(function)
    def wrapper(*args, **kwargs):
        result = function(*args, **kwargs)
        print(f"{function.__name__} -> {result:.3f}")
        return result

    return wrapper


def scaled(factor):
    def decorate(function):
        @wraps(function)
        def wrapper(*args, **kwargs):
            return factor * function(*args, **kwargs)

        return wrapper

    return decorate


def counted(function):
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    wrapper.about = "without functools.wraps"
    return wrapper


@logged
def decorated(x, y, W, b):
    return np.sum((sigmoid(W @ x + b) - y) ** 2) / x.shape[1]


@scaled(factor=3)
@counted
def decorated_twice(x, y, W, b):
    return np.sum((sigmoid(W @ x + b) - y) ** 2) / x.shape[1] / 3


def compose(*functions: Callable) -> Callable:
    return reduce(lambda f, g: lambda x: g(f(x)), functions)


def linear(W, b):
    return lambda a: W @ a + b


def composed(x, y, W1, b1, W2, b2):
    net = compose(linear(W1, b1), sigmoid, linear(W2, b2), sigmoid)
    return np.sum((net(x) - y) ** 2) / x.shape[1]


def accumulated(x, y, W1, b1, W2, b2):
    layers = [(W1, b1), (W2, b2)]
    states = itertools.accumulate(layers, lambda a, p: sigmoid(p[0] @ a + p[1]), initial=x)
    *_, a = states
    return np.sum((a - y) ** 2) / x.shape[1]


def nested(x, y, W1, b1, W2, b2):
    calls = 0

    def layer(W, b, a):
        nonlocal calls
        calls += 1
        return sigmoid(W @ a + b)

    a = layer(W2, b2, layer(W1, b1, x))
    return np.sum((a - y) ** 2) / (x.shape[1] * calls / 2)


def late_lambdas(x, y, W1, b1, W2, b2):
    steps = [lambda a, W=W, b=b: sigmoid(W @ a + b) for W, b in ((W1, b1), (W2, b2))]
    for step in steps:
        x = step(x)
    return np.sum((x - y) ** 2) / x.shape[1]


def mapped(x, y, W, b):
    columns = map(lambda column: sigmoid(W @ column + b), x.T)
    return sum(np.sum((a - t) ** 2) for a, t in zip(columns, y.T, strict=True)) / x.shape[1]


@functools.lru_cache(maxsize=None)  # noqa: UP033
def factor(n):
    return 1.0 / n


def cached_factor(x, y, W, b):
    return factor(2) * np.sum((sigmoid(W @ x + b) - y) ** 2) * 2 * (1 / x.shape[1])


@functools.singledispatch
def activate(z):
    return np.tanh(z)


def dispatched(x, y, W, b):
    return np.sum((activate(W @ x + b) - y) ** 2) / x.shape[1]
