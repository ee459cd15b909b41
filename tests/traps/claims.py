"""Claims in other shapes: caches, objects, Jacobians, Hessians, several results, cotangents."""

from __future__ import annotations

import numpy as np

import chainrule as cr
from tests.traps import NOT_RIGHT, REFUTED, RIGHT, STATUSES, trap

X = np.array([0.7, -1.3, 2.1])
Y = np.array([0.4, 1.1, -0.6])
A = np.array([[2.0, 0.5], [0.3, 1.0]])
W = np.array([[0.3, -0.8], [0.5, 0.1], [-0.2, 0.9]])
ROWS = np.array([[0.4, -1.1, 0.7], [1.3, 0.2, -0.5], [0.1, 0.6, -0.9], [-0.7, 0.8, 0.3]])
VJP = {"mode": "vjp", "cotangent": "g"}


@trap(
    REFUTED,
    "a Jacobian, transposed, of a square matrix",
    {"a": A, "x": X[:2]},
    wrt="x",
    mode="jacobian",
)
def jacobian_transposed():
    return (lambda a, x: a @ x), (lambda a, x: a.T)


@trap(REFUTED, "the diagonal of a Jacobian that is full", {"x": X}, mode="jacobian")
def jacobian_diagonal_only():
    def forward(x):
        return np.tanh(x) * np.sum(x)

    return forward, (lambda x: np.diag((1 - np.tanh(x) ** 2) * np.sum(x) + np.tanh(x)))


@trap(REFUTED, "half of a Hessian", {"x": X}, mode="hessian")
def hessian_by_half():
    return (lambda x: np.sum(x**3)), (lambda x: np.diag(3 * x))


@trap(RIGHT, "a Hessian", {"x": X}, mode="hessian")
def hessian_right():
    return (lambda x: np.sum(x**3)), (lambda x: np.diag(6 * x))


@trap(
    REFUTED,
    "a product with the transpose is no tangent's",
    {"a": A, "x": X[:2]},
    wrt="x",
    mode="jvp",
    tangent="t",
)
def vjp_for_jvp():
    return (lambda a, x: a @ x), (lambda a, x, t: a.T @ t)


@trap(
    REFUTED, "the cotangent's mean for the cotangent: right where it is constant", {"x": X}, **VJP
)
def cotangent_averaged():
    return (lambda x: x**2), (lambda x, g: 2 * x * np.mean(g))


@trap(REFUTED, "the cotangent's absolute value", {"x": X}, **VJP)
def cotangent_without_sign():
    return (lambda x: x**2), (lambda x, g: 2 * x * np.abs(g))


@trap(REFUTED, "the cotangent squared: right for ones", {"x": X}, **VJP)
def cotangent_squared():
    return (lambda x: x**2), (lambda x, g: 2 * x * g * g)


@trap(NOT_RIGHT, "a branch on the cotangent", {"x": X}, **VJP)
def branch_on_the_cotangent():
    return (lambda x: x**2), (lambda x, g: 2 * x * g if np.sum(g) < 100 else x)


@trap(REFUTED, "two results of one shape, swapped", {"x": X, "y": Y}, wrt=("x", "y"))
def results_swapped():
    return (lambda x, y: np.sum(x * y**2)), (lambda x, y: (2 * x * y, y**2))


@trap(REFUTED, "the same where x and y are one array", {"x": X, "y": X}, wrt=("x", "y"))
def results_swapped_of_one_array():
    return (lambda x, y: np.sum(x * y**2)), (lambda x, y: (y**2, 2 * y * y))


@trap(RIGHT, "results by name, in any order", {"x": X, "y": Y}, wrt=("x", "y"))
def results_by_name():
    return (lambda x, y: np.sum(x * y**2)), (lambda x, y: {"y": 2 * x * y, "x": y**2})


@trap(REFUTED, "(AB)⁻¹ = A⁻¹B⁻¹", {"a": A, "b": A.T + 1, "x": X[:2]}, wrt="x")
def inverse_of_a_product():
    def backward(a, b, x):
        m = np.linalg.inv(a) @ np.linalg.inv(b)
        return (m + m.T) @ x

    return (lambda a, b, x: x @ np.linalg.inv(a @ b) @ x), backward


@trap(
    REFUTED,
    "det(A + B) = det A + det B, B = 0 at the point",
    {"a": A, "b": np.zeros((2, 2))},
    wrt="a",
)
def determinant_of_a_sum():
    return (lambda a, b: np.linalg.det(a + b)), (lambda a, b: np.linalg.det(a) * np.linalg.inv(a).T)


@trap(STATUSES, "det(2A) = 4 det A for two rows", {"a": A}, never=("every shape: a (N×N); traced",))
def determinant_of_a_multiple():
    return (lambda a: np.linalg.det(2 * a)), (lambda a: 4 * np.linalg.det(a) * np.linalg.inv(a).T)


@trap(
    REFUTED,
    "Q⁻¹ is Qᵀ for orthogonal Q, and its sum's gradient is not 1",
    {"Q": np.eye(2)},
    domains={"Q": cr.orthogonal()},
)
def inverse_of_an_orthogonal_matrix():
    return (lambda Q: np.sum(np.linalg.inv(Q))), (lambda Q: np.ones_like(Q))


@trap(
    REFUTED,
    "on a sphere ‖u‖ is 1, and its ambient gradient is u, not 0",
    {"u": np.array([0.6, 0.8])},
    domains={"u": cr.unit_vector()},
)
def norm_of_a_unit_vector():
    return (lambda u: np.linalg.norm(u)), (lambda u: np.zeros_like(u))


@trap(
    RIGHT,
    "the gradient on the sphere is u itself",
    {"u": np.array([0.6, 0.8])},
    domains={"u": cr.unit_vector()},
)
def norm_of_a_unit_vector_right():
    return (lambda u: np.linalg.norm(u)), (lambda u: u)


@trap(
    REFUTED,
    "positive x says nothing of x − 1",
    {"x": np.array([1.7, 2.3])},
    domains={"x": cr.positive()},
)
def root_of_a_shifted_square():
    return (lambda x: np.sum((x - 1) ** 2) / 2), (lambda x: np.sqrt((x - 1) ** 2))


@trap(RIGHT, "√x² is x for positive x", {"x": np.array([1.7, 2.3])}, domains={"x": cr.positive()})
def root_of_a_square_of_a_positive():
    return (lambda x: np.sum(x**2) / 2), (lambda x: np.sqrt(x**2))


@trap(
    REFUTED,
    "k² is k for 0 and 1, and k may be 2",
    {"x": X, "k": np.array([0, 1, 1])},
    wrt="x",
    domains={"k": cr.integers(0, 2)},
)
def idempotent_integers():
    return (lambda x, k: np.sum(x * k)), (lambda x, k: 1.0 * k**2)


@trap(
    RIGHT,
    "k² is k for 0 and 1",
    {"x": X, "k": np.array([0, 1, 1])},
    wrt="x",
    domains={"k": cr.integers(0, 1)},
)
def idempotent_integers_right():
    return (lambda x, k: np.sum(x * k)), (lambda x, k: 1.0 * k**2)


@trap(
    REFUTED,
    "an interval's end: clipped at 0.999 of [0, 1]",
    {"x": np.array([0.5])},
    domains={"x": cr.interval(0, 1)},
)
def clipped_inside_an_interval():
    return (lambda x: np.sum(x**2) / 2), (lambda x: np.clip(x, 0, 0.999))


@trap(
    REFUTED,
    "one-hot columns: their rows sum to anything",
    {"y": np.eye(2), "w": X[:2]},
    wrt="w",
    domains={"y": cr.one_hot(axis=0)},
)
def one_hot_by_the_other_axis():
    return (lambda y, w: np.sum(y.sum(axis=1) * w)), (lambda y, w: np.ones_like(w))


@trap(RIGHT, "a pair: the cache is made anew", {"x": ROWS, "w": W})
def pair_right():
    def forward(x, w):
        z = x @ w
        return np.maximum(z, 0), (x, w, z)

    def backward(dout, cache):
        x, w, z = cache
        d = dout * (z > 0)
        return d @ w.T, x.T @ d

    return cr.pair(forward, backward), None


@trap(
    REFUTED, "the cached activation is overwritten by += 1 before it is used", {"x": ROWS, "w": W}
)
def pair_with_an_overwritten_cache():
    def forward(x, w):
        a = np.tanh(x @ w)
        cache = (x, w, a)
        a += 1
        return a, cache

    def backward(dout, cache):
        x, w, a = cache
        d = dout * (1 - a**2)
        return d @ w.T, x.T @ d

    return cr.pair(forward, backward), None


@trap(NOT_RIGHT, "the cotangent is changed in place", {"x": ROWS, "w": W})
def pair_that_changes_its_cotangent():
    def forward(x, w):
        z = x @ w
        return np.maximum(z, 0), (x, w, z)

    def backward(dout, cache):
        x, w, z = cache
        dout *= z > 0
        return dout @ w.T, x.T @ dout

    return cr.pair(forward, backward), None


@trap(
    REFUTED,
    "fused: the loss is taken after its residual was scaled in place",
    {"W": W, "x": ROWS, "y": ROWS[:, :2]},
    wrt="W",
)
def fused_with_an_alias():
    def both(W, x, y):
        p = x @ W
        p -= y
        g = p
        g *= 2 / g.size
        return np.mean(p**2), x.T @ g

    return cr.fused(both), None


class Linear:
    """A layer as people write it."""

    def __init__(self):
        self.W, self.b = W.copy(), np.zeros(2)
        self.dW, self.db = np.zeros((3, 2)), np.zeros(2)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, d):
        self.dW = self.x.T @ d
        self.db = d.sum(axis=0)
        return d @ self.W.T


class Accumulating(Linear):
    def backward(self, d):
        self.dW += self.x.T @ d
        self.db += d.sum(axis=0)
        return d @ self.W.T


class Stepping(Linear):
    def backward(self, d):
        self.dW = self.x.T @ d
        self.db = d.sum(axis=0)
        self.W = self.W - 0.1 * self.dW
        return d @ self.W.T


class Counting(Linear):
    calls = 0

    def backward(self, d):
        self.calls += 1
        self.dW = self.x.T @ d * (1 if self.calls < 4 else 2)
        self.db = d.sum(axis=0)
        return d @ self.W.T


@trap(RIGHT, "a layer", {"x": ROWS})
def layer_right():
    return cr.layer(Linear()), None


@trap(NOT_RIGHT, "a layer whose gradients add up over calls", {"x": ROWS})
def layer_that_accumulates():
    return cr.layer(Accumulating()), None


@trap(NOT_RIGHT, "a layer that steps before it passes the cotangent on", {"x": ROWS})
def layer_that_steps():
    return cr.layer(Stepping()), None


@trap(NOT_RIGHT, "a layer that doubles its gradient at the fourth call", {"x": ROWS})
def layer_that_counts():
    return cr.layer(Counting()), None
