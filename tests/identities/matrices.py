"""Quadratic forms, inverses, solves, determinants, kernels, factorizations, graphs."""

from __future__ import annotations

import numpy as np

from tests.identities import Case

rng = np.random.default_rng(97)
CASES = []


def mat(*shape):
    return rng.normal(size=shape)


def full(n):
    return rng.normal(size=(n, n)) + n * np.eye(n)


def quadratic(x, A, b):
    return x @ A @ x + b @ x


def quadratic_grad(x, A, b):
    return (A + A.T) @ x + b, np.outer(x, x), x.copy()


def quadratic_loop(x, A):
    s = 0.0
    n = len(x)
    for i in range(n):
        for j in range(n):
            s += x[i] * A[i, j] * x[j]
    return s


def quadratic_loop_grad(x, A):
    n = len(x)
    g = np.zeros(n)
    for k in range(n):
        for j in range(n):
            g[k] += A[k, j] * x[j] + A[j, k] * x[j]
    return g


def rayleigh(x, A):
    return x @ A @ x / (x @ x)


def rayleigh_grad(x, A):
    n = x @ x
    return ((A + A.T) @ x - 2 * rayleigh(x, A) * x) / n


def trace_form(X, A):
    return np.trace(X.T @ A @ X)


def trace_form_grad(X, A):
    return A @ X + A.T @ X


def frobenius(X, Y):
    return np.linalg.norm(X @ Y - np.eye(len(X)))


def frobenius_grad(X, Y):
    R = X @ Y - np.eye(len(X))
    n = np.sqrt(np.sum(R * R))
    return R @ Y.T / n, X.T @ R / n


def log_det(A):
    return np.log(np.abs(np.linalg.det(A)))


def log_det_grad(A):
    return np.linalg.inv(A).T


def det(A):
    return np.linalg.det(A)


def det_grad(A):
    return np.linalg.det(A) * np.linalg.inv(A).T


def log_det_gram(X):
    s, v = np.linalg.slogdet(X.T @ X)
    return v


def log_det_gram_grad(X):
    return 2 * X @ np.linalg.inv(X.T @ X)


def log_det_2x2(a, b, c):
    return np.log(a * c - b**2)


def log_det_2x2_grad(a, b, c):
    d = a * c - b * b
    return c / d, -2 * b / d, a / d


def inverse(A):
    return np.linalg.inv(A)


def inverse_grad(A, G):
    B = np.linalg.inv(A)
    return -B.T @ G @ B.T


def solve(A, b):
    return np.linalg.solve(A, b)


def solve_adjoint(A, b, g):
    x = np.linalg.solve(A, b)
    lam = np.linalg.solve(A.T, g)
    return -np.outer(lam, x), lam


def bilinear_inverse(A, u, v):
    return u @ np.linalg.inv(A) @ v


def bilinear_inverse_grad(A, u, v):
    return -np.outer(np.linalg.solve(A.T, u), np.linalg.solve(A, v))


def matrix_power(A, x):
    return np.sum(A @ A @ A @ x)


def matrix_power_grad(A, x):
    one = np.ones(len(A))
    g = np.zeros_like(A)
    for k in range(3):
        left = np.linalg.matrix_power(A.T, k) @ one
        right = np.linalg.matrix_power(A, 2 - k) @ x
        g += np.outer(left, right)
    return g


def page_rank(P, v, d):
    n = len(v)
    r = np.linalg.solve(np.eye(n) - d * P, (1 - d) * v)
    return r @ r


def page_rank_grad(P, v, d):
    M = np.eye(len(v)) - d * P
    r = np.linalg.solve(M, (1 - d) * v)
    lam = 2 * np.linalg.solve(M.T, r)
    return d * np.outer(lam, r), (1 - d) * lam, lam @ (P @ r - v)


CASES += [
    Case(
        "quadratic",
        "quadratic",
        "quadratic_grad",
        {"x": mat(3), "A": mat(3, 3), "b": mat(3)},
        (
            ("factor", "return (A", "return (1 + 1e-9) * (A"),
            ("term", ") @ x + b", ") @ x"),
            ("symmetric assumed", "(A + A.T)", "(2 * A)"),
        ),
    ),
    Case(
        "quadratic_loop",
        "quadratic_loop",
        "quadratic_loop_grad",
        {"x": mat(3), "A": mat(3, 3)},
        (
            ("factor", "A[k, j] * x[j] +", "(1 + 1e-9) * A[k, j] * x[j] +"),
            ("term", " + A[j, k] * x[j]", ""),
            ("i for j", "A[j, k] * x[j]", "A[j, k] * x[k]"),
        ),
        options={"wrt": "x"},
    ),
    Case(
        "rayleigh",
        "rayleigh",
        "rayleigh_grad",
        {"x": mat(3), "A": mat(3, 3)},
        (
            ("factor", "- 2 *", "- 2.000000002 *"),
            ("term", " - 2 * rayleigh(x, A) * x", ""),
            ("symmetric assumed", "(A + A.T)", "(2 * A)"),
        ),
        options={"wrt": "x"},
    ),
    Case(
        "trace_form",
        "trace_form",
        "trace_form_grad",
        {"X": mat(3, 2), "A": mat(3, 3)},
        (
            ("factor", "return A", "return (1 + 1e-9) * A"),
            ("term", " + A.T @ X", ""),
            ("transposed", "A.T @ X", "A @ X"),
        ),
        options={"wrt": "X"},
    ),
    Case(
        "frobenius",
        "frobenius",
        "frobenius_grad",
        {"X": mat(3, 3), "Y": mat(3, 3)},
        (
            ("factor", "return R", "return (1 + 1e-9) * R"),
            ("term", " - np.eye(len(X))", ""),
            ("transposed", "R @ Y.T", "R @ Y"),
        ),
    ),
    Case(
        "log_det",
        "log_det",
        "log_det_grad",
        {"A": full(3)},
        (
            ("factor", "return np", "return (1 + 1e-9) * np"),
            ("transposed", ".T", ""),
            ("no inverse", "np.linalg.inv(A).T", "A.T"),
        ),
    ),
    Case(
        "det",
        "det",
        "det_grad",
        {"A": full(3)},
        (
            ("factor", "return np", "return (1 + 1e-9) * np"),
            ("term", "np.linalg.det(A) * ", ""),
            ("transposed", ".T", ""),
        ),
    ),
    Case(
        "log_det_gram",
        "log_det_gram",
        "log_det_gram_grad",
        {"X": mat(4, 2)},
        (
            ("factor", "return 2", "return 2.000000002"),
            ("half", "2 * X", "X"),
            ("argument", "X.T @ X", "X.T @ X + np.eye(X.shape[1])"),
        ),
    ),
    Case(
        "log_det_2x2",
        "log_det_2x2",
        "log_det_2x2_grad",
        {"a": 2.0, "b": 0.5, "c": 1.5},
        (
            ("factor", "-2 * b", "-2.000000002 * b"),
            ("off the diagonal twice", "-2 * b / d", "-b / d"),
            ("swapped", "c / d, -2 * b / d, a / d", "a / d, -2 * b / d, c / d"),
        ),
    ),
    Case(
        "inverse",
        "inverse",
        "inverse_grad",
        {"A": full(3)},
        (
            ("factor", "return -B", "return -(1 + 1e-9) * B"),
            ("term", " @ B.T", ""),
            ("transposed", "G @ B.T", "G @ B"),
            ("order", "B.T @ G @ B.T", "B.T @ G.T @ B.T"),
        ),
    ),
    Case(
        "solve",
        "solve",
        "solve_adjoint",
        {"A": full(3), "b": mat(3)},
        (
            ("factor", "return -np", "return -(1 + 1e-9) * np"),
            ("transposed", "A.T, g", "A, g"),
            ("order", "np.outer(lam, x)", "np.outer(x, lam)"),
            ("sign", "-np.outer", "np.outer"),
        ),
    ),
    Case(
        "bilinear_inverse",
        "bilinear_inverse",
        "bilinear_inverse_grad",
        {"A": full(3), "u": mat(3), "v": mat(3)},
        (
            ("factor", "return -np", "return -(1 + 1e-9) * np"),
            ("transposed", "A.T, u", "A, u"),
            ("order", "np.linalg.solve(A, v)", "np.linalg.solve(A, u)"),
        ),
        options={"wrt": "A"},
    ),
    Case(
        "matrix_power",
        "matrix_power",
        "matrix_power_grad",
        {"A": mat(3, 3), "x": mat(3)},
        (
            ("factor", "g += np", "g += (1 + 1e-9) * np"),
            ("term", "range(3)", "range(2)"),
            ("index", "2 - k", "k"),
            ("transposed", "(A.T, k)", "(A, k)"),
        ),
        options={"wrt": "A"},
    ),
    Case(
        "page_rank",
        "page_rank",
        "page_rank_grad",
        {"P": rng.dirichlet(np.ones(3), size=3).T, "v": np.ones(3) / 3, "d": 0.85},
        (
            ("factor", "return d", "return (1 + 1e-9) * d"),
            ("term", "lam @ (P @ r - v)", "lam @ (P @ r)"),
            ("transposed", "np.linalg.solve(M.T, r)", "np.linalg.solve(M, r)"),
            ("order", "np.outer(lam, r)", "np.outer(r, lam)"),
        ),
    ),
]


# -- kernels, factorizations, graphs ---------------------------------------------------------------


def svm_dual(alpha, y, X):
    K = X @ X.T
    return alpha.sum() - 0.5 * (alpha * y) @ K @ (alpha * y)


def svm_dual_grad(alpha, y, X):
    w = X.T @ (alpha * y)
    return 1 - y * (X @ w)


def kernel_ridge(a, K, y, lam):
    r = y - K @ a
    return r @ r + lam * a @ K @ a


def kernel_ridge_grad(a, K, y, lam):
    return -2 * K.T @ (y - K @ a) + lam * (K + K.T) @ a


def rbf(X, w, gamma):
    D = np.sum(X**2, 1)[:, None] + np.sum(X**2, 1)[None, :] - 2 * X @ X.T
    return w @ np.exp(-gamma * D) @ w


def rbf_grad(X, w, gamma):
    D = ((X[:, None, :] - X[None, :, :]) ** 2).sum(axis=2)
    K = np.exp(-gamma * D)
    return -w @ (D * K) @ w


def factorize(P, Q, R, lam):
    return 0.5 * np.sum((R - P @ Q.T) ** 2) + 0.5 * lam * (np.sum(P**2) + np.sum(Q**2))


def factorize_grad(P, Q, R, lam):
    E = P @ Q.T - R
    return E @ Q + lam * P, E.T @ P + lam * Q


def factorize_observed(P, Q, r, rows, cols):
    return np.sum((np.sum(P[rows] * Q[cols], axis=1) - r) ** 2)


def factorize_observed_grad(P, Q, r, rows, cols):
    e = 2 * (np.sum(P[rows] * Q[cols], axis=1) - r)
    dP, dQ = np.zeros_like(P), np.zeros_like(Q)
    np.add.at(dP, rows, e[:, None] * Q[cols])
    np.add.at(dQ, cols, e[:, None] * P[rows])
    return dP, dQ


def nmf(W, H, V):
    WH = W @ H
    return np.sum(V * np.log(V / WH) - V + WH)


def nmf_grad(W, H, V):
    ratio = V / (W @ H)
    return (1 - ratio) @ H.T, W.T @ (1 - ratio)


def laplacian(f, A):
    L = np.diag(A.sum(axis=1)) - A
    return f @ L @ f


def laplacian_grad(f, A):
    L = np.diag(A.sum(axis=1)) - A
    return L @ f + L.T @ f


def smoothness(f, A):
    return 0.5 * np.sum(A * (f[:, None] - f[None, :]) ** 2)


def smoothness_grad(f, A):
    S = A + A.T
    return S.sum(axis=1) * f - S @ f


def total_variation(u, eps=0.01):
    return np.sum(np.sqrt(np.diff(u) ** 2 + eps))


def total_variation_grad(u, eps=0.01):
    d = u[1:] - u[:-1]
    q = d / np.sqrt(d**2 + eps)
    g = np.zeros_like(u)
    g[1:] += q
    g[:-1] -= q
    return g


def total_variation_2d(u, eps=0.1):
    dx = u[1:, :-1] - u[:-1, :-1]
    dy = u[:-1, 1:] - u[:-1, :-1]
    return np.sqrt(dx**2 + dy**2 + eps).sum()


def total_variation_2d_grad(u, eps=0.1):
    dx = u[1:, :-1] - u[:-1, :-1]
    dy = u[:-1, 1:] - u[:-1, :-1]
    n = np.sqrt(dx**2 + dy**2 + eps)
    g = np.zeros(u.shape)
    g[1:, :-1] += dx / n
    g[:-1, 1:] += dy / n
    g[:-1, :-1] -= (dx + dy) / n
    return g


def portfolio(w, Sigma, mu):
    return mu @ w / np.sqrt(w @ Sigma @ w)


def portfolio_grad(w, Sigma, mu):
    s = np.sqrt(w @ Sigma @ w)
    return mu / s - mu @ w * (Sigma + Sigma.T) @ w / (2 * s**3)


SPD = np.array([[2.0, 0.5, 0.25], [0.5, 1.5, -0.25], [0.25, -0.25, 1.75]])
CASES += [
    Case(
        "svm_dual",
        "svm_dual",
        "svm_dual_grad",
        {"alpha": rng.random(4), "y": np.array([1.0, -1, 1, 1]), "X": mat(4, 2)},
        (
            ("factor", "- y * (X", "- (1 + 1e-9) * y * (X"),
            ("term", "1 - y", "-y"),
            ("label dropped", "(alpha * y)", "alpha"),
        ),
        options={"wrt": "alpha"},
    ),
    Case(
        "kernel_ridge",
        "kernel_ridge",
        "kernel_ridge_grad",
        {"a": mat(3), "K": SPD, "y": mat(3), "lam": 0.25},
        (
            ("factor", "-2 * K", "-2.000000002 * K"),
            ("term", " + lam * (K + K.T) @ a", ""),
            ("symmetric assumed", "(K + K.T)", "(2 * K)"),
        ),
        options={"wrt": "a"},
    ),
    Case(
        "rbf_width",
        "rbf",
        "rbf_grad",
        {"X": mat(4, 2), "w": mat(4), "gamma": 0.75},
        (
            ("factor", "return -w", "return -(1 + 1e-9) * w"),
            ("term", "(D * K)", "K"),
            ("axis", "sum(axis=2)", "sum(axis=2) ** 2"),
        ),
        options={"wrt": "gamma"},
    ),
    Case(
        "factorization",
        "factorize",
        "factorize_grad",
        {"P": mat(3, 2), "Q": mat(3, 2), "R": mat(3, 3), "lam": 0.125},
        (
            ("factor", "return E", "return (1 + 1e-9) * E"),
            ("term", " + lam * P", ""),
            ("transposed", "E.T @ P", "E @ P"),
        ),
        options={"wrt": ("P", "Q")},
    ),
    Case(
        "factorization_observed",
        "factorize_observed",
        "factorize_observed_grad",
        {
            "P": mat(3, 2),
            "Q": mat(4, 2),
            "r": mat(5),
            "rows": np.array([0, 2, 1, 0, 2]),
            "cols": np.array([3, 1, 1, 0, 2]),
        },
        (
            ("factor", "e = 2 *", "e = 2.000000002 *"),
            (
                "= for +=",
                "np.add.at(dQ, cols, e[:, None] * P[rows])",
                "dQ[cols] = e[:, None] * P[rows]",
            ),
            ("index", "e[:, None] * Q[cols])", "e[:, None] * Q[rows])"),
        ),
        options={"wrt": ("P", "Q")},
    ),
    Case(
        "nmf",
        "nmf",
        "nmf_grad",
        {
            "W": rng.random((3, 2)) + 0.1,
            "H": rng.random((2, 4)) + 0.1,
            "V": rng.random((3, 4)) + 0.1,
        },
        (
            ("factor", "return (1", "return (1 + 1e-9) * (1"),
            ("term", "W.T @ (1 - ratio)", "W.T @ (-ratio)"),
            ("inverse", "V / (W @ H)", "(W @ H) / V"),
        ),
        options={"wrt": ("W", "H")},
    ),
    Case(
        "laplacian",
        "laplacian",
        "laplacian_grad",
        {"f": mat(4), "A": rng.random((4, 4))},
        (
            ("factor", "return L", "return (1 + 1e-9) * L"),
            ("symmetric assumed", "L @ f + L.T @ f", "2 * L @ f"),
            ("axis", "sum(axis=1)", "sum(axis=0)"),
        ),
        options={"wrt": "f"},
    ),
    Case(
        "smoothness",
        "smoothness",
        "smoothness_grad",
        {"f": mat(4), "A": rng.random((4, 4))},
        (
            ("factor", "return S", "return (1 + 1e-9) * S"),
            ("symmetric assumed", "A + A.T", "A + A"),
            ("term", " - S @ f", ""),
        ),
        options={"wrt": "f"},
    ),
    Case(
        "total_variation",
        "total_variation",
        "total_variation_grad",
        {"u": mat(6)},
        (
            ("factor", "g[1:] += q", "g[1:] += q * (1 + 1e-9)"),
            ("term", "    g[:-1] -= q\n", ""),
            ("one slice off", "g[:-1] -= q", "g[1:] -= q"),
            ("eps dropped", "d**2 + eps", "d**2"),
        ),
    ),
    Case(
        "total_variation_2d",
        "total_variation_2d",
        "total_variation_2d_grad",
        {"u": mat(3, 4)},
        (
            ("factor", "+= dx / n", "+= (1 + 1e-9) * dx / n"),
            ("term", "(dx + dy) / n", "dx / n"),
            ("axis", "g[:-1, 1:] += dy", "g[:-1, 1:] += dx"),
        ),
    ),
    Case(
        "sharpe_ratio",
        "portfolio",
        "portfolio_grad",
        {"w": rng.random(3), "Sigma": SPD, "mu": mat(3)},
        (
            ("factor", "return mu", "return (1 + 1e-9) * mu"),
            ("power", "s**3", "s**2"),
            ("symmetric assumed", "(Sigma + Sigma.T)", "(2 * Sigma)"),
        ),
        options={"wrt": "w"},
    ),
]
