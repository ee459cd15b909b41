"""Sums and indices: axes, einsum, slices, rolls, gathers, permutations, triangles, conjugates."""

from __future__ import annotations

import numpy as np

from tests.traps import NOT_RIGHT, NOT_WRONG, REFUTED, RIGHT, UNPROVED, trap

X = np.array([0.7, -1.3, 2.1])
X4 = np.array([0.7, -1.3, 2.1, 0.4])
A = np.array([[0.3, -1.2], [0.8, 0.5]])
B = np.array([[1.1, 0.2], [-0.7, 0.9]])
VJP = {"mode": "vjp", "cotangent": "g"}


@trap(
    REFUTED, "an einsum with two letters swapped, square shapes", {"a": A, "b": B}, wrt="a", **VJP
)
def einsum_swapped():
    def forward(a, b):
        return np.einsum("ij,jk->ik", a, b)

    return forward, (lambda a, b, g: np.einsum("ik,kj->ij", g, b))


@trap(RIGHT, "an einsum, right", {"a": A, "b": B}, wrt="a", **VJP)
def einsum_right():
    def forward(a, b):
        return np.einsum("ij,jk->ik", a, b)

    return forward, (lambda a, b, g: np.einsum("ik,jk->ij", g, b))


@trap(REFUTED, "the diagonal of an einsum", {"a": A})
def einsum_diagonal():
    return (lambda a: np.einsum("ii->", a)), (lambda a: np.ones_like(a))


@trap(REFUTED, "a sum over the wrong axis of a square", {"x": A}, **VJP)
def sum_over_the_wrong_axis():
    return (lambda x: x.sum(axis=0)), (lambda x, g: g[:, None] * np.ones_like(x))


@trap(
    REFUTED,
    "axis −1 for axis 0, square and symmetric at the point",
    {"x": np.array([[1.0, 2.0], [2.0, 1.0]])},
    **VJP,
)
def softmax_over_the_wrong_axis():
    def forward(x):
        e = np.exp(x)
        return e / e.sum(axis=0)

    def backward(x, g):
        e = np.exp(x)
        p = e / e.sum(axis=0)
        return p * (g - (g * p).sum(axis=-1))

    return forward, backward


@trap(REFUTED, "off by one: equal for periodic data", {"x": np.array([1.0, 1.0, 1.0, 1.0])})
def slices_off_by_one():
    def forward(x):
        return np.sum(x[1:] * x[:-1])

    def backward(x):
        g = np.zeros_like(x)
        g[1:] += x[1:]
        g[:-1] += x[:-1]
        return g

    return forward, backward


@trap(REFUTED, "the adjoint of a cumulative sum runs backwards", {"x": X}, **VJP)
def cumsum_forward():
    return (lambda x: np.cumsum(x)), (lambda x, g: np.cumsum(g))


@trap(RIGHT, "backwards", {"x": X}, **VJP)
def cumsum_right():
    return (lambda x: np.cumsum(x)), (lambda x, g: np.cumsum(g[::-1])[::-1])


@trap(
    REFUTED,
    "the adjoint of roll rolls back; for two entries it is the same",
    {"x": np.array([0.5, 1.5])},
    **VJP,
)
def roll_by_the_same_sign():
    return (lambda x: np.roll(x, 1)), (lambda x, g: np.roll(g, 1))


@trap(RIGHT, "roll back", {"x": X}, **VJP)
def roll_right():
    return (lambda x: np.roll(x, 1)), (lambda x, g: np.roll(g, -1))


@trap(
    REFUTED,
    "roll by n − 1 for roll by −1 of four",
    {"x": X4},
    **VJP,
)
def roll_by_three():
    return (lambda x: np.roll(x, 1)), (lambda x, g: np.roll(g, 3))


@trap(REFUTED, "the boundary of diff's adjoint", {"x": X4}, **VJP)
def diff_without_its_boundary():
    def backward(x, g):
        out = np.zeros_like(x)
        out[1:-1] = g[:-1] - g[1:]
        return out

    return (lambda x: np.diff(x)), backward


@trap(RIGHT, "diff's adjoint", {"x": X4}, **VJP)
def diff_right():
    def backward(x, g):
        return -np.diff(np.concatenate([[0.0], g, [0.0]]))

    return (lambda x: np.diff(x)), backward


@trap(
    NOT_RIGHT,
    "+= at repeated indices keeps the last",
    {"E": np.ones((3, 2)), "i": np.array([0, 1, 1])},
    wrt="E",
    **VJP,
)
def repeated_indices_lost():
    def backward(E, i, g):
        out = np.zeros_like(E)
        out[i] += g
        return out

    return (lambda E, i: E[i]), backward


@trap(
    NOT_RIGHT,
    "the same where the user's indices do not repeat",
    {"E": np.ones((3, 2)), "i": np.array([0, 2])},
    wrt="E",
    **VJP,
)
def repeated_indices_lost_not_at_the_point():
    def backward(E, i, g):
        out = np.zeros_like(E)
        out[i] += g
        return out

    return (lambda E, i: E[i]), backward


@trap(
    RIGHT,
    "np.add.at adds them all",
    {"E": np.ones((3, 2)), "i": np.array([0, 1, 1])},
    wrt="E",
    **VJP,
)
def add_at():
    def backward(E, i, g):
        out = np.zeros_like(E)
        np.add.at(out, i, g)
        return out

    return (lambda E, i: E[i]), backward


@trap(
    UNPROVED,
    "a permutation given as an input: its inverse undoes it",
    {"x": X, "p": np.array([1, 2, 0])},
    wrt="x",
    **VJP,
)
def permutation_for_its_inverse():
    return (lambda x, p: x[p]), (lambda x, p, g: g[p])


@trap(
    UNPROVED,
    "the same with a permutation that is its own inverse",
    {"x": X, "p": np.array([1, 0, 2])},
    wrt="x",
    never=("every shape: x (n), g (n)",),
    **VJP,
)
def involution_for_its_inverse():
    return (lambda x, p: x[p]), (lambda x, p, g: g[p])


@trap(
    UNPROVED,
    "argsort of p is its inverse for permutations only, and nothing says that p is one",
    {"x": X, "p": np.array([1, 2, 0])},
    wrt="x",
    **VJP,
)
def permutation_right():
    return (lambda x, p: x[p]), (lambda x, p, g: g[np.argsort(p)])


@trap(REFUTED, "tril for triu", {"a": A})
def tril_for_triu():
    return (lambda a: np.sum(np.triu(a) ** 2)), (lambda a: 2 * np.tril(a))


@trap(REFUTED, "the diagonal twice", {"a": A})
def triangles_overlap():
    return (lambda a: np.sum(a**2)), (lambda a: 2 * np.triu(a) + 2 * np.tril(a))


@trap(RIGHT, "one triangle without it", {"a": A})
def triangles_right():
    return (lambda a: np.sum(a**2)), (lambda a: 2 * np.triu(a) + 2 * np.tril(a, -1))


@trap(NOT_RIGHT, "complex intermediates: |z|² needs the conjugate", {"x": X})
def without_conjugate():
    def forward(x):
        return np.sum(np.abs(np.exp(1j * x) + 1) ** 2)

    def backward(x):
        z = np.exp(1j * x) + 1
        return 2 * (z * 1j * np.exp(1j * x)).real

    return forward, backward


@trap(NOT_WRONG, "complex intermediates, right", {"x": X})
def with_conjugate():
    def forward(x):
        return np.sum(np.abs(np.exp(1j * x) + 1) ** 2)

    def backward(x):
        z = np.exp(1j * x) + 1
        return 2 * (np.conj(z) * 1j * np.exp(1j * x)).real

    return forward, backward


@trap(NOT_RIGHT, "a complex gradient", {"x": X})
def a_complex_result():
    return (lambda x: np.sum(x**2)), (lambda x: 2 * x + 0.5j)


@trap(UNPROVED, "a complex gradient without imaginary part: of the wrong type", {"x": X})
def a_complex_result_without_imaginary_part():
    return (lambda x: np.sum(x**2)), (lambda x: 2 * x + 0j)


@trap(
    REFUTED,
    "np.outer the wrong way round, square",
    {"a": A, "x": np.array([1.0, 2.0])},
    wrt="a",
    **VJP,
)
def outer_the_wrong_way():
    return (lambda a, x: a @ x), (lambda a, x, g: np.outer(x, g))


@trap(REFUTED, "kron's sides", {"a": A}, **VJP)
def kron_sides():
    def backward(a, g):
        return np.einsum("ikjl,kl->ij", g.reshape(2, 2, 2, 2), B.T)

    return (lambda a: np.kron(a, B)), backward


@trap(
    REFUTED, "a convolution is no correlation", {"x": X4, "w": np.array([1.0, 2.0])}, wrt="x", **VJP
)
def convolution_for_correlation():
    def backward(x, w, g):
        return np.convolve(g, w, mode="full")

    return (lambda x, w: np.convolve(x, w, mode="valid")), backward


@trap(RIGHT, "with the filter turned", {"x": X4, "w": np.array([1.0, 2.0])}, wrt="x", **VJP)
def convolution_right():
    def backward(x, w, g):
        return np.convolve(g, w[::-1], mode="full")

    return (lambda x, w: np.convolve(x, w, mode="valid")), backward


@trap(
    REFUTED,
    "the symmetric filter at the user's point hides it",
    {"x": X4, "w": np.array([1.0, 1.0])},
    wrt="x",
    **VJP,
)
def symmetric_filter():
    def backward(x, w, g):
        return np.convolve(g, w, mode="full")

    return (lambda x, w: np.convolve(x, w, mode="valid")), backward


@trap(
    REFUTED,
    "moveaxis and transpose differ for three axes",
    {"x": np.arange(8.0).reshape(2, 2, 2) / 7},
    **VJP,
)
def three_axes():
    return (lambda x: x.transpose(1, 2, 0)), (lambda x, g: g.transpose(1, 2, 0))


@trap(RIGHT, "the inverse permutation of axes", {"x": np.arange(8.0).reshape(2, 2, 2) / 7}, **VJP)
def three_axes_right():
    return (lambda x: x.transpose(1, 2, 0)), (lambda x, g: g.transpose(2, 0, 1))


@trap(REFUTED, "a flip forgotten", {"x": np.array([1.0, 2.0, 1.0])}, **VJP)
def flip_forgotten():
    return (lambda x: x[::-1] * np.arange(1.0, len(x) + 1)), (
        lambda x, g: g * np.arange(1.0, len(x) + 1)
    )


@trap(NOT_RIGHT, "the padding's border counts too", {"x": X}, **VJP)
def edge_padding():
    return (lambda x: np.pad(x, 1, mode="edge")), (lambda x, g: g[1:-1])


@trap(REFUTED, "tile and repeat differ", {"x": X}, **VJP)
def tile_for_repeat():
    return (lambda x: np.repeat(x, 2)), (lambda x, g: g.reshape(2, -1).sum(axis=0))


@trap(REFUTED, "one mask for two: (x > 0) of x and of y", {"x": X, "y": X + 0.1}, wrt="x")
def the_mask_of_another():
    return (lambda x, y: np.sum(np.maximum(x, 0) * y)), (lambda x, y: y * (y > 0))


@trap(
    REFUTED,
    "labels by integer arrays: the columns of the wrong rows",
    {"p": np.ones((3, 3)) / 2, "y": np.array([0, 1, 2])},
    wrt="p",
)
def labels_of_the_wrong_axis():
    def backward(p, y):
        g = np.zeros_like(p)
        g[y, np.arange(len(y))] = 1.0
        return g

    return (lambda p, y: np.sum(p[np.arange(len(y)), y])), backward


@trap(
    REFUTED,
    "a constant mask that is right at the user's labels",
    {"p": np.ones((3, 3)) / 2, "y": np.array([0, 1, 2])},
    wrt="p",
)
def labels_that_are_the_diagonal():
    return (lambda p, y: np.sum(p[np.arange(len(y)), y] ** 2)), (
        lambda p, y: 2 * p * np.eye(len(p))
    )


@trap(
    RIGHT,
    "labels, right for every y",
    {"p": np.ones((3, 3)) / 2, "y": np.array([0, 1, 2])},
    wrt="p",
)
def labels_right():
    def backward(p, y):
        g = np.zeros_like(p)
        g[np.arange(len(y)), y] = 2 * p[np.arange(len(y)), y]
        return g

    return (lambda p, y: np.sum(p[np.arange(len(y)), y] ** 2)), backward


@trap(REFUTED, "two long index arrays with one repr", {"x": np.linspace(0.1, 1, 3000)})
def long_indices():
    one, two = np.arange(3000), np.arange(3000)
    two[[1000, 1001]] = two[[1001, 1000]]
    c = np.arange(3000.0) % 7

    def backward(x):
        g = np.zeros_like(x)
        g[two] = c
        return g

    return (lambda x: x[one] @ c), backward


@trap(
    RIGHT,
    "batch norm in stages: their sums are right, though no stage is a total adjoint",
    {"x": np.arange(8.0).reshape(4, 2) ** 2 / 7},
    **VJP,
)
def staged_batch_norm():
    def forward(x):
        mu = x.mean(axis=0)
        return (x - mu) / np.sqrt(((x - mu) ** 2).mean(axis=0) + 1e-5)

    def backward(x, g):
        n = x.shape[0]
        mu = x.mean(axis=0)
        xmu = x - mu
        ivar = 1 / np.sqrt((xmu**2).mean(axis=0) + 1e-5)
        divar = np.sum(g * xmu, axis=0)
        dxmu1 = g * ivar
        dvar = -0.5 * ivar**3 * divar
        dxmu2 = 2 * xmu * (dvar * np.ones_like(g) / n)
        dmu = -np.sum(dxmu1 + dxmu2, axis=0)
        return dxmu1 + dxmu2 + dmu * np.ones_like(g) / n

    return forward, backward


@trap(
    REFUTED,
    "the mean's own part of a batch norm is forgotten",
    {"x": np.arange(8.0).reshape(4, 2) ** 2 / 7},
    **VJP,
)
def staged_batch_norm_wrong():
    def forward(x):
        mu = x.mean(axis=0)
        return (x - mu) / np.sqrt(((x - mu) ** 2).mean(axis=0) + 1e-5)

    def backward(x, g):
        xmu = x - x.mean(axis=0)
        ivar = 1 / np.sqrt((xmu**2).mean(axis=0) + 1e-5)
        dvar = -0.5 * ivar**3 * np.sum(g * xmu, axis=0)
        return g * ivar + 2 * xmu * (dvar * np.ones_like(g) / len(x))

    return forward, backward


@trap(REFUTED, "W[1, 0] and W_1[0] are two things", {"W": A, "W_1": X[:2]}, wrt="W")
def names_that_look_alike():
    def forward(W, W_1):
        return np.sum(W[1, 0] * W_1[0] ** 2) + 0 * np.sum(W)

    def backward(W, W_1):
        g = np.zeros_like(W)
        g[1, 0] = W_1[0] * W[1, 0]
        return g

    return forward, backward
