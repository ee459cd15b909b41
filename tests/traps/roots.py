"""Roots, logarithms, edges of domains, guarded quotients, declared domains."""

from __future__ import annotations

import numpy as np

import chainrule as cr
from tests.traps import NOT_RIGHT, NOT_WRONG, REFUTED, RIGHT, UNPROVED, trap

X = np.array([0.7, -1.3, 2.1])
P = np.array([0.7, 1.3, 2.1])
Z = np.array([[0.2, -0.4], [1.1, 0.3], [-0.5, 0.9]])
Y = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])


@trap(REFUTED, "√x² is |x|", {"x": P})
def root_of_a_square():
    return (lambda x: np.sum(x**2) / 2), (lambda x: np.sqrt(x**2))


@trap(RIGHT, "√x² sign(x) is x", {"x": X})
def root_of_a_square_times_sign():
    return (lambda x: np.sum(x**2) / 2), (lambda x: np.sqrt(x**2) * np.sign(x))


@trap(REFUTED, "(x²)^(3/2) is |x|³", {"x": P})
def power_of_a_square():
    return (lambda x: np.sum(x**4) / 4), (lambda x: (x**2) ** 1.5)


@trap(REFUTED, "(x²)^(1/4) is √|x|, √x has no value for x < 0", {"x": P})
def fourth_root():
    return (lambda x: np.sum(x**2) / 2), (lambda x: ((x**2) ** 0.25) ** 2)


@trap(REFUTED, "1/√u² is 1/|u|", {"x": P})
def inverse_root_of_a_square():
    return (lambda x: np.sum(np.log(np.abs(x)))), (lambda x: 1 / np.sqrt(x**2))


@trap(RIGHT, "the derivative of |x| is x/√x²", {"x": X})
def sign_as_a_quotient():
    return (lambda x: np.sum(np.abs(x))), (lambda x: x / np.sqrt(x**2))


@trap(REFUTED, "√(u²) with u = x − y: |x − y|", {"x": 1.7, "y": 0.4}, wrt="x")
def root_of_a_squared_difference():
    return (lambda x, y: (x - y) ** 2 / 2), (lambda x, y: np.sqrt((x - y) ** 2))


@trap(REFUTED, "√(x² − 2xy + y²), expanded", {"x": 1.7, "y": 0.4}, wrt="x")
def root_of_an_expanded_square():
    return (lambda x, y: (x - y) ** 2 / 2), (lambda x, y: np.sqrt(x * x - 2 * x * y + y * y))


@trap(
    REFUTED, "√x·√y has no value where both are negative, √(xy) has", {"x": 1.7, "y": 0.4}, wrt="x"
)
def root_of_a_product():
    def forward(x, y):
        return (x * y) ** 2 / 2

    return forward, (lambda x, y: y * (np.sqrt(x) * np.sqrt(y)) ** 2)


@trap(REFUTED, "√(xy) as √x·√y, both negative", {"x": 1.7, "y": 0.4}, wrt="x")
def derivative_of_a_root_of_a_product():
    def forward(x, y):
        return np.sqrt(x * y)

    return forward, (lambda x, y: np.sqrt(y) / (2 * np.sqrt(x)))


@trap(RIGHT, "the same where forward has the roots apart", {"x": 1.7, "y": 0.4}, wrt="x")
def roots_apart():
    return (lambda x, y: np.sqrt(x) * np.sqrt(y)), (lambda x, y: np.sqrt(y) / (2 * np.sqrt(x)))


@trap(
    NOT_WRONG,
    "√x·√y, derivative written with √(y/x): the same where forward is defined",
    {"x": 1.7, "y": 0.4},
    wrt="x",
)
def roots_joined():
    return (lambda x, y: np.sqrt(x) * np.sqrt(y)), (lambda x, y: 0.5 * np.sqrt(y / x))


@trap(REFUTED, "x**(1/3) is nan for x < 0, cbrt is not", {"x": P})
def principal_root_for_cbrt():
    return (lambda x: np.sum(np.cbrt(x) ** 4)), (lambda x: 4 / 3 * x ** (1 / 3))


@trap(RIGHT, "cbrt on both sides", {"x": P})
def cbrt_right():
    return (lambda x: np.sum(np.cbrt(x) ** 4)), (lambda x: 4 / 3 * np.cbrt(x))


@trap(REFUTED, "(x²)^(1/3) has an even derivative at −x", {"x": P})
def two_thirds():
    def forward(x):
        return np.sum((x**2) ** (1 / 3))

    return forward, (lambda x: 2 / 3 * np.abs(x) ** (-1 / 3))


@trap(NOT_WRONG, "the same, with the sign", {"x": P})
def two_thirds_right():
    def forward(x):
        return np.sum((x**2) ** (1 / 3))

    return forward, (lambda x: 2 / 3 * np.sign(x) * np.abs(x) ** (-1 / 3))


@trap(RIGHT, "|x| = x·sign(x)", {"x": X})
def absolute_as_x_sign():
    return (lambda x: np.sum(x * np.abs(x)) / 2), (lambda x: x * np.sign(x))


@trap(REFUTED, "|x| is no x", {"x": P})
def absolute_left_out():
    return (lambda x: np.sum(x * np.abs(x)) / 2), (lambda x: x)


@trap(
    REFUTED, "log x² has the derivative 2/x for negative x too; through log it has none", {"x": P}
)
def log_of_a_negative():
    return (lambda x: np.sum(np.log(x**2) * x)), (lambda x: 2 * np.log(x) + 2)


@trap(NOT_WRONG, "2 log x is defined where forward is", {"x": P})
def log_of_a_square_in_the_claim():
    return (lambda x: np.sum(2 * x * np.log(x))), (lambda x: np.log(x**2) + 2)


@trap(REFUTED, "exp(log x) is x for positive x", {"x": P})
def exp_of_log():
    return (lambda x: np.sum(x**2) / 2), (lambda x: np.exp(np.log(x)))


@trap(RIGHT, "log(exp x) is x", {"x": X})
def log_of_exp():
    return (lambda x: np.sum(x**2) / 2), (lambda x: np.log(np.exp(x)))


@trap(
    REFUTED,
    "x·y/x is y but at x = 0, where the derivative exists",
    {"x": X, "y": np.array([1.0, 2.0, 3.0])},
    wrt="x",
)
def quotient_that_cancels():
    return (lambda x, y: x @ y), (lambda x, y: x * y / x)


@trap(REFUTED, "x*x/x in the claim", {"x": X})
def square_over_itself():
    return (lambda x: np.sum(x**2) / 2), (lambda x: x * x / x)


@trap(NOT_WRONG, "forward is undefined at 0 itself", {"x": P})
def singular_on_both_sides():
    return (lambda x: np.sum(x**2 / x)), (lambda x: (2 * x * x - x**2) / x**2)


@trap(
    RIGHT,
    "sin(x)/x guarded by where on both sides: where evaluates both branches",
    {"x": np.array([0.0, 1.0])},
)
def sinc_guarded():
    def forward(x):
        s = np.where(x == 0, 1.0, x)
        return np.sum(np.where(x == 0, 1.0, np.sin(s) / s))

    def backward(x):
        s = np.where(x == 0, 1.0, x)
        return np.where(x == 0, 0.0, (s * np.cos(s) - np.sin(s)) / s**2)

    return forward, backward


@trap(UNPROVED, "the guard is wide: 0 for |x| < 1e-3, where the derivative is −x/3", {"x": X})
def sinc_with_a_wide_guard():
    def forward(x):
        s = np.where(np.abs(x) < 1e-3, 1.0, x)
        return np.sum(np.where(np.abs(x) < 1e-3, 1 - x**2 / 6, np.sin(s) / s))

    def backward(x):
        s = np.where(np.abs(x) < 1e-3, 1.0, x)
        return np.where(np.abs(x) < 1e-3, 0.0, (s * np.cos(s) - np.sin(s)) / s**2)

    return forward, backward


@trap(
    REFUTED,
    "softmax minus the labels, without a word about the labels",
    {"z": Z, "y": np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])},
    wrt="z",
)
def cross_entropy_without_a_domain():
    def forward(z, y):
        e = np.exp(z)
        return -np.sum(y * np.log(e / e.sum(axis=1, keepdims=True)))

    def backward(z, y):
        e = np.exp(z)
        return e / e.sum(axis=1, keepdims=True) - y

    return forward, backward


@trap(
    RIGHT,
    "with one-hot rows it is right",
    {"z": Z, "y": np.eye(2)[[0, 1, 0]]},
    wrt="z",
    domains={"y": cr.one_hot(axis=1)},
)
def cross_entropy_one_hot():
    def forward(z, y):
        e = np.exp(z)
        return -np.sum(y * np.log(e / e.sum(axis=1, keepdims=True)))

    def backward(z, y):
        e = np.exp(z)
        return e / e.sum(axis=1, keepdims=True) - y

    return forward, backward


@trap(
    REFUTED,
    "one-hot columns are no one-hot rows",
    {"z": np.eye(2) * 0.3, "y": np.eye(2)},
    wrt="z",
    domains={"y": cr.one_hot(axis=0)},
)
def cross_entropy_one_hot_by_the_other_axis():
    def forward(z, y):
        e = np.exp(z)
        return -np.sum(y * np.log(e / e.sum(axis=1, keepdims=True)))

    def backward(z, y):
        e = np.exp(z)
        return e / e.sum(axis=1, keepdims=True) - y

    return forward, backward


@trap(
    REFUTED,
    "a proof for one-hot must not use y·y = y of a simplex",
    {"z": np.array([0.3, -0.4]), "y": np.array([0.25, 0.75])},
    wrt="z",
    domains={"y": cr.simplex(axis=0)},
)
def idempotent_labels_of_a_simplex():
    return (lambda z, y: np.sum(z * y * y)), (lambda z, y: y)


@trap(
    RIGHT,
    "y·y = y for one-hot",
    {"z": np.array([0.3, -0.4]), "y": np.array([0.0, 1.0])},
    wrt="z",
    domains={"y": cr.one_hot(axis=0)},
)
def idempotent_labels():
    return (lambda z, y: np.sum(z * y * y)), (lambda z, y: y)


@trap(
    REFUTED,
    "log det of a symmetric matrix: ambient it is A⁻ᵀ, folded it is 2A⁻¹ − diag",
    {"A": np.array([[2.0, 0.5], [0.5, 1.0]])},
    domains={"A": cr.symmetric()},
)
def folded_symmetric():
    def backward(A):
        return A + A.T - np.diag(np.diag(A))

    return (lambda A: np.sum(A**2) / 2), backward


@trap(
    RIGHT,
    "ambient, Aᵀ = A is used",
    {"A": np.array([[2.0, 0.5], [0.5, 1.0]])},
    domains={"A": cr.symmetric()},
)
def ambient_symmetric():
    return (lambda A: np.sum(A**2) / 2), (lambda A: A.T)


@trap(
    REFUTED,
    "arcsin's derivative has no value beyond 1, nor has it a right of its own inside",
    {"x": np.array([0.3, -0.5])},
)
def arcsin_wrong_sign():
    return (lambda x: np.sum(np.arccos(x))), (lambda x: 1 / np.sqrt(1 - x**2))


@trap(
    RIGHT,
    "the radicand in factors: both have no value outside (−1, 1)",
    {"x": np.array([0.3, -0.5])},
)
def arcsin_in_factors():
    return (lambda x: np.sum(np.arcsin(x))), (lambda x: 1 / (np.sqrt(1 - x) * np.sqrt(1 + x)))


@trap(REFUTED, "sin(arcsin x) for |x| ≤ 1 alone", {"x": np.array([0.3, -0.5])})
def sin_of_arcsin():
    return (lambda x: np.sum(x**2) / 2), (lambda x: np.sin(np.arcsin(x)))


@trap(REFUTED, "arctan(tan x) for |x| < π/2 alone", {"x": np.array([0.3, -0.5])})
def arctan_of_tan():
    return (lambda x: np.sum(x**2) / 2), (lambda x: np.arctan(np.tan(x)))


@trap(REFUTED, "arctan x + arctan 1/x is π/2 for positive x alone", {"x": P})
def two_arctangents():
    def backward(x):
        return x + np.arctan(x) + np.arctan(1 / x) - np.pi / 2

    return (lambda x: np.sum(x**2) / 2), backward


@trap(REFUTED, "arctan2(y, x) is arctan(y/x) for x > 0", {"x": P, "y": P + 1}, wrt="x")
def arctan2_as_arctan():
    def forward(x, y):
        return np.sum(x * np.arctan2(y, x))

    def backward(x, y):
        return np.arctan(y / x) - x * y / (x**2 + y**2)

    return forward, backward


@trap(REFUTED, "0⁰ is 1: x⁰ is defined at 0, x/x is not", {"x": X})
def zero_to_the_zero():
    return (lambda x: np.sum(x)), (lambda x: x / x)


@trap(RIGHT, "x**0 is 1 also at 0", {"x": np.array([0.0, 1.0])})
def zero_to_the_zero_right():
    return (lambda x: np.sum(x)), (lambda x: x**0)


@trap(REFUTED, "x**n by n·xⁿ/x: nothing at x = 0", {"x": X})
def power_over_x():
    return (lambda x: np.sum(x**3)), (lambda x: 3 * x**3 / x)


@trap(NOT_RIGHT, "a norm has no derivative at 0; elsewhere x/‖x‖, squared it has", {"x": X})
def norm_squared_through_the_norm():
    def backward(x):
        n = np.linalg.norm(x)
        return 2 * n * (x / n)

    return (lambda x: np.linalg.norm(x) ** 2), backward


@trap(NOT_WRONG, "x/‖x‖", {"x": X})
def norm_right():
    return (lambda x: np.linalg.norm(x)), (lambda x: x / np.linalg.norm(x))


@trap(REFUTED, "eps outside of the root, inside in forward", {"x": X})
def eps_outside_of_the_root():
    def forward(x):
        return np.sqrt(np.sum(x**2) + 1e-8)

    return forward, (lambda x: x / (np.sqrt(np.sum(x**2)) + 1e-8))


@trap(REFUTED, "eps = 1e-8 forgotten", {"x": X})
def eps_forgotten():
    return (lambda x: np.sqrt(np.sum(x**2) + 1e-8)), (lambda x: x / np.sqrt(np.sum(x**2)))


@trap(REFUTED, "eps = 1e-16 forgotten: nothing of it is seen in float64 but near 0", {"x": X})
def tiny_eps_forgotten():
    return (lambda x: np.sum(np.log(x**2 + 1e-16))), (lambda x: 2 * x / (x**2))


@trap(
    REFUTED,
    "the determinant's cofactors are A⁻ᵀ det A: nothing where A is singular",
    {"A": np.array([[2.0, 0.5], [0.3, 1.0]])},
)
def det_through_the_inverse_transposed_wrong():
    return (lambda A: np.linalg.det(A)), (lambda A: np.linalg.det(A) * np.linalg.inv(A))


@trap(
    UNPROVED,
    "solve(A, A x) is x but where A is singular, and there the derivative exists",
    {"x": np.array([1.0, 2.0]), "A": np.array([[2.0, 0.5], [0.3, 1.0]])},
    wrt="x",
)
def solve_that_cancels():
    return (lambda x, A: np.sum(x**2) / 2 + 0 * A[0, 0]), (lambda x, A: np.linalg.solve(A, A @ x))


@trap(
    NOT_RIGHT,
    "(−0.7)**2.0 has a value and the derivative −1.4; |x|^(y−1) loses the sign",
    {"x": -X, "y": np.array([2.0, 2.0, 2.0])},
    wrt="x",
)
def a_power_with_a_whole_exponent():
    def forward(x, y):
        return np.sum(x**y)

    return forward, (lambda x, y: y * np.exp((y - 1) * np.log(np.abs(x))))
