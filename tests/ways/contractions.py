"""Products of matrices and tensors, by all their names."""

import numpy as np


def einsum_rows(X, Y, W, b):
    Z = np.einsum("ni,ij->nj", X, W) + b
    return np.einsum("nj,nj->", Z - Y, Z - Y)


def einsum_columns(X, Y, W, b):
    Z = np.einsum("ij,ni", W, X) + b[:, None]
    return np.sum((Z.T - Y) ** 2)


def tensordot_rows(X, Y, W, b):
    R = np.tensordot(X, W, axes=1) + b - Y
    return np.tensordot(R, R, axes=2)


def tensordot_axes(X, Y, W, b):
    R = np.tensordot(W, X, axes=([0], [1])) + b[:, np.newaxis] - Y.T
    return np.tensordot(R, R, ([0, 1], [0, 1]))


def inner_rows(X, Y, W, b):
    R = np.inner(X, W.T) + b - Y
    return np.trace(R @ R.T)


def frobenius(X, Y, W, b):
    return np.linalg.norm(X @ W + b - Y, ord="fro") ** 2


def trace_rows(X, Y, W, b):
    R = (W.T @ X.T).T + b - Y
    return np.trace(np.dot(R.T, R))


def outer_sum(X, Y, W, b):
    Z = sum(np.outer(X[:, k], W[k, :]) for k in range(W.shape[0]))
    Z = Z + np.outer(np.ones(len(X)), b)
    return ((Z - Y) ** 2).sum()


def broadcast_rows(X, Y, W, b):
    Z = (X[:, :, None] * W[None, :, :]).sum(axis=1) + b
    return np.vdot(Z - Y, Z - Y)


def bilinear(x, A, y):
    return np.einsum("i,ij,j", x, A, y) ** 2


def third_order(X, T, Y):
    return np.sum(np.einsum("ni,ijk,nj->nk", X, T, Y) ** 2)


def implicit_transpose(A, B):
    return np.sum(np.einsum("ij,kj", A, B) ** 3)


def batched(A, B):
    C = A @ B
    return np.sum(np.tanh(C))


def batched_vector(A, v):
    return np.sum(np.matmul(A, v) ** 2)


def diagonal_of(A, B):
    return (
        np.sum(np.einsum("ij,ji->i", A, B) ** 2) + np.sum(np.diag(A @ B)) + np.einsum("ii", A @ B)
    )


def chain(A, B, C, v):
    return v @ (A @ B @ C) @ v.T


def quadratic_form(x, A):
    return x.T @ A @ x


def cyclic(A, B, C):
    return np.trace(A @ B @ C)


def transposes(T, w):
    U = np.transpose(T, (2, 0, 1))
    V = T.transpose(1, 0, 2)
    return np.sum(U[0] ** 2) + np.sum(V * w) + np.sum(np.swapaxes(T, 0, 2) ** 3)


def kronecker(a, B):
    K = (a[:, None, None] * B[None, :, :]).reshape(-1, B.shape[1])
    return np.sum(np.exp(0.1 * K))


def outer_update(W, g, x):
    W = W - 0.1 * np.outer(g, x)
    return np.sum(W**2)


def matrix_power(A, x):
    return x @ np.linalg.matrix_power(A, 3) @ x
