"""Products of matrices and tensors: `contractions`."""

from __future__ import annotations

import numpy as np

from ways import contractions
from ways.way import Way, anp, gradient, hand

ROW = {"X": "N n0", "Y": "N n1", "W": "n0 n1", "b": "n1"}


def linear_by_hand(X, Y, W, b):
    """R = XW + b − Y: 2 XᵀR and the sum of 2R down the rows."""
    R = X @ W + b - Y
    return 2 * X.T @ R, 2 * np.sum(R, axis=0)


def bilinear(x, A, y):
    """s = xᵀAy: 2s Ay, 2s xyᵀ, 2s Aᵀx."""
    s = x @ A @ y
    return 2 * s * A @ y, 2 * s * x[:, None] * y, 2 * s * A.T @ x


def third_order(X, T, Y):
    total = 0.0
    for k in range(T.shape[2]):
        total = total + anp.sum(anp.sum(anp.dot(X, T[:, :, k]) * Y, axis=1) ** 2)
    return total


def implicit_transpose(A, B):
    P = 3 * (A @ B.T) ** 2
    return P @ B, P.T @ A


def batched(A, B):
    return sum(anp.sum(anp.tanh(anp.dot(A[k], B[k]))) for k in range(A.shape[0]))


def batched_vector(A, v):
    return sum(anp.sum(anp.dot(A[k], v) ** 2) for k in range(A.shape[0]))


def diagonal_of(A, B):
    d = anp.sum(A * B.T, axis=1)
    return anp.sum(d**2) + 2 * anp.sum(d)


def chain(A, B, C, v):
    return anp.dot(v, anp.dot(A, anp.dot(B, anp.dot(C, v))))


def cyclic(A, B, C):
    """∂/∂A tr(ABC) = (BC)ᵀ, and cyclically."""
    return (B @ C).T, (C @ A).T, (A @ B).T


def transposes(T, w):
    dT = np.zeros_like(T)
    dT[:, :, 0] += 2 * T[:, :, 0]
    dT += w.transpose(1, 0, 2) + 3 * T**2
    return dT, T.transpose(1, 0, 2)


def kronecker(a, B):
    E = 0.1 * np.exp(0.1 * a[:, None, None] * B)
    return np.sum(E * B, axis=(1, 2)), np.sum(E * a[:, None, None], axis=0)


def outer_update(W, g, x):
    R = W - 0.1 * np.outer(g, x)
    return 2 * R, -0.2 * R @ x, -0.2 * R.T @ g


def matrix_power(A, x):
    return anp.dot(x, anp.dot(A, anp.dot(A, anp.dot(A, x))))


def _way(module, name, style, axes, wrt, reference, **more):
    where = module.__name__.split(".")[-1]
    return Way(f"{where}.{name}", style, getattr(module, name), axes, wrt, reference, **more)


def _all(module, name, style, axes, reference, **more):
    return _way(module, name, style, axes, tuple(axes), reference, **more)


def _rows(name, style):
    return _way(contractions, name, style, ROW, ("W", "b"), hand(linear_by_hand))


WAYS = [
    _rows("einsum_rows", '"ni,ij->nj"'),
    _rows("einsum_columns", 'no arrow: "ij,ni" sorts its letters'),
    _rows("tensordot_rows", "axes=1, axes=2"),
    _rows("tensordot_axes", "axes=([0], [1])"),
    _rows("inner_rows", "np.inner, trace(R @ R.T)"),
    _rows("frobenius", 'ord="fro"'),
    _rows("trace_rows", "trace(np.dot(R.T, R))"),
    _rows("outer_sum", "a sum of np.outer"),
    _rows("broadcast_rows", "X[:, :, None]*W[None], np.vdot"),
    _all(
        contractions, "bilinear", '"i,ij,j"', {"x": "n0", "A": "n0 n1", "y": "n1"}, hand(bilinear)
    ),
    _all(
        contractions,
        "third_order",
        '"ni,ijk,nj->nk"',
        {"X": "N n0", "T": "n0 n1 n2", "Y": "N n1"},
        gradient(third_order),
    ),
    _all(
        contractions,
        "implicit_transpose",
        '"ij,kj"',
        {"A": "n0 N", "B": "n1 N"},
        hand(implicit_transpose),
    ),
    _all(
        contractions,
        "batched",
        "@ of stacks",
        {"A": "N n0 n1", "B": "N n1 n2"},
        gradient(batched),
    ),
    _all(
        contractions,
        "batched_vector",
        "a stack times a vector",
        {"A": "N n0 n1", "v": "n1"},
        gradient(batched_vector),
    ),
    _all(
        contractions,
        "diagonal_of",
        '"ij,ji->i", "ii", np.diag',
        {"A": "n0 n1", "B": "n1 n0"},
        gradient(diagonal_of),
    ),
    _all(
        contractions,
        "chain",
        "v @ (A @ B @ C) @ v.T",
        {"A": "n0 n1", "B": "n1 N", "C": "N n0", "v": "n0"},
        gradient(chain),
    ),
    _all(
        contractions,
        "quadratic_form",
        "x.T @ A @ x",
        {"x": "n1", "A": "n1 n1"},
        hand(lambda x, A: ((A + A.T) @ x, x[:, None] * x)),
    ),
    _all(
        contractions,
        "cyclic",
        "trace(A @ B @ C)",
        {"A": "n0 n1", "B": "n1 N", "C": "N n0"},
        hand(cyclic),
    ),
    _all(
        contractions,
        "transposes",
        "transpose with axes, swapaxes",
        {"T": "n0 n1 N", "w": "n1 n0 N"},
        hand(transposes),
    ),
    _all(
        contractions,
        "kronecker",
        "broadcast, then reshape(-1, n)",
        {"a": "n0", "B": "n1 N"},
        hand(kronecker),
    ),
    _all(
        contractions,
        "outer_update",
        "W - rate*np.outer",
        {"W": "n1 n0", "g": "n1", "x": "n0"},
        hand(outer_update),
    ),
    _all(
        contractions,
        "matrix_power",
        "np.linalg.matrix_power",
        {"A": "n1 n1", "x": "n1"},
        gradient(matrix_power),
    ),
]
