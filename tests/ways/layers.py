"""Larger layers: normalizations, convolutions, recurrences, attention."""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def batch_norm(X, gamma, beta, T, eps=1e-5):
    mu = X.mean(axis=0)
    var = X.var(axis=0)
    Xhat = (X - mu) / np.sqrt(var + eps)
    return np.sum((gamma * Xhat + beta - T) ** 2)


def batch_norm_course(X, gamma, beta, T):
    """Staged, as in the course: every step has its own line."""
    N, _D = X.shape
    mu = 1.0 / N * np.sum(X, axis=0)
    xmu = X - mu
    sq = xmu**2
    var = 1.0 / N * np.sum(sq, axis=0)
    sqrtvar = np.sqrt(var + 1e-5)
    ivar = 1.0 / sqrtvar
    xhat = xmu * ivar
    gammax = gamma * xhat
    out = gammax + beta
    return np.sum((out - T) ** 2)


def batch_norm_running(X, mean, var, gamma, beta, training=False):
    if training:
        mean, var = X.mean(0), X.var(0)
    return np.sum(np.tanh(gamma * (X - mean) / np.sqrt(var + 1e-5) + beta))


def layer_norm(X, g, b):
    mu = np.mean(X, axis=-1, keepdims=True)
    sd = np.std(X, axis=-1, keepdims=True)
    return np.sum(np.sin(g * (X - mu) / (sd + 1e-6) + b))


def rms_norm(X, g):
    r = np.sqrt(np.mean(X**2, axis=-1, keepdims=True) + 1e-8)
    return np.sum((X / r * g) ** 3)


def sample_deviation(x):
    return np.std(x, ddof=1) * np.var(x, ddof=1) + np.var(x)


def weight_norm(v, g, x, y):
    w = g * v / np.linalg.norm(v)
    return (w @ x - y) ** 2


def dropout(x, y, W, b, mask):
    p_keep = 0.8
    a = np.tanh(W @ x + b)
    a = a * mask / p_keep
    return np.sum((a - y) ** 2) / x.shape[1]


def dropout_seeded(x, y, W, b):
    """The mask is drawn inside, from its own seed."""
    rng = np.random.default_rng(0)
    keep = rng.random((W.shape[0], 1)) < 0.7
    a = np.tanh(W @ x + b)
    a *= keep
    return np.sum((a - y) ** 2) / x.shape[1]


def residual(x, W1, b1, W2, b2):
    h = x + np.maximum(0, W1 @ x + b1)
    h = h + np.maximum(0, W2 @ h + b2)
    return np.mean(h**2)


def gated(X, W, V):
    return np.sum((X @ W) * sigmoid(X @ V))


def attention(X, Wq, Wk, Wv):
    Q, K, V = X @ Wq, X @ Wk, X @ Wv
    S = Q @ K.T / np.sqrt(K.shape[-1])
    S = S - S.max(axis=-1, keepdims=True)
    A = np.exp(S)
    A = A / A.sum(axis=-1, keepdims=True)
    return np.sum((A @ V) ** 2)


def multi_head(X, Wq, Wk, Wv, heads=2):
    T, D = X.shape
    d = D // heads
    Q = (X @ Wq).reshape(T, heads, d).transpose(1, 0, 2)
    K = (X @ Wk).reshape(T, heads, d).transpose(1, 0, 2)
    V = (X @ Wv).reshape(T, heads, d).transpose(1, 0, 2)
    S = Q @ K.transpose(0, 2, 1) / d**0.5
    A = np.exp(S) / np.exp(S).sum(-1, keepdims=True)
    Y = (A @ V).transpose(1, 0, 2).reshape(T, D)
    return np.sum(np.tanh(Y))


def conv1d(x, k, b):
    n = len(x) - len(k) + 1
    out = np.zeros(n)
    for i in range(n):
        for j in range(len(k)):
            out[i] += x[i + j] * k[j]
    return np.sum(np.tanh(out + b))


def conv1d_windows(x, k, b):
    out = [np.dot(x[i : i + len(k)], k) + b for i in range(len(x) - len(k) + 1)]
    return np.sum(np.tanh(out))


def conv1d_numpy(x, k, b):
    return np.sum(np.tanh(np.convolve(x, k[::-1], mode="valid") + b))


def conv2d(image, kernel):
    H, W = image.shape
    h, w = kernel.shape
    out = np.zeros((H - h + 1, W - w + 1))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = np.sum(image[i : i + h, j : j + w] * kernel)
    return np.sum(out**2)


def conv2d_padded(image, kernel):
    h = kernel.shape[0] // 2
    padded = np.pad(image, h)
    out = np.empty_like(image)
    for i, j in np.ndindex(*image.shape):
        out[i, j] = (padded[i : i + 2 * h + 1, j : j + 2 * h + 1] * kernel).sum()
    return np.sum(np.tanh(out))


def mean_pool(image):
    H, W = image.shape
    blocks = image.reshape(H // 2, 2, W // 2, 2)
    return np.sum(blocks.mean(axis=(1, 3)) ** 2)


def max_pool(image):
    H, W = image.shape
    return np.sum(image.reshape(H // 2, 2, W // 2, 2).max(axis=(1, 3)) ** 2)


def rnn(x, h0, Wx, Wh, b):
    h = h0
    loss = 0
    for t in range(x.shape[0]):
        h = np.tanh(Wx @ x[t] + Wh @ h + b)
        loss += h @ h
    return loss / x.shape[0]


def rnn_dict(x, h0, Wx, Wh, b):
    """The hundred-line language model: states in a dict that starts at -1."""
    hs = {-1: np.copy(h0)}
    loss = 0
    for t in range(len(x)):
        hs[t] = np.tanh(np.dot(Wx, x[t]) + np.dot(Wh, hs[t - 1]) + b)
        loss += np.sum(hs[t] ** 2)
    return loss / len(x)


def rnn_buffer(x, h0, Wx, Wh, b):
    T = x.shape[0]
    H = np.zeros((T + 1, h0.size))
    H[0] = h0
    for t in range(1, T + 1):
        H[t] = np.tanh(x[t - 1] @ Wx.T + H[t - 1] @ Wh.T + b)
    return np.sum(H[1:] ** 2) / T


def lstm(x, h, c, W, U, b):
    n = h.shape[0]
    for xt in x:
        z = W @ xt + U @ h + b
        i = sigmoid(z[:n])
        f = sigmoid(z[n : 2 * n])
        o = sigmoid(z[2 * n : 3 * n])
        g = np.tanh(z[3 * n :])
        c = f * c + i * g
        h = o * np.tanh(c)
    return np.sum(h**2) + np.sum(c)


def gru(x, h, Wz, Wr, Wn):
    z = sigmoid(Wz @ np.concatenate([x, h]))
    r = sigmoid(Wr @ np.concatenate([x, h]))
    n = np.tanh(Wn @ np.concatenate([x, r * h]))
    return np.sum(((1 - z) * n + z * h) ** 2)


def autoencoder(X, W):
    """Tied weights."""
    return np.mean((X - sigmoid(X @ W) @ W.T) ** 2)


def radial(X, C, w, s):
    d2 = ((X[:, None, :] - C) ** 2).sum(-1)
    return np.sum((np.exp(-d2 / (2 * s**2)) @ w) ** 2)


def mixture(x, mu, logits, s):
    """Log-likelihood of a Gaussian mixture."""
    logw = logits - np.log(np.sum(np.exp(logits)))
    logp = logw - 0.5 * ((x[:, None] - mu) / s) ** 2 - np.log(s) - 0.5 * np.log(2 * np.pi)
    m = logp.max(axis=1, keepdims=True)
    return np.sum(m[:, 0] + np.log(np.exp(logp - m).sum(axis=1)))
