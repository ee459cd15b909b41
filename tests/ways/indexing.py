"""Parts of arrays: masks, labels, slices, one long vector of parameters."""

import numpy as np


def relu_mask(x, y, W, b):
    z = W @ x + b
    z[z < 0] = 0
    return np.sum((z - y) ** 2) / x.shape[1]


def relu_where(x, y, W, b):
    z = W @ x + b
    return np.sum((np.where(z > 0, z, 0) - y) ** 2) / x.shape[1]


def relu_maximum(x, y, W, b):
    return np.sum((np.maximum(0, W @ x + b) - y) ** 2) / x.shape[1]


def relu_product(x, y, W, b):
    z = W @ x + b
    return np.sum((z * (z > 0) - y) ** 2) / x.shape[1]


def relu_abs(x, y, W, b):
    z = W @ x + b
    return np.sum(((np.abs(z) + z) / 2 - y) ** 2) / x.shape[1]


def leaky(x, y, W, b, slope=0.1):
    z = W @ x + b
    return np.sum((np.where(z >= 0, z, slope * z) - y) ** 2) / x.shape[1]


def leaky_mask(x, y, W, b):
    z = W @ x + b
    negative = z < 0
    z[negative] *= 0.1
    return np.sum((z - y) ** 2) / x.shape[1]


def clipped(x, y, W, b):
    z = np.clip(W @ x + b, -1, 1.5)
    return np.sum((z - y) ** 2) / x.shape[1]


def clip_method(x, w):
    return np.sum((x * w).clip(min=-0.5) ** 2) + np.sum((x * w).clip(-1, 1))


def hard_sigmoid(x, w):
    return np.sum(np.minimum(1, np.maximum(0, 0.2 * w * x + 0.5)) * x)


def theta_slices(theta, x, y):
    n0, n1, n2 = x.shape[0], 3, y.shape[0]
    W1 = theta[: n1 * n0].reshape(n1, n0)
    b1 = theta[n1 * n0 : n1 * n0 + n1].reshape(n1, 1)
    k = n1 * n0 + n1
    W2 = np.reshape(theta[k : k + n2 * n1], (n2, n1))
    b2 = theta[k + n2 * n1 :][:, np.newaxis]
    a = 1 / (1 + np.exp(-(W1 @ x + b1)))
    a = 1 / (1 + np.exp(-(W2 @ a + b2)))
    return np.sum((a - y) ** 2) / x.shape[1]


SHAPES = [(3, 2), (3, 1), (5, 3), (5, 1)]


def unpack(theta):
    out, k = [], 0
    for shape in SHAPES:
        size = int(np.prod(shape))
        out.append(theta[k : k + size].reshape(shape))
        k += size
    assert k == theta.size, "theta is too long"
    return out


def theta_loop(theta, x, y):
    W1, b1, W2, b2 = unpack(theta)
    a = 1 / (1 + np.exp(-(W1 @ x + b1)))
    a = 1 / (1 + np.exp(-(W2 @ a + b2)))
    return np.sum((a - y) ** 2) / x.shape[1]


def flattened(W, b, x):
    theta = np.concatenate([W.ravel(), b.flatten()])
    return theta @ theta + np.sum((W @ x + b[:, None]).reshape(-1) ** 3)


def labels(X, y, W, b):
    """Cross entropy with integer labels."""
    scores = X @ W + b
    p = np.exp(scores)
    p /= p.sum(axis=1, keepdims=True)
    return -np.mean(np.log(p[np.arange(len(y)), y]))


def labels_loop(X, y, W, b):
    scores = X @ W + b
    total = 0.0
    for i, label in enumerate(y):
        row = scores[i] - np.max(scores[i])
        total -= row[label] - np.log(np.sum(np.exp(row)))
    return total / len(y)


def embedding(E, words, w):
    v = E[words]
    return np.sum(np.tanh(v @ w) ** 2)


def embedding_mean(E, words, w):
    return np.mean(E[words, :], axis=0) @ w


def picked(X, w):
    batch = X[[0, 2, 1, 2]]
    return np.sum(np.exp(batch @ w))


def negatives(x, w):
    return x[-1] * w[0] + np.sum(x[::-1] * x * w) + x[-2:] @ w[:2] + np.sum(x[1:-1] ** 2)


def newaxes(X, C):
    """Distances of all pairs."""
    d = X[:, None, :] - C[None, :, :]
    return np.sum(np.sqrt(1 + np.sum(d**2, axis=-1)))


def ellipsis(T, w):
    return np.sum(T[..., 0] * w) + np.sum(T[0, ...] ** 2) + np.sum(T[..., -1, None])


def chosen(x, w, keep):
    """A fixed boolean mask picks entries."""
    return np.sum((x * w)[keep] ** 2) / keep.sum()


def upper(A, x):
    U = np.triu(A)
    return x @ U @ x + np.sum(np.tril(A, -1) ** 2)


def causal(S, V):
    """A mask by comparing positions."""
    T = S.shape[0]
    mask = np.arange(T)[:, None] >= np.arange(T)[None, :]
    S = np.where(mask, S, -1e9)
    P = np.exp(S - S.max(axis=-1, keepdims=True))
    P = P / P.sum(axis=-1, keepdims=True)
    return np.sum((P @ V) ** 2)


def maximum_entry(x, w):
    return np.max(x * w) + (x - w).min() + x[np.argmax(w)] ** 2


def split_gates(z):
    i, f, g = np.split(z, 3)
    return np.sum(np.tanh(i) * f + g**2)


def unpacked_rows(p):
    x, y, z = p
    return np.sum(x * y - z**2)
