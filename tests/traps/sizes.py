"""Sizes that escape into plain numbers, coincide at the user's point, or hide a transpose."""

from __future__ import annotations

import numpy as np

from tests.traps import NOT_WRONG, PROVED, REFUTED, RIGHT, STATUSES, UNPROVED, trap

X = np.array([0.7, -1.3, 2.1])
SQ = np.array([[0.3, -1.2], [0.8, 0.5]])
M = np.arange(6.0).reshape(2, 3) / 7 + 0.3


@trap(REFUTED, "2x/3 is the gradient for three samples only; other sizes tell", {"x": X})
def mean_against_thirds():
    return (lambda x: np.mean(x**2)), (lambda x: 2 * x / 3)


@trap(REFUTED, "the sum over len(x): N = 3 was sampled by a prototype", {"x": X})
def len_against_three():
    return (lambda x: np.sum(x**2) / len(x)), (lambda x: 2 * x / 3)


@trap(RIGHT, "len(x) on both sides is the same number at every size", {"x": X})
def len_on_both_sides():
    return (lambda x: np.sum(x**2) / len(x)), (lambda x: 2 * x / x.shape[0])


@trap(
    STATUSES, "x.size//2 is 1 for three entries, and 6 for twelve", {"x": X}, never=("every shape",)
)
def half_the_size():
    return (lambda x: np.sum(x**2) * (x.size // 2)), (lambda x: 2 * x)


@trap(RIGHT, "the same floor on both sides", {"x": X}, never=("every shape",))
def half_the_size_right():
    return (lambda x: np.sum(x**2) * (x.size // 2)), (lambda x: 2 * x * (len(x) // 2))


@trap(
    UNPROVED, "round(n/2) is not n//2: 2 against 1 at n = 3, equal at n = 4", {"x": np.ones(4) / 3}
)
def rounding_of_a_size():
    return (lambda x: np.sum(x**2) * round(len(x) / 2)), (lambda x: 2 * x * (len(x) // 2))


@trap(REFUTED, "float(n) is a size too", {"x": X})
def size_as_a_float():
    return (lambda x: np.sum(x**2) / float(x.shape[0])), (lambda x: 2 * x / 3.0)


@trap(REFUTED, "a loop over three rows leaves the fourth at 0", {"x": X})
def loop_over_three():
    def backward(x):
        g = np.zeros_like(x)
        for i in range(3):
            g[i] = 2 * x[i]
        return g

    return (lambda x: np.sum(x**2)), backward


@trap(NOT_WRONG, "range(n): right at every size, the loop pins it", {"x": X})
def loop_over_all():
    def forward(x):
        s = 0.0
        for i in range(len(x)):
            s += x[i] ** 2
        return s / len(x)

    return forward, (lambda x: 2 * x / len(x))


@trap(REFUTED, "range(n - 1) forgets the last, whatever n", {"x": X})
def loop_one_short():
    def backward(x):
        g = np.zeros_like(x)
        for i in range(len(x) - 1):
            g[i] = 2 * x[i]
        return g

    return (lambda x: np.sum(x**2)), backward


@trap(
    STATUSES,
    "divided by the features, where there are as many samples",
    {"x": SQ},
    never=("every shape",),
)
def mean_over_the_wrong_axis_of_a_square():
    def forward(x):
        return np.sum(x**2) / x.shape[0]

    return forward, (lambda x: 2 * x / x.shape[1])


@trap(REFUTED, "Aᵀ for A, of a square matrix", {"x": np.array([1.0, 2.0]), "A": SQ}, wrt="x")
def transpose_of_a_square():
    return (lambda x, A: np.sum((A @ x) ** 2)), (lambda x, A: 2 * A @ (A @ x))


@trap(
    REFUTED,
    "the same for a matrix that is symmetric at the user's point",
    {"x": np.array([1.0, 2.0]), "A": np.array([[2.0, 1.0], [1.0, 3.0]])},
    wrt="x",
)
def transpose_of_a_symmetric_point():
    return (lambda x, A: np.sum((A @ x) ** 2)), (lambda x, A: 2 * A @ (A @ x))


@trap(
    REFUTED,
    "xᵀAx has (A + Aᵀ)x; 2Ax is right for symmetric A alone",
    {"x": np.array([1.0, 2.0]), "A": np.eye(2)},
    wrt="x",
)
def quadratic_form_at_the_identity():
    return (lambda x, A: x @ A @ x), (lambda x, A: 2 * A @ x)


@trap(
    REFUTED | PROVED,
    "one sample: a mean that is missing shows at N = 2",
    {"x": np.array([[0.5, 1.5]])},
    never=("every shape: x (N×n)",),
)
def one_sample():
    return (lambda x: np.sum(x**2) / x.shape[0]), (lambda x: 2 * x)


@trap(
    STATUSES,
    "(n, 1) − (n,) is an n × n matrix; for n = 1 nobody sees it",
    {"p": np.array([[0.5]]), "y": np.array([0.2])},
    wrt="p",
    never=("every shape",),
)
def a_column_minus_a_row():
    def forward(p, y):
        return np.sum((p - y) ** 2)

    return forward, (lambda p, y: 2 * (p - y[:, None]))


@trap(
    REFUTED,
    "a bias of one unit broadcasts: its gradient is a sum over the samples",
    {"x": np.array([[0.5], [1.0]]), "b": np.array([0.1])},
    wrt="b",
)
def a_bias_that_broadcasts():
    return (lambda x, b: np.sum((x + b) ** 2)), (lambda x, b: 2 * (x + b)[0])


@trap(STATUSES, "ones(3) for the gradient of a sum", {"x": X}, never=("every shape",))
def a_constant_of_three():
    return (lambda x: np.sum(x)), (lambda x: np.array([1.0, 1.0, 1.0]))


@trap(
    STATUSES,
    "two lengths that coincide: divided by the other one",
    {"x": X, "b": np.array([1.0, 2.0, 4.0])},
    wrt="x",
    never=("every shape",),
)
def the_other_length():
    def forward(x, b):
        return np.sum(x**2) / len(x) + np.sum(b)

    return forward, (lambda x, b: 2 * x / len(b))


@trap(STATUSES, "the gradient is of a path for short arrays", {"x": X}, never=("every shape",))
def a_branch_on_a_size():
    def backward(x):
        return 2 * x if x.shape[0] < 4 else 3 * x

    return (lambda x: np.sum(x**2)), backward


@trap(
    STATUSES,
    "wrong from a thousand entries on: no proof for every shape",
    {"x": X},
    says=("N < 1000",),
)
def a_branch_on_a_large_size():
    def backward(x):
        return 2 * x if x.size < 1000 else 3 * x

    return (lambda x: np.sum(x**2)), backward


@trap(STATUSES, "right for odd sizes", {"x": X}, never=("every shape",))
def a_branch_on_parity():
    return (lambda x: np.sum(x**2)), (lambda x: 2 * x if len(x) % 2 else x)


@trap(STATUSES, "x.shape == (3,) is a question about a size", {"x": X}, never=("every shape",))
def a_branch_on_the_shape_tuple():
    return (lambda x: np.sum(x**2)), (lambda x: 2 * x if x.shape == (3,) else 0 * x)


@trap(STATUSES, "a table of sizes, with an exception for others", {"x": X}, never=("every shape",))
def a_table_of_sizes():
    return (lambda x: np.mean(x**2)), (lambda x: 2 * x * {3: 1 / 3, 4: 0.25}[len(x)])


@trap(STATUSES, "a size that is counted by hand, right at three", {"x": X}, never=("every shape",))
def a_size_counted():
    def backward(x):
        n = sum(1 for _ in x)
        return 2 * x / (n if n < 4 else n + 1)

    return (lambda x: np.mean(x**2)), backward


@trap(REFUTED, "n(n−1)/2 pairs are n for n = 3", {"x": X})
def pairs_of_three():
    return (lambda x: np.mean(x**2)), (lambda x: 4 * x / (len(x) * (len(x) - 1)))


@trap(REFUTED, "n² = 2n for n = 2", {"x": np.array([0.5, 1.5])})
def squares_of_two():
    return (lambda x: np.sum(x**2) / len(x) ** 2), (lambda x: x / len(x))


@trap(REFUTED, "ddof: n − 1 for n", {"x": X})
def variance_with_the_other_count():
    return (lambda x: np.var(x, ddof=1)), (lambda x: 2 * (x - x.mean()) / len(x))


@trap(RIGHT, "ddof=1, right", {"x": X})
def variance_right():
    return (lambda x: np.var(x, ddof=1)), (lambda x: 2 * (x - x.mean()) / (len(x) - 1))


@trap(
    REFUTED | PROVED,
    "the mean over all entries, divided by the rows",
    {"x": np.array([[0.5], [2.0]])},
    never=("every shape: x (N×n)",),
)
def mean_over_all_entries():
    return (lambda x: np.mean(x**2)), (lambda x: 2 * x / len(x))


@trap(
    STATUSES,
    "x.T.reshape for a transposition, one row",
    {"x": np.array([[0.5, 1.0, 2.0]])},
    mode="vjp",
    cotangent="g",
    never=("every shape",),
)
def reshape_for_a_transpose():
    return (lambda x: x.T * 2), (lambda x, g: 2 * g.reshape(x.shape))


@trap(REFUTED, "the order of memory: ravel('F') for ravel()", {"x": SQ}, mode="vjp", cotangent="g")
def the_other_order():
    return (lambda x: x.ravel()), (lambda x, g: g.reshape(x.shape, order="F"))


@trap(RIGHT, "ravel and its adjoint in Fortran's order", {"x": M}, mode="vjp", cotangent="g")
def fortran_right():
    return (lambda x: x.ravel(order="F")), (lambda x, g: g.reshape(x.shape, order="F"))


@trap(STATUSES, "trace(A) counts rows: eye of the other size", {"A": SQ}, never=("every shape",))
def trace_times_size():
    return (lambda A: np.trace(A) * A.shape[0]), (lambda A: np.eye(2) * 2)


@trap(
    STATUSES,
    "an axis of one that is summed or not",
    {"x": np.array([[1.5]])},
    mode="vjp",
    cotangent="g",
    never=("every shape: x (N×n)",),
)
def keepdims_of_one():
    return (lambda x: x.sum(axis=1, keepdims=True)), (lambda x, g: g * np.ones((1, 1)))


@trap(
    REFUTED | PROVED,
    "mean's weight of one column is 1",
    {"x": np.array([[1.5], [0.5]])},
    mode="vjp",
    cotangent="g",
    never=("every shape: x (N×n)",),
)
def mean_over_one_column():
    return (lambda x: x.mean(axis=1)), (lambda x, g: g[:, None] * np.ones_like(x))


@trap(STATUSES, "len as text", {"x": X}, never=("every shape",))
def size_through_text():
    return (lambda x: np.mean(x**2)), (lambda x: 2 * x / int(str(len(x))[0]))


@trap(STATUSES, "bit tricks with a size", {"x": X}, never=("every shape",))
def size_through_bits():
    return (lambda x: np.mean(x**2)), (lambda x: 2 * x / (len(x) & 3))


@trap(STATUSES, "min(n, 8) is n up to 8", {"x": X}, never=("every shape",))
def size_capped():
    return (lambda x: np.mean(x**2)), (lambda x: 2 * x / min(len(x), 8))


@trap(UNPROVED, "max(n, 3) is n from 3 on", {"x": X}, never=("every shape",))
def size_floored():
    return (lambda x: np.mean(x**2)), (lambda x: 2 * x / max(len(x), 3))


@trap(STATUSES, "a slice of ten is all for fewer", {"x": X}, never=("every shape",))
def slice_of_ten():
    def backward(x):
        g = np.zeros_like(x)
        g[:10] = 2 * x[:10]
        return g

    return (lambda x: np.sum(x**2)), backward


@trap(STATUSES, "np.arange(3) as indices", {"x": X}, never=("every shape",))
def gather_of_three():
    def backward(x):
        g = np.zeros_like(x)
        g[np.arange(3)] = 2 * x[np.arange(3)]
        return g

    return (lambda x: np.sum(x**2)), backward
