"""Losses, plain and careful."""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    e = np.exp(z - np.max(z, axis=0, keepdims=True))
    return e / e.sum(axis=0, keepdims=True)


def softmax_rows(z):
    z = z - z.max(axis=1)[:, None]
    e = np.exp(z)
    return e / np.sum(e, axis=1)[:, None]


def cross_entropy(x, y, W, b):
    p = softmax(W @ x + b)
    return -np.sum(y * np.log(p)) / x.shape[1]


def cross_entropy_rows(X, Y, W, b):
    P = softmax_rows(X @ W + b)
    return -np.mean(np.sum(Y * np.log(P), axis=1))


def log_sum_exp(x, y, W, b):
    z = W @ x + b
    m = np.max(z, axis=0)
    lse = m + np.log(np.sum(np.exp(z - m), axis=0))
    return np.mean(lse - np.sum(y * z, axis=0))


def reduced_logaddexp(x, y, W, b):
    z = W @ x + b
    lse = z[0]
    for row in z[1:]:
        lse = np.logaddexp(lse, row)
    return np.mean(lse - (y * z).sum(0))


def label_smoothing(x, y, W, b, alpha=0.1):
    K = y.shape[0]
    target = (1 - alpha) * y + alpha / K
    return -np.sum(target * np.log(softmax(W @ x + b))) / x.shape[1]


def clipped_logs(x, y, W, b):
    p = np.clip(softmax(W @ x + b), 1e-12, 1.0)
    return -np.sum(y * np.log(p)) / x.shape[1]


def binary(x, y, w, b):
    p = sigmoid(w @ x + b)
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


def binary_course(X, Y, w, b):
    """The online course: (1, m) rows, squeeze."""
    m = X.shape[1]
    A = sigmoid(np.dot(w.T, X) + b)
    cost = -1 / m * (np.dot(Y, np.log(A).T) + np.dot(1 - Y, np.log(1 - A).T))
    return np.squeeze(cost)


def binary_logits(x, y, w, b):
    z = w @ x + b
    return np.mean(np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z))))


def binary_logaddexp(x, y, w, b):
    return np.mean(np.logaddexp(0, -(2 * y - 1) * (w @ x + b)))


def focal(x, y, w, b, gamma=2):
    p = sigmoid(w @ x + b)
    pt = y * p + (1 - y) * (1 - p)
    return -np.mean((1 - pt) ** gamma * np.log(pt))


def hinge(x, t, w, b):
    return np.mean(np.maximum(0, 1 - t * (w @ x + b))) + 0.01 * w @ w


def squared_hinge(x, t, w, b):
    margin = 1 - t * (w @ x + b)
    return np.sum(np.where(margin > 0, margin, 0.0) ** 2)


def huber(x, y, w, b, delta=1.0):
    r = w @ x + b - y
    small = np.abs(r) <= delta
    return np.sum(np.where(small, 0.5 * r**2, delta * (np.abs(r) - 0.5 * delta)))


def pseudo_huber(x, y, w, b):
    r = w @ x + b - y
    return np.sum(np.sqrt(1 + r**2) - 1)


def absolute(x, y, w, b):
    return np.mean(np.abs(w @ x + b - y))


def log_cosh(x, y, w, b):
    return np.mean(np.log(np.cosh(w @ x + b - y)))


def quantile(x, y, w, b, tau=0.3):
    r = y - (w @ x + b)
    return np.sum(np.maximum(tau * r, (tau - 1) * r))


def elastic_net(x, y, w, b):
    r = w @ x + b - y
    return 0.5 * np.mean(r**2) + 0.1 * np.sum(np.abs(w)) + 0.05 * np.linalg.norm(w) ** 2


def divergence(z, q):
    """Kullback-Leibler, of a softmax from q."""
    p = softmax(z)
    return np.sum(p * (np.log(p) - np.log(q)))


def poisson(x, y, w, b):
    rate = np.exp(w @ x + b)
    return np.sum(rate - y * np.log(rate))


def gaussian(mu, s, y):
    return np.sum(0.5 * np.log(2 * np.pi) + s + 0.5 * ((y - mu) / np.exp(s)) ** 2)


def cosine(u, v):
    return 1 - u @ v / (np.linalg.norm(u) * np.linalg.norm(v))


def cosine_rows(U, V):
    n = np.linalg.norm(U, axis=1) * np.linalg.norm(V, axis=-1)
    return np.mean(np.sum(U * V, axis=1) / n)


def contrastive(U, V, temperature):
    """Each row of U should find its row of V."""
    S = U @ V.T / temperature
    return np.mean(np.log(np.sum(np.exp(S), axis=1)) - np.diag(S))


def triplet(a, p, n):
    return np.maximum(np.sum((a - p) ** 2) - np.sum((a - n) ** 2) + 20.0, 0)


def r_squared(x, y, w, b):
    r = y - (w @ x + b)
    return 1 - np.sum(r**2) / np.sum((y - np.mean(y)) ** 2)


def relative_error(x, y, w, b):
    return np.linalg.norm(w @ x + b - y) / np.linalg.norm(y)


def softplus(x, w):
    z = w * x
    return np.sum(np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))))


def swish(x, w):
    return np.sum(x * w / (1 + np.exp(-1.5 * x * w)))


def gelu(x, w):
    z = x * w
    return np.sum(0.5 * z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))))


def elu(x, w, alpha=0.7):
    z = x * w
    return np.sum(np.where(z > 0, z, alpha * (np.exp(np.minimum(z, 0)) - 1)))


def mish(x, w):
    z = x * w
    return np.sum(z * np.tanh(np.log(1 + np.exp(z))))


def angles(x, w):
    return np.sum(
        np.arctan(w * x) + np.sin(x) * np.cos(w) + np.arctan2(x, w) + np.sinh(x) / np.cosh(w)
    )
