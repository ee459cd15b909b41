"""Smooth activations: the sigmoid in all its usual forms, tanh, softplus, GELU, swish, mish."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import erf, expit

from tests.identities import Case

rng = np.random.default_rng(11)
Z = {"z": rng.normal(size=(3, 4))}
LINE = {"z": rng.normal(size=5)}
CASES = []


def sigma(z):
    return 1 / (1 + np.exp(-z))


# -- the slope of σ, as it is written in books and repositories --------------------------------


def sigma_by_itself(z, g):
    s = sigma(z)
    return g * s * (1 - s)


CASES += [
    Case(
        "sigma_s_one_minus_s",
        "sigma",
        "sigma_by_itself",
        Z,
        (
            ("factor", "return g * s", "return (1 + 1e-9) * g * s"),
            ("term", "s * (1 - s)", "s * (1)"),
            ("at a for z", "(1 - s)", "(1 - sigma(s))"),
        ),
    )
]


def sigma_by_exp(z, g):
    return g * np.exp(-z) / (np.exp(-z) + 1) ** 2


CASES += [
    Case(
        "sigma_exp",
        "sigma",
        "sigma_by_exp",
        Z,
        (
            ("factor", "return g *", "return (1 + 1e-9) * g *"),
            ("term", "(np.exp(-z) + 1) ** 2", "np.exp(-z) ** 2"),
            ("power", "** 2", "** 3"),
            ("at a for z", "g * np.exp(-z)", "g * np.exp(-sigma(z))"),
        ),
    )
]


def sigma_symmetric(z, g):
    return g / (2 + np.exp(z) + np.exp(-z))


CASES += [
    Case(
        "sigma_symmetric",
        "sigma",
        "sigma_symmetric",
        Z,
        (
            ("factor", "return g", "return 1.000000001 * g"),
            ("term", "2 + np.exp(z)", "np.exp(z)"),
            ("argument", "np.exp(z) + np.exp(-z)", "np.exp(z) + np.exp(z)"),
        ),
    )
]


def sigma_cosh(z, g):
    return g / (4 * np.cosh(z / 2) ** 2)


CASES += [
    Case(
        "sigma_cosh",
        "sigma",
        "sigma_cosh",
        Z,
        (
            ("factor", "(4 *", "(4.000000004 *"),
            ("half", "z / 2", "z"),
            ("at g", "np.cosh(z / 2)", "np.cosh(g / 2)"),
        ),
    )
]


def sigma_mirror(z, g):
    return np.multiply(g, expit(z)) * expit(-z)


CASES += [
    Case(
        "sigma_mirror",
        "sigma",
        "sigma_mirror",
        Z,
        (
            ("factor", "return np", "return (1 + 1e-9) * np"),
            ("term", " * expit(-z)", ""),
            ("argument", "expit(-z)", "expit(z)"),
        ),
    )
]


def sigma_tanh(z, g):
    t = np.tanh(0.5 * z)
    return 0.25 * g * (1 - t**2)


CASES += [
    Case(
        "sigma_tanh",
        "sigma",
        "sigma_tanh",
        Z,
        (
            ("factor", "0.25 * g", "0.25000000025 * g"),
            ("term", "(1 - t**2)", "(-(t**2))"),
            ("argument", "np.tanh(0.5 * z)", "np.tanh(z)"),
        ),
    )
]


def sigma_loop(z):
    out = []
    for v in z:
        out.append(1.0 / (1.0 + math.exp(-v)))
    return np.array(out)


def sigma_loop_grad(z, dout):
    dz = np.zeros_like(z)
    for k in range(len(z)):
        a = 1.0 / (1.0 + math.exp(-z[k]))
        dz[k] = dout[k] * a * (1.0 - a)
    return dz


CASES += [
    Case(
        "sigma_loop",
        "sigma_loop",
        "sigma_loop_grad",
        LINE,
        (
            ("factor", "a * (1.0 - a)", "a * (1.0 - a) * (1 + 1e-9)"),
            ("term", "(1.0 - a)", "1.0"),
            ("last entry left out", "range(len(z))", "range(len(z) - 1)"),
            ("one slice off", "dout[k] *", "dout[k - 1] *"),
        ),
    )
]


def sigma_point(t):
    return 1 / (1 + math.exp(-t))


def sigma_point_second(t):
    s = sigma_point(t)
    return s * (1 - s) * (1 - 2 * s)


CASES += [
    Case(
        "sigma_second",
        "sigma_point",
        "sigma_point_second",
        {"t": 0.75},
        (
            ("factor", "return s", "return (1 + 1e-9) * s"),
            ("term", " * (1 - 2 * s)", ""),
            ("sign", "1 - 2 * s", "2 * s - 1"),
            ("argument", "s = sigma_point(t)", "s = sigma_point(-t)"),
        ),
        options={"mode": "hessian"},
    )
]


def sigma_stable(z):
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e))


def sigma_stable_grad(z, g):
    e = np.exp(-np.abs(z))
    return g * e / (1 + e) ** 2


CASES += [
    Case(
        "sigma_stable",
        "sigma_stable",
        "sigma_stable_grad",
        Z,
        (
            ("factor", "g * e", "(1 + 1e-9) * g * e"),
            ("power", "** 2", ""),
            ("argument", "np.abs(z)", "z * z"),
        ),
    )
]


# -- tanh --------------------------------------------------------------------------------------


def tanh(z):
    return np.tanh(z)


def tanh_by_itself(z, g):
    return g * (1 - np.tanh(z) ** 2)


def tanh_cosh(z, g):
    return g / np.cosh(z) ** 2


def tanh_exp(z):
    return (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z))


def tanh_exp_grad(z, g):
    e = np.exp(2 * z)
    return 4 * e / (e + 1) ** 2 * g


class Tanh:
    """A layer that keeps its output."""

    def forward(self, z):
        self.out = np.tanh(z)
        return self.out

    def backward(self, z, dout):
        a = self.forward(z)
        return dout * (1 + a) * (1 - a)


layer = Tanh()

CASES += [
    Case(
        "tanh",
        "tanh",
        "tanh_by_itself",
        Z,
        (
            ("factor", "return g", "return g * (1 + 1e-9)"),
            ("power", "np.tanh(z) ** 2", "np.tanh(z)"),
            ("at a for z", "np.tanh(z)", "np.tanh(np.tanh(z))"),
        ),
    ),
    Case(
        "tanh_cosh",
        "tanh",
        "tanh_cosh",
        Z,
        (
            ("factor", "return g", "return g * (1 + 1e-9)"),
            ("power", " ** 2", ""),
            ("sinh", "cosh(z)", "sinh(z)"),
            ("argument", "cosh(z)", "cosh(g)"),
        ),
    ),
    Case(
        "tanh_exp",
        "tanh_exp",
        "tanh_exp_grad",
        Z,
        (
            ("factor", "4 * e", "4.000000004 * e"),
            ("term", "(e + 1)", "e"),
            ("argument", "np.exp(2 * z)", "np.exp(z)"),
        ),
    ),
    Case(
        "tanh_layer",
        "layer.forward",
        "layer.backward",
        Z,
        (
            ("factor", "(1 - a)", "(1 - a) * (1 + 1e-9)"),
            ("term", " * (1 + a)", ""),
            ("at a for z", "self.forward(z)", "self.forward(self.forward(z))"),
        ),
    ),
]


# -- softplus and log σ ------------------------------------------------------------------------


def softplus(x):
    return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)


def softplus_grad(x, g):
    return g / (1 + np.exp(-x))


def softplus_plain(x):
    return np.log(1 + np.exp(x))


def softplus_plain_grad(x, g):
    e = np.exp(x)
    return g * e / (1 + e)


def log_sigmoid(x):
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


def log_sigmoid_grad(x, g):
    return g * (1 - expit(x))


def log_sigmoid_sum(x):
    return -np.sum(np.logaddexp(0, -x))


def log_sigmoid_sum_grad(x):
    return 1 / (np.exp(x) + 1)


X = {"x": rng.normal(size=(4, 3))}
CASES += [
    Case(
        "softplus",
        "softplus",
        "softplus_grad",
        X,
        (
            ("factor", "g / (1", "(1 + 1e-9) * g / (1"),
            ("term", "1 + np", "0 + np"),
            ("argument", "-x", "x"),
        ),
    ),
    Case(
        "softplus_plain",
        "softplus_plain",
        "softplus_plain_grad",
        X,
        (
            ("factor", "return g", "return (1 + 1e-9) * g"),
            ("term", "g * e / (1 + e)", "g / (1 + e)"),
            ("argument", "np.exp(x)", "np.exp(g)"),
        ),
    ),
    Case(
        "log_sigmoid",
        "log_sigmoid",
        "log_sigmoid_grad",
        X,
        (
            ("factor", "return g", "return (1 + 1e-9) * g"),
            ("term", "1 - expit", "expit"),
            ("argument", "expit(x)", "expit(-x)"),
        ),
    ),
    Case(
        "log_sigmoid_sum",
        "log_sigmoid_sum",
        "log_sigmoid_sum_grad",
        X,
        (
            ("factor", "1 / (np", "(1 + 1e-9) / (np"),
            ("term", " + 1)", ")"),
            ("argument", "np.exp(x)", "np.exp(-x)"),
        ),
    ),
]


# -- GELU, swish, mish -------------------------------------------------------------------------


def gelu_exact(x):
    return 0.5 * x * (1 + erf(x / np.sqrt(2)))


def gelu_exact_grad(x, dy):
    cdf = 0.5 * (1 + erf(x / np.sqrt(2)))
    pdf = np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi)
    return dy * (cdf + x * pdf)


def gelu_point(t):
    return t * 0.5 * (1.0 + math.erf(t / math.sqrt(2.0)))


def gelu_point_grad(t):
    phi = math.exp(-t * t / 2) / math.sqrt(2 * math.pi)
    return 0.5 * math.erfc(-t / math.sqrt(2)) + t * phi


GELU_K = np.sqrt(2 / np.pi)


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(GELU_K * (x + 0.044715 * x**3)))


def gelu_tanh_grad(x, dy):
    t = np.tanh(GELU_K * (x + 0.044715 * x**3))
    dt = (1 - t**2) * GELU_K * (1 + 3 * 0.044715 * x**2)
    return dy * (0.5 * (1 + t) + 0.5 * x * dt)


def swish(x, beta):
    return x * sigma(beta * x)


def swish_grad(x, beta, g):
    y, s = swish(x, beta), sigma(beta * x)
    return g * (beta * y + s * (1 - beta * y)), np.sum(g * x * y * (1 - s))


def silu(x):
    return x / (1 + np.exp(-x))


def silu_grad(x, g):
    e = np.exp(-x)
    return g * (1 + e * (1 + x)) / (1 + e) ** 2


def mish(x):
    return x * np.tanh(np.log1p(np.exp(x)))


def mish_grad(x, g):
    omega = 4 * (x + 1) + 4 * np.exp(2 * x) + np.exp(3 * x) + np.exp(x) * (4 * x + 6)
    delta = 2 * np.exp(x) + np.exp(2 * x) + 2
    return g * np.exp(x) * omega / delta**2


def mish_chain(x, g):
    sp = np.log1p(np.exp(x))
    th = np.tanh(sp)
    return g * (th + x * (1 - th * th) * expit(x))


def softsign(x):
    return x / (1 + np.abs(x))


def softsign_grad(x, g):
    return g / (1 + np.abs(x)) ** 2


def log_cosh(y, t):
    return np.mean(np.log(np.cosh(y - t)))


def log_cosh_grad(y, t):
    return np.tanh(y - t) / y.size


def log_cosh_stable(r):
    a = np.abs(r)
    return np.sum(a + np.log1p(np.exp(-2 * a)) - np.log(2))


def log_cosh_stable_grad(r):
    e = np.exp(2 * r)
    return (e - 1) / (e + 1)


CASES += [
    Case(
        "gelu_exact",
        "gelu_exact",
        "gelu_exact_grad",
        X,
        (
            ("factor", "return dy", "return (1 + 1e-9) * dy"),
            ("term", "(cdf + x * pdf)", "cdf"),
            ("argument", "np.exp(-0.5 * x**2)", "np.exp(-0.5 * dy**2)"),
            ("variance", "-0.5 * x**2", "-(x**2)"),
        ),
    ),
    Case(
        "gelu_point",
        "gelu_point",
        "gelu_point_grad",
        {"t": -0.625},
        (
            ("factor", "return 0.5", "return (1 + 1e-9) * 0.5"),
            ("term", " + t * phi", ""),
            ("argument", "math.erfc(-t", "math.erfc(t"),
        ),
    ),
    Case(
        "gelu_tanh",
        "gelu_tanh",
        "gelu_tanh_grad",
        X,
        (
            ("factor", "return dy", "return (1 + 1e-9) * dy"),
            ("term", "0.5 * (1 + t) + 0.5", "0.5"),
            ("cubic", "3 * 0.044715", "0.044715"),
            ("a digit lost", "3 * 0.044715", "3 * 0.0447"),
            ("at t for x", "0.5 * x * dt", "0.5 * t * dt"),
        ),
    ),
    Case(
        "swish",
        "swish",
        "swish_grad",
        {"x": rng.normal(size=4), "beta": 1.5},
        (
            ("factor", "return g", "return (1 + 1e-9) * g"),
            ("term", "(beta * y + s * (1 - beta * y))", "(s * (1 - beta * y))"),
            ("beta forgotten", "s * (1 - beta * y)", "s * (1 - y)"),
            ("at x for y", "x * y * (1 - s)", "x * x * (1 - s)"),
        ),
        options={"wrt": ("x", "beta"), "cotangent": "g"},
    ),
    Case(
        "silu",
        "silu",
        "silu_grad",
        X,
        (
            ("factor", "return g", "return (1 + 1e-9) * g"),
            ("term", "(1 + x)", "x"),
            ("argument", "np.exp(-x)", "np.exp(x)"),
        ),
    ),
    Case(
        "mish",
        "mish",
        "mish_grad",
        X,
        (
            ("factor", "return g", "return (1 + 1e-9) * g"),
            ("term", "4 * (x + 1) + 4 *", "4 *"),
            ("index", "np.exp(3 * x)", "np.exp(4 * x)"),
        ),
    ),
    Case(
        "mish_chain",
        "mish",
        "mish_chain",
        X,
        (
            ("factor", "return g", "return (1 + 1e-9) * g"),
            ("term", "th + x", "x"),
            ("at softplus", "expit(x)", "expit(sp)"),
        ),
    ),
    Case(
        "softsign",
        "softsign",
        "softsign_grad",
        X,
        (
            ("factor", "return g", "return (1 + 1e-9) * g"),
            ("power", " ** 2", ""),
            ("absolute value", "np.abs(x)", "x"),
        ),
    ),
    Case(
        "log_cosh",
        "log_cosh",
        "log_cosh_grad",
        {"y": rng.normal(size=(2, 3)), "t": rng.normal(size=(2, 3))},
        (
            ("factor", "/ y.size", "/ y.size * (1 + 1e-9)"),
            ("mean", " / y.size", ""),
            ("argument", "np.tanh(y - t)", "np.tanh(t - y)"),
            ("rows for entries", "y.size", "len(y)"),
        ),
        options={"wrt": "y"},
    ),
    Case(
        "log_cosh_stable",
        "log_cosh_stable",
        "log_cosh_stable_grad",
        {"r": rng.normal(size=6)},
        (
            ("factor", "return (e", "return (1 + 1e-9) * (e"),
            ("term", "(e + 1)", "(e)"),
            ("argument", "np.exp(2 * r)", "np.exp(r)"),
        ),
    ),
]
