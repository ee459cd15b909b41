"""Linear algebra and statistics."""

import numpy as np
from numpy.linalg import det, inv, slogdet, solve


def gaussian_solve(x, mu, S):
    d = x - mu
    _sign, logdet = slogdet(S)
    return -0.5 * (d @ solve(S, d) + logdet + len(x) * np.log(2 * np.pi))


def gaussian_inverse(X, mu, S):
    D = X - mu
    n = X.shape[1]
    q = np.einsum("ni,ij,nj->n", D, inv(S), D)
    return -0.5 * np.sum(q + np.log(det(S)) + n * np.log(2 * np.pi))


def ridge(X, y, lam):
    """The loss on the data at the ridge solution."""
    n = X.shape[1]
    w = solve(X.T @ X + lam * np.eye(n), X.T @ y)
    return np.sum((X @ w - y) ** 2)


def least_squares(X, y):
    w = inv(X.T @ X) @ X.T @ y
    return w @ w


def marginal_likelihood(x, y, length, noise):
    """A Gaussian process."""
    K = np.exp(-0.5 * (x[:, None] - x[None, :]) ** 2 / length**2) + noise * np.eye(len(x))
    alpha = np.linalg.solve(K, y)
    return 0.5 * y @ alpha + 0.5 * np.linalg.slogdet(K)[1]


def several_right_sides(A, B):
    return np.sum(np.linalg.solve(A, B) ** 2)


def determinant(A):
    return np.linalg.det(A) ** 2 / (1 + np.trace(A) ** 2)


def mahalanobis(x, mu, A):
    d = x - mu
    return np.sqrt(d @ A.T @ A @ d)


def polynomial_features(x, w):
    Phi = np.stack([x**k for k in range(len(w))], axis=1)
    return np.mean((Phi @ w - np.sin(x)) ** 2)


def vandermonde(x, w):
    Phi = x[:, None] ** np.arange(len(w))
    return np.sum((Phi @ w) ** 2)


def fourier_features(x, w, a):
    z = np.outer(x, w)
    return np.sum(np.hstack([np.sin(z), np.cos(z)]) @ a)


def covariance(X):
    D = X - X.mean(axis=0)
    S = D.T @ D / (len(X) - 1)
    return np.sum(S**2)


def correlation(x, y):
    dx, dy = x - np.mean(x), y - np.mean(y)
    return np.sum(dx * dy) / np.sqrt(np.sum(dx**2) * np.sum(dy**2))


def weighted(x, w):
    return np.average(x, weights=w) ** 2 + np.average(x)


def geometric(x):
    return np.prod(x) ** (1 / len(x))


def entropy(z):
    p = np.exp(z) / np.sum(np.exp(z))
    return -p.dot(np.log2(p))


def norms(x, A):
    n = np.linalg.norm
    return (
        n(x)
        + n(x, 1)
        + n(x, ord=np.inf)
        + n(A)
        + n(A, axis=0).sum()
        + n(A, axis=1, keepdims=True)[0, 0]
    )


def sums(T):
    a = np.sum(T, axis=(0, 1)) ** 2
    c = T.sum(axis=-1, keepdims=True) * T
    m = T.mean((0, 2)) * T.shape[0]
    return a.sum() + np.sum(c) + np.prod(m) + np.cumsum(T[0, 0])[-1]


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2.0) ** 2.0 + (1 - x[:-1]) ** 2.0)


def survival(t, w, d):
    """Exponential hazards with censoring d."""
    rate = np.exp(w * t)
    return np.sum(rate * t) - np.sum(d * np.log(rate))


def projections(A, x):
    """Onto the columns of A."""
    P = A @ np.linalg.inv(A.T @ A) @ A.T
    return x @ (np.eye(len(x)) - P) @ x


def trapezoid(f, h):
    return h * (0.5 * f[0] + f[1:-1].sum() + 0.5 * f[-1]) ** 2 + np.sum(np.diff(f) ** 2)
