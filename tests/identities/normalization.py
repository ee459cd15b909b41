"""Batch, layer, group, instance and RMS norm; rows of length one; cosine similarity."""

from __future__ import annotations

import numpy as np

from tests.identities import Case

rng = np.random.default_rng(53)
EPS = 1e-5
BN = {"x": rng.normal(size=(5, 3)), "gamma": rng.normal(size=3), "beta": rng.normal(size=3)}
CASES = []


def batch_norm(x, gamma, beta):
    mu = x.mean(axis=0)
    var = x.var(axis=0)
    xhat = (x - mu) / np.sqrt(var + EPS)
    return gamma * xhat + beta


def batch_norm_compact(x, gamma, beta, dout):
    N = len(x)
    ivar = 1 / np.sqrt(x.var(axis=0) + EPS)
    xhat = (x - x.mean(axis=0)) * ivar
    dbeta = dout.sum(axis=0)
    dgamma = (dout * xhat).sum(axis=0)
    dx = gamma * ivar / N * (N * dout - dbeta - xhat * dgamma)
    return dx, dgamma, dbeta


def batch_norm_nine(x, gamma, beta, dout):
    N = x.shape[0]
    mu = np.sum(x, axis=0) / N
    xmu = x - mu
    var = np.sum(xmu**2, axis=0) / N
    sd = np.sqrt(var + EPS)
    # back through the nine nodes, one by one
    dxhat = dout * gamma
    dinv = np.sum(dxhat * xmu, axis=0)
    dsd = -dinv / sd**2
    dvar = dsd / (2 * sd)
    dsq = np.ones_like(x) * dvar / N
    dxmu = dxhat / sd + 2 * xmu * dsq
    dmu = -np.sum(dxmu, axis=0)
    return dxmu + dmu / N, np.sum(dout * xmu / sd, axis=0), np.sum(dout, axis=0)


def batch_norm_formula(x, gamma, beta, dout):
    m = x.shape[0]
    mu, var = np.mean(x, 0), np.var(x, 0)
    inv = (var + EPS) ** -0.5
    dxh = dout * gamma
    dvar = np.sum(dxh * (x - mu), 0) * -0.5 * inv**3
    dmu = np.sum(-dxh * inv, 0) + dvar * np.mean(-2 * (x - mu), 0)
    return {"x": dxh * inv + dvar * 2 * (x - mu) / m + dmu / m}


def batch_norm_2d(x, gamma):
    mu = x.mean(axis=(0, 2, 3), keepdims=True)
    var = x.var(axis=(0, 2, 3), keepdims=True)
    return gamma[None, :, None, None] * (x - mu) / np.sqrt(var + EPS)


def batch_norm_2d_grad(x, gamma, dy):
    ax = (0, 2, 3)
    inv = 1 / np.sqrt(x.var(axis=ax, keepdims=True) + EPS)
    xh = (x - x.mean(axis=ax, keepdims=True)) * inv
    dgamma = (dy * xh).sum(axis=ax)
    h = dy * gamma[:, None, None]
    dx = inv * (h - h.mean(axis=ax, keepdims=True) - xh * (h * xh).mean(axis=ax, keepdims=True))
    return dx, dgamma


running_mean, running_var = rng.normal(size=3), rng.random(3) + 0.5


def batch_norm_eval(x, gamma, beta):
    return (x - running_mean) / np.sqrt(running_var + EPS) * gamma + beta


def batch_norm_eval_grad(x, gamma, beta, dout):
    scale = (running_var + EPS) ** -0.5
    return dout * gamma * scale, np.sum(dout * (x - running_mean) * scale, 0), np.sum(dout, 0)


CASES += [
    Case(
        "batch_norm_compact",
        "batch_norm",
        "batch_norm_compact",
        BN,
        (
            ("factor", "dx = gamma", "dx = (1 + 1e-9) * gamma"),
            ("term", " - xhat * dgamma", ""),
            ("axis", "(dout * xhat).sum(axis=0)", "(dout * xhat).sum(axis=1)[: len(gamma)]"),
            ("count", "N * dout", "dout"),
        ),
    ),
    Case(
        "batch_norm_nine",
        "batch_norm",
        "batch_norm_nine",
        BN,
        (
            ("factor", "dsd / (2 * sd)", "dsd / (2 * sd) * (1 + 1e-9)"),
            ("term", "dxmu + dmu / N", "dxmu"),
            ("power", "sd**2", "sd"),
            ("at x", "dxhat * xmu", "dxhat * x"),
            ("sd forgotten", "dsd / (2 * sd)", "dsd / 2"),
        ),
    ),
    Case(
        "batch_norm_formula",
        "batch_norm",
        "batch_norm_formula",
        BN,
        (
            ("factor", "-0.5 * inv**3", "-0.5 * inv**3 * (1 + 1e-9)"),
            ("term", " + dmu / m", ""),
            ("power", "inv**3", "inv**2"),
        ),
        options={"wrt": "x"},
    ),
    Case(
        "batch_norm_2d",
        "batch_norm_2d",
        "batch_norm_2d_grad",
        {"x": rng.normal(size=(2, 3, 2, 2)), "gamma": rng.normal(size=3)},
        (
            ("factor", "dx = inv", "dx = (1 + 1e-9) * inv"),
            ("term", " - h.mean(axis=ax, keepdims=True)", ""),
            ("axis", "(dy * xh).sum(axis=ax)", "(dy * xh).sum(axis=(0, 2)).mean(axis=1)"),
        ),
    ),
    Case(
        "batch_norm_eval",
        "batch_norm_eval",
        "batch_norm_eval_grad",
        BN,
        (
            ("factor", "return dout", "return (1 + 1e-9) * dout"),
            ("term", "gamma * scale,", "gamma,"),
            ("argument", "(x - running_mean)", "(x - running_var)"),
        ),
        options={"wrt": ("x", "gamma", "beta")},
    ),
]


# -- along the last axis -------------------------------------------------------------------------


def layer_norm(x, g, b):
    m = x.mean(axis=-1, keepdims=True)
    s = np.sqrt(np.mean((x - m) ** 2, axis=-1, keepdims=True) + EPS)
    return (x - m) / s * g + b


def layer_norm_grad(x, g, b, dy):
    d = x.shape[-1]
    m = x.mean(axis=-1, keepdims=True)
    s = np.sqrt(np.mean((x - m) ** 2, axis=-1, keepdims=True) + EPS)
    xh = (x - m) / s
    a = dy * g
    dx = (d * a - a.sum(-1, keepdims=True) - xh * (a * xh).sum(-1, keepdims=True)) / (d * s)
    return dx, (dy * xh).sum(0), dy.sum(0)


def layer_norm_rows(x):
    out = np.zeros_like(x)
    for i in range(len(x)):
        out[i] = (x[i] - x[i].mean()) / np.sqrt(x[i].var() + EPS)
    return out


def layer_norm_rows_grad(x, dy):
    dx = np.zeros_like(x)
    for i in range(len(x)):
        s = np.sqrt(x[i].var() + EPS)
        h = (x[i] - x[i].mean()) / s
        dx[i] = (dy[i] - dy[i].mean() - h * np.mean(dy[i] * h)) / s
    return dx


def rms_norm(x, g):
    return g * x * (np.mean(x**2, axis=-1, keepdims=True) + EPS) ** -0.5


def rms_norm_grad(x, g, dy):
    r = np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + EPS)
    gy = g * dy
    dx = gy / r - x * np.mean(gy * x, axis=-1, keepdims=True) / r**3
    return dx, np.sum(dy * x / r, axis=0)


GROUPS = 2


def group_norm(x):
    n, c, w = x.shape
    v = x.reshape(n, GROUPS, c // GROUPS, w)
    m = v.mean(axis=(2, 3), keepdims=True)
    s = np.sqrt(v.var(axis=(2, 3), keepdims=True) + EPS)
    return ((v - m) / s).reshape(n, c, w)


def group_norm_grad(x, dy):
    n, c, w = x.shape
    v, d = x.reshape(n, GROUPS, -1), dy.reshape(n, GROUPS, -1)
    m = v.mean(axis=2, keepdims=True)
    s = np.sqrt(v.var(axis=2, keepdims=True) + EPS)
    h = (v - m) / s
    dv = (d - d.mean(axis=2, keepdims=True) - h * (d * h).mean(axis=2, keepdims=True)) / s
    return dv.reshape(x.shape)


def instance_norm(x):
    m = np.mean(x, axis=2)[:, :, None]
    v = np.mean((x - m) ** 2, axis=2)[:, :, None]
    return (x - m) / np.sqrt(v + EPS)


def instance_norm_grad(x, dy):
    y = instance_norm(x)
    inv = 1 / np.sqrt(np.var(x, axis=2, keepdims=True) + EPS)
    mean = np.mean(dy, axis=2, keepdims=True)
    along = np.mean(dy * y, axis=2, keepdims=True)
    return inv * (dy - mean - y * along)


def standardize(x):
    return (x - x.mean()) / x.std()


def standardize_grad(x, g):
    s, z = x.std(), standardize(x)
    return (g - g.mean() - z * (g * z).mean()) / s


def min_max(x, lo, hi):
    return np.sum(((x - lo) / (hi - lo)) ** 2)


def min_max_grad(x, lo, hi):
    u = (x - lo) / (hi - lo)
    return 2 * u / (hi - lo), np.sum(2 * u * (u - 1)) / (hi - lo), -np.sum(2 * u * u) / (hi - lo)


L = {"x": rng.normal(size=(4, 3)), "g": rng.normal(size=3), "b": rng.normal(size=3)}
CASES += [
    Case(
        "layer_norm",
        "layer_norm",
        "layer_norm_grad",
        L,
        (
            ("factor", "return dx", "return (1 + 1e-9) * dx"),
            ("term", " - a.sum(-1, keepdims=True)", ""),
            ("axis", "d = x.shape[-1]", "d = x.shape[0]"),
            ("at dy for a", "(a * xh).sum(-1", "(dy * xh).sum(-1"),
        ),
    ),
    Case(
        "layer_norm_rows",
        "layer_norm_rows",
        "layer_norm_rows_grad",
        {"x": L["x"]},
        (
            ("factor", ") / s\n    return", ") / s * (1 + 1e-9)\n    return"),
            ("term", " - dy[i].mean()", ""),
            ("row", "np.mean(dy[i] * h)", "np.mean(dy[i - 1] * h)"),
        ),
    ),
    Case(
        "rms_norm",
        "rms_norm",
        "rms_norm_grad",
        {"x": L["x"], "g": L["g"]},
        (
            ("factor", "return dx", "return (1 + 1e-9) * dx"),
            ("term", " - x * np.mean(gy * x, axis=-1, keepdims=True) / r**3", ""),
            ("axis", "np.mean(gy * x, axis=-1", "np.mean(gy * x, axis=0"),
            ("power", "r**3", "r**2"),
        ),
    ),
    Case(
        "group_norm",
        "group_norm",
        "group_norm_grad",
        {"x": rng.normal(size=(2, 4, 3))},
        (
            ("factor", "dv.reshape", "(1 + 1e-9) * dv.reshape"),
            ("term", " - d.mean(axis=2, keepdims=True)", ""),
            ("axis", "(d * h).mean(axis=2", "(d * h).mean(axis=1"),
        ),
    ),
    Case(
        "instance_norm",
        "instance_norm",
        "instance_norm_grad",
        {"x": rng.normal(size=(2, 3, 4))},
        (
            ("factor", "return inv", "return (1 + 1e-9) * inv"),
            ("term", " - mean", ""),
            ("axis", "np.mean(dy * y, axis=2", "np.mean(dy * y, axis=1"),
        ),
    ),
    Case(
        "standardize",
        "standardize",
        "standardize_grad",
        {"x": rng.normal(size=6)},
        (
            ("factor", "return (g", "return (1 + 1e-9) * (g"),
            ("term", " - g.mean()", ""),
            ("argument", "(g * z).mean()", "(g * x).mean()"),
            ("sum for mean", "(g * z).mean()", "(g * z).sum()"),
        ),
    ),
    Case(
        "min_max",
        "min_max",
        "min_max_grad",
        {"x": rng.normal(size=4), "lo": -1.5, "hi": 2.25},
        (
            ("factor", "2 * u / (hi", "2.000000002 * u / (hi"),
            ("term", "u * (u - 1)", "u * u"),
            ("argument", "-np.sum(2 * u * u)", "-np.sum(2 * u * x)"),
        ),
        options={"wrt": ("x", "lo", "hi")},
    ),
]


# -- length one ----------------------------------------------------------------------------------


def unit_rows(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def unit_rows_grad(x, g):
    n = np.linalg.norm(x, axis=1, keepdims=True)
    u = x / n
    return (g - u * np.sum(u * g, axis=1, keepdims=True)) / n


def unit_vector(v):
    return v / np.sqrt(np.sum(v**2))


def unit_vector_jacobian(v):
    r = np.sqrt(np.sum(v**2))
    return np.eye(len(v)) / r - np.outer(v, v) / r**3


def l1_rows(x):
    return x / np.sum(np.abs(x), axis=1)[:, None]


def l1_rows_grad(x, g):
    s = np.sum(np.abs(x), axis=1)[:, None]
    return g / s - np.sign(x) * np.sum(g * x, axis=1)[:, None] / s**2


def cosine(a, b):
    return a @ b / (np.linalg.norm(a) * np.linalg.norm(b))


def cosine_grad(a, b):
    na, nb = np.linalg.norm(a), np.linalg.norm(b)
    c = a @ b / (na * nb)
    return b / (na * nb) - c * a / na**2, a / (na * nb) - c * b / nb**2


def cosine_rows(A, B):
    dots = np.sum(A * B, axis=1)
    return np.sum(1 - dots / np.sqrt(np.sum(A**2, axis=1) * np.sum(B**2, axis=1)))


def cosine_rows_grad(A, B):
    na = np.sqrt((A**2).sum(1, keepdims=True))
    nb = np.sqrt((B**2).sum(1, keepdims=True))
    c = (A * B).sum(1, keepdims=True) / na / nb
    return (c * A / na - B / nb) / na


def weight_norm(v, s, x):
    return x @ (s * v / np.linalg.norm(v))


def weight_norm_grad(v, s, x, g):
    r = np.linalg.norm(v)
    dw = x.T @ g
    ds = dw @ v / r
    return s / r * dw - s * ds / r**2 * v, ds


CASES += [
    Case(
        "unit_rows",
        "unit_rows",
        "unit_rows_grad",
        {"x": rng.normal(size=(4, 3))},
        (
            ("factor", "return (g", "return (1 + 1e-9) * (g"),
            ("term", "(g - u * np.sum(u * g, axis=1, keepdims=True))", "g"),
            ("axis", "np.sum(u * g, axis=1", "np.sum(u * g, axis=0"),
            ("at x for u", "np.sum(u * g", "np.sum(x * g"),
        ),
    ),
    Case(
        "unit_vector_jacobian",
        "unit_vector",
        "unit_vector_jacobian",
        {"v": rng.normal(size=4)},
        (
            ("factor", "np.eye(len(v))", "(1 + 1e-9) * np.eye(len(v))"),
            ("term", " - np.outer(v, v) / r**3", ""),
            ("power", "r**3", "r**2"),
        ),
        options={"mode": "jacobian"},
    ),
    Case(
        "l1_rows",
        "l1_rows",
        "l1_rows_grad",
        {"x": rng.normal(size=(3, 4))},
        (
            ("factor", "return g", "return (1 + 1e-9) * g"),
            ("term", "np.sign(x) * ", ""),
            ("axis", "np.sum(g * x, axis=1)[:, None]", "np.sum(g * x)"),
        ),
    ),
    Case(
        "cosine",
        "cosine",
        "cosine_grad",
        {"a": rng.normal(size=4), "b": rng.normal(size=4)},
        (
            ("factor", "return b", "return (1 + 1e-9) * b"),
            ("term", "b / (na * nb) - c * a / na**2", "b / (na * nb)"),
            ("argument", "c * b / nb**2", "c * b / na**2"),
        ),
    ),
    Case(
        "cosine_rows",
        "cosine_rows",
        "cosine_rows_grad",
        {"A": rng.normal(size=(3, 4)), "B": rng.normal(size=(3, 4))},
        (
            ("factor", "return (c", "return (1 + 1e-9) * (c"),
            ("term", "c * A / na - B", "-B"),
            ("argument", "B / nb)", "B / na)"),
        ),
        options={"wrt": "A"},
    ),
    Case(
        "weight_norm",
        "weight_norm",
        "weight_norm_grad",
        {"v": rng.normal(size=3), "s": 1.5, "x": rng.normal(size=(4, 3))},
        (
            ("factor", "return s / r", "return (1 + 1e-9) * s / r"),
            ("term", " - s * ds / r**2 * v", ""),
            ("argument", "ds = dw @ v / r", "ds = dw @ v"),
        ),
        options={"wrt": ("v", "s"), "cotangent": "g"},
    ),
]
