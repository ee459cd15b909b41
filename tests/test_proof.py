"""The prover for graphs: what it proves holds at random shapes, and near misses stay unproved."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from chainrule.code.derive import derive_code
from chainrule.code.trace.run import trace
from chainrule.gallery import lecture
from chainrule.graph.derivative.adjoint import reverse
from chainrule.graph.functions import FUNCTIONS
from chainrule.graph.node import DEFINED, PRIMITIVES, Graph, Node, reached
from chainrule.graph.sizes import Size
from chainrule.proof import Proof, joined, prove_all, prove_equal
from chainrule.proof import polynomials as po
from chainrule.values.float64 import evaluate

FUZZ = 150
SIZES = {"n": 3, "m": 4, "k": 5, "s": 2, "1": 1, "2": 2}


def point(shapes: dict[str, str], seed: int = 0) -> dict[str, np.ndarray]:
    """Arrays for shapes in letters; positive ones for names in capitals that end in _."""
    rng = np.random.default_rng(seed)
    at = {}
    for name, letters in shapes.items():
        shape = tuple(SIZES[c] for c in letters.split())
        value = rng.normal(size=shape)
        at[name] = np.abs(value) + 0.5 if name.endswith("_") else value
    return at


def agree(a: Node, b: Node, seeds: int = 3) -> None:
    """An independent guard: both sides in float64, at random shapes and values."""
    inputs = {n.params[0]: n for n in reached([a, b]) if n.op == "input"}
    rng = random.Random(1)
    for seed in range(seeds):
        sizes = dict(a.graph.env) if not seed else {x: rng.randint(1, 6) for x in a.graph.env}
        noise = np.random.default_rng(seed)
        values = {}
        for name, node in inputs.items():
            shape = tuple(s.at(sizes) for s in node.shape)
            if any(n < 0 for n in shape):
                return
            draw = noise.normal(size=shape)
            draw = np.abs(draw) + 0.5 if name.endswith("_") else draw
            values[name] = draw if node.kind == "f" else np.abs(np.round(draw)) > 0
        everything = [n for n in reached([a, b]) if n.kind == "f"]
        try:
            x, y, *looked = evaluate([a, b, *everything], values, sizes)
        except (ValueError, IndexError, np.linalg.LinAlgError):
            continue
        if not all(np.isfinite(v).all() for v in looked):
            continue  # one side is undefined; floats go on with what compares as false
        both = np.isfinite(x) & np.isfinite(y)
        scale = 1 + np.abs(x[both]).max(initial=0)
        assert np.allclose(x[both], y[both], rtol=1e-6, atol=1e-8 * scale)


def prove(a: Node, b: Node) -> Proof:
    """`prove_equal` with the guard."""
    proof = prove_equal(a, b)
    if proof.equal:
        agree(a, b)
    return proof


def compare(
    cost: Callable[..., Any], wrt: str, claimed: Callable[..., Any], shapes: dict[str, str]
) -> Proof:
    """The derivative of a cost against a claim."""
    at = point(shapes)
    derivation = derive_code(cost, at, wrt=(wrt,))
    made = trace(claimed, at)
    block = derivation.blocks[derivation.of[0], wrt]
    both = joined([block.node], list(made.outputs.values()))
    return prove(both.first[0], both.second[0])


# -- the page ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["W1", "W2", "W3", "b1", "b2", "b3"])
def test_the_page(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All six Jacobians of the page, for every n0 … n3 and N; a wrong factor is not proved."""
    rng = np.random.default_rng(0)
    shapes = {"W1": (3, 1), "b1": (3, 1), "W2": (4, 3), "b2": (4, 1), "W3": (2, 4), "b3": (2, 1)}
    for key, shape in shapes.items():
        monkeypatch.setattr(lecture, key, rng.normal(size=shape))
    at = {"x": rng.normal(size=(1, 5)), "y": rng.normal(size=(2, 5))}
    derivation = derive_code(lecture.cost, at, wrt=tuple(shapes))
    claimed = trace(getattr(lecture, f"J_{name}"), at, wrt=tuple(shapes))
    both = joined([derivation.blocks["cost", name].node], list(claimed.outputs.values()))
    a, b = both.first[0], both.second[0]
    assert {"N", "n1"} <= a.graph.env.keys()
    proof = prove(a, b)
    assert proof.equal and any(c.kind == "nonzero" for c in proof.conditions)
    wrong = a.graph.mul(b, a.graph.number(1 + Fraction(1, 10**9)))
    assert not prove_equal(a, wrong).equal
    assert not prove_equal(a, a.graph.neg(b)).equal


# -- identities: a cost, by what, the right claim, near misses -----------------------------------


def sigma(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def norm_rows(x):
    m = np.mean(x, axis=-1, keepdims=True)
    v = np.mean((x - m) ** 2, axis=-1, keepdims=True)
    return (x - m) / np.sqrt(v + 0.01)


def layer_vjp(x, g, factor=1.0, drop=1.0):
    m = np.mean(x, axis=-1, keepdims=True)
    v = np.mean((x - m) ** 2, axis=-1, keepdims=True)
    h = (x - m) / np.sqrt(v + 0.01)
    mean_g = np.mean(g, axis=-1, keepdims=True)
    mean_gh = np.mean(g * h, axis=-1, keepdims=True)
    return (factor * g - mean_g - drop * h * mean_gh) / np.sqrt(v + 0.01)


def attention(q, k, v):
    return softmax(q @ k.T) @ v


def attention_dq(q, k, v, g):
    p = softmax(q @ k.T)
    dp = g @ v.T
    ds = p * (dp - np.sum(dp * p, axis=-1, keepdims=True))
    return ds @ k


def attention_dq_wrong(q, k, v, g):
    p = softmax(q @ k.T)
    dp = g @ v.T
    ds = p * (dp - np.mean(dp * p, axis=-1, keepdims=True))
    return ds @ k


def gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def gelu_slope(x, cubic=3):
    t = np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))
    inner = np.sqrt(2 / np.pi) * (1 + cubic * 0.044715 * x**2)
    return 0.5 * (1 + t) + 0.5 * x * (1 - t**2) * inner


def huber(x):
    return np.where(np.abs(x) <= 1, 0.5 * x**2, np.abs(x) - 0.5)


V = {"x": "n", "g": "n"}
M = {"x": "n m", "g": "n m"}
Claims = list[Callable[..., Any]]
IDENTITIES: dict[str, tuple[Any, str, dict[str, str], Claims, Claims]] = {
    "sigmoid": (
        lambda x, g: np.sum(g * sigma(x)),
        "x",
        V,
        [
            lambda x, g: g * sigma(x) * (1 - sigma(x)),
            lambda x, g: g * np.exp(-x) / (1 + np.exp(-x)) ** 2,
            lambda x, g: g / (4 * np.cosh(x / 2) ** 2),
            lambda x, g: g * (1 - np.tanh(x / 2) ** 2) / 4,
            lambda x, g: g * sigma(x) * sigma(-x),
        ],
        [
            lambda x, g: g * sigma(x) * (1 + sigma(x)),
            lambda x, g: g * (1 + 1e-9) * sigma(x) * (1 - sigma(x)),
            lambda x, g: g * sigma(g) * (1 - sigma(g)),
            lambda x, g: g * sigma(x),
        ],
    ),
    "tanh": (
        lambda x, g: np.sum(g * np.tanh(x)),
        "x",
        V,
        [lambda x, g: g * (1 - np.tanh(x) ** 2), lambda x, g: g / np.cosh(x) ** 2],
        [
            lambda x, g: g * (1 - np.tanh(x)),
            lambda x, g: g / np.cosh(g) ** 2,
            lambda x, g: g / np.sinh(x) ** 2,
        ],
    ),
    "softplus": (
        lambda x, g: np.sum(g * (np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))))),
        "x",
        V,
        [],
        [lambda x, g: g * np.exp(-x) / (1 + np.exp(-x)), lambda x, g: g * sigma(-x)],
    ),
    "swish": (
        lambda x, g: np.sum(g * x * sigma(x)),
        "x",
        V,
        [
            lambda x, g: g * (sigma(x) + x * sigma(x) * (1 - sigma(x))),
            lambda x, g: g * sigma(x) * (1 + x * (1 - sigma(x))),
        ],
        [
            lambda x, g: g * (sigma(x) + x * sigma(x)),
            lambda x, g: g * (sigma(x) + sigma(x) * (1 - sigma(x))),
            lambda x, g: g * sigma(x) * (1 - x * (1 - sigma(x))),
        ],
    ),
    "gelu": (
        lambda x, g: np.sum(g * gelu(x)),
        "x",
        V,
        [lambda x, g: g * gelu_slope(x)],
        [
            lambda x, g: g * gelu_slope(x, 2),
            lambda x, g: g * gelu_slope(g),
            lambda x, g: g * gelu_slope(x) * (1 + 1e-9),
        ],
    ),
    "huber": (
        lambda x: np.sum(huber(x)),
        "x",
        {"x": "n"},
        [lambda x: np.where(np.abs(x) <= 1, x, np.sign(x))],
        [
            lambda x: np.where(np.abs(x) <= 1, x, 1.0),
            lambda x: np.where(np.abs(x) <= 2, x, np.sign(x)),
            lambda x: np.where(np.abs(x) <= 1, x, -np.sign(x)),
        ],
    ),
    "quadratic": (
        lambda x, A: x @ A @ x,
        "x",
        {"x": "n", "A": "n n"},
        [lambda x, A: (A + A.T) @ x, lambda x, A: A @ x + x @ A],
        [lambda x, A: 2 * A @ x, lambda x, A: 2 * x @ A, lambda x, A: A @ x - A.T @ x],
    ),
    "norm": (
        lambda x: np.sqrt(np.sum(x**2)),
        "x",
        {"x": "n"},
        [lambda x: x / np.linalg.norm(x), lambda x: x * np.sum(x * x) ** -0.5],
        [
            lambda x: x / np.sum(x**2),
            lambda x: 2 * x / np.linalg.norm(x),
            lambda x: np.abs(x) / np.linalg.norm(x),
        ],
    ),
    "cosine": (
        lambda x, y: np.sum(x * y) / np.sqrt(np.sum(x * x) * np.sum(y * y)),
        "x",
        {"x": "n", "y": "n"},
        [
            lambda x, y: (
                y / np.sqrt(x @ x * (y @ y)) - (x @ y) * x / (x @ x) / np.sqrt((x @ x) * (y @ y))
            )
        ],
        [
            lambda x, y: y / np.sqrt(x @ x * (y @ y)),
            lambda x, y: (
                y / np.sqrt(x @ x * (y @ y)) - (x @ y) * y / (x @ x) / np.sqrt((x @ x) * (y @ y))
            ),
            lambda x, y: (
                y / np.sqrt(x @ x * (y @ y)) - (x @ y) * x / (y @ y) / np.sqrt((x @ x) * (y @ y))
            ),
        ],
    ),
    "softmax": (
        lambda x, g: np.sum(g * softmax(x)),
        "x",
        M,
        [
            lambda x, g: softmax(x) * (g - np.sum(g * softmax(x), axis=-1, keepdims=True)),
        ],
        [
            lambda x, g: softmax(x) * (g - np.mean(g * softmax(x), axis=-1, keepdims=True)),
            lambda x, g: softmax(x) * (g - np.sum(g * softmax(x), axis=0, keepdims=True)),
            lambda x, g: g * softmax(x) * (1 - softmax(x)),
        ],
    ),
    "cross entropy": (
        lambda x, g: -np.sum(g * np.log(softmax(x))) / x.shape[0],
        "x",
        M,
        [
            lambda x, g: (softmax(x) * np.sum(g, axis=-1, keepdims=True) - g) / x.shape[0],
        ],
        [
            lambda x, g: (softmax(x) - g) / x.shape[0],
            lambda x, g: (softmax(x) * np.sum(g, axis=-1, keepdims=True) - g) / x.shape[1],
            lambda x, g: (softmax(x) * np.sum(g, axis=0, keepdims=True) - g) / x.shape[0],
            lambda x, g: (softmax(x) * np.sum(g, axis=-1, keepdims=True) - g) / x.size,
        ],
    ),
    "layer norm": (
        lambda x, g: np.sum(g * norm_rows(x)),
        "x",
        M,
        [layer_vjp],
        [
            lambda x, g: layer_vjp(x, g, 1 + 1e-9),
            lambda x, g: layer_vjp(x, g, 1.0, 0.0),
            lambda x, g: layer_vjp(g, x),
        ],
    ),
    "attention": (
        lambda q, k, v, g: np.sum(g * attention(q, k, v)),
        "q",
        {"q": "n k", "k": "m k", "v": "m s", "g": "n s"},
        [attention_dq],
        [
            attention_dq_wrong,
            lambda q, k, v, g: attention_dq(q, k, v, g) * (1 + 1e-9),
            lambda q, k, v, g: attention_dq(q, k, v, -g),
        ],
    ),
    "logistic": (
        lambda w, X, y: np.sum(np.logaddexp(0, X @ w) - y * (X @ w)) / len(y),
        "w",
        {"w": "m", "X": "n m", "y": "n"},
        [
            lambda w, X, y: X.T @ (sigma(X @ w) - y) / y.size,
            lambda w, X, y: ((sigma(X @ w) - y) @ X) / y.size,
        ],
        [
            lambda w, X, y: X.T @ (sigma(X @ w) - y) / w.size,
            lambda w, X, y: X.T @ (sigma(X @ w) + y) / y.size,
            lambda w, X, y: X.T @ (sigma(-X @ w) - y) / y.size,
        ],
    ),
    "relu": (
        lambda x, g: np.sum(g * np.maximum(x, 0)),
        "x",
        V,
        [lambda x, g: g * (x >= 0), lambda x, g: np.where(x < 0, 0.0, g)],
        [lambda x, g: g * (x > 0), lambda x, g: g * (x < 0), lambda x, g: g * (x >= 1e-9)],
    ),
    "log": (
        lambda x_: np.sum(np.log(x_)),
        "x_",
        {"x_": "n"},
        [lambda x_: 1 / x_, lambda x_: np.exp(-np.log(x_))],
        [lambda x_: -1 / x_, lambda x_: 1 / x_**2, lambda x_: 1 / np.abs(x_)],
    ),
    "product of sums": (
        lambda A, B: np.sum((A @ B) ** 2),
        "A",
        {"A": "n m", "B": "m k"},
        [lambda A, B: 2 * A @ B @ B.T, lambda A, B: 2 * A @ (B @ B.T)],
        [lambda A, B: 2 * A @ B @ B.T / A.shape[1], lambda A, B: A @ B @ B.T, lambda A, B: 2 * A],
    ),
    "log softmax": (
        lambda x, g: np.sum(g * (x - np.log(np.sum(np.exp(x), axis=-1, keepdims=True)))),
        "x",
        M,
        [lambda x, g: g - softmax(x) * np.sum(g, axis=-1, keepdims=True)],
        [
            lambda x, g: g - softmax(x),
            lambda x, g: g + softmax(x) * np.sum(g, axis=-1, keepdims=True),
            lambda x, g: g - softmax(g) * np.sum(g, axis=-1, keepdims=True),
        ],
    ),
    "logits": (
        lambda x, y: np.mean(np.maximum(x, 0) - x * y + np.log1p(np.exp(-np.abs(x)))),
        "x",
        {"x": "n m", "y": "n m"},
        [],
        [
            lambda x, y: (sigma(x) + y) / x.size,
            lambda x, y: (sigma(x) - y) / x.shape[0],
            lambda x, y: (sigma(-x) - y) / x.size,
        ],
    ),
    "rms norm": (
        lambda x, g: np.sum(g * x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + 1e-5)),
        "x",
        M,
        [
            lambda x, g: (
                g / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + 1e-5)
                - x
                * np.mean(g * x, axis=-1, keepdims=True)
                / (np.mean(x**2, axis=-1, keepdims=True) + 1e-5) ** 1.5
            )
        ],
        [
            lambda x, g: g / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + 1e-5),
            lambda x, g: (
                g / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + 1e-5)
                - x
                * np.sum(g * x, axis=-1, keepdims=True)
                / (np.mean(x**2, axis=-1, keepdims=True) + 1e-5) ** 1.5
            ),
            lambda x, g: g / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + 1e-6),
        ],
    ),
    "batch norm": (
        lambda x, g: np.sum(g * norm_rows(x.T).T),
        "x",
        M,
        [lambda x, g: layer_vjp(x.T, g.T).T],
        [
            lambda x, g: layer_vjp(x.T, g.T, 1 + 1e-9).T,
            lambda x, g: layer_vjp(x, g),
            lambda x, g: layer_vjp(x.T, g.T, 1.0, 0.0).T,
        ],
    ),
    "unit rows": (
        lambda x, g: np.sum(g * x / np.linalg.norm(x, axis=1, keepdims=True)),
        "x",
        M,
        [
            lambda x, g: (
                (g - x * np.sum(g * x, axis=1, keepdims=True) / np.sum(x * x, 1, keepdims=True))
                / np.sqrt(np.sum(x * x, axis=1, keepdims=True))
            )
        ],
        [
            lambda x, g: g / np.sqrt(np.sum(x * x, axis=1, keepdims=True)),
            lambda x, g: (
                (g - x * np.sum(g * x, axis=1, keepdims=True) / np.sum(x * x))
                / np.sqrt(np.sum(x * x, axis=1, keepdims=True))
            ),
            lambda x, g: (
                (g - x * np.sum(g * x, axis=1, keepdims=True) / np.sum(g * g, 1, keepdims=True))
                / np.sqrt(np.sum(x * x, axis=1, keepdims=True))
            ),
        ],
    ),
    "divergence": (
        lambda x, g_: np.sum(g_ * (np.log(g_) - np.log(softmax(x)))),
        "x",
        {"x": "n", "g_": "n"},
        [lambda x, g_: softmax(x) * np.sum(g_) - g_],
        [lambda x, g_: softmax(x) - g_, lambda x, g_: softmax(x), lambda x, g_: g_ - softmax(x)],
    ),
    "gaussian": (
        lambda m, s_, x: np.sum(0.5 * ((x - m) / s_) ** 2 + np.log(s_)),
        "s_",
        {"m": "n", "s_": "n", "x": "n"},
        [lambda m, s_, x: 1 / s_ - (x - m) ** 2 / s_**3],
        [
            lambda m, s_, x: 1 / s_ - (x - m) ** 2 / s_**2,
            lambda m, s_, x: 1 / s_ + (x - m) ** 2 / s_**3,
            lambda m, s_, x: 1 / s_ - (x + m) ** 2 / s_**3,
        ],
    ),
    "poisson": (
        lambda x, y: np.mean(np.exp(x) - y * x),
        "x",
        {"x": "n", "y": "n"},
        [lambda x, y: (np.exp(x) - y) / y.size],
        [
            lambda x, y: np.exp(x) - y,
            lambda x, y: (np.exp(y) - y) / y.size,
            lambda x, y: (np.exp(x) + y) / y.size,
        ],
    ),
    "ridge": (
        lambda w, X, y: np.sum((X @ w - y) ** 2) / len(y) + 0.1 * w @ w,
        "w",
        {"w": "m", "X": "n m", "y": "n"},
        [lambda w, X, y: 2 * (X.T @ X @ w - X.T @ y) / len(y) + 0.2 * w],
        [
            lambda w, X, y: 2 * (X.T @ X @ w - X.T @ y) / len(w) + 0.2 * w,
            lambda w, X, y: 2 * (X.T @ X @ w - X.T @ y) / len(y) + 0.1 * w,
            lambda w, X, y: 2 * (X.T @ X @ w + X.T @ y) / len(y) + 0.2 * w,
        ],
    ),
    "solve": (
        lambda A, b: np.sum(np.linalg.solve(A, b) ** 2),
        "b",
        {"A": "n n", "b": "n"},
        [lambda A, b: 2 * np.linalg.solve(A.T, np.linalg.solve(A, b))],
        [
            lambda A, b: 2 * np.linalg.solve(A, np.linalg.solve(A, b)),
            lambda A, b: np.linalg.solve(A.T, np.linalg.solve(A, b)),
            lambda A, b: 2 * np.linalg.solve(A.T, b),
        ],
    ),
    "mish": (
        lambda x, g: np.sum(g * x * np.tanh(np.log1p(np.exp(x)))),
        "x",
        V,
        [
            lambda x, g: (
                g
                * (
                    np.tanh(np.log1p(np.exp(x)))
                    + x * sigma(x) * (1 - np.tanh(np.log(1 + np.exp(x))) ** 2)
                )
            )
        ],
        [
            lambda x, g: g * np.tanh(np.log1p(np.exp(x))),
            lambda x, g: g * x * sigma(x) * (1 - np.tanh(np.log(1 + np.exp(x))) ** 2),
            lambda x, g: (
                g
                * (
                    np.tanh(np.log1p(np.exp(x)))
                    + x * sigma(x) * (1 - np.tanh(np.log(1 + np.exp(x))))
                )
            ),
        ],
    ),
    "logdet": (
        lambda A: np.linalg.slogdet(A)[1],
        "A",
        {"A": "n n"},
        [lambda A: np.linalg.inv(A.T), lambda A: np.linalg.inv(A).T],
        [lambda A: np.linalg.inv(A), lambda A: -np.linalg.inv(A).T, lambda A: A.T],
    ),
}


@pytest.mark.parametrize("name", IDENTITIES)
def test_identities(name: str) -> None:
    """The right claims are proved for every shape; near misses are not."""
    cost, wrt, shapes, right, wrong = IDENTITIES[name]
    for n, claimed in enumerate(right):
        proof = compare(cost, wrt, claimed, shapes)
        assert proof.equal, (name, n, proof.reason)
    for n, claimed in enumerate(wrong):
        assert not compare(cost, wrt, claimed, shapes).equal, (name, n)


def test_depth() -> None:
    """Twelve layers, and eight residual blocks: proved, with work that grows with the depth."""
    assert 0 < deep(12, False) < 2.5 * deep(6, False)
    assert 0 < deep(8, True) < 4 * deep(4, True)


def deep(layers: int, residual: bool) -> int:
    """The term products of a proof of all gradients."""
    g = Graph({"n": 3, "N": 4})
    n, samples = Size.axis("n"), Size.axis("N")
    x, y = g.input("x", (n, samples)), g.input("y", (n, samples))
    one = g.number(Fraction(1))
    zs, outs, weights, h = [], [x], [], x
    for k in range(layers):
        w = g.input(f"W{k}", (n, n))
        z = g.einsum("ij,jk->ik", w, h)
        a = g.div(one, g.add(one, g.call("exp", g.neg(z))))
        h = g.add(h, a) if residual else a
        zs, outs, weights = [*zs, z], [*outs, h], [*weights, w]
    cost = g.sum(g.power(g.sub(h, y), 2), [0, 1])
    derived = reverse(cost, weights).of
    bar = g.mul(g.number(2), g.sub(h, y))
    spent = 0
    for k in reversed(range(layers)):
        s = g.div(g.call("exp", g.neg(zs[k])), g.power(g.add(g.call("exp", g.neg(zs[k])), one), 2))
        delta = g.mul(bar, s)
        claimed = g.transpose(g.einsum("ij,kj->ki", delta, outs[k]))
        back = g.einsum("ji,jk->ki", delta, weights[k])
        bar = g.add(bar, back) if residual else back
        if k in (0, layers // 2):
            proof = prove_equal(derived[weights[k]], claimed)
            assert proof.equal, (k, proof.reason)
            spent = max(spent, proof.products)
    wrong = g.einsum("ij,kj->ik", outs[layers - 1], delta)
    assert not prove_equal(derived[weights[-1]], wrong, budget=50_000).equal
    return spent


# -- off the kinks -------------------------------------------------------------------------------

KINKS: dict[str, tuple[Any, Any, list[Any]]] = {
    "softplus": (
        lambda x, y: np.sum(y * (np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))))),
        lambda x, y: y / (1 + np.exp(-x)),
        [lambda x, y: y / (1 + np.exp(x)), lambda x, y: y, lambda x, y: y * (x > 0)],
    ),
    "logits": (
        lambda x, y: np.mean(np.maximum(x, 0) - x * y + np.log1p(np.exp(-np.abs(x)))),
        lambda x, y: (sigma(x) - y) / x.size,
        [lambda x, y: (sigma(x) + y) / x.size, lambda x, y: sigma(x) - y, lambda x, y: -y],
    ),
    "relu": (
        lambda x, y: np.sum(y * np.maximum(x, 0)),
        lambda x, y: np.where(x > 0, y, 0),
        [lambda x, y: np.where(x < 0, y, 0), lambda x, y: y, lambda x, y: np.where(x > 1, y, 0)],
    ),
    "abs": (
        lambda x, y: np.sum(y * np.abs(x)),
        lambda x, y: y * x / np.abs(x),
        [lambda x, y: y * x, lambda x, y: y, lambda x, y: -y * np.sign(x)],
    ),
    "log sigmoid": (
        lambda x, y: -np.sum(y * (np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x))))),
        lambda x, y: -y * (1 - sigma(x)),
        [lambda x, y: -y * sigma(x), lambda x, y: y * (1 - sigma(x)), lambda x, y: -y],
    ),
}


@pytest.mark.parametrize("name", KINKS)
def test_kinks(name: str) -> None:
    """Equal but at a kink: proved only with the kink left out, and that is said."""
    cost, right, wrong = KINKS[name]
    at = point({"x": "n", "y": "n"})
    derivation = derive_code(cost, at, wrt=("x",))
    block = derivation.blocks[derivation.of[0], "x"]
    for claimed in (right, *wrong):
        both = joined([block.node], list(trace(claimed, at).outputs.values()))
        a, b = both.first[0], both.second[0]
        proof = prove_equal(a, b, apart=True)
        assert proof.equal == (claimed is right), proof.reason
        if proof.equal:
            agree(a, b)
            assert any(c.kind == "apart" for c in proof.conditions)
            assert name == "abs" or not prove_equal(a, b).equal


# -- traps ---------------------------------------------------------------------------------------


def test_traps() -> None:
    """Pairs that look alike: none is proved, with or without the kinks."""
    g = Graph({"n": 3, "m": 4})
    n, m = Size.axis("n"), Size.axis("m")
    x, y = g.input("x", (n,)), g.input("y", (n,))
    A, B, R = g.input("A", (n, n)), g.input("B", (n, n)), g.input("R", (n, m))
    one, two, zero = (g.number(Fraction(k)) for k in (1, 2, 0))
    half = Fraction(1, 2)
    log, sq = lambda v: g.call("log", v), lambda v: g.power(v, 2)
    top = g.reduce("reduce_max", x, [0])
    mask = g.select(g.equal(x, top), one, zero)
    pairs = {
        "root of a square": (g.power(sq(x), half), x),
        "root of a product": (
            g.power(g.mul(x, y), half),
            g.mul(g.power(g.call("abs", x), half), g.power(g.call("abs", y), half)),
        ),
        "cube of a root of a square": (g.power(sq(x), Fraction(3, 2)), g.power(x, 3)),
        "abs": (g.call("abs", x), x),
        "strict": (g.select(g.less(zero, x), one, zero), g.not_(g.less(x, one))),
        "swapped letters": (g.einsum("ij,ij->", A, A), g.einsum("ij,ji->", A, A)),
        "trace": (g.einsum("ij,ji->", A, B), g.einsum("ij,ij->", A, B)),
        "diagonal": (g.einsum("ii->i", A), g.einsum("ij->i", A)),
        "diagonal of a product": (
            g.einsum("ii->", g.einsum("ij,jk->ik", A, B)),
            g.einsum("ii,ii->", A, B),
        ),
        "full and diagonal": (g.mul(A, g.delta(n, n)), A),
        "transpose": (A, g.transpose(A)),
        "axis": (g.sum(A, [0]), g.sum(A, [1])),
        "size": (g.mul(g.sized(n * m), g.sum(R, [0, 1])), g.mul(g.sized(m), g.sum(R, [0, 1]))),
        "mean": (g.sum(x, [0]), g.div(g.sum(x, [0]), g.sized(n))),
        "log of squares": (log(sq(x)), g.mul(two, log(g.neg(g.neg(g.call("abs", y)))))),
        "log of a product": (log(g.mul(x, y)), g.add(log(g.call("abs", x)), log(g.call("abs", y)))),
        "third": (g.power(g.power(x, 2), Fraction(1, 3)), g.power(g.call("abs", x), half)),
        "ties": (mask, g.div(mask, g.sum(mask, [0]))),
        "no ties": (mask, g.mul(zero, x)),
        "first": (
            g.index(x, (("at", Size.of(0)),)),
            g.index(x, (("at", Size.of(1)),)),
        ),
        "shift": (
            g.index(x, (("cut", Size.of(1), 1, n - 1),)),
            g.index(x, (("cut", Size.of(0), 1, n - 1),)),
        ),
        "reversed": (x, g.index(x, (("cut", n - 1, -1, n),))),
        "square of a sum": (sq(g.sum(x, [0])), g.sum(sq(x), [0])),
        "exponent": (g.call("exp", g.mul(x, y)), g.mul(g.call("exp", x), g.call("exp", y))),
        "sine": (sq(g.call("sin", x)), g.add(one, sq(g.call("cos", x)))),
        "even sine": (g.call("sin", g.neg(x)), g.call("sin", x)),
        "factor": (x, g.mul(g.number(1 + Fraction(1, 10**9)), x)),
        "steps": (g.call("sign", x), g.call("sign", y)),
        "pi": (g.mul(g.number("pi"), x), g.mul(g.number(Fraction(22, 7)), x)),
        "where": (g.select(g.less(x, y), x, y), g.select(g.less(x, y), y, x)),
        "bands": (
            g.select(g.less(x, one), one, zero),
            g.select(g.less(x, two), one, zero),
        ),
        "below a diagonal": (g.div(one, g.delta(n, n)), g.delta(n, n)),
        "inverse": (
            g.solve(A, g.delta(n, n)),
            g.solve(g.transpose(A), g.delta(n, n)),
        ),
    }
    for name, (a, b) in pairs.items():
        for apart in (False, True):
            assert not prove_equal(a, b, apart=apart).equal, name
    r, q = g.power(g.mul(x, y), half), g.mul(g.power(x, half), g.power(y, half))
    hidden = g.select(g.less(x, one), g.div(one, g.sub(r, q)), y)  # r − q is 0 wherever it is
    assert not prove_equal(g.mul(hidden, g.add(r, q)), g.mul(zero, x)).equal
    thin = g.select(g.less(zero, x), one, zero)
    assert not prove_equal(thin, g.select(g.not_(g.less(x, zero)), one, zero)).equal


def test_true_and_told() -> None:
    """Equal where both are defined: proved, and what must hold for that is in the conditions."""
    g = Graph({"n": 3, "m": 4})
    n, m = Size.axis("n"), Size.axis("m")
    x, y = g.input("x", (n,)), g.input("y", (n,))
    A, B = g.input("A", (n, m)), g.input("B", (m, n))
    one, half = g.number(Fraction(1)), Fraction(1, 2)
    root = g.power(x, half)
    pairs = [
        (g.div(g.mul(x, y), x), y, ("nonzero", x)),
        (g.power(root, 2), x, ("nonnegative", x)),
        (g.power(g.call("abs", x), 2), g.power(x, 2), ("switch", g.call("abs", x))),
        (g.call("exp", g.call("log", x)), x, ("positive", x)),
        (g.power(g.power(x, 2), half), g.call("abs", x), ("switch", g.call("abs", x))),
        (
            g.add(g.power(g.call("sin", x), 2), g.power(g.call("cos", x), 2)),
            g.broadcast(one, (n,)),
            None,
        ),
        (
            g.einsum("ii->", g.einsum("ij,jk->ik", A, B)),
            g.einsum("ii->", g.einsum("ij,jk->ik", B, A)),
            None,
        ),
        (g.sum(g.broadcast(one, (n,)), [0]), g.sized(n), None),
        (g.einsum("ij,j->i", g.delta(n, n), x), x, None),
        (g.mul(g.delta(n, n), x), g.transpose(g.mul(g.delta(n, n), x)), None),
        (g.call("maximum", x, y), g.neg(g.call("minimum", g.neg(x), g.neg(y))), None),
        (
            g.call("tanh", x),
            g.sub(g.mul(g.number(2), g.call("expit", g.mul(g.number(2), x))), one),
            None,
        ),
    ]
    for a, b, needs in pairs:
        proof = prove(a, b)
        assert proof.equal, (a, b, proof.reason)
        if needs is not None:
            assert needs in [(c.kind, c.node) for c in proof.conditions]


def test_budget_and_shapes() -> None:
    """Too little to spend, and other shapes: don't know, with the reason."""
    g = Graph({"n": 3, "m": 4})
    x = g.input("x", (Size.axis("n"), Size.axis("m")))
    a, b = g.sum(g.mul(x, x), [0, 1]), g.sum(g.power(x, 2), [0, 1])
    assert prove_equal(a, b).equal
    starved = prove_equal(a, b, budget=3)
    assert not starved.equal and "more than 3 operations" in starved.reason
    assert "shapes" in prove_equal(a, x).reason


def test_one_budget_for_all_pairs_and_readings() -> None:
    """Pairs that exceed it together are read one by one, within what is left; the reason says
    what was allowed, and the short pair is still proved."""
    g = Graph({"n": 3})
    x, one = g.input("x", (Size.axis("n"),)), g.number(Fraction(1))
    e = g.call("exp", x)
    hard = e
    for k in range(6):
        hard = g.div(g.add(g.power(hard, 2), x), g.add(g.number(Fraction(k + 2)), hard))
    easy = (g.div(e, g.add(one, e)), g.sub(one, g.div(one, g.add(one, e))))
    pairs = [(g.power(hard, 3), g.power(hard, 4)), (hard, g.add(hard, x)), easy]
    proofs = prove_all(pairs, budget=4_000)
    assert [p.equal for p in proofs] == [False, False, True]
    assert {p.reason for p in proofs[:2]} == {"more than 4,000 operations"}
    assert max(p.products for p in proofs) <= 4_000
    assert proofs == prove_all(pairs, budget=4_000)


def test_what_divides_is_never_excluded() -> None:
    """The trial modulo a prime: no multiple is excluded, and what is next to one is."""
    rnd = random.Random(7)
    for _ in range(200):
        q, r = ({}, {})
        for p in (q, r):
            for _ in range(rnd.randrange(2, 5)):
                m = tuple((a, rnd.choice((1, 1, 2, Fraction(1, 2)))) for a in range(3))
                m = tuple(t for t in m if rnd.random() < 0.6)
                p[m] = po.rational(Fraction(rnd.randrange(1, 9), rnd.randrange(1, 4)))
        _, _, q = po.normal(q)
        zero = po.Zero(po.key(q))
        many = po.product(q, r)
        assert not zero.excludes(many)
        near = po.plus(many, {(): po.rational(1)})
        assert zero.excludes(near) <= (len(q) < 2 or po.quotient(near, q) is None)


# -- fuzz ----------------------------------------------------------------------------------------


def mutated(rnd: random.Random, node: Node) -> Node:
    """The same graph with one node done otherwise: rightly, wrongly, nobody knows."""
    g = node.graph
    nodes = [n for n in reached([node]) if n.inputs]
    if not nodes:
        return g.neg(node)
    target = rnd.choice(nodes)
    put: dict[Node, Node] = {}
    for n in list(reached([node])):
        xs = [put[i] for i in n.inputs]
        put[n] = g.remade(n, xs) if n.inputs else n
        if n is target:
            put[n] = _other(rnd, g, n, xs, put[n])
    return put[node]


def _other(rnd: random.Random, g: Graph, n: Node, xs: list[Node], same: Node) -> Node:
    if n.kind != "f":
        return same
    how = rnd.randrange(9)
    if how == 0:
        return g.sub(g.mul(g.number(Fraction(2)), same), same)
    if how == 1:
        return g.power(g.power(same, 2), Fraction(1, 2))
    if how == 2:
        return g.call("exp", g.call("log", same))
    if how == 3 and len(xs) == 2 and n.op in ("add", "mul", "div", "maximum", "minimum"):
        return g.elementwise(n.op, *reversed(xs))
    if how == 4 and n.op == "contract":
        labels, out = n.params
        if len(out) > 1 and n.shape == n.shape[::-1]:
            return g.contract(labels, out[::-1], *xs)
    if how == 5 and n.op in ("div", "mul"):
        return g.elementwise({"div": "mul", "mul": "div"}[n.op], *xs)
    if how == 6:
        return g.call("abs", same)
    if how == 7:
        return g.mul(same, g.number(1 + Fraction(1, 10**6)))
    return g.expanded(same) if n.op in FUNCTIONS else g.neg(g.neg(same))


def test_fuzz() -> None:
    """Random graphs and a mutation of each: what is proved agrees at random points and shapes."""
    pytest.importorskip("torch")
    from random_graphs import draw

    proved = 0
    ops = tuple(op for op in PRIMITIVES + DEFINED if op not in ("polygamma", "lgamma"))
    for seed in range(FUZZ):
        rnd = random.Random(seed)
        _, node, _ = draw(rnd, ops, rnd.choice([2, 3, 4, 5]))
        other = mutated(rnd, node)
        if other is node or other.shape != node.shape:
            continue
        proof = prove_equal(node, other, budget=30_000)
        if proof.equal:
            proved += 1
            agree(node, other, seeds=4)
    assert proved > FUZZ // 5
