"""Domains: their draws are members, proofs use them and no more, `check` holds to them."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.code.derive import derive_code
from chainrule.code.trace.run import trace
from chainrule.domains import Domain, Square, belongs, candidates, declared, exactly
from chainrule.domains.values import Values, meant, placed, within
from chainrule.evidence import drawing, enclosures
from chainrule.graph.node import Graph, Node, reached
from chainrule.graph.sizes import Size
from chainrule.proof import Proof, joined, prove_all, prove_equal
from chainrule.proof.assumptions import spans
from chainrule.proof.intervals import Interval as Span
from chainrule.values.float64 import evaluate

EVERY: list[Domain] = [
    cr.real(),
    cr.positive(),
    cr.interval(0, 1),
    cr.interval(0.1, 0.3),
    cr.interval(-3, float("inf")),
    cr.interval(-float("inf"), 2),
    cr.integers(1, 6),
    cr.one_hot(axis=0),
    cr.one_hot(axis=1),
    cr.simplex(axis=0),
    cr.simplex(axis=-1, zeros=True),
    cr.unit_vector(axis=0),
    cr.unit_vector(axis=1),
    cr.symmetric(),
    cr.positive_definite(),
    cr.orthogonal(),
]


def raw(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Numbers of all magnitudes and signs, none of them 0."""
    values = np.ldexp(rng.normal(size=shape), rng.integers(-30, 30, size=shape))
    return exactly(np.where(values == 0, 1.0, values))


# -- draws and membership --------------------------------------------------------------------------


@pytest.mark.parametrize("domain", EVERY, ids=repr)
def test_a_draw_is_a_member_exactly(domain: Domain) -> None:
    """In fractions, at every size; its floats belong but for rounding, and lead to a member."""
    rng, plain = np.random.default_rng(1), random.Random(1)
    for n in (1, 2, 3, 7):
        for _ in range(4):
            member = domain.member(raw(rng, (n, n)), plain)
            assert domain.holds(member)
            assert all(isinstance(x, Fraction) for x in member.flat)
            floats = member.astype(float)
            declared("x", domain, floats)
            again = belongs(domain, floats)
            if again is not None:
                assert domain.holds(again)
                assert np.max(np.abs((again - member).astype(float))) < 1e-14 * np.max(
                    np.abs(floats)
                )


@pytest.mark.parametrize("domain", EVERY, ids=repr)
def test_its_code_makes_it_again(domain: Domain) -> None:
    """What the message says to write is the domain."""
    name, _, arguments = domain.code.removeprefix("cr.").removesuffix(")").partition("(")
    given: dict[str, Any] = {}
    plain = []
    for text in filter(None, arguments.split(", ")):
        key, _, value = text.rpartition("=")
        parsed = {"True": True}.get(value, float(value) if value != "True" else 0)
        parsed = int(parsed) if parsed is not True and float(parsed).is_integer() else parsed
        if key:
            given[key] = parsed
        else:
            plain.append(parsed)
    assert getattr(cr, name)(*plain, **given) == domain


@pytest.mark.parametrize("domain", EVERY, ids=repr)
def test_a_draw_of_another_dtype(domain: Domain) -> None:
    """A point keeps the user's dtype, and the fractions where these are no member."""
    graph = derive_code(lambda x: np.sum(x), {"x": np.ones((3, 3))}).trace
    own = {"x": np.ones((3, 3), np.float32)}
    stream = drawing.drawn(
        dict(graph.inputs), own, {"x": (2, 2)}, (), seed="a", domains={"x": domain}
    )
    for values, _ in zip(stream, range(9), strict=False):
        assert values["x"].dtype == np.float32
        exact = meant(values).get("x", None)
        assert domain.holds(exactly(values["x"]) if exact is None else exact)


def test_nothing_is_drawn_where_no_member_fits() -> None:
    """An orthogonal matrix of 2×3 does not exist."""
    inputs = dict(derive_code(lambda x: np.sum(x), {"x": np.eye(3)}).trace.inputs)
    made = drawing.drawn(
        inputs, {"x": np.eye(3)}, {"x": (2, 3)}, (), seed="", domains={"x": cr.orthogonal()}
    )
    assert list(made) == []


def test_what_leaves_its_domain_is_put_back() -> None:
    """A point between two unit vectors is none; another's fractions come along."""
    domains = {"u": cr.unit_vector(), "x": cr.positive()}
    exact = exactly(np.zeros(2))
    exact[:] = [Fraction(3, 5), Fraction(4, 5)]
    other = Values({"u": np.array([0.6, 0.8]), "x": 2.0, "z": 1.0}, {"u": exact})
    moved = within(domains, {"u": np.array([0.5, 0.5]), "x": 3.0, "z": 7.0}, other)
    assert moved["u"].tolist() == [0.6, 0.8] and moved["x"] == 3.0 and moved["z"] == 7.0
    assert meant(moved)["u"] is exact
    assert meant({"u": 1.0}) == {}


def test_the_users_values_are_placed_exactly() -> None:
    """Probabilities that sum to 1 but for rounding do so exactly where values are certified."""
    p = np.array([0.1, 0.2, 0.7])
    assert sum(map(Fraction, p.tolist())) != 1
    point = placed({"p": cr.simplex()}, {"p": p})
    assert point["p"] is p and sum(meant(point)["p"]) == 1
    assert not meant(placed({"p": cr.simplex()}, {"p": np.array([0.25, 0.75])}))


# -- messages --------------------------------------------------------------------------------------

FAULTS: list[tuple[Any, Any, str]] = [
    (cr.one_hot(axis=0), [[1, 0.9], [0, 0]], "column 1, y[:, 1], sums to 0.9 and holds 0.9: one"),
    (cr.one_hot(axis=1), [[1, 1], [0, 1]], "row 0, y[0, :], sums to 2: one entry of each must"),
    (cr.one_hot(), [0.5, 0.5], "y sums to 1 and holds 0.5: one entry of each must be 1, and the"),
    (cr.one_hot(axis=1), np.zeros((2, 2, 3)), "y[0, :, 0] sums to 0: one entry"),
    (cr.one_hot(axis=2), [1.0, 0], "it has 1 axis, and no axis 2; declare what fits its shape"),
    (cr.one_hot(), 1.0, "it is a single number and has no axis"),
    (cr.simplex(), np.zeros((0, 2)), "it has no entries along axis 0"),
    (cr.simplex(), [1.0, 0], "y[1] is 0: every entry must be above 0; where some may be 0, say"),
    (cr.simplex(zeros=True), [1.5, -0.5], "y[1] is -0.5: no entry may be negative"),
    (cr.simplex(), [[0.3, 0.5], [0.3, 0.5]], "column 0, y[:, 0], sums to 0.6: each must sum to 1"),
    (cr.unit_vector(), [3.0, 4.0], "y has the length 5: the length of each must be 1"),
    (cr.symmetric(), [[1, 2.0], [3, 4]], "y[0, 1] is 2 and y[1, 0] is 3: they must be equal"),
    (cr.symmetric(), [[1, 2.0]], "its matrices are 1×2, not square"),
    (cr.symmetric(), [1.0], "it is no matrix"),
    (cr.positive_definite(), [[1, 2.0], [2, 1]], "the least eigenvalue of y is -1: all must be"),
    (cr.positive_definite(), [[1, 2.0], [3, 1]], "y[0, 1] is 2 and y[1, 0] is 3"),
    (cr.orthogonal(), [[2.0, 0], [0, 1]], "column 0 of y has the length 2: it must be 1"),
    (cr.orthogonal(), [[1.0, 1], [0, 0]], "columns 0 and 1 of y have the product 1: it must be 0"),
    (cr.orthogonal(), [np.eye(2), 2 * np.eye(2)], "column 0 of y[1] has the length 2"),
    (cr.positive(), [1.0, 0], "y[1] is 0: every entry must be above 0"),
    (cr.interval(0, 1), [0, 1.5], "y[1] is 1.5: every entry must lie in [0, 1]"),
    (cr.integers(0, 9), [2.5], "y[0] is 2.5: every entry must be a whole number from 0 to 9"),
    (cr.integers(0, 9), [10.0], "y[0] is 10: every entry must be"),
    (cr.positive(), [np.nan], "it holds what is no finite number; correct y"),
    (cr.one_hot, [1.0], "which is no domain; call it: cr.one_hot(…)"),
    ("one_hot", [1.0], "y is given 'one_hot', which is no domain; give one such as cr.one_hot(axi"),
]


@pytest.mark.parametrize(("domain", "value", "says"), FAULTS, ids=[f[2][:30] for f in FAULTS])
def test_what_is_no_member_is_named(domain: Any, value: Any, says: str) -> None:
    """The entry or line, its value, the rule; the message ends with what to do."""
    with pytest.raises(cr.UsageError if "fits" not in says else cr.ShapeError) as caught:
        try:
            declared("y", domain, np.array(value))
        except cr.ShapeError as error:
            if "fits" in says:
                raise
            raise cr.UsageError(str(error)) from None
    assert says in str(caught.value) and ("; " in str(caught.value))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: cr.interval(1, 1), "cr.interval(1, 1): low must be below high"),
        (lambda: cr.interval(0, float("nan")), "an end is nan"),
        (lambda: cr.interval("0", 1), "'0' is no number; give two"),
        (lambda: cr.integers(0, 1.5), "1.5 is no whole number"),
        (lambda: cr.integers(2, 1), "cr.integers(2, 1): low must be below high"),
        (lambda: cr.one_hot(axis=None), "axis=None must be a whole number, such as axis=0"),
        (lambda: cr.simplex(axis=0.5), "cr.simplex: axis=0.5 must be a whole number"),
    ],
)
def test_what_is_no_domain(make: Callable[[], Any], says: str) -> None:
    with pytest.raises(cr.UsageError) as caught:
        make()
    assert says in str(caught.value)


def test_rounding_is_no_fault() -> None:
    """Softmax, QR, and normalized vectors belong to their domains; in float32 too."""
    rng = np.random.default_rng(0)
    for dtype in (np.float64, np.float32):
        for n in (2, 10, 100):
            e = np.exp(rng.normal(size=(n, 5))).astype(dtype)
            declared("p", cr.simplex(), e / e.sum(axis=0))
            q = np.linalg.qr(rng.normal(size=(n, n)))[0].astype(dtype)
            declared("q", cr.orthogonal(), q)
            x = rng.normal(size=n).astype(dtype)
            declared("x", cr.unit_vector(), x / np.linalg.norm(x))
            a = q @ np.diag(np.arange(1, n + 1).astype(dtype)) @ q.T
            declared("a", cr.positive_definite(), a)
            declared("a", cr.symmetric(), a)
    declared("y", cr.one_hot(), np.array([True, False]))
    declared("y", cr.one_hot(axis=1), np.eye(3, dtype=int))


def test_candidates_come_strictest_first() -> None:
    y = np.eye(3)[:, [0, 0, 1, 2]]
    assert list(candidates(y))[:3] == [
        cr.one_hot(axis=0),
        cr.simplex(axis=0, zeros=True),
        cr.integers(0, 1),
    ]
    assert next(candidates(np.array([0.2, 0.8]))) == cr.simplex()
    assert list(candidates(np.array([[2.0, 1], [1, 2]])))[:2] == [
        cr.symmetric(),
        cr.positive_definite(),
    ]
    assert list(candidates(np.array([-1.5, 2.0]))) == []
    assert list(candidates(np.array(["a"]))) == []


# -- proofs ----------------------------------------------------------------------------------------

SIZES = {"n": 3, "m": 4, "s": 2}


def agree(a: Node, b: Node, domains: dict[str, Domain]) -> None:
    """An independent guard: both sides in float64, at random sizes, at members of the domains."""
    inputs = {n.params[0]: n for n in reached([a, b]) if n.op == "input"}
    rng, plain, told = np.random.default_rng(3), random.Random(3), 0
    for trial in range(8):
        sizes = {x: plain.randint(1, 5) for x in a.graph.env} if trial else dict(a.graph.env)
        shapes = {n: tuple(s.at(sizes) for s in x.shape) for n, x in inputs.items()}
        if any(d.misfit(shapes[n]) for n, d in domains.items() if n in shapes):
            continue
        values = {n: rng.normal(size=s) for n, s in shapes.items()}
        for n in [n for n in domains if n in shapes]:
            values[n] = domains[n].member(exactly(values[n]), plain).astype(float)
        try:
            x, y = evaluate([a, b], values, sizes)
        except (ValueError, IndexError, np.linalg.LinAlgError):
            continue
        both = np.isfinite(x) & np.isfinite(y)
        told += bool(both.any())
        scale = 1 + np.abs(x[both]).max(initial=0)
        assert np.allclose(x[both], y[both], rtol=1e-6, atol=1e-8 * scale)
    assert told >= 2


def drawn(shapes: dict[str, str], domains: dict[str, Domain]) -> dict[str, np.ndarray]:
    rng, plain = np.random.default_rng(0), random.Random(0)
    at = {}
    for name, letters in shapes.items():
        value = rng.normal(size=tuple(SIZES[c] for c in letters.split()))
        domain = domains.get(name)
        at[name] = domain.member(exactly(value), plain).astype(float) if domain else value
    return at


def proof(first: Node, second: Node, domains: dict[str, Domain]) -> Proof:
    """Two nodes of two graphs, the domains assumed."""
    square = [n for n, d in domains.items() if isinstance(d, Square)]
    both = joined([first], [second], square=square)
    a, b = both.first[0], both.second[0]
    found = prove_equal(a, b, assuming=domains)
    if found.equal:
        agree(a, b, domains)
    return found


def ends(f: Callable[..., Any], at: dict[str, Any], wrt: str) -> Node:
    """What a function returns; its derivative, where a name is given."""
    if wrt:
        d = derive_code(f, at, wrt=(wrt,))
        return d.blocks[d.of[0], wrt].node
    (output,) = trace(f, at).outputs.values()
    return output


def softmax(z):
    e = np.exp(z)
    return e / np.sum(e, axis=0, keepdims=True)


def cross_entropy(z, y):
    return -np.sum(y * np.log(softmax(z)))


def stable(z, y):
    z = z - np.max(z, axis=0, keepdims=True)
    return -np.sum(y * z) + np.sum(y * np.log(np.sum(np.exp(z), axis=0, keepdims=True)))


def kl(p, z):
    return np.sum(p * np.log(p / softmax(z)))


NM, SQ = "n m", "n n"
Y = {"y": cr.one_hot(axis=0)}
P = {"y": cr.simplex(axis=0)}
A = {"A": cr.symmetric()}
D = {"A": cr.positive_definite()}
Q = {"Q": cr.orthogonal()}
U = {"u": cr.unit_vector()}
X = {"x": cr.positive()}

#: name: (shapes, domains, left, by what it is derived or "", the right ones, near misses)
Row = tuple[dict[str, str], dict[str, Domain], Any, str, list[Any], list[Any]]
IDENTITIES: dict[str, Row] = {
    "softmax cross entropy, one-hot": (
        {"z": NM, "y": NM},
        Y,
        cross_entropy,
        "z",
        [
            lambda z, y: softmax(z) - y,
            lambda z, y: softmax(z) - y**2,
            lambda z, y: softmax(z) * y.sum(axis=0) - y,
        ],
        [
            lambda z, y: softmax(z) - 2 * y,
            lambda z, y: y * (softmax(z) - 1),
            lambda z, y: (1 + 1e-9) * softmax(z) - y,
            lambda z, y: softmax(z) * y.sum(axis=1, keepdims=True) - y,
        ],
    ),
    "softmax cross entropy, stable": (
        {"z": NM, "y": NM},
        Y,
        lambda z, y: -np.sum(y * z) + np.sum(np.log(np.sum(np.exp(z), axis=0))),
        "z",
        [lambda z, y: y.sum(axis=0) * softmax(z) - y],
        [lambda z, y: y.sum(axis=0) ** 2 * softmax(z) - y * y.sum()],
    ),
    "one-hot squared": (
        {"y": NM, "z": NM},
        Y,
        lambda y, z: np.sum((y * z) ** 2),
        "",
        [lambda y, z: np.sum(y * z**2), lambda y, z: np.sum(y**3 * z**2)],
        [
            lambda y, z: np.sum(y * z) ** 2,
            lambda y, z: np.sum(y * z),
            lambda y, z: np.sum(z**2),
        ],
    ),
    "one-hot inside a function": (
        {"y": NM, "z": NM},
        Y,
        lambda y, z: np.exp(y * z),
        "",
        [lambda y, z: 1 + y * (np.exp(z) - 1)],
        [lambda y, z: y * np.exp(z), lambda y, z: 1 + y * np.exp(z)],
    ),
    "one-hot sums": (
        {"y": NM, "z": "m"},
        Y,
        lambda y, z: y.sum(axis=0) * z,
        "",
        [
            lambda y, z: z,
            lambda y, z: (y**2).sum(axis=0) * z,
            lambda y, z: y.sum(axis=0) ** 2 * z,
            lambda y, z: np.einsum("cm,cm->m", y, y) * z,
        ],
        [
            lambda y, z: y.sum(axis=0) * z[0],
            lambda y, z: y.T @ y @ z,
            lambda y, z: y[1:].sum(axis=0) * z,
            lambda y, z: y[:2].sum(axis=0) * z,
            lambda y, z: (y.sum(axis=0) - y[0]) * z,
            lambda y, z: y.mean(axis=0) * z,
            lambda y, z: y.sum() * z,
        ],
    ),
    "one-hot entries exclude each other": (
        {"y": NM, "z": NM},
        Y,
        lambda y, z: np.sum((y * z).sum(axis=0) ** 2),
        "",
        [lambda y, z: np.sum(y * z**2)],
        [
            lambda y, z: np.sum(y * z) ** 2,
            lambda y, z: np.sum((y * z).sum(axis=1) ** 2),
        ],
    ),
    "what a one-hot line picks": (
        {"z": NM, "y": NM},
        Y,
        lambda z, y: -np.sum(np.log(np.sum(y * softmax(z), axis=0))),
        "z",
        [lambda z, y: softmax(z) - y, lambda z, y: softmax(z) - y * np.sum(y, axis=0)],
        [
            lambda z, y: softmax(z) * np.sum(y * softmax(z), axis=0) - y,
            lambda z, y: softmax(z) - y * softmax(z),
            lambda z, y: softmax(z) - y * np.sum(y * softmax(z), axis=0),
            lambda z, y: softmax(z) - np.sum(y, axis=1, keepdims=True),
        ],
    ),
    "functions of what is picked": (
        {"z": NM, "y": NM},
        Y,
        lambda z, y: np.exp(np.sum(y * z, axis=0) + 1) / np.sum(y * (1 + z**2), axis=0),
        "",
        [
            lambda z, y: np.sum(y * np.exp(z + 1) / (1 + z**2), axis=0),
            lambda z, y: np.sum(y * np.exp(z), axis=0) * np.exp(1) * np.sum(y / (1 + z**2), axis=0),
        ],
        [
            lambda z, y: np.exp(np.sum(z, axis=0) + 1) / np.sum(y * (1 + z**2), axis=0),
            lambda z, y: np.sum(y * np.exp(z + 1), axis=0) / np.sum(1 + z**2, axis=0),
            lambda z, y: np.sum(y * np.exp(z + 1) / (1 + z**2)),
            lambda z, y: np.exp(np.sum(y[:2] * z[:2], axis=0) + 1) / np.sum(y * (1 + z**2), axis=0),
            lambda z, y: np.sum(y, axis=1)[0] * np.sum(y * np.exp(z + 1) / (1 + z**2), axis=0),
        ],
    ),
    "two labels pick": (
        {"z": NM, "y": NM, "x": NM},
        {"y": cr.one_hot(axis=0), "x": cr.one_hot(axis=0)},
        lambda z, y, x: np.sum(y * z, axis=0) * np.sum(x * z, axis=0) * np.sum(y, axis=0),
        "",
        [
            lambda z, y, x: np.einsum("cn,cn,kn,kn->n", y, z, x, z),
            lambda z, y, x: np.sum(y * z * np.sum(x * z, axis=0), axis=0),
        ],
        [
            lambda z, y, x: np.sum(y * z**2, axis=0),
            lambda z, y, x: np.sum(y * x * z**2, axis=0),
            lambda z, y, x: np.sum(y * z, axis=0) ** 2,
        ],
    ),
    "two one-hot inputs": (
        {"y": NM, "z": NM},
        {"y": cr.one_hot(axis=0), "z": cr.one_hot(axis=0)},
        lambda y, z: np.sum((y - z) ** 2, axis=0),
        "",
        [lambda y, z: 2 - 2 * np.sum(y * z, axis=0)],
        [
            lambda y, z: 1 - np.sum(y * z, axis=0),
            lambda y, z: 2 - np.sum(y, axis=0) - np.sum(z, axis=0) + 0 * np.sum(y * z, axis=0),
            lambda y, z: 2 - 2 * np.sum(y * z),
        ],
    ),
    "simplex": (
        {"z": NM, "y": NM},
        P,
        cross_entropy,
        "z",
        [lambda z, y: softmax(z) - y, lambda z, y: softmax(z) * y.sum(axis=0) ** 3 - y],
        [
            lambda z, y: softmax(z) - y**2,
            lambda z, y: softmax(z) * (y**2).sum(axis=0) - y,
            lambda z, y: softmax(z) * y[:2].sum(axis=0) - y,
            lambda z, y: softmax(z) * y.sum(axis=1, keepdims=True) - y,
        ],
    ),
    "simplex, divergence": (
        {"p": NM, "z": NM},
        {"p": cr.simplex(axis=0)},
        kl,
        "z",
        [lambda p, z: softmax(z) - p],
        [lambda p, z: softmax(z) - p * np.log(p), lambda p, z: softmax(z) - 1 + 0 * p],
    ),
    "simplex, positive": (
        {"y": NM, "p": NM},
        {"y": cr.simplex(axis=0), "p": cr.simplex(axis=0)},
        lambda y, p: np.sum(y * np.log(y / p)),
        "",
        [
            lambda y, p: np.sum(y * np.log(y)) - np.sum(y * np.log(p)),
            lambda y, p: (
                np.sum(y * np.abs(np.log(y) - np.log(p))) * 0
                + np.sum(np.sqrt(y**2) * np.log(y / p))
            ),
        ],
        [
            lambda y, p: np.sum(y * np.log(y)) - np.sum(p * np.log(p)),
            lambda y, p: np.sum(y**2 * np.log(y / p)),
            lambda y, p: np.sum(np.log(y / p)),
        ],
    ),
    "symmetric": (
        {"x": "n", "A": SQ},
        A,
        lambda x, A: x @ A @ x,
        "x",
        [lambda x, A: 2 * A @ x, lambda x, A: 2 * x @ A, lambda x, A: A.T @ x + A @ x],
        [lambda x, A: A @ x, lambda x, A: 2 * np.diag(A) * x, lambda x, A: 2 * (A * A) @ x],
    ),
    "symmetric products": (
        {"A": SQ, "B": SQ},
        A,
        lambda A, B: A @ B.T,
        "",
        [lambda A, B: (B @ A).T, lambda A, B: A.T @ B.T],
        [lambda A, B: A @ B, lambda A, B: B @ A, lambda A, B: B.T @ A],
    ),
    "symmetric, no contraction": (
        {"A": SQ, "B": SQ},
        A,
        lambda A, B: np.sum(A * B),
        "B",
        [lambda A, B: A.T, lambda A, B: (A + A.T) / 2],
        [lambda A, B: (A - A.T) / 2, lambda A, B: B.T, lambda A, B: A[::-1]],
    ),
    "positive definite": (
        {"A": SQ, "B": SQ},
        D,
        lambda A, B: np.log(np.linalg.det(A)) * B,
        "",
        [
            lambda A, B: np.log(np.linalg.det(A) ** 2) / 2 * B,
            lambda A, B: np.log(np.sqrt(np.linalg.det(A.T))) * 2 * B,
            lambda A, B: np.log(np.abs(np.linalg.det(A))) * B,
        ],
        [
            lambda A, B: np.log(np.abs(np.linalg.det(B))) * B,
            lambda A, B: np.log(np.linalg.det(A * A)) / 2 * B,
            lambda A, B: np.log(np.linalg.det(A) ** 2) * B,
            lambda A, B: np.log(np.linalg.det(A)) * B.T,
        ],
    ),
    "the logarithm of a determinant": (
        {"A": SQ},
        D,
        lambda A: np.linalg.slogdet(A)[1],
        "A",
        [lambda A: np.linalg.inv(A), lambda A: np.linalg.inv(A).T, lambda A: np.linalg.inv(A.T)],
        [lambda A: -np.linalg.inv(A), lambda A: 1 / A, lambda A: np.linalg.inv(A @ A)],
    ),
    "orthogonal": (
        {"Q": SQ, "x": "n", "b": "n"},
        Q,
        lambda Q, x, b: 0.5 * np.sum((Q @ x - b) ** 2),
        "x",
        [lambda Q, x, b: x - Q.T @ b, lambda Q, x, b: x - np.linalg.inv(Q) @ b],
        [
            lambda Q, x, b: x - Q @ b,
            lambda Q, x, b: Q @ Q @ x - Q.T @ b,
            lambda Q, x, b: x - b,
        ],
    ),
    "orthogonal, both ways": (
        {"Q": SQ, "x": "n"},
        Q,
        lambda Q, x: Q @ (Q.T @ x),
        "",
        [
            lambda Q, x: x,
            lambda Q, x: Q.T @ (Q @ x),
            lambda Q, x: np.sum(Q * Q, axis=0) * x,
            lambda Q, x: np.sum(Q * Q, axis=1) * x,
            lambda Q, x: np.linalg.solve(Q, Q @ x),
            lambda Q, x: np.linalg.solve(Q.T, Q.T @ x),
            lambda Q, x: Q @ np.linalg.solve(Q, x),
        ],
        [
            lambda Q, x: Q @ (Q @ x),
            lambda Q, x: Q[:, :2] @ (Q[:, :2].T @ x),
            lambda Q, x: Q[:2].T @ (Q[:2] @ x),
            lambda Q, x: (Q * Q).T @ x,
            lambda Q, x: np.sum(Q, axis=0) * x,
            lambda Q, x: np.sum(Q[:2] * Q[:2], axis=0) * x,
            lambda Q, x: np.linalg.solve(Q, x),
            lambda Q, x: np.linalg.solve(Q, Q.T @ x),
            lambda Q, x: Q @ (Q.T @ (x * np.diag(Q))),
        ],
    ),
    "two orthogonal matrices": (
        {"Q": SQ, "R": SQ, "x": "n"},
        {"Q": cr.orthogonal(), "R": cr.orthogonal()},
        lambda Q, R, x: np.sum((Q @ R @ x) ** 2),
        "",
        [lambda Q, R, x: x @ x, lambda Q, R, x: np.sum((R.T @ Q.T @ x) ** 2)],
        [
            lambda Q, R, x: np.sum((Q.T @ R @ x) * x),
            lambda Q, R, x: np.sum(x),
            lambda Q, R, x: np.sum(Q * R) * (x @ x),
        ],
    ),
    "unit vector": (
        {"u": "n", "x": "n"},
        U,
        lambda u, x: 0.5 * np.sum((x - u * (u @ x)) ** 2),
        "x",
        [lambda u, x: x - u * (u @ x)],
        [
            lambda u, x: x - u * (x @ x),
            lambda u, x: x * (1 - u**2),
            lambda u, x: x - (u @ x),
        ],
    ),
    "length 1": (
        {"u": "n", "x": "n"},
        U,
        lambda u, x: x / np.sqrt(np.sum(u**2)),
        "",
        [lambda u, x: x, lambda u, x: (u @ u) * x, lambda u, x: x * np.sum(u * u) ** 3],
        [
            lambda u, x: x * np.sum(u),
            lambda u, x: x * np.sum(u**4),
            lambda u, x: x * (u @ x),
            lambda u, x: x * np.sum(u[1:] ** 2),
            lambda u, x: x * np.mean(u**2),
        ],
    ),
    "unit columns": (
        {"u": NM, "x": "m"},
        U,
        lambda u, x: np.sum(u**2, axis=0) * x,
        "",
        [lambda u, x: x, lambda u, x: np.einsum("im,im->m", u, u) * x],
        [
            lambda u, x: u.T @ u @ x,
            lambda u, x: np.sum(u**2) * x,
            lambda u, x: np.sum(u[:2] ** 2, axis=0) * x,
        ],
    ),
    "positive": (
        {"x": "n"},
        X,
        lambda x: np.sqrt(x**2),
        "",
        [lambda x: x, lambda x: np.abs(x), lambda x: np.exp(np.log(x**2) / 2)],
        [
            lambda x: -x,
            lambda x: np.sqrt((x - 1) ** 2) + 1,
            lambda x: np.abs(x - 1) + 1,
            lambda x: np.sqrt(x),
        ],
    ),
    "a difference of positives": (
        {"x": "n", "b": "n"},
        {"x": cr.positive(), "b": cr.positive()},
        lambda x, b: np.log(x / b),
        "",
        [lambda x, b: np.log(x) - np.log(b), lambda x, b: np.log(x * b) - 2 * np.log(b)],
        [
            lambda x, b: np.log(x - b),
            lambda x, b: np.log(np.abs(x - b)) - np.log(b),
            lambda x, b: np.log(x) / np.log(b),
        ],
    ),
    "an interval": (
        {"x": "n"},
        {"x": cr.interval(2, 5)},
        lambda x: np.log(x**2),
        "",
        [
            lambda x: 2 * np.log(x),
            lambda x: 2 * np.log(np.sqrt(x**2)),
            lambda x: 2 * np.log(abs(x)),
        ],
        [
            lambda x: np.log(x),
            lambda x: 2 * np.log(np.sqrt((x - 3) ** 2) + 3),
            lambda x: 2 * np.log(5 - x),
        ],
    ),
    "an interval with both signs": (
        {"x": "n"},
        {"x": cr.interval(-1, 2)},
        lambda x: np.sqrt(x**2),
        "",
        [lambda x: np.abs(x)],
        [lambda x: x, lambda x: -x, lambda x: x**2],
    ),
    "an interval from 0": (
        {"x": "n"},
        {"x": cr.interval(0, 1)},
        lambda x: np.maximum(x, 0),
        "",
        [lambda x: x, lambda x: np.abs(x)],
        [lambda x: np.maximum(x, 0.5), lambda x: np.minimum(x, 0.5), lambda x: 1 - x],
    ),
    "whole numbers": (
        {"x": "n"},
        {"x": cr.integers(1, 6)},
        lambda x: np.sqrt(x**2) + np.log(x**2),
        "",
        [lambda x: x + 2 * np.log(x)],
        [
            lambda x: x + np.log(x),
            lambda x: 3 + np.sqrt((x - 3) ** 2) + 2 * np.log(x),
            lambda x: -x + 2 * np.log(x),
        ],
    ),
    "real": (
        {"x": "n"},
        {"x": cr.real()},
        lambda x: np.sqrt(x**2),
        "",
        [lambda x: np.abs(x)],
        [lambda x: x],
    ),
}


@pytest.mark.parametrize("name", IDENTITIES)
def test_an_identity_needs_its_domain(name: str) -> None:
    """Proved where the domain is declared; near misses are not."""
    shapes, domains, left, wrt, right, wrong = IDENTITIES[name]
    at = drawn(shapes, domains)
    first = ends(left, at, wrt)
    for number, claim in enumerate(right):
        found = proof(first, ends(claim, at, ""), domains)
        assert found.equal, (number, found.reason)
    for number, claim in enumerate(wrong):
        assert not proof(first, ends(claim, at, ""), domains).equal, number


@pytest.mark.parametrize(
    "name", [n for n in IDENTITIES if n not in ("real", "an interval with both signs")]
)
def test_without_the_domain_nothing_new_is_proved(name: str) -> None:
    """At least one claim of each row needs what was declared."""
    shapes, domains, left, wrt, right, _ = IDENTITIES[name]
    at = drawn(shapes, domains)
    first = ends(left, at, wrt)
    unproved = [not proof(first, ends(claim, at, ""), {}).equal for claim in right]
    assert any(unproved)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("softmax cross entropy, one-hot", {"y": cr.one_hot(axis=1)}),
        ("softmax cross entropy, one-hot", {"z": cr.one_hot(axis=0)}),
        ("simplex", {"y": cr.simplex(axis=1)}),
        ("simplex", {"y": cr.positive()}),
        ("unit columns", {"u": cr.unit_vector(axis=1)}),
        ("unit vector", {"u": cr.simplex()}),
        ("orthogonal", {"Q": cr.symmetric()}),
        ("symmetric", {"A": cr.orthogonal()}),
        ("positive", {"x": cr.interval(-1, 1)}),
        ("length 1", {"x": cr.unit_vector()}),
    ],
)
def test_another_domain_does_not_do(name: str, other: dict[str, Domain]) -> None:
    """The other axis, the other input, another rule."""
    shapes, domains, left, wrt, right, _ = IDENTITIES[name]
    at = drawn(shapes, domains)
    assert not proof(ends(left, at, wrt), ends(right[0], at, ""), other).equal


def test_an_axis_of_one_place() -> None:
    """Of a one-hot line of one entry that entry is 1; nothing follows for the other axis."""
    graph = Graph({"n": 4})
    shape = (Size.of(1), graph.axis("n", 4))
    y, z = graph.input("y", shape), graph.input("z", shape)
    product = graph.mul(y, z)
    for domain in (cr.one_hot(axis=0), cr.simplex(axis=0)):
        assert prove_equal(product, z, assuming={"y": domain}).equal
    for domain in (cr.one_hot(axis=1), cr.simplex(axis=1), cr.unit_vector(axis=0)):
        assert not prove_equal(product, z, assuming={"y": domain}).equal


def test_a_diagonal_is_no_line() -> None:
    """Σₖ Y[k, k] is not 1, and neither is Σₖ Q[k, k]²."""
    at = {"y": np.eye(3), "x": np.ones(3)}
    for domain in (cr.one_hot(), cr.simplex(), cr.orthogonal(), cr.unit_vector()):
        for f in (
            lambda y, x: np.einsum("kk->", y) * x,
            lambda y, x: np.einsum("kk,kk->", y, y) * x,
            lambda y, x: np.einsum("kk,ki->i", y, y) * x,
        ):
            found = proof(ends(f, at, ""), ends(lambda y, x: x + 0 * y[0], at, ""), {"y": domain})
            assert not found.equal


def test_several_pairs_share_what_is_assumed() -> None:
    """`prove_all` takes domains as well."""
    graph = Graph({"n": 3, "m": 4})
    y = graph.input("y", (graph.axis("n", 3), graph.axis("m", 4)))
    pairs = [(graph.mul(y, y), y), (graph.sum(y, [0]), graph.full(1, y.shape[1:])), (y, y)]
    pairs.append((graph.sum(y, [1]), graph.full(1, y.shape[:1])))
    told = [p.equal for p in prove_all(pairs, assuming={"y": cr.one_hot()})]
    assert told == [True, True, True, False]
    assert [p.equal for p in prove_all(pairs)] == [False, False, True, False]


def test_matrices_declared_square_have_one_size() -> None:
    """An axis for rows and one for columns are one where the domain says so, and only there."""
    at = {"A": np.array([[2.0, 1.0], [1.0, 3.0]]), "B": np.eye(2)}
    first, second = ends(lambda A, B: A * B, at, ""), ends(lambda A, B: A.T * B, at, "")
    both = joined([first], [first], square=["A"])
    assert both.inputs["A"].shape[0] == both.inputs["A"].shape[1]
    free = joined([first], [first])
    assert free.inputs["A"].shape[0] != free.inputs["A"].shape[1]
    assert proof(first, second, A).equal
    inputs = {"A": first.graph.input("A", first.shape)}
    sizes = dict.fromkeys(first.graph.env, 2) | {str(first.shape[0]): 7}
    tied = drawing.squared({"A": cr.symmetric()}, inputs, sizes)
    assert len({s.at(tied) for s in first.shape}) == 1
    assert drawing.squared({"A": cr.positive()}, inputs, sizes) == sizes


@pytest.mark.parametrize("domain", EVERY, ids=repr)
def test_members_lie_in_the_span(domain: Domain) -> None:
    """The interval that conditions are judged by holds every member."""
    graph = Graph({"n": 3})
    node = graph.input("x", (graph.axis("n", 3), graph.axis("n", 3)))
    span = spans([node], {"x": domain}).get(node)
    assert spans([node], {"y": domain}) == {}
    bounded = not isinstance(domain, Square) or domain == cr.orthogonal()
    assert (span is not None) == (bounded and domain != cr.real())
    rng, plain = np.random.default_rng(2), random.Random(2)
    for _ in range(5):
        for x in domain.member(raw(rng, (3, 3)), plain).flat:
            if span is not None:
                assert Span.of(x, x).meet(span) == Span.of(x, x)


def test_what_is_nowhere_defined_proves_nothing() -> None:
    """Of Σ log(1 − Y) an entry is undefined for every one-hot Y: no case may be left out."""
    at = {"y": np.eye(3), "x": np.ones(3)}
    first = ends(lambda y, x: np.sum(np.log(1 - y)) * x, at, "")
    for wrong in (lambda y, x: 0 * x, lambda y, x: x, lambda y, x: 2 * np.sum(np.log(1 - y)) * x):
        assert not proof(first, ends(wrong, at, ""), {"y": cr.one_hot()}).equal


# -- check -----------------------------------------------------------------------------------------

RNG = np.random.default_rng(5)
Z = RNG.normal(size=(3, 5))
HOT = np.eye(3)[:, [0, 2, 1, 1, 0]]
SOFT = RNG.dirichlet(np.ones(3), 5).T


def loss(z, y):
    return -np.sum(y * np.log(softmax(z))) / z.shape[1]


def gradient(z, y):
    return (softmax(z) - y) / z.shape[1]


def test_the_gradient_of_cross_entropy_needs_labels() -> None:
    """Refuted without a domain, and the message says which would do; right with it."""
    at = {"z": Z, "y": HOT}
    verdict = cr.check(loss, gradient, at=at, wrt="z")
    assert verdict.status == "refuted"
    assert 'it is right where y is one-hot along axis 0: domains={"y": cr.one_hot(axis=0)}' in str(
        verdict
    )
    verdict = cr.check(loss, gradient, at=at, wrt="z", domains={"y": cr.one_hot(axis=0)})
    assert verdict.ok and verdict.findings["z"].scope.domain == ("y one-hot along axis 0",)
    assert "other sets of sizes" in verdict.findings["z"].scope.shapes or (
        "every shape" in verdict.findings["z"].scope.shapes
    )


def test_soft_labels() -> None:
    """Probabilities that sum to 1 but for rounding; a square is no entry."""
    at = {"z": Z, "y": SOFT}
    verdict = cr.check(loss, gradient, at=at, wrt="z")
    assert 'y is positive and sums to 1 along axis 0: domains={"y": cr.simplex(axis=0)}' in str(
        verdict
    )
    domains = {"y": cr.simplex(axis=0)}
    assert cr.check(loss, gradient, at=at, wrt="z", domains=domains).ok

    def squared(z, y):
        return (softmax(z) - y**2) / z.shape[1]

    assert cr.check(loss, squared, at=at, wrt="z", domains=domains).status == "refuted"
    hot = {"y": cr.one_hot(axis=0)}
    assert cr.check(loss, squared, at={"z": Z, "y": HOT}, wrt="z", domains=hot).ok


@pytest.mark.parametrize(
    ("domain", "value"),
    [
        (cr.one_hot(), HOT),
        (cr.simplex(), SOFT),
        (cr.simplex(axis=-2, zeros=True), HOT),
        (cr.unit_vector(), SOFT / np.linalg.norm(SOFT, axis=0)),
        (cr.integers(0, 1), HOT),
        (cr.interval(0, 1), SOFT),
        (cr.positive(), SOFT),
    ],
    ids=repr,
)
def test_every_point_is_a_member(
    domain: Domain, value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drawn at any size, with zeros, where a selection switches: exactly in the domain."""
    seen = []
    compare = enclosures.compare

    def watched(derived, claimed, point):
        y = meant(point).get("y", None)
        seen.append(exactly(point["y"]) if y is None else y)
        return compare(derived, claimed, point)

    monkeypatch.setattr(enclosures, "compare", watched)

    def forward(z, y):
        return np.sum(y * np.maximum(z, y - 0.5) ** 2)

    def backward(z, y):
        return 2 * y * np.maximum(z, y - 0.5) * (z > y - 0.5)

    assert cr.check(forward, backward, at={"z": Z, "y": value}, wrt="z", domains={"y": domain}).ok
    assert len(seen) > 16 and len({y.shape for y in seen}) > 2
    assert all(domain.holds(y) for y in seen)


def test_a_symmetric_matrix() -> None:
    """2Ax is right where A is symmetric; by A itself all entries are free: the scope says so."""
    a = RNG.normal(size=(3, 3))
    at = {"x": RNG.normal(size=3), "A": a + a.T}

    def form(x, A):
        return x @ A @ x

    verdict = cr.check(form, lambda x, A: 2 * A @ x, at=at, wrt="x")
    assert verdict.status == "refuted" and 'domains={"A": cr.symmetric()}' in str(verdict)
    symmetric = {"A": cr.symmetric()}
    verdict = cr.check(form, lambda x, A: 2 * A @ x, at=at, wrt="x", domains=symmetric)
    assert verdict.ok and verdict.findings["x"].scope.domain == ("A symmetric",)
    verdict = cr.check(form, lambda x, A: np.outer(x, x), at=at, wrt="A", domains=symmetric)
    assert verdict.ok
    assert verdict.findings["A"].scope.domain == (
        "A symmetric (derivatives with all its entries free)",
    )

    def folded(x, A):  # the other convention: nobody declared it
        return 2 * np.outer(x, x) - np.diag(x**2)

    assert cr.check(form, folded, at=at, wrt="A", domains=symmetric).status == "refuted"


def test_points_that_no_float_is() -> None:
    """Orthogonal matrices and unit vectors are exact fractions where values are certified."""
    q = np.linalg.qr(RNG.normal(size=(3, 3)))[0]
    x, b = RNG.normal(size=3), RNG.normal(size=3)

    def distance(x, Q, b):
        return 0.5 * np.sum((Q @ x - b) ** 2)

    at, domains = {"x": x, "Q": q, "b": b}, {"Q": cr.orthogonal()}
    assert cr.check(distance, lambda x, Q, b: x - Q.T @ b, at=at, wrt="x", domains=domains).ok
    wrong = cr.check(distance, lambda x, Q, b: x - Q @ b, at=at, wrt="x", domains=domains)
    assert wrong.status == "refuted"
    u = b / np.linalg.norm(b)

    def rest(x, u):
        return 0.5 * np.sum((x - u * (u @ x)) ** 2)

    at, domains = {"x": x, "u": u}, {"u": cr.unit_vector()}
    assert cr.check(rest, lambda x, u: x - u * (u @ x), at=at, wrt="x", domains=domains).ok
    slight = cr.check(
        rest, lambda x, u: (1 + 1e-9) * x - u * (u @ x), at=at, wrt="x", domains=domains
    )
    assert slight.status == "refuted"


def test_a_witness_is_written_exactly() -> None:
    """A unit vector of a witness reads as fractions."""
    exact = exactly(np.zeros(2))
    exact[:] = [Fraction(3, 5), Fraction(-4, 5)]
    point = drawing.Point(Values({"u": np.array([0.6, -0.8])}, {"u": exact}))
    assert drawing.written(point) == {"u": "[3/5, -4/5]"}
    mine = drawing.Point(Values({"u": np.array([0.6, -0.8])}, {"u": exact}), yours=True)
    assert drawing.written(mine) == {"u": "[0.6, -0.8]"}


def test_code_run_on_exact_numbers_gets_the_fractions() -> None:
    """Code that cannot be traced is run on balls of the very point."""
    u = np.array([0.6, 0.8])

    def rest(x, u):
        return 0.5 * np.sum((x - u * (u @ x)) ** 2)

    def loops(x, u):
        out = []
        for k in map(int, "01"):
            total = sum(eval("a * b", {"a": a, "b": b}) for a, b in zip(u, x, strict=True))
            out.append(x[k] - u[k] * total)
        return np.array(out)

    at = {"x": np.array([1.0, 3.0]), "u": u}
    assert cr.check(rest, loops, at=at, wrt="x", domains={"u": cr.unit_vector()}).ok


def test_positive_inputs() -> None:
    """√(x²) has the derivative 1 where x is positive, and √((x − 1)²) has not."""
    at = {"x": np.array([1.5, 2.5])}

    def plain(x):
        return np.sum(np.sqrt(x**2))

    def moved(x):
        return np.sum(np.sqrt((x - 1) ** 2))

    ones = np.ones_like
    assert cr.check(plain, ones, at=at, wrt="x").status == "refuted"
    assert 'domains={"x": cr.positive()}' in str(cr.check(plain, ones, at=at, wrt="x"))
    positive = {"x": cr.positive()}
    assert cr.check(plain, lambda x: ones(x), at=at, wrt="x", domains=positive).ok
    assert cr.check(moved, lambda x: ones(x), at=at, wrt="x", domains=positive).status == "refuted"
    above = {"x": cr.interval(1.25, 8)}
    assert cr.check(moved, lambda x: ones(x), at=at, wrt="x", domains=above).ok


def test_assert_derivative_takes_domains() -> None:
    at, domains = {"z": Z, "y": HOT}, {"y": cr.one_hot()}
    cr.assert_derivative(loss, gradient, at=at, wrt="z", domains=domains)
    with pytest.raises(cr.DerivativeError, match="one-hot along axis 0"):
        cr.assert_derivative(loss, gradient, at=at, wrt="z")


@pytest.mark.parametrize(
    ("domains", "says"),
    [
        ({"q": cr.one_hot()}, "domains names q, which loss does not read (it reads z, y)"),
        ([cr.one_hot()], "give input → domain, such as {'y': cr.one_hot(axis=0)}"),
        ({"y": cr.one_hot(axis=1)}, "y is declared cr.one_hot(axis=1), and row 0, y[0, :], sums"),
        ({"y": cr.one_hot}, "call it: cr.one_hot(…)"),
        ({"y": cr.symmetric()}, "its matrices are 3×5, not square; declare what fits its shape"),
    ],
)
def test_a_declaration_that_makes_no_sense(domains: Any, says: str) -> None:
    with pytest.raises((cr.UsageError, cr.ShapeError)) as caught:
        cr.check(loss, gradient, at={"z": Z, "y": HOT}, wrt="z", domains=domains)
    assert says in str(caught.value)


def test_a_domain_of_places() -> None:
    """Of a list of arrays, every one is meant."""
    ws = [np.array([0.5, 0.5]), np.array([0.25, 0.75])]

    def total(ws, z):
        return np.sum(ws[0]) * z + np.sum(ws[1]) * z

    at = {"ws": ws, "z": 2.0}
    verdict = cr.check(
        total, lambda ws, z: 2.0, at=at, wrt="z", domains={"ws": cr.simplex(zeros=True)}
    )
    assert verdict.ok
    with pytest.raises(cr.UsageError, match=r"ws\[1\] is declared"):
        cr.check(
            total,
            lambda ws, z: 2.0,
            at={"ws": [ws[0], ws[1] * 2], "z": 2.0},
            wrt="z",
            domains={"ws": cr.simplex()},
        )


def test_formulas_have_positive_and_no_domains() -> None:
    d = cr.derive({"f": "x**2"}, of="f", wrt="x")
    with pytest.raises(cr.UsageError, match="domains= speaks of a function's code"):
        cr.check(d, "2*x", domains={"x": cr.positive()})
