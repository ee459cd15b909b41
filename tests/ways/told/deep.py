"""Larger layers: `layers`."""

from __future__ import annotations

import numpy as np

from ways import layers
from ways.told import clean
from ways.told.clean import LAYER, sigmoid
from ways.way import Way, anp, gradient, hand


def batch_norm(X, gamma, beta, T):
    D = X - anp.sum(X, axis=0) / X.shape[0]
    v = anp.sum(D * D, axis=0) / X.shape[0]
    return anp.sum((gamma * D * (v + 1e-5) ** -0.5 + beta - T) ** 2)


def batch_norm_by_hand(X, gamma, beta, T):
    """The backward pass that the course ends with."""
    N = len(X)
    D = X - np.sum(X, axis=0) / N
    r = (np.sum(D**2, axis=0) / N + 1e-5) ** -0.5
    G = 2 * (gamma * D * r + beta - T)
    H = G * gamma
    dX = r / N * (N * H - np.sum(H, axis=0) - D * r**2 * np.sum(H * D, axis=0))
    return dX, np.sum(G * D * r, axis=0), np.sum(G, axis=0)


def batch_norm_running(X, mean, var, gamma, beta):
    return anp.sum(anp.tanh(gamma * (X - mean) * (var + 1e-5) ** -0.5 + beta))


def layer_norm(X, g, b):
    total = 0.0
    for k in range(X.shape[0]):
        d = X[k] - anp.sum(X[k]) / X.shape[1]
        s = anp.sqrt(anp.sum(d * d) / X.shape[1])
        total = total + anp.sum(anp.sin(g * d / (s + 1e-6) + b))
    return total


def rms_norm(X, g):
    r2 = anp.sum(X * X, axis=1)[:, None] / X.shape[1] + 1e-8
    return anp.sum((X * g) ** 3 * r2**-1.5)


def sample_deviation(x):
    n = x.shape[0]
    q = anp.sum(x * x) - anp.sum(x) ** 2 / n
    return (q / (n - 1)) ** 1.5 + q / n


def weight_norm(v, g, x, y):
    return (g * anp.sum(v * x) / anp.sum(v * v) ** 0.5 - y) ** 2


def dropout(x, y, W, b, mask):
    a = anp.tanh(anp.dot(W, x) + b) * (1.25 * mask)
    return anp.sum((a - y) ** 2) / x.shape[1]


def dropout_seeded(x, y, W, b):
    keep = np.array(np.random.default_rng(0).random((W.shape[0], 1)) < 0.7, float)
    return dropout(x, y, W, b, keep / 1.25)


def residual(x, W1, b1, W2, b2):
    z = anp.dot(W1, x) + b1
    h = x + z * (z > 0)
    z = anp.dot(W2, h) + b2
    h = h + z * (z > 0)
    return anp.sum(h**2) / (x.shape[0] * x.shape[1])


def gated(X, W, V):
    """S = σ(XV): Xᵀ S, and Xᵀ (XW ⊙ S(1 − S))."""
    S = 1 / (1 + np.exp(-(X @ V)))
    return X.T @ S, X.T @ (X @ W * S * (1 - S))


def attention(X, Wq, Wk, Wv):
    Q, K, V = anp.dot(X, Wq), anp.dot(X, Wk), anp.dot(X, Wv)
    A = clean.softmax1(anp.dot(Q, K.T) / Wk.shape[1] ** 0.5)
    return anp.sum(anp.dot(A, V) ** 2)


def multi_head(X, Wq, Wk, Wv):
    """Head by head, by columns."""
    d, total = X.shape[1] // 2, 0.0
    for h in (slice(0, d), slice(d, 2 * d)):
        Q, K, V = (anp.dot(X, W[:, h]) for W in (Wq, Wk, Wv))
        total = total + anp.sum(anp.tanh(anp.dot(clean.softmax1(anp.dot(Q, K.T) / d**0.5), V)))
    return total


def conv1d(x, k, b):
    n = x.shape[0] - k.shape[0] + 1
    z = sum(k[j] * x[j : j + n] for j in range(k.shape[0]))
    return anp.sum(anp.tanh(z + b))


def conv2d(image, kernel):
    h, w = kernel.shape
    H, W = image.shape
    out = sum(
        kernel[i, j] * image[i : H - h + 1 + i, j : W - w + 1 + j]
        for i in range(h)
        for j in range(w)
    )
    return anp.sum(out**2)


def conv2d_padded(image, kernel):
    """Each shift of the kernel as a product with shift matrices."""
    H, W = image.shape
    n = kernel.shape[0] // 2
    out = sum(
        kernel[i + n, j + n] * anp.dot(anp.dot(np.eye(H, k=i), image), np.eye(W, k=j).T)
        for i in range(-n, n + 1)
        for j in range(-n, n + 1)
    )
    return anp.sum(anp.tanh(out))


def mean_pool(image):
    """2 · mean · ¼ for every entry of a block."""
    m = (image[::2, ::2] + image[1::2, ::2] + image[::2, 1::2] + image[1::2, 1::2]) / 4
    return np.repeat(np.repeat(m / 2, 2, axis=0), 2, axis=1)


def max_pool(image):
    out = np.zeros_like(image)
    for i in range(0, image.shape[0], 2):
        for j in range(0, image.shape[1], 2):
            block = image[i : i + 2, j : j + 2]
            out[i : i + 2, j : j + 2] = 2 * block * (block == np.max(block))
    return out


def rnn(x, h0, Wx, Wh, b):
    h, total = h0, 0.0
    for k in range(x.shape[0]):
        h = anp.tanh(anp.dot(Wx, x[k]) + anp.dot(Wh, h) + b)
        total = total + anp.sum(h * h)
    return total / x.shape[0]


def lstm(x, h, c, W, U, b):
    for k in range(x.shape[0]):
        z = anp.reshape(anp.dot(W, x[k]) + anp.dot(U, h) + b, (4, -1))
        c = sigmoid(z[1]) * c + sigmoid(z[0]) * anp.tanh(z[3])
        h = sigmoid(z[2]) * anp.tanh(c)
    return anp.sum(h**2) + anp.sum(c)


def gru(x, h, Wz, Wr, Wn):
    n = x.shape[0]
    z = sigmoid(anp.dot(Wz[:, :n], x) + anp.dot(Wz[:, n:], h))
    r = sigmoid(anp.dot(Wr[:, :n], x) + anp.dot(Wr[:, n:], h))
    c = anp.tanh(anp.dot(Wn[:, :n], x) + anp.dot(Wn[:, n:], r * h))
    return anp.sum((c + z * (h - c)) ** 2)


def autoencoder(X, W):
    """R = σ(XW)Wᵀ − X; both places of W."""
    A = 1 / (1 + np.exp(-(X @ W)))
    R = 2 * (A @ W.T - X) / X.size
    return R.T @ A + X.T @ (R @ W * A * (1 - A))


def radial(X, C, w, s):
    total = 0.0
    for k in range(X.shape[0]):
        d2 = anp.sum((C - X[k]) ** 2, axis=1)
        total = total + anp.sum(w * anp.exp(-d2 / (2 * s * s))) ** 2
    return total


def mixture(x, mu, logits, s):
    p = anp.exp(logits) / anp.sum(anp.exp(logits))
    total = 0.0
    for k in range(x.shape[0]):
        density = anp.exp(-((x[k] - mu) ** 2) / (2 * s**2)) / (s * (2 * anp.pi) ** 0.5)
        total = total + anp.log(anp.sum(p * density))
    return total


def _way(module, name, style, axes, wrt, reference, **more):
    where = module.__name__.split(".")[-1].rstrip("_")
    return Way(f"{where}.{name}", style, getattr(module, name), axes, wrt, reference, **more)


def _all(module, name, style, axes, reference, **more):
    return _way(module, name, style, axes, tuple(axes), reference, **more)


NORM = {"X": "N n1", "gamma": "n1", "beta": "n1", "T": "N n1"}


ATTENTION = {"X": "T N", "Wq": "N n1", "Wk": "N n1", "Wv": "N n2"}


HEADS = {"X": "K H", "Wq": "H H", "Wk": "H H", "Wv": "H H"}


CONV = {"x": "L", "k": "K", "b": ""}


RNN = {"x": "N n0", "h0": "n1", "Wx": "n1 n0", "Wh": "n1 n1", "b": "n1"}


LSTM = {
    "x": "N n0",
    "h": "K",
    "c": "K",
    "W": "K+K+K+K n0",
    "U": "K+K+K+K K",
    "b": "K+K+K+K",
}


WAYS = [
    _way(
        layers, "batch_norm", ".mean, .var", NORM, ("X", "gamma", "beta"), hand(batch_norm_by_hand)
    ),
    _way(
        layers,
        "batch_norm_course",
        "a line a step",
        NORM,
        ("X", "gamma", "beta"),
        gradient(batch_norm),
    ),
    _way(
        layers,
        "batch_norm_running",
        "training=False",
        {"X": "N n1", "mean": "n1", "var": "positive n1", "gamma": "n1", "beta": "n1"},
        ("X", "gamma", "var"),
        gradient(batch_norm_running),
    ),
    _all(layers, "layer_norm", "np.std", {"X": "N n1", "g": "n1", "b": "n1"}, gradient(layer_norm)),
    _all(layers, "rms_norm", "sqrt(mean(X**2))", {"X": "N n1", "g": "n1"}, gradient(rms_norm)),
    _all(layers, "sample_deviation", "ddof=1", {"x": "N"}, gradient(sample_deviation)),
    _all(
        layers,
        "weight_norm",
        "g*v/norm(v)",
        {"v": "n1", "g": "", "x": "n1", "y": ""},
        gradient(weight_norm),
    ),
    _way(
        layers,
        "dropout",
        "a mask as an argument",
        {**LAYER, "mask": "kept n1 N"},
        ("W", "b"),
        gradient(dropout),
    ),
    _way(
        layers,
        "dropout_seeded",
        "a mask from a seed",
        LAYER,
        ("W", "b"),
        gradient(dropout_seeded),
        grows=False,
    ),
    _way(
        layers,
        "residual",
        "h + relu(W @ h + b)",
        {"x": "n1 N", "W1": "n1 n1", "b1": "n1 1", "W2": "n1 n1", "b2": "n1 1"},
        clean.WEIGHTS,
        gradient(residual),
    ),
    _way(
        layers,
        "gated",
        "(X @ W)*sigmoid(X @ V)",
        {"X": "N n0", "W": "n0 n1", "V": "n0 n1"},
        ("W", "V"),
        hand(gated),
    ),
    _all(layers, "attention", "one head", ATTENTION, gradient(attention)),
    _all(layers, "multi_head", "reshape and transpose to heads", HEADS, gradient(multi_head)),
    *(
        _all(layers, name, style, CONV, gradient(conv1d))
        for name, style in (
            ("conv1d", "two loops"),
            ("conv1d_windows", "np.tanh of a list"),
            ("conv1d_numpy", "np.convolve"),
        )
    ),
    _all(layers, "conv2d", "two loops", {"image": "T L", "kernel": "n0 K"}, gradient(conv2d)),
    _all(
        layers,
        "conv2d_padded",
        "np.pad, np.ndindex, empty_like",
        {"image": "N n2", "kernel": "3 3"},
        gradient(conv2d_padded),
    ),
    _all(layers, "mean_pool", "mean(axis=(1, 3))", {"image": "T H"}, hand(mean_pool)),
    _all(layers, "max_pool", "max(axis=(1, 3))", {"image": "T H"}, hand(max_pool)),
    *(
        _all(layers, name, style, RNN, gradient(rnn))
        for name, style in (
            ("rnn", "for t in range(T)"),
            ("rnn_dict", "hs[-1], hs[t - 1] in a dict"),
            ("rnn_buffer", "H[t] = …"),
        )
    ),
    _all(layers, "lstm", "gates by slices", LSTM, gradient(lstm)),
    _all(
        layers,
        "gru",
        "concatenate",
        {"x": "n0", "h": "n1", "Wz": "n1 n0+n1", "Wr": "n1 n0+n1", "Wn": "n1 n0+n1"},
        gradient(gru),
    ),
    _way(
        layers, "autoencoder", "W and W.T", {"X": "N n1", "W": "n1 n0"}, ("W",), hand(autoencoder)
    ),
    _all(
        layers,
        "radial",
        "radial basis functions",
        {"X": "N n0", "C": "n1 n0", "w": "n1", "s": "positive"},
        gradient(radial),
    ),
    _all(
        layers,
        "mixture",
        "log-sum-exp with keepdims",
        {"x": "N", "mu": "K", "logits": "K", "s": "positive K"},
        gradient(mixture),
    ),
]
