"""Convolution by loops over the kernel, by im2col, by np.convolve; pooling; upsampling."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tests.identities import Case

rng = np.random.default_rng(71)
CASES = []

# -- one dimension -------------------------------------------------------------------------------


def conv1d(x, w):
    n, k = len(x), len(w)
    y = np.zeros(n - k + 1)
    for j in range(k):
        y += w[j] * x[j : j + n - k + 1]
    return y


def conv1d_grad(x, w, dy):
    k, m = len(w), len(dy)
    dx, dw = np.zeros(len(x)), np.zeros(k)
    for j in range(k):
        dx[j : j + m] += w[j] * dy
        dw[j] = np.dot(x[j : j + m], dy)
    return dx, dw


def conv_np(x, w):
    return np.convolve(x, w, mode="valid")


def conv_np_grad(x, w, dy):
    return np.convolve(dy, w[::-1], "full"), np.correlate(x, dy, "valid")[::-1]


def moving_average(x):
    return (x[:-2] + x[1:-1] + x[2:]) / 3


def moving_average_grad(x, g):
    d = np.zeros(x.shape)
    d[:-2] += g
    d[1:-1] += g
    d[2:] += g
    return d / 3


def conv_channels(x, w, b):
    C, L = x.shape
    F, _, K = w.shape
    out = np.zeros((F, L - K + 1))
    for k in range(K):
        out += w[:, :, k] @ x[:, k : k + L - K + 1]
    return out + b[:, None]


def conv_channels_grad(x, w, b, dout):
    n = dout.shape[1]
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for k in range(w.shape[2]):
        dx[:, k : k + n] += w[:, :, k].T @ dout
        dw[:, :, k] = dout @ x[:, k : k + n].T
    return dx, dw, dout.sum(axis=1)


def causal_conv(x, w):
    xp = np.concatenate([np.zeros(len(w) - 1), x])
    return np.array([xp[t : t + len(w)] @ w[::-1] for t in range(len(x))])


def causal_conv_grad(x, w, g):
    dx = np.zeros_like(x)
    dw = np.zeros_like(w)
    for t in range(len(x)):
        for k in range(len(w)):
            if t - k >= 0:
                dx[t - k] += g[t] * w[k]
                dw[k] += g[t] * x[t - k]
    return dx, dw


# -- two dimensions ------------------------------------------------------------------------------


def conv2d(x, w):
    H, W = x.shape
    h, v = w.shape
    out = np.zeros((H - h + 1, W - v + 1))
    for i in range(h):
        for j in range(v):
            out += x[i : i + H - h + 1, j : j + W - v + 1] * w[i, j]
    return out


def conv2d_grad(x, w, g):
    H, W = g.shape
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for i in range(w.shape[0]):
        for j in range(w.shape[1]):
            dx[i : i + H, j : j + W] += w[i, j] * g
            dw[i, j] = np.sum(x[i : i + H, j : j + W] * g)
    return dx, dw


def im2col(x, h, v):
    H, W = x.shape
    rows = []
    for i in range(H - h + 1):
        for j in range(W - v + 1):
            rows.append(x[i : i + h, j : j + v].ravel())
    return np.stack(rows)


def conv_im2col(x, w):
    h, v = w.shape
    return (im2col(x, h, v) @ w.ravel()).reshape(x.shape[0] - h + 1, x.shape[1] - v + 1)


def conv_im2col_grad(x, w, g):
    h, v = w.shape
    cols = im2col(x, h, v)
    dw = (cols.T @ g.ravel()).reshape(w.shape)
    dcols = np.outer(g.ravel(), w.ravel())
    dx, row = np.zeros_like(x), 0
    for i in range(g.shape[0]):
        for j in range(g.shape[1]):
            dx[i : i + h, j : j + v] += dcols[row].reshape(h, v)
            row += 1
    return dx, dw


def conv_windows(x, w):
    win = sliding_window_view(x, w.shape)
    return np.einsum("ijhv,hv->ij", win, w)


def conv_windows_grad(x, w, g):
    win = sliding_window_view(x, w.shape)
    return np.einsum("ijhv,ij->hv", win, g)


def conv_padded(x, w):
    xp = np.pad(x, 1)
    H, W = x.shape
    return sum(w[i, j] * xp[i : i + H, j : j + W] for i in range(3) for j in range(3))


def conv_padded_grad(x, w, g):
    gp = np.pad(g, 1)
    H, W = x.shape
    dx = np.zeros_like(x)
    for i in range(3):
        for j in range(3):
            dx += w[2 - i, 2 - j] * gp[i : i + H, j : j + W]
    return dx


# -- pooling -------------------------------------------------------------------------------------


def max_pool(x):
    H, W = x.shape
    return x.reshape(H // 2, 2, W // 2, 2).max(axis=(1, 3))


def max_pool_grad(x, g):
    H, W = x.shape
    v = x.reshape(H // 2, 2, W // 2, 2)
    mask = v == v.max(axis=(1, 3), keepdims=True)
    share = mask / mask.sum(axis=(1, 3), keepdims=True)
    return (share * g[:, None, :, None]).reshape(H, W)


def max_pool_1d(x):
    out = []
    for i in range(0, len(x), 2):
        out.append(max(x[i], x[i + 1]))
    return np.array(out)


def max_pool_1d_grad(x, g):
    dx = np.zeros_like(x)
    for i in range(0, len(x), 2):
        k = i + np.argmax(x[i : i + 2])
        dx[k] = g[i // 2]
    return dx


def avg_pool(x):
    n, c, h, w = x.shape
    return x.reshape(n, c, h // 2, 2, w // 2, 2).mean(axis=(3, 5))


def avg_pool_grad(x, g):
    return np.repeat(np.repeat(g, 2, axis=2), 2, axis=3) / 4


def global_pool(x):
    return x.mean(axis=(2, 3))


def global_pool_grad(x, g):
    return g[:, :, None, None] * np.ones_like(x) / (x.shape[2] * x.shape[3])


def strided(x, w):
    return np.array(
        [np.sum(x[2 * i : 2 * i + len(w)] * w) for i in range((len(x) - len(w)) // 2 + 1)]
    )


def strided_grad(x, w, dy):
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for i, d in enumerate(dy):
        dx[2 * i : 2 * i + len(w)] += d * w
        dw += d * x[2 * i : 2 * i + len(w)]
    return dx, dw


XW = {"x": rng.normal(size=7), "w": rng.normal(size=3)}
IMAGE = {"x": rng.normal(size=(4, 5)), "w": rng.normal(size=(2, 3))}
CASES += [
    Case(
        "conv1d",
        "conv1d",
        "conv1d_grad",
        XW,
        (
            ("factor", "dx[j : j + m] +=", "dx[j : j + m] += (1 + 1e-9) *"),
            ("= for +=", "dx[j : j + m] +=", "dx[j : j + m] ="),
            ("off by one", "dx[j : j + m]", "dx[: m]"),
            ("kernel turned round", "w[j] * dy", "w[k - 1 - j] * dy"),
        ),
    ),
    Case(
        "conv_np",
        "conv_np",
        "conv_np_grad",
        XW,
        (
            ("factor", "return np", "return (1 + 1e-9) * np"),
            ("end not turned round", '"valid")[::-1]', '"valid")'),
            ("kernel not turned round", "w[::-1]", "w"),
        ),
    ),
    Case(
        "moving_average",
        "moving_average",
        "moving_average_grad",
        {"x": rng.normal(size=6)},
        (
            ("factor", "d / 3", "d / 3.000000003"),
            ("term", "    d[2:] += g\n", ""),
            ("one slice off", "d[1:-1] += g", "d[2:] += g"),
        ),
    ),
    Case(
        "conv_channels",
        "conv_channels",
        "conv_channels_grad",
        {"x": rng.normal(size=(2, 5)), "w": rng.normal(size=(2, 2, 3)), "b": rng.normal(size=2)},
        (
            ("factor", "return dx", "return (1 + 1e-9) * dx"),
            ("= for +=", "dx[:, k : k + n] +=", "dx[:, k : k + n] ="),
            ("transposed", "w[:, :, k].T @", "w[:, :, k] @"),
            ("index", "w[:, :, k].T", "w[:, :, 0].T"),
        ),
    ),
    Case(
        "causal_conv",
        "causal_conv",
        "causal_conv_grad",
        XW,
        (
            ("factor", "g[t] * w[k]", "g[t] * w[k] * (1 + 1e-9)"),
            ("term", "if t - k >= 0", "if t - k > 0"),
            ("index", "g[t] * x[t - k]", "g[t] * x[t]"),
        ),
    ),
    Case(
        "conv2d",
        "conv2d",
        "conv2d_grad",
        IMAGE,
        (
            ("factor", "w[i, j] * g", "w[i, j] * g * (1 + 1e-9)"),
            ("= for +=", "] += w", "] = w"),
            ("off by one", "np.sum(x[i : i + H", "np.sum(x[: H"),
        ),
    ),
    Case(
        "conv_im2col",
        "conv_im2col",
        "conv_im2col_grad",
        IMAGE,
        (
            ("factor", "return dx, dw", "return dx, dw * (1 + 1e-9)"),
            ("= for +=", "j : j + v] +=", "j : j + v] ="),
            ("stays on a row", "row += 1", "row = 1"),
        ),
    ),
    Case(
        "conv_windows",
        "conv_windows",
        "conv_windows_grad",
        IMAGE,
        (
            ("factor", "return np", "return (1 + 1e-9) * np"),
            ("turned round", "win, g)", "win, g[::-1])"),
            ("index", "ijhv,ij->hv", "ijhv,ij->hv".replace("ij->", "ji->")),
        ),
        options={"wrt": "w", "cotangent": "g"},
    ),
    Case(
        "conv_padded",
        "conv_padded",
        "conv_padded_grad",
        {"x": rng.normal(size=(3, 4)), "w": rng.normal(size=(3, 3))},
        (
            ("factor", "return dx", "return (1 + 1e-9) * dx"),
            ("= for +=", "dx += w", "dx = w"),
            ("kernel not turned round", "w[2 - i, 2 - j]", "w[i, j]"),
        ),
        options={"wrt": "x"},
    ),
    Case(
        "max_pool",
        "max_pool",
        "max_pool_grad",
        {"x": rng.normal(size=(4, 6))},
        (
            ("factor", "(share * g", "((1 + 1e-9) * share * g"),
            ("mask dropped", "mask / mask.sum", "np.ones_like(v) / mask.sum"),
            ("axis", "max(axis=(1, 3)", "max(axis=(0, 2)"),
            ("all of a tie get everything", " / mask.sum(axis=(1, 3), keepdims=True)", " * 1.0"),
        ),
    ),
    Case(
        "max_pool_1d",
        "max_pool_1d",
        "max_pool_1d_grad",
        {"x": rng.normal(size=6)},
        (
            ("factor", "= g[i // 2]", "= g[i // 2] * (1 + 1e-9)"),
            ("index", "np.argmax", "np.argmin"),
            ("offset dropped", "i + np.argmax", "np.argmax"),
        ),
    ),
    Case(
        "avg_pool",
        "avg_pool",
        "avg_pool_grad",
        {"x": rng.normal(size=(1, 2, 4, 4))},
        (
            ("factor", "/ 4", "/ 4.000000004"),
            ("half", "/ 4", "/ 2"),
            ("axis", "np.repeat(g, 2, axis=2)", "np.tile(g, (1, 1, 2, 1))"),
        ),
    ),
    Case(
        "global_pool",
        "global_pool",
        "global_pool_grad",
        {"x": rng.normal(size=(2, 3, 4, 5))},
        (
            ("factor", "return g", "return (1 + 1e-9) * g"),
            ("one side", "(x.shape[2] * x.shape[3])", "x.shape[2]"),
            ("index", "x.shape[2] * x.shape[3]", "x.shape[1] * x.shape[2]"),
        ),
    ),
    Case(
        "strided",
        "strided",
        "strided_grad",
        XW,
        (
            ("factor", "+= d * w", "+= d * w * (1 + 1e-9)"),
            ("= for +=", "dw += d", "dw = d"),
            ("stride dropped", "dw += d * x[2 * i : 2 * i", "dw += d * x[i : i"),
        ),
    ),
]
