"""Loops: over samples, neurons, layers, iterations; scalars by the hand of Python."""

import math

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def over_samples(x, y, W, b):
    N = x.shape[1]
    total = 0
    for i in range(N):
        a = sigmoid(W @ x[:, i] + b)
        total += np.sum((a - y[:, i]) ** 2)
    return total / N


def over_columns(x, y, W, b):
    total = 0.0
    for xi, yi in zip(x.T, y.T, strict=True):
        d = sigmoid(W.dot(xi) + b) - yi
        total = total + d.dot(d)
    return total / len(x.T)


def over_neurons(x, y, W, b):
    n1, n0 = W.shape
    N = x.shape[1]
    C = 0.0
    for i in range(N):
        for j in range(n1):
            s = b[j]
            for k in range(n0):
                s += W[j, k] * x[k, i]
            a = 1 / (1 + math.exp(-s))
            C += (a - y[j, i]) ** 2
    return C / N


def floats(x, y, W, b):
    C = 0.0
    for i in range(len(x)):
        s = float(b)
        for k in range(len(x[i])):
            s += float(W[k]) * float(x[i][k])
        C += (math.tanh(s) - float(y[i])) ** 2
    return C


def matrix_product(A, B):
    """A school exercise."""
    rows, inner, columns = len(A), len(B), len(B[0])
    C = [[0] * columns for _ in range(rows)]
    for i in range(rows):
        for j in range(columns):
            for k in range(inner):
                C[i][j] += A[i][k] * B[k][j]
    return sum(c**2 for row in C for c in row)


def python_lists(x, y, W, b):
    """zip and sum, no matrix in sight."""
    outputs = [
        sum(w * v for w, v in zip(row, x, strict=True)) + c for row, c in zip(W, b, strict=True)
    ]
    errors = [(1 / (1 + math.exp(-z)) - t) ** 2 for z, t in zip(outputs, y, strict=True)]
    return sum(errors)


def newton_root(x):
    """sqrt(x) by a while loop with a counter."""
    r, i = x, 0
    while i < 12:
        r = 0.5 * (r + x / r)
        i += 1
    return np.sum(r)


def newton_until(a):
    """The cube root; stops when it is close, so the path depends on the value."""
    r = 1.0
    while abs(r**3 - a) > 1e-13 * a:
        r = r - (r**3 - a) / (3 * r**2)
    return r


def horner(c, x):
    p = 0.0
    for coefficient in reversed(c):
        p = p * x + coefficient
    return np.sum(p**2)


def powers(c, x):
    return np.sum(sum(ck * x**k for k, ck in enumerate(c)) ** 2)


def descent(W, x, y, rate):
    """The loss after three steps of gradient descent."""
    for _ in range(3):
        W = W - rate * 2 * np.outer(W @ x - y, x)
    return np.sum((W @ x - y) ** 2)


def momentum(w, g, beta):
    v = np.zeros_like(w)
    for t, gt in enumerate(g, start=1):
        v = beta * v + (1 - beta) * gt
        w = w - 0.1 * v / (1 - beta**t)
    return np.sum(w**2)


def power_iteration(A, v):
    for _ in range(4):
        v = A @ v
        v = v / np.linalg.norm(v)
    return v @ A @ v


def smallest_largest(x):
    """min and max of Python on scalars."""
    low, high = min(x[0], x[1]), max(x[0], x[1], 0.0)
    return high**2 - low * high


def skipping(x, y, w):
    total = 0.0
    for k in range(x.shape[0]):
        if k % 2 == 1:
            continue
        if k > 4:
            break
        total += (w * x[k] - y[k]) ** 2
    else:
        total += w
    return total


def downwards(W, x):
    a = x
    for k in range(2, -1, -1):
        a = np.tanh(W[k] * a)
    return a.sum()


def signed_sigmoid(z):
    if z >= 0:
        return 1 / (1 + math.exp(-z))
    power = math.exp(z)
    return power / (1 + power)


def branching(x, w, b):
    """The scalar sigmoid that looks at the sign."""
    return sum(signed_sigmoid(w * x[k] + b) ** 2 for k in range(len(x)))


def differences(x):
    total = 0
    for a, c in zip(x[:-1], x[1:], strict=True):  # noqa: RUF007
        total += (c - a) ** 2 * (1 + a * a)
    return total


def euler(x0, theta):
    """Ten explicit steps of an equation with learned coefficients."""
    x, h = x0, 0.1
    trajectory = [x]
    while len(trajectory) < 11:
        x = x + h * np.tanh(theta @ x)
        trajectory.append(x)
    return sum(np.dot(p, p) for p in trajectory) / len(trajectory)


def itemized(x, w):
    """.item() and float arithmetic."""
    s = 0.0
    for i in range(x.size):
        s += math.log1p(math.exp(w.item() * x[i].item()))
    return s
