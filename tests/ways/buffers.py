"""Results are written into arrays: buffers, out=, in place, views."""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def column_buffer(x, y, W, b):
    n, N = W.shape[0], x.shape[1]
    out = np.zeros((n, N))
    for i in range(N):
        out[:, i] = sigmoid(W @ x[:, i] + b)
    return np.sum((out - y) ** 2) / N


def empty_rows(x, y, W, b):
    out = np.empty((W.shape[0], x.shape[1]))
    for j, (row, c) in enumerate(zip(W, b, strict=True)):
        out[j] = sigmoid(row @ x + c)
    return np.sum((out - y) ** 2) / x.shape[1]


def entries(x, y, W, b):
    n, N = y.shape
    z = np.zeros_like(y)
    for j in range(n):
        for i in range(N):
            z[j, i] = b[j]
            for k in range(x.shape[0]):
                z[j, i] += W[j, k] * x[k, i]
    return ((sigmoid(z) - y) ** 2).sum() / N


def out_argument(x, y, W, b):
    z = np.empty(y.shape)
    np.matmul(W, x, out=z)
    np.add(z, b, out=z)
    np.negative(z, out=z)
    np.exp(z, out=z)
    z += 1
    np.divide(1, z, out=z)
    np.subtract(z, y, z)
    return np.sum(np.multiply(z, z, out=z)) / x.shape[1]


def in_place(x, y, W, b):
    z = W @ x
    z += b
    z *= -1
    a = np.exp(z)
    a += 1
    a **= -1
    a -= y
    a *= a
    total = a.sum()
    total /= x.shape[1]
    return total


def through_a_view(x, w):
    z = np.sin(x)
    v = z[1:]
    v *= 2
    v[-1] += w
    return np.sum(z**2 * w)


def through_ravel(x, w):
    z = x * w
    flat = z.ravel()
    flat[0] = 0.0
    flat[::3] *= w
    return np.sum(z**2)


def through_transpose(x, w):
    z = x + w
    t = z.T
    t[0] *= x[1, 0]
    t[1:, 0] = 3 * w
    return np.sum(z**3)


def through_reshape(x, w):
    z = np.zeros(x.size)
    grid = z.reshape(x.shape)
    grid[...] = x
    grid[0, :] += w
    return np.dot(z, z)


def copied(x, w):
    z = x.copy()
    z[0] = w
    q = np.array(z)
    q[1] = 2 * w
    z2 = z[:2].copy()
    z2 *= 100.0
    return np.sum(z**2) + np.sum(q**3) + 0 * z2[0]


def listed(x, y, W, b):
    rows = []
    for j in range(len(b)):
        rows.append(sigmoid(W[j] @ x + b[j]))
    return np.sum((np.array(rows) - y) ** 2) / x.shape[1]


def array_of_scalars(x, y, W, b):
    z = np.array([np.dot(W[j], x) + b[j] for j in range(len(b))])
    return np.sum((sigmoid(z) - y) ** 2)


def stacked(x, y, W, b):
    columns = [sigmoid(W @ c + b) for c in x.T]
    return np.sum((np.stack(columns, axis=1) - y) ** 2) / x.shape[1]


def vstacked(x, y, W, b):
    a = np.vstack([sigmoid(W[j : j + 1] @ x + b[j]) for j in range(W.shape[0])])
    return np.sum((a - y) ** 2) / x.shape[1]


def bias_trick(x, y, W, b):
    ones = np.ones((1, x.shape[1]))
    augmented = np.vstack((x, ones))
    Wb = np.hstack([W, b])
    return np.sum((sigmoid(Wb @ augmented) - y) ** 2) / x.shape[1]


def bias_column(X, Y, theta):
    X1 = np.concatenate([np.ones((X.shape[0], 1)), X], axis=1)
    return np.mean((X1 @ theta - Y) ** 2)


def column_stack(x, y, W, b):
    a = np.column_stack([np.tanh(W @ c + b) for c in x.T])
    return np.sum((a - y) ** 2) / x.shape[1]


def ones_and_full(x, w):
    a = np.ones_like(x) * w
    a[0] = x[0]
    c = np.full(x.shape, 0.5)
    c[1:] = a[:-1]
    d = np.full_like(x, 2.0)
    return np.sum(a * c * d * x)


def accumulate_slices(x, k):
    """A short filter by shifted sums."""
    n = len(x) - len(k) + 1
    out = np.zeros(n)
    for j in range(len(k)):
        out += k[j] * x[j : j + n]
    return np.sum(out**2)


def running(x):
    c = np.zeros(len(x) + 1)
    for i in range(len(x)):
        c[i + 1] = c[i] + x[i] ** 2
    return np.sum(c[1:] ** 2)


def swapped(x, w):
    z = x * w
    z[0], z[1] = z[1], z[0] * 2
    return np.sum(z * x)


def tridiagonal(a, b, x):
    n = len(a)
    T = np.zeros((n, n))
    for i in range(n):
        T[i, i] = a[i]
        if i + 1 < n:
            T[i, i + 1] = T[i + 1, i] = b[i]
    return x @ T @ x + np.trace(T @ T)


def diagonal(d, x):
    D = np.diag(d) + 0.5 * np.eye(len(d))
    return x @ D @ D @ x


def gradient_lists(x, W1, W2):
    """Collects per-layer values in lists, then in one array."""
    activations, h = [], x
    for W in (W1, W2):
        h = np.tanh(W @ h)
        activations.append(np.sum(h))
    return np.array(activations).prod() + np.asarray(activations)[0]


def reused_buffer(x, y, W):
    buffer = np.empty(W.shape[0])
    total = 0.0
    for i in range(x.shape[1]):
        np.dot(W, x[:, i], out=buffer)
        buffer -= y[:, i]
        total += buffer @ buffer
    return total


def masked_rows(x, w):
    z = x.copy()
    z[1, :] = 0
    z[:, -1] = w
    z[0, ::2] *= 3
    return np.sum(z**2)
