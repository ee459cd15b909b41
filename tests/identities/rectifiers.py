"""The ReLU family, Huber and its kin: piecewise functions, each right off its kinks."""

from __future__ import annotations

import numpy as np

from tests.identities import Case

rng = np.random.default_rng(23)
X = {"x": rng.normal(size=(3, 4)) * 2}
LINE = {"x": rng.normal(size=6) * 3}
CASES = []

# -- ReLU in several hands -----------------------------------------------------------------------


def relu(x):
    return np.maximum(0, x)


def relu_mask(x, dout):
    return dout * (x > 0)


def relu_inplace(x, dout):
    dx = dout.copy()
    dx[x <= 0] = 0
    return dx


def relu_product(x):
    return x * (x > 0)


def relu_where(x, dout):
    return np.where(x > 0, dout, 0.0)


def relu_loop(x):
    out = np.zeros(len(x))
    for i, v in enumerate(x):
        out[i] = v if v > 0 else 0.0
    return out


def relu_loop_grad(x, dout):
    grad = []
    for v, d in zip(x, dout):
        grad.append(d if v > 0 else 0.0)
    return np.array(grad)


CASES += [
    Case(
        "relu_mask",
        "relu",
        "relu_mask",
        X,
        (
            ("factor", "return dout", "return (1 + 1e-9) * dout"),
            ("mask dropped", " * (x > 0)", ""),
            ("argument", "(x > 0)", "(dout > 0)"),
            ("bound", "x > 0", "x > 1e-3"),
        ),
    ),
    Case(
        "relu_inplace",
        "relu",
        "relu_inplace",
        X,
        (
            ("factor", "dout.copy()", "dout * (1 + 1e-9)"),
            ("term", "dx[x <= 0] = 0", "dx = dx"),
            ("argument", "x <= 0", "x >= 0"),
        ),
    ),
    Case(
        "relu_where",
        "relu_product",
        "relu_where",
        X,
        (
            ("factor", ", dout,", ", (1 + 1e-9) * dout,"),
            ("value for slope", ", dout, 0.0", ", x * dout, 0.0"),
            ("branches swapped", "dout, 0.0)", "0.0, dout)"),
        ),
    ),
    Case(
        "relu_loop",
        "relu_loop",
        "relu_loop_grad",
        LINE,
        (
            ("factor", "d if v > 0", "d * (1 + 1e-9) if v > 0"),
            ("term", "d if v > 0 else 0.0", "d"),
            ("argument", "d if v > 0", "d if d > 0"),
        ),
    ),
]


# -- its variants --------------------------------------------------------------------------------


def leaky(x, alpha):
    return np.where(x > 0, x, alpha * x)


def leaky_grad(x, alpha, g):
    return g * np.where(x > 0, 1.0, alpha), np.sum(g * x * (x <= 0))


def elu(x, alpha=1.3):
    return np.where(x > 0, x, alpha * (np.exp(x) - 1))


def elu_grad(x, g, alpha=1.3):
    y = elu(x, alpha)
    return np.where(x > 0, g, g * (y + alpha))


LAMBDA, ALPHA = 1.0507009873554805, 1.6732632423543772


def selu(x):
    return LAMBDA * np.where(x > 0, x, ALPHA * np.expm1(x))


def selu_grad(x, g):
    slope = np.full(x.shape, LAMBDA)
    low = x <= 0
    slope[low] = LAMBDA * ALPHA * np.exp(x[low])
    return g * slope


def celu(x, alpha=0.75):
    return np.maximum(0, x) + np.minimum(0, alpha * (np.exp(x / alpha) - 1))


def celu_grad(x, g, alpha=0.75):
    return g * np.where(x > 0, 1, np.exp(x / alpha))


def hardtanh(x):
    return np.clip(x, -1, 1)


def hardtanh_grad(x, g):
    return g * (np.abs(x) < 1)


def relu6(x):
    return np.minimum(np.maximum(x, 0), 6)


def relu6_grad(x, g):
    return g * ((x > 0) & (x < 6))


def hardswish(x):
    return x * np.clip(x + 3, 0, 6) / 6


def hardswish_grad(x, g):
    mid = (2 * x + 3) / 6
    return g * np.where(x <= -3, 0, np.where(x >= 3, 1, mid))


def hard_sigmoid(x):
    return np.clip(0.2 * x + 0.5, 0, 1)


def hard_sigmoid_grad(x, g):
    inside = np.logical_and(x > -2.5, x < 2.5)
    return 0.2 * g * inside


def soft_threshold(x, lam=0.5):
    return np.sign(x) * np.maximum(np.abs(x) - lam, 0)


def soft_threshold_grad(x, g, lam=0.5):
    return g * (np.abs(x) > lam)


def maxout(x, w, b):
    a, c = x @ w + b[0], x @ w[::-1] + b[1]
    return np.maximum(a, c).sum()


def maxout_grad(x, w, b):
    first = x @ w + b[0] > x @ w[::-1] + b[1]
    dw = first @ x + (~first @ x)[::-1]
    return dw, np.array([first.sum(), (~first).sum()]) * 1.0


CASES += [
    Case(
        "leaky_relu",
        "leaky",
        "leaky_grad",
        {"x": X["x"], "alpha": 0.125},
        (
            ("factor", "alpha), np.sum(", "alpha), (1 + 1e-9) * np.sum("),
            ("mask dropped", " * (x <= 0)", ""),
            ("argument", "np.where(x > 0", "np.where(g > 0"),
            ("one-sided", "1.0, alpha)", "1.0, 0.0)"),
        ),
        options={"wrt": ("x", "alpha"), "cotangent": "g"},
    ),
    Case(
        "elu",
        "elu",
        "elu_grad",
        X,
        (
            ("factor", "g * (y + alpha)", "g * (y + alpha) * (1 + 1e-9)"),
            ("term", "(y + alpha)", "(y)"),
            ("at x for y", "(y + alpha)", "(x + alpha)"),
        ),
    ),
    Case(
        "selu",
        "selu",
        "selu_grad",
        X,
        (
            ("factor", "return g", "return (1 + 1e-9) * g"),
            ("lambda dropped", "LAMBDA * ALPHA *", "ALPHA *"),
            ("argument", "np.exp(x[low])", "np.exp(-x[low])"),
        ),
    ),
    Case(
        "celu",
        "celu",
        "celu_grad",
        X,
        (
            ("factor", "return g", "return (1 + 1e-9) * g"),
            ("alpha dropped", "x / alpha", "x"),
            ("argument", "x > 0", "x < 0"),
        ),
    ),
    Case(
        "hardtanh",
        "hardtanh",
        "hardtanh_grad",
        X,
        (
            ("factor", "return g", "return (1 + 1e-9) * g"),
            ("one side", "np.abs(x)", "x"),
            ("bound", "< 1", "< 1.01"),
        ),
    ),
    Case(
        "relu6",
        "relu6",
        "relu6_grad",
        {"x": np.array([[-2.5, 0.5, 7.0], [3.0, 5.5, 9.0]])},
        (
            ("factor", "return g", "return (1 + 1e-9) * g"),
            ("one side", "((x > 0) & (x < 6))", "(x > 0)"),
            ("or for and", "&", "|"),
        ),
    ),
    Case(
        "hardswish",
        "hardswish",
        "hardswish_grad",
        {"x": rng.normal(size=(2, 5)) * 4},
        (
            ("factor", "return g", "return (1 + 1e-9) * g"),
            ("term", "2 * x + 3", "2 * x"),
            ("x for 2 x", "2 * x + 3", "x + 3"),
            ("wrong side", "x >= 3, 1", "x >= 3, 0"),
        ),
    ),
    Case(
        "hard_sigmoid",
        "hard_sigmoid",
        "hard_sigmoid_grad",
        {"x": rng.normal(size=7) * 2},
        (
            ("factor", "0.2 * g", "0.2000000002 * g"),
            ("term", "0.2 * g * inside", "g * inside"),
            ("bound", "x < 2.5", "x < 2"),
        ),
    ),
    Case(
        "soft_threshold",
        "soft_threshold",
        "soft_threshold_grad",
        X,
        (
            ("factor", "return g", "return (1 + 1e-9) * g"),
            ("mask", " * (np.abs(x) > lam)", ""),
            ("argument", "np.abs(x) > lam", "x > lam"),
        ),
    ),
    Case(
        "maxout",
        "maxout",
        "maxout_grad",
        {"x": rng.normal(size=(4, 3)), "w": rng.normal(size=3), "b": np.array([0.25, -0.5])},
        (
            ("factor", "return dw", "return (1 + 1e-9) * dw"),
            ("term", " + (~first @ x)[::-1]", ""),
            ("index", "(~first @ x)[::-1]", "(~first @ x)"),
        ),
        options={"wrt": ("w", "b")},
    ),
]


# -- residuals that are cut off ------------------------------------------------------------------


def huber(r, delta=1.5):
    small = np.abs(r) <= delta
    return np.where(small, r**2 / 2, delta * (np.abs(r) - delta / 2))


def huber_grad(r, g, delta=1.5):
    return g * np.where(np.abs(r) <= delta, r, delta * np.sign(r))


def smooth_l1(y, t, beta=0.5):
    d = np.abs(y - t)
    return np.mean(np.where(d < beta, 0.5 * d**2 / beta, d - 0.5 * beta))


def smooth_l1_grad(y, t, beta=0.5):
    d = y - t
    out = np.sign(d)
    near = np.abs(d) < beta
    out[near] = d[near] / beta
    return out / d.size


def pseudo_huber(r, delta):
    return np.sum(delta**2 * (np.sqrt(1 + (r / delta) ** 2) - 1))


def pseudo_huber_grad(r, delta):
    root = np.sqrt(1 + (r / delta) ** 2)
    return r / root, np.sum(2 * delta * (root - 1) - r**2 / (delta * root))


def pinball(y, q, tau=0.25):
    e = y - q
    return np.sum(np.maximum(tau * e, (tau - 1) * e))


def pinball_grad(y, q, tau=0.25):
    return (y < q) * 1.0 - tau


def tukey(r, c=4.0):
    inside = np.abs(r) <= c
    return np.sum(np.where(inside, c**2 / 6 * (1 - (1 - (r / c) ** 2) ** 3), c**2 / 6))


def tukey_grad(r, c=4.0):
    return np.where(np.abs(r) <= c, r * (1 - (r / c) ** 2) ** 2, 0)


R = {"r": rng.normal(size=8) * 2}
CASES += [
    Case(
        "huber",
        "huber",
        "huber_grad",
        R,
        (
            ("factor", "return g", "return (1 + 1e-9) * g"),
            ("sign dropped", "delta * np.sign(r)", "delta"),
            ("bound", "<= delta", "<= 1"),
        ),
    ),
    Case(
        "smooth_l1",
        "smooth_l1",
        "smooth_l1_grad",
        {"y": rng.normal(size=(4, 2)), "t": rng.normal(size=(4, 2))},
        (
            ("factor", "/ d.size", "/ d.size * (1 + 1e-9)"),
            ("beta dropped", " / beta", ""),
            ("rows for entries", "d.size", "d.shape[0]"),
            ("argument", "np.sign(d)", "np.sign(y)"),
        ),
        options={"wrt": "y"},
    ),
    Case(
        "pseudo_huber",
        "pseudo_huber",
        "pseudo_huber_grad",
        {**R, "delta": 1.25},
        (
            ("factor", "r / root", "(1 + 1e-9) * r / root"),
            ("term", " - r**2 / (delta * root)", ""),
            ("argument", "(delta * root)", "root"),
        ),
        options={"wrt": ("r", "delta")},
    ),
    Case(
        "pinball",
        "pinball",
        "pinball_grad",
        {"y": rng.normal(size=5), "q": rng.normal(size=5)},
        (
            ("factor", "* 1.0", "* (1 + 1e-9)"),
            ("term", " - tau", ""),
            ("argument", "y < q", "y > q"),
        ),
        options={"wrt": "q"},
    ),
    Case(
        "tukey",
        "tukey",
        "tukey_grad",
        R,
        (
            ("factor", ", r * (1", ", (1 + 1e-9) * r * (1"),
            ("power", ") ** 2, 0", "), 0"),
            ("scale", "(r / c) ** 2", "r**2"),
        ),
    ),
]
