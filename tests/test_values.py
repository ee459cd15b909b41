"""The interpreters of the graph's primitives answer for every operation, and for each other."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import sympy as sp
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.errors import ShapeError, UsageError
from chainrule.graph.functions import FUNCTIONS
from chainrule.graph.node import DEFINED, ELEMENTWISE, PRIMITIVES, Graph, Node, Size
from chainrule.values import certified, float64, jets, residues, running, structure
from chainrule.values.ball import Undecided, Undefined, exact, precision, reading_constants

OPERATIONS = {*PRIMITIVES, *DEFINED}


# -- totality ------------------------------------------------------------------------------------


@pytest.mark.parametrize("room", [float64, running, certified, jets])
def test_an_interpreter_has_a_rule_for_every_operation(room: Any) -> None:
    """No operation is missing, none is unknown, none is answered twice."""
    assert {*room.RULES} | room.GIVEN == OPERATIONS
    assert not room.GIVEN & {*room.RULES}


def test_residues_answer_for_every_operation() -> None:
    """Each operation has a rule, is taken apart, or is refused by name."""
    told = {*residues.RULES}, residues.EXPANDED, {*residues.REFUSED}, residues.GIVEN
    assert set().union(*told) == OPERATIONS
    assert residues.EXPANDED <= {*DEFINED}
    assert not residues.EXPANDED & {*residues.RULES}


# -- points of every function ----------------------------------------------------------------------

REAL = [0.4, -1.3, 2.75, -0.2]
POSITIVE = [0.4, 1.3, 2.75, 0.05]
UNIT = [0.4, -0.7, 0.05, -0.999]
#: Where a function of one or two arguments is smooth.
POINTS: dict[str, list[list[float]]] = {
    **{n: [POSITIVE] for n in ("log", "log2", "log10", "lgamma", "polygamma")},
    **{n: [UNIT] for n in ("arcsin", "arccos", "arctanh")},
    "log1p": [[0.4, -0.7, 1e-9, 3.5]],
    "arccosh": [[1.5, 3.0, 1.01, 20.0]],
    "pow": [POSITIVE, [1.5, -0.3, 2.25, 0.75]],
}
#: Edges of the domains, and ties; NumPy has a value there.
EDGES: dict[str, list[list[float]]] = {
    "abs": [[0.0, -0.0]],
    "sign": [[0.0, -0.0, -3.0]],
    "cbrt": [[0.0, -8.0, 1e-300]],
    "arcsin": [[1.0, -1.0]],
    "arccos": [[1.0, -1.0]],
    "arccosh": [[1.0]],
    "hypot": [[0.0, 3.0], [0.0, -4.0]],
    "maximum": [[1.0, -2.0], [1.0, 5.0]],
    "minimum": [[1.0, -2.0], [1.0, 5.0]],
    "arctan2": [[0.0, 0.0, 0.0, 2.0, -2.0, -1.0, 1.0], [0.0, -1.0, 1.0, 0.0, 0.0, -1.0, -1.0]],
    "logaddexp": [[1000.0, -1000.0], [1000.0, 3.0]],
    "expit": [[40.0, -40.0, -700.0]],
    "tanh": [[30.0, 1e-9]],
    "expm1": [[1e-12, -40.0]],
    "erfc": [[5.0, 20.0, -5.0]],
    "sinh": [[1e-9, 300.0]],
}
#: Where there is no real value.
OUTSIDE: dict[str, list[list[float]]] = {
    "log": [[0.0, -1.0]],
    "log2": [[0.0, -1.0]],
    "log10": [[0.0, -1.0]],
    "log1p": [[-1.0, -2.0]],
    "arcsin": [[1.5, -1.5]],
    "arccos": [[1.5, -1.5]],
    "arccosh": [[0.5, -2.0]],
    "arctanh": [[1.0, -1.0, 2.0]],
}


def points(name: str) -> list[list[float]]:
    """Arguments at which a function is smooth."""
    return POINTS.get(name, [REAL, REAL[::-1]][: FUNCTIONS[name].arity])


def called(g: Graph, name: str, *xs: Node) -> Node:
    """A function by name; polygamma of order 1."""
    return g.call(name, *xs, order=1 if name == "polygamma" else None)


def at(columns: list[list[float]]) -> tuple[Graph, list[Node], dict[str, np.ndarray]]:
    """A graph with an input for each column."""
    g = Graph()
    n = g.axis("n", len(columns[0]))
    xs = [g.input(f"x{k}", (n,)) for k in range(len(columns))]
    return g, xs, {f"x{k}": np.array(c) for k, c in enumerate(columns)}


def of(x: Any) -> arb:
    """A float as exactly what it is."""
    return exact(x.item() if isinstance(x, np.generic) else x)


@pytest.mark.parametrize("name", DEFINED)
def test_a_definition_is_numpys_function(name: str) -> None:
    """The definition, FLINT's own function and NumPy's agree, also at the edges of the domain."""
    for columns in [points(name), *([EDGES[name]] if name in EDGES else [])]:
        g, xs, values = at(columns)
        node = called(g, name, *xs)
        numpy = float64.function(name)(*values.values())
        with precision(2200):  # e⁷⁰⁰ + 1 − 1
            own, definition = certified.enclose([node, g.expanded(node)], values)
        for theirs, a, b in zip(numpy, own, definition, strict=True):
            assert a.overlaps(b)
            assert b.rad() < 1e-40 * max(abs(float(b.mid())), 1e-200)
            ulp = np.spacing(abs(float(a.mid())))
            assert abs(of(theirs) - a) <= max(FUNCTIONS[name].ulps, 0) * ulp + 0.0


@pytest.mark.parametrize("name", OUTSIDE)
def test_no_value_outside_the_domain(name: str) -> None:
    """Where NumPy has nan or inf, the value is certainly undefined, and the bound inf."""
    g, xs, values = at(OUTSIDE[name])
    node = g.call(name, *xs)
    with np.errstate(all="ignore"):
        assert not np.isfinite(float64.function(name)(*values.values())).any()
    for entry in [*certified.holed([node], values)[0]]:
        assert isinstance(entry, Undefined)
    assert np.isinf(float64.bounded([node], values)[0][1]).all()


X, Y = sp.symbols("x y", real=True)
#: What every function is in SymPy.
SYMPY: dict[str, Any] = {
    **{n: getattr(sp, n)(X) for n in ("exp", "log", "sin", "cos", "erf", "tan", "tanh", "sinh")},
    **{n: getattr(sp, n)(X) for n in ("cosh", "erfc", "sign")},
    **{f"arc{n}": getattr(sp, f"a{n}")(X) for n in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    "lgamma": sp.loggamma(X),
    "polygamma": sp.polygamma(1, X),
    "log1p": sp.log(1 + X),
    "expm1": sp.exp(X) - 1,
    "log2": sp.log(X) / sp.log(2),
    "log10": sp.log(X) / sp.log(10),
    "exp2": 2**X,
    "expit": 1 / (1 + sp.exp(-X)),
    "abs": sp.Abs(X),
    "cbrt": sp.sign(X) * sp.Abs(X) ** sp.Rational(1, 3),
    "maximum": sp.Max(X, Y),
    "minimum": sp.Min(X, Y),
    "logaddexp": sp.log(sp.exp(X) + sp.exp(Y)),
    "arctan2": sp.atan2(X, Y),
    "hypot": sp.sqrt(X**2 + Y**2),
    "pow": X**Y,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_slopes_are_sympys(name: str) -> None:
    """The function, its row's slopes, and its jets are SymPy's expression and its derivatives."""
    g, xs, values = at(points(name))
    node = called(g, name, *xs)
    columns = list(zip(*values.values(), strict=True))
    places = [dict(zip((X, Y), map(sp.Rational, map(float, c)), strict=False)) for c in columns]

    def agrees(found: np.ndarray, expression: sp.Expr) -> bool:
        wanted = [exact(sp.Rational(str(expression.subs(p).evalf(40)))) for p in places]
        pairs = zip(found, wanted, strict=True)
        return all(abs(a - b) < 1e-30 * (1 + abs(b)) for a, b in pairs)

    with precision(160):
        assert agrees(certified.enclose([node], values)[0], SYMPY[name])
        for k, symbol in enumerate((X, Y)[: FUNCTIONS[name].arity]):
            expected = sp.diff(SYMPY[name], symbol)
            slope = g.broadcast(FUNCTIONS[name].slopes[k](g, node, *xs), xs[0].shape)
            n = {"n": len(columns)}
            assert agrees(certified.enclose([slope], values, n)[0], expected)
            ones = {f"x{k}": np.ones(len(columns))}
            assert agrees(jets.enclose([node], values, ones)[0][1], expected)


# -- every operation, at several shapes ------------------------------------------------------------

Values = Mapping[str, np.ndarray]
Case = tuple[Callable[[Graph], Node], Values, Any]  # what is built, at what, NumPy's answer

SHAPES = [((), ()), ((0,), (0,)), ((1,), (3,)), ((3,), ()), ((2, 1), (2, 3)), ((2, 0), (1, 0))]
ARITHMETIC: dict[str, tuple[int, Callable[..., Any], Callable[..., Any]]] = {
    "add": (2, lambda g, a, b: g.add(a, b), np.add),
    "mul": (2, lambda g, a, b: g.mul(a, b), np.multiply),
    "div": (2, lambda g, a, b: g.div(a, b), np.divide),
    "neg": (1, lambda g, a: g.neg(a), np.negative),
    "power": (1, lambda g, a: g.power(a, -3), lambda a: a**-3.0),
    "less": (2, lambda g, a, b: g.less(a, b), np.less),
    "equal": (2, lambda g, a, b: g.equal(a, b), np.equal),
    "not": (2, lambda g, a, b: g.not_(g.less(a, b)), lambda a, b: ~(a < b)),
    "and": (
        2,
        lambda g, a, b: g.and_(g.less(a, b), g.less(b, g.number(2))),
        lambda a, b: (a < b) & (b < 2),
    ),
    "select": (
        2,
        lambda g, a, b: g.select(g.less(a, b), g.mul(a, b), b),
        lambda a, b: np.where(a < b, a * b, b),
    ),
    "floor": (1, lambda g, a: g.elementwise("floor", a), np.floor),
}


def inputs(g: Graph, values: Values) -> list[Node]:
    """An input for each value, of its very sizes."""
    return [
        g.input(k, tuple(map(Size.of, v.shape)), "f" if v.dtype.kind == "f" else "i")
        for k, v in values.items()
    ]


def elementwise_cases(name: str) -> list[Case]:
    """An elementwise operation at every pair of shapes."""
    if name in ARITHMETIC:
        arity, build, numpy = ARITHMETIC[name]
        columns = [REAL, REAL[::-1]]
    else:
        arity, columns = FUNCTIONS[name].arity, points(name)
        numpy = float64.digamma_like(1) if name == "polygamma" else float64.function(name)

        def build(g: Graph, *xs: Node) -> Node:
            return called(g, name, *xs)

    out: list[Case] = []
    for shapes in SHAPES:
        values = {f"x{k}": np.resize(np.array(columns[k]), shapes[k]) for k in range(arity)}
        out.append((lambda g, v=values: build(g, *inputs(g, v)), values, numpy(*values.values())))
    return out


RNG = np.random.default_rng(3)
A = RNG.normal(size=(2, 3, 4))
B = RNG.normal(size=(4, 3))
SQUARE = RNG.normal(size=(2, 3, 3))
RIGHT = RNG.normal(size=(2, 3, 2))
ONCE = np.array([2, 0])
TWICE = np.array([[1, -1], [1, 0]])


def case(build: Callable[..., Node], answer: Any, **values: np.ndarray) -> Case:
    """A case from a builder that takes the graph and the inputs."""
    return lambda g: build(g, *inputs(g, values)), values, answer


def scattered() -> np.ndarray:
    """What NumPy's add.at makes of B's first rows at TWICE."""
    out = np.zeros((3, 4))
    np.add.at(out, TWICE, A[:, :2])
    return out


def written(base: np.ndarray, where: Any, value: Any) -> np.ndarray:
    """A copy with a part assigned."""
    copy = base.copy()
    copy[where] = value
    return copy


S = Size.of
CASES: dict[str, list[Case]] = {
    **{name: elementwise_cases(name) for name in (*ELEMENTWISE, *FUNCTIONS)},
    "const": [
        (lambda g: g.number(Fraction(1, 3)), {}, 1 / 3),
        (lambda g: g.number("pi"), {}, np.pi),
        (lambda g: g.number("e"), {}, np.e),
        (lambda g: g.number(0.1), {}, 0.1),
        (lambda g: g.array(B), {}, B),
        (lambda g: g.array(TWICE), {}, TWICE),
        (lambda g: g.array(TWICE > 0), {}, TWICE > 0),
    ],
    "iota": [(lambda g, n=n: g.iota(n), {}, np.arange(n)) for n in (0, 1, 4)],
    "delta": [(lambda g, k=k: g.delta(2, 3, k), {}, np.eye(2, 3, k)) for k in (0, 1, -1, 5)],
    "size": [case(lambda g, x: g.sized(g.axis("n", 7)), 7, x=B)],
    "contract": [
        case(lambda g, a, b: g.einsum("ijk,kl->ijl", a, b), A @ B, a=A, b=B),
        case(lambda g, a, b: g.einsum("ijk,kj->", a, b), np.einsum("ijk,kj->", A, B), a=A, b=B),
        case(lambda g, a: g.transpose(a), A.T, a=A),
        case(lambda g, a: g.einsum("ijj->ij", a), np.einsum("ijj->ij", SQUARE), a=SQUARE),
        case(lambda g, a: g.sum(a, [0, 2]), A.sum((0, 2)), a=A),
        case(lambda g, a: g.sum(a, [0]), np.zeros(3), a=np.zeros((0, 3))),
        case(
            lambda g, a: g.contract(
                [],
                [],
            ),
            1,
            a=np.zeros(()),
        ),
    ],
    "reduce_mul": [
        case(lambda g, a: g.reduce("reduce_mul", a, [0, 2]), A.prod((0, 2)), a=A),
        case(lambda g, a: g.reduce("reduce_mul", a, [1]), np.ones(2), a=np.zeros((2, 0))),
        case(lambda g, a: g.reduce("reduce_mul", a, [0]), 0.0, a=np.array([2.0, 0.0, 3.0])),
    ],
    "reduce_max": [
        case(lambda g, a: g.reduce("reduce_max", a, [0, 2]), A.max((0, 2)), a=A),
        case(lambda g, a: g.reduce("reduce_max", a, [0]), np.zeros(0), a=np.zeros((2, 0))),
    ],
    "reshape": [case(lambda g, a: g.reshape(a, (4, 6)), A.reshape(4, 6), a=A)],
    "broadcast": [case(lambda g, b: g.broadcast(b, (2, 4, 3)), np.broadcast_to(B, (2, 4, 3)), b=B)],
    "index": [
        case(
            lambda g, a: g.index(
                a, (("at", S(1)), ("cut", S(2), -1, S(3)), ("cut", S(0), 2, S(2)))
            ),
            A[1, ::-1, ::2],
            a=A,
        ),
        case(lambda g, b: g.index(b, (("at", S(-1)), ("at", S(0)))), B[-1, 0], b=B),
        case(lambda g, b: g.index(b, (("cut", S(0), 1, S(0)), ("at", S(0)))), B[:0, 0], b=B),
    ],
    "put": [
        case(
            lambda g, b, v: g.put(b, v, (("cut", S(1), 2, S(2)), ("at", S(2)))),
            written(B, (slice(1, 4, 2), 2), [5.0, 6.0]),
            b=B,
            v=np.array([5.0, 6.0]),
        )
    ],
    "gather": [
        case(lambda g, b, i: g.gather(b, i), B[TWICE], b=B, i=TWICE),
        case(lambda g, b, i, j: g.gather(b, i, j), B[ONCE, ONCE], b=B, i=ONCE, j=ONCE),
        case(lambda g, b, i: g.gather(b, i), B[2], b=B, i=np.array(2)),
    ],
    "scatter_add": [
        case(lambda g, a, i: g.scatter_add(a, (3,), i), scattered(), a=A[:, :2], i=TWICE)
    ],
    "put_at": [
        case(
            lambda g, b, v, i: g.put_at(b, v, i),
            written(B, ONCE, A[0, :2, :3]),
            b=B,
            v=A[0, :2, :3],
            i=ONCE,
        )
    ],
    "concat": [
        case(lambda g, a, b: g.concat([a, b, a], 1), np.hstack([B, -B, B]), a=B, b=-B),
        case(lambda g, a, i: g.concat([a, i], 0), [0.5, 2.0, 0.0], a=np.array([0.5]), i=ONCE),
    ],
    "solve": [
        case(lambda g, a, b: g.solve(a, b), np.linalg.solve(SQUARE, RIGHT), a=SQUARE, b=RIGHT),
        case(lambda g, a: g.solve(a, a), np.zeros((0, 0)), a=np.zeros((0, 0))),
    ],
    "det": [
        case(lambda g, a: g.det(a), np.linalg.det(SQUARE), a=SQUARE),
        case(lambda g, a: g.det(a), 1.0, a=np.zeros((0, 0))),
        case(lambda g, a: g.det(a), 0.0, a=np.ones((2, 2))),
    ],
    "logdet": [case(lambda g, a: g.logdet(a), np.linalg.slogdet(SQUARE)[1], a=SQUARE)],
}


def test_every_operation_has_a_case() -> None:
    """The cases below leave nothing out."""
    assert {*CASES} == OPERATIONS - {"input"}


@pytest.mark.parametrize("name", CASES)
def test_float64_is_numpy_within_its_bound(name: str) -> None:
    """The value is NumPy's; certified values lie within a bound that is small."""
    for build, values, answer in CASES[name]:
        g = Graph()
        node = build(g)
        (value,) = float64.evaluate([node], values, g.env)
        ((same, bound),) = float64.bounded([node], values, g.env)
        with precision(200):
            (truth,) = certified.enclose([node], values, g.env)
        assert value.dtype == float64.DTYPES[node.kind] and same.dtype == value.dtype
        assert value.shape == np.shape(answer) == bound.shape == truth.shape == node.number_shape
        np.testing.assert_allclose(value, answer, rtol=1e-13, atol=1e-15)
        np.testing.assert_array_equal(value, same)
        for v, e, t in zip(value.flat, bound.flat, truth.flat, strict=True):
            assert not abs(of(v) - t) > of(e)
            assert e <= 1e-13 * (1 + abs(v))


@pytest.mark.parametrize("name", CASES)
def test_jets_are_the_slopes_of_certified_values(name: str) -> None:
    """Central differences at 400 bits are the derivative, but for their own error."""
    for build, values, _ in CASES[name]:
        g = Graph()
        node = build(g)
        rng = random.Random(name)
        way = {
            k: np.array([Fraction(rng.randint(-9, 9), 8) for _ in range(v.size)], object)
            for k, v in values.items()
            if v.dtype.kind == "f"
        }
        way = {k: d.reshape(values[k].shape) for k, d in way.items()}
        if name == "equal" and values["x0"].size:  # the points have no ties
            assert not np.any(values["x0"] == values["x1"])
        h = Fraction(1, 2**60)
        with precision(400):
            ((value, slope),) = jets.enclose([node], values, way, g.env)
            ends = []
            for step in (h, -h):
                moved = {
                    k: np.vectorize(Fraction, otypes=[object])(v) + step * way[k] if k in way else v
                    for k, v in values.items()
                }
                ends.append(certified.enclose([node], moved, g.env)[0])
            (truth,) = certified.enclose([node], values, g.env)
            for v, t in zip(value.flat, truth.flat, strict=True):
                assert v.overlaps(t)
            for d, a, b in zip(slope.flat, ends[0].flat, ends[1].flat, strict=True):
                gap = abs(d - (a - b) / (2 * exact(h)))
                assert gap < 1e-28 * (1 + abs(d)) or (name == "const" and d == 0)


# -- structure -----------------------------------------------------------------------------------


@st.composite
def contractions(draw: Any) -> tuple[list[list[int]], list[int], list[np.ndarray]]:
    """Labels of up to four arrays of integers, some twice, and any order of the result."""
    size = draw(st.lists(st.integers(0, 3), min_size=5, max_size=5))
    label = st.integers(0, 4)
    labels = draw(st.lists(st.lists(label, max_size=4), min_size=1, max_size=4))
    used = sorted({x for names in labels for x in names})
    out = draw(st.permutations(used))[: draw(st.integers(0, len(used)))]
    seed = draw(st.integers(0, 99))
    rng = np.random.default_rng(seed)
    arrays = [rng.integers(-9, 9, [size[x] for x in names]) for names in labels]
    return labels, list(out), arrays


@given(contractions())
@settings(max_examples=60)
def test_contractions_are_einsums(problem: Any) -> None:
    """Any labels, in int64, float64, balls and residues: exact on small integers."""
    labels, out, arrays = problem
    g = Graph()
    axes = {x: f"a{x}" for names in labels for x in names}
    xs = []
    for k, (names, a) in enumerate(zip(labels, arrays, strict=True)):
        shape = [g.axis(axes[x], n) for x, n in zip(names, a.shape, strict=True)]
        xs.append(g.input(f"x{k}", tuple(shape)))
    node = g.contract(labels, out, *xs)
    values = {f"x{k}": a for k, a in enumerate(arrays)}
    operands = [y for a, names in zip(arrays, labels, strict=True) for y in (a, names)]
    answer = np.einsum(*operands, out)
    ((value, bound),) = float64.bounded([node], values)
    np.testing.assert_array_equal(value, answer)
    assert np.all(bound <= 1e-8)
    for a, b in zip(certified.enclose([node], values)[0].flat, answer.flat, strict=True):
        assert a == int(b)
    over = residues.field(0)
    (found,) = residues.evaluate([node], values, over)
    np.testing.assert_array_equal(found, answer.astype(object) % over.p)


def test_a_label_twice_in_the_result_is_refused() -> None:
    """There is no such sum; a diagonal matrix is written with delta."""
    with pytest.raises(UsageError, match="twice"):
        structure.contract([[0]], [0, 0], [np.ones(2)], float64.KERNEL)


def test_memory_is_released_and_nothing_recurses() -> None:
    """A long chain keeps two values alive, and needs no stack."""
    g = Graph()
    x = g.input("x", ())
    one, node = g.number(1), x
    for _ in range(5000):
        node = g.add(node, one)
    alive: set[int] = set()
    most = 0

    class Value:
        def __init__(self, number: int) -> None:
            self.number = number
            alive.add(number)

        def __del__(self) -> None:
            alive.discard(self.number)

    def rule(node: Node, xs: list[Value]) -> Value:
        nonlocal most
        most = max(most, len(alive))
        return Value(node.number)

    structure.interpret([node], rule)
    assert most <= 4
    assert float64.evaluate([node], {"x": 0.5})[0] == 5000.5


def test_sizes_come_from_inputs_and_from_those_given() -> None:
    """An axis that was found to be another is known; one that nobody tells is named."""
    g = Graph()
    n, m = g.axis("n", 3), g.axis("m", 3)
    x, y = g.input("x", (n,)), g.input("y", (m,))
    total = g.add(x, y)  # n is m from here on
    assert float64.evaluate([g.iota(n), total], {"x": np.ones(5), "y": np.ones(5)})[0].size == 5
    lone = g.iota(g.axis("k", 2))
    assert certified.enclose([lone], {}, {"k": 4})[0].size == 4
    with pytest.raises(ShapeError, match="axis k"):
        float64.evaluate([lone], {})
    with pytest.raises(UsageError, match="no value was given for y"):
        float64.evaluate([total], {"x": np.ones(5)})
    with pytest.raises(ShapeError):
        certified.enclose([total], {"x": np.ones(5), "y": np.ones(4)})


def test_results_are_fresh_arrays() -> None:
    """Writing into a result changes no input."""
    g = Graph()
    x = g.input("x", (g.axis("n", 2),))
    given_x = np.ones(2)
    (out,) = float64.evaluate([x], {"x": given_x})
    out[0] = 9.0
    assert given_x[0] == 1.0


# -- the running error on random graphs ------------------------------------------------------------

SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 1e-300, 5e-324, 1e150, -1e-160, 1e-17, 700.0, -745.0)
EXPONENTS = (0, 2, 3, -1, -2, Fraction(1, 2), Fraction(-1, 2), Fraction(1, 3), Fraction(-7, 10))
UNARY = [n for n, f in FUNCTIONS.items() if f.arity == 1 and n != "polygamma"]
BINARY = [n for n, f in FUNCTIONS.items() if f.arity == 2]


def _spec(r: random.Random, a: Node) -> tuple[Any, ...]:
    return tuple(("at", S(0)) if r.random() < 0.4 else ("cut", s - 1, -1, s) for s in a.shape)


def _contract(g: Graph, r: random.Random, *xs: Node) -> Node:
    xs = xs[: r.randint(1, 3)]
    labels = [[r.randrange(3) for _ in x.shape] for x in xs]
    used = sorted({n for names in labels for n in names})
    return g.contract(labels, [n for n in used if r.random() < 0.5], *xs)


def _put(g: Graph, r: random.Random, a: Node, b: Node, c: Node) -> Node:
    spec = _spec(r, a)
    return g.put(a, g.broadcast(b, g.cut_shape(spec)), spec)


def _reduce(g: Graph, r: random.Random, a: Node, b: Node, c: Node) -> Node:
    axes = [k for k in range(a.ndim) if r.random() < 0.6]
    return g.reduce(r.choice(["reduce_mul", "reduce_max"]), a, axes) if axes else g.neg(a)


def _is_largest(g: Graph, r: random.Random, a: Node) -> Node:
    if not a.ndim:
        raise ShapeError("no axis")
    axis = r.randrange(a.ndim)
    top = g.reduce("reduce_max", a, [axis])
    spread = g.reshape(
        top, [S(1) if k == r.choice([axis, 0]) else n for k, n in enumerate(a.shape)]
    )
    return g.equal(a, spread)


def _matrix(g: Graph, r: random.Random, a: Node, b: Node, c: Node) -> Node:
    if a.ndim != 2 or b.ndim != 2:
        raise ShapeError("no matrices")
    return g.solve(a, b) if r.random() < 0.6 else r.choice([g.det, g.logdet])(a)


STEPS: tuple[Callable[..., Node], ...] = (
    lambda g, r, a, b, c: g.call(r.choice(UNARY), a),
    lambda g, r, a, b, c: g.call(r.choice(UNARY), a),
    lambda g, r, a, b, c: g.call(r.choice(BINARY), a, b),
    lambda g, r, a, b, c: r.choice([g.add, g.sub, g.mul, g.div])(a, b),
    lambda g, r, a, b, c: r.choice([g.add, g.sub, g.mul, g.div])(a, b),
    lambda g, r, a, b, c: g.power(a, r.choice(EXPONENTS)),
    lambda g, r, a, b, c: g.select(r.choice([g.less, g.equal])(a, c), a, b),
    lambda g, r, a, b, c: g.not_(g.and_(g.less(a, b), g.less_equal(b, c))),
    lambda g, r, a, b, c: g.elementwise("floor", a),
    lambda g, r, a, b, c: g.call("polygamma", a, order=r.randrange(3)),
    lambda g, r, a, b, c: g.index(a, _spec(r, a)),
    lambda g, r, a, b, c: g.concat([a, g.broadcast(b, a.shape)], a.ndim - 1),
    lambda g, r, a, b, c: _is_largest(g, r, g.call(r.choice(UNARY), a)),
    _contract,
    _contract,
    _put,
    _reduce,
    _matrix,
)


def random_graph(seed: int) -> tuple[list[Node], dict[str, np.ndarray], dict[str, int]]:
    """Nodes of a random graph, values of its inputs (odd seeds: extreme ones), its sizes."""
    r = random.Random(seed)
    g = Graph({"n": r.choice([1, 2, 3]), "m": r.choice([1, 2, 4])})
    n, m = Size.axis("n"), Size.axis("m")
    leaves = [
        g.input(f"x{k}", r.choice([(), (n,), (n, m), (m, n), (m, m), (S(1), m)])) for k in range(3)
    ]
    pool = [*leaves, g.number(Fraction(r.randint(-9, 9), r.randint(1, 9))), g.number("pi")]
    pool += [g.number(0.1), g.number(3), g.delta(m, m), g.iota(n), g.sized(n)]
    for _ in range(r.randint(3, 14)):
        three = (r.choice(pool[-6:] if r.random() < 0.6 else pool) for _ in range(3))
        try:
            pool.append(r.choice(STEPS)(g, r, *three))
        except (ShapeError, np.exceptions.AxisError, IndexError):
            continue
    values = {}
    for x in leaves:
        entries = [
            r.choice(SPECIAL) if seed % 2 and r.random() < 0.5 else r.gauss(0, 1)
            for _ in range(int(np.prod(x.number_shape)))
        ]
        values[x.params[0]] = np.array(entries, np.float64).reshape(x.number_shape)
    sizes = {k: v for k, v in g.env.items() if k not in g.axes}
    return [p for p in pool if p not in leaves], values, sizes


def faults(seed: int) -> list[str]:
    """Where a bound of a random graph does not hold."""
    nodes, values, sizes = random_graph(seed)
    with precision(200):
        truths = certified.holed(nodes, values, sizes)
    out = []
    pairs = zip(nodes, float64.bounded(nodes, values, sizes), truths, strict=True)
    for node, (value, bound), truth in pairs:
        assert value.shape == truth.shape == node.number_shape
        for v, e, t in zip(value.flat, bound.flat, truth.flat, strict=True):
            if isinstance(t, Undecided) or np.isinf(e):
                continue
            if isinstance(t, Undefined) or abs(of(v) - t) > of(e):
                out.append(f"{node}: {v} ± {e}, and the truth is {t}")
    return out


@pytest.mark.parametrize("block", range(4))
def test_the_truth_is_within_the_bound(block: int) -> None:
    """At random and extreme points: no bound is broken, no undefined value is bounded."""
    for seed in range(1000 * block, 1000 * block + 40):
        assert faults(seed) == [], seed


@given(st.integers(0, 2**32))
@settings(max_examples=60)
def test_the_truth_is_within_the_bound_of_any_graph(seed: int) -> None:
    """The same for graphs of Hypothesis's choice."""
    assert faults(seed) == []


@pytest.mark.parametrize("op", ["mul", "add", "exp", "contract", "div", "select", "tanh"])
def test_a_wrong_bound_is_noticed(op: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one rule's error, the tests above fail."""
    none = lambda node, y, x, e, sizes: np.zeros(y.shape)  # noqa: E731
    monkeypatch.setitem(running.RULES, op, none)
    assert any(faults(seed) for seed in range(200))


# -- the running error, case by case ---------------------------------------------------------------


def bound_of(build: Callable[..., Node], *values: float) -> tuple[Any, float]:
    """Value and bound of a scalar graph."""
    g = Graph()
    xs = [g.input(f"x{k}", ()) for k in range(len(values))]
    given_values = {f"x{k}": v for k, v in enumerate(values)}
    ((value, bound),) = float64.bounded([build(g, *xs)], given_values)
    return value[()], float(bound)


def test_what_is_exact_has_the_bound_zero() -> None:
    """Small integers in floats, powers of two, a difference of near numbers."""
    assert bound_of(lambda g, a, b: g.add(a, b), 3.0, 4.0) == (7.0, 0.0)
    assert bound_of(lambda g, a, b: g.mul(a, b), 0.1, 0.25) == (0.025, 0.0)
    assert bound_of(lambda g, a, b: g.sub(a, b), 0.3, 0.1)[1] <= 2.0**-54
    assert bound_of(lambda g, a: g.call("maximum", a, g.neg(a)), 0.1) == (0.1, 0.0)
    assert bound_of(lambda g: g.number(Fraction(3, 4))) == (0.75, 0.0)
    assert 0 < bound_of(lambda g: g.number(Fraction(1, 3)))[1] <= 2.0**-54
    assert bound_of(lambda g: g.number(0.1))[1] >= 4 * np.spacing(0.1)


def test_what_cannot_be_told_is_inf() -> None:
    """Overflow, a domain that may be left, a denominator that may be 0, int64 left."""
    third = lambda g, a: g.sub(a, g.number(Fraction(1, 3)))  # noqa: E731
    assert bound_of(lambda g, a: g.call("exp", a), 1000.0)[1] == np.inf
    assert bound_of(lambda g, a: g.mul(a, a), 1e200)[1] == np.inf
    assert bound_of(lambda g, a: g.div(a, third(g, a)), 1 / 3)[1] == np.inf
    assert bound_of(lambda g, a: g.power(third(g, a), Fraction(1, 2)), 1 / 3)[1] == np.inf
    assert bound_of(lambda g, a: g.call("log", third(g, a)), 1 / 3)[1] == np.inf
    assert bound_of(lambda g: g.power(g.number(3), 50))[1] == np.inf
    assert bound_of(lambda g, a: g.call("sin", g.call("log", a)), -1.0)[1] == np.inf
    assert bound_of(lambda g: g.logdet(g.array(np.ones((2, 2)))))[1] == np.inf


def test_a_comparison_that_cannot_be_told_goes_on() -> None:
    """It is 0 or 1, and a selection by it has the hull of both branches."""

    def unsure(g: Graph, a: Node) -> Node:
        return g.less(g.number(Fraction(1, 3)), a)

    assert bound_of(unsure, 1 / 3)[1] == 1.0
    assert bound_of(unsure, 0.5)[1] == 0.0
    value, bound = bound_of(lambda g, a: g.select(unsure(g, a), a, g.number(Fraction(5))), 1 / 3)
    assert abs(value - 5) <= bound and abs(value - 1 / 3) <= bound < 5
    value, bound = bound_of(lambda g, a: g.select(unsure(g, a), a, g.call("log", g.neg(a))), 1 / 3)
    assert bound == np.inf


def test_the_largest_entry_is_told_among_rough_ones() -> None:
    """x = max x is certain where one entry leads, though x has errors; not across other axes."""
    g = Graph()
    n = g.axis("n", 2)
    x = g.call("exp", g.input("x", (n, n)))
    top = g.reduce("reduce_max", x, [1])
    along, across = g.reshape(top, (n, 1)), g.reshape(top, (1, n))
    masks = [g.equal(x, along), g.equal(g.broadcast(along, (n, n)), x), g.equal(x, across)]
    values = {"x": [[1.0, 2.0], [2.0, 3.0]]}
    told, turned, other = float64.bounded(masks, values)
    assert told[0].tolist() == [[False, True], [False, True]] == turned[0].tolist()
    assert not told[1].any() and not turned[1].any()
    assert other[1].tolist() == [[0, 0], [1, 1]]  # those of another row
    assert float64.bounded(masks, {"x": [[2.0, 2.0], [2.0, 3.0]]})[0][1].tolist() == [
        [1, 1],
        [0, 0],
    ]


def test_underflow_is_bounded() -> None:
    """A product that underflows to 0 is off by something."""
    value, bound = bound_of(lambda g, a: g.mul(a, a), 1e-200)
    assert value == 0.0 and 0 < bound < 1e-300
    value, bound = bound_of(lambda g, a, b: g.mul(g.mul(a, a), b), 1e-170, 1e308)
    assert abs(value - 1e-32) <= bound


@pytest.mark.parametrize("widths", [(1, 6, 7, 2), (8, 32, 32, 8)])
@pytest.mark.parametrize("act", ["expit", "tanh"])
def test_bounds_of_a_network_are_tight(widths: tuple[int, ...], act: str) -> None:
    """At most about a thousand times the largest real error of a layer."""
    g, rng = Graph(), np.random.default_rng(0)
    a = g.input("x", (g.axis("n0", widths[0]), g.axis("N", 5)))
    values = {"x": rng.normal(size=(widths[0], 5))}
    for k, (p, q) in enumerate(pairwise(widths), 1):
        w = g.input(f"W{k}", (g.axis(f"n{k}", q), a.shape[0]))
        b = g.input(f"b{k}", (Size.axis(f"n{k}"), S(1)))
        values |= {f"W{k}": rng.normal(size=(q, p)), f"b{k}": rng.normal(size=(q, 1))}
        a = g.call(act, g.add(g.einsum("ij,jk->ik", w, a), b))
    ((value, bound),) = float64.bounded([a], values)
    with precision(120):
        (truth,) = certified.enclose([a], values)
    off = [abs(of(v) - t) for v, t in zip(value.flat, truth.flat, strict=True)]
    assert all(o <= of(e) for o, e in zip(off, bound.flat, strict=True))
    assert bound.max() <= 1000 * max(float(o) for o in off)


# -- balls ---------------------------------------------------------------------------------------


def test_an_undefined_branch_does_no_harm() -> None:
    """`select` looks at the branch that it takes; a sum over a hole is a hole."""
    g = Graph()
    x = g.input("x", (g.axis("n", 3),))
    log, zero = g.call("log", x), g.number(0)
    values = {"x": [-1, 0, 3]}
    safe = g.select(g.less(zero, x), log, zero)
    assert certified.enclose([g.sum(safe, [0])], values)[0][()].contains(arb(3).log())
    (sums,) = certified.holed([g.einsum("i,j->i", log, x)], values)
    assert [type(s) for s in sums] == [Undefined, Undefined, arb]
    with pytest.raises(Undefined, match="log"):
        certified.enclose([g.sum(log, [0])], values)
    with pytest.raises(Undefined):  # a hole is not equal to itself
        certified.enclose([g.equal(log, log)], values)


def test_a_comparison_is_certain_or_undecided() -> None:
    """exp(log 3) is not told from 3; an entry that was picked is itself."""
    g = Graph()
    x = g.input("x", (g.axis("n", 3),))
    back = g.call("exp", g.call("log", x))
    with pytest.raises(Undecided):
        certified.enclose([g.less(back, x)], {"x": [1, 2, 3]})
    largest = g.reduce("reduce_max", back, [0])
    (where,) = certified.enclose([g.equal(back, largest)], {"x": [1, 5, 3]})
    assert [v == 1 for v in where] == [False, True, False]
    ties = {"x": np.full(3, arb(2, 0.5), object)}  # one ball, three unknown numbers
    with pytest.raises(Undecided):
        certified.enclose([g.equal(x, g.reduce("reduce_max", x, [0]))], ties)


def test_certified_inputs_are_exact() -> None:
    """Fractions and integers are what they are; other things are refused."""
    g = Graph()
    x = g.input("x", (g.axis("n", 2),))
    (three,) = certified.enclose([g.mul(x, g.number(3))], {"x": [Fraction(1, 3), 2**70]})
    assert three[0].contains(1) and three[1] == 3 * 2**70
    i = g.input("i", (), "i")
    for wrong in ("a", np.nan, 1j):
        with pytest.raises(UsageError):
            certified.enclose([x], {"x": [wrong, 1]})
    with pytest.raises(UsageError, match="integers"):
        certified.enclose([i], {"i": 0.5})
    with pytest.raises(UsageError, match="integers"):
        float64.evaluate([i], {"i": 0.5})
    with pytest.raises(UsageError, match="dtype"):
        float64.evaluate([i], {"i": 1j})


def test_constants_of_code_are_read_with_an_uncertainty() -> None:
    """A `near` constant is ±4 ulp and is noted; a short binary fraction and π are exact."""
    g = Graph()
    near, short, pi = g.number(0.1), g.number(0.5), g.number("pi")
    with reading_constants() as seen, precision(200):
        tenth, half, circle = (v[()] for v in certified.enclose([near, short, pi], {}))
    assert tenth.contains(arb(1) / 10) and 4 * np.spacing(0.1) <= float(tenth.rad()) < 1e-15
    assert half == 0.5 and list(seen) == [0.1]
    with precision(200):
        assert circle.overlaps(arb.pi()) and circle.rad() < 1e-50


@pytest.mark.parametrize("op", ["solve", "logdet"])
def test_singular_matrices(op: str) -> None:
    """Exactly singular: undefined. Singular but for rounding: undecided."""
    g = Graph()
    n = g.axis("n", 2)
    a = g.input("a", (n, n))
    build = (lambda x: g.solve(x, x)) if op == "solve" else g.logdet
    with pytest.raises(Undefined, match="singular"):
        certified.enclose([build(a)], {"a": [[1, 2], [2, 4]]})
    with pytest.raises(Undecided, match="singular"):
        certified.enclose([build(g.call("exp", a))], {"a": [[0, 1], [1, 2]]})


def test_a_hole_in_the_right_side_stays_in_its_column() -> None:
    """The other columns of a solution are there; a hole in the matrix leaves nothing."""
    g = Graph()
    n = g.axis("n", 2)
    a, b = g.input("a", (n, n)), g.input("b", (n, n))
    values = {"a": [[2, 1], [1, 3]], "b": [[1, -1], [1, 1]]}
    found, nothing = certified.holed(
        [g.solve(a, g.call("log", b)), g.solve(g.call("log", b), a)], values
    )
    assert [type(v) for v in found.flat] == [arb, Undefined] * 2
    assert all(isinstance(v, Undefined) for v in nothing.flat)


def test_an_index_out_of_range_is_undefined() -> None:
    """In balls; in float64 it is NumPy's IndexError."""
    g = Graph()
    x, i = g.input("x", (g.axis("n", 3),)), g.input("i", (), "i")
    values = {"x": [1.0, 2.0, 3.0], "i": 3}
    with pytest.raises(Undefined, match="out of range"):
        certified.enclose([g.gather(x, i)], values)
    with pytest.raises(IndexError):
        float64.evaluate([g.gather(x, i)], values)
    whole = g.index(x, (("cut", S(0), 1, S(3)),))
    with pytest.raises(ShapeError, match="cut"):
        float64.evaluate([whole], {"x": [1.0]})


# -- jets ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "build, point",
    [
        (lambda g, x: g.call("abs", x), 0),
        (lambda g, x: g.call("maximum", x, g.number(0)), 0),
        (lambda g, x: g.elementwise("floor", x), 2),
        (lambda g, x: g.select(g.less(x, g.number(1)), x, g.power(x, 2)), 1),
        (lambda g, x: g.reduce("reduce_max", g.concat([g.reshape(x, (1,))] * 2, 0), [0]), 1),
        (lambda g, x: g.power(x, Fraction(1, 2)), 0),
        (lambda g, x: g.call("hypot", x, x), 0),
    ],
)
def test_no_derivative_at_a_kink(build: Any, point: int) -> None:
    """The value is there, the derivative is a hole; beside the kink it is there."""
    g = Graph()
    x = g.input("x", ())
    node = build(g, x)
    ((value, slope),) = jets.holed([node], {"x": point}, {"x": 1})
    assert isinstance(value[()], arb)
    if node.op == "reduce_max":  # one entry twice: it moves as one
        assert slope[()] == 1
        return
    assert isinstance(slope[()], (Undefined, Undecided))
    with pytest.raises((Undefined, Undecided)):
        jets.enclose([node], {"x": point}, {"x": 1})
    assert jets.enclose([node], {"x": point + Fraction(1, 9)}, {"x": 1})[0][1][()].is_finite()
    assert jets.enclose([node], {"x": point}, {})[0][1][()] == 0  # nothing moves


def test_the_largest_of_equal_numbers_has_no_derivative() -> None:
    """Two inputs that tie; one that leads."""
    g = Graph()
    x = g.input("x", (g.axis("n", 3),))
    top = g.reduce("reduce_max", x, [0])
    way = {"x": [1, 2, 3]}
    with pytest.raises(Undecided, match="largest"):
        jets.enclose([top], {"x": [5, 5, 1]}, way)
    assert jets.enclose([top], {"x": [5, 6, 1]}, way)[0][1][()] == 2
    mask = g.equal(x, top)
    assert [v == 0 for v in jets.enclose([mask], {"x": [5, 6, 1]}, way)[0][1]] == [True] * 3


def test_directions_fit() -> None:
    """A direction has its input's shape, and integers have none."""
    g = Graph()
    x, i = g.input("x", (g.axis("n", 3),)), g.input("i", (), "i")
    with pytest.raises(UsageError, match="shape"):
        jets.enclose([x], {"x": [1, 2, 3]}, {"x": [1]})
    with pytest.raises(UsageError, match="direction"):
        jets.enclose([i], {"i": 1}, {"i": 1})


# -- residues --------------------------------------------------------------------------------------


def agree(left: Callable[..., Node], right: Callable[..., Node], seed: int = 0) -> bool:
    """Whether two scalar graphs of x, y have one residue."""
    g, over = Graph(), residues.field(seed)
    x, y = g.input("x", ()), g.input("y", ())
    a, b = residues.evaluate([left(g, x, y), right(g, x, y)], residues.draw([x, y], {}, over), over)
    return bool(a == b)


def exp(g: Graph, x: Node) -> Node:
    """e^x."""
    return g.call("exp", x)


TRUE: list[tuple[Callable[..., Node], Callable[..., Node]]] = [
    (lambda g, x, y: g.mul(exp(g, x), exp(g, y)), lambda g, x, y: exp(g, g.add(x, y))),
    (
        lambda g, x, y: g.sub(g.number(1), g.power(g.call("tanh", x), 2)),
        lambda g, x, y: g.power(g.call("cosh", x), -2),
    ),
    (
        lambda g, x, y: g.call("expit", g.neg(x)),
        lambda g, x, y: g.sub(g.number(1), g.call("expit", x)),
    ),
    (
        lambda g, x, y: g.mul(g.call("pow", x, y), x),
        lambda g, x, y: g.mul(x, g.call("exp", g.mul(y, g.call("log", x)))),
    ),
    (lambda g, x, y: exp(g, g.number(1)), lambda g, x, y: g.number("e")),
    (lambda g, x, y: g.number(0.5), lambda g, x, y: g.number(Fraction(1, 2))),
    (
        lambda g, x, y: exp(g, exp(g, g.add(x, y))),
        lambda g, x, y: exp(g, exp(g, g.add(y, x))),
    ),
    (
        lambda g, x, y: g.sub(g.power(x, 2), g.power(y, 2)),
        lambda g, x, y: g.mul(g.sub(x, y), g.add(x, y)),
    ),
]
FALSE: list[tuple[Callable[..., Node], Callable[..., Node]]] = [
    (lambda g, x, y: g.power(exp(g, x), 2), lambda g, x, y: exp(g, g.power(x, 2))),
    (lambda g, x, y: exp(g, x), lambda g, x, y: exp(g, y)),
    (lambda g, x, y: exp(g, g.mul(x, y)), lambda g, x, y: g.mul(exp(g, x), exp(g, y))),
    (lambda g, x, y: g.call("sin", x), lambda g, x, y: g.call("cos", x)),
    (lambda g, x, y: g.call("log", g.neg(x)), lambda g, x, y: g.call("log", x)),
    (
        lambda g, x, y: g.call("polygamma", x, order=1),
        lambda g, x, y: g.call("polygamma", x, order=2),
    ),
    (lambda g, x, y: g.number(0.1), lambda g, x, y: g.number(Fraction(1, 10))),
    (lambda g, x, y: g.number("pi"), lambda g, x, y: g.number(float(np.pi))),
]


@pytest.mark.parametrize("k", range(len(TRUE)))
@pytest.mark.parametrize("seed", range(3))
def test_identities_agree(k: int, seed: int) -> None:
    """Rational identities, and exp's law inside of any of them."""
    assert agree(*TRUE[k], seed)


@pytest.mark.parametrize("k", range(len(FALSE)))
@pytest.mark.parametrize("seed", range(3))
def test_what_is_different_differs(k: int, seed: int) -> None:
    """Over every seed: no luck is needed."""
    assert not agree(*FALSE[k], seed)


ROOT = Fraction(1, 2)


@pytest.mark.parametrize("seed", range(3))
def test_roots_and_steps_stay_symbols(seed: int) -> None:
    """None is given a random value: what holds for both signs, or in all cells, agrees."""
    one = lambda g, x: g.select(g.less(x, g.number(0)), g.number(-1), g.number(1))  # noqa: E731
    true = [
        (lambda g, x, y: g.power(g.power(x, ROOT), 2), lambda g, x, y: x),
        (lambda g, x, y: g.select(g.less(x, y), x, x), lambda g, x, y: x),
        (lambda g, x, y: g.call("abs", x), lambda g, x, y: g.mul(x, one(g, x))),
        (
            lambda g, x, y: g.call("maximum", x, y),
            lambda g, x, y: g.neg(g.call("minimum", g.neg(x), g.neg(y))),
        ),
    ]
    false = [
        (lambda g, x, y: g.power(g.power(x, 2), ROOT), lambda g, x, y: x),
        (lambda g, x, y: g.power(g.power(x, 2), ROOT), lambda g, x, y: g.neg(x)),
        (
            lambda g, x, y: g.mul(g.power(x, ROOT), g.power(y, ROOT)),
            lambda g, x, y: g.neg(g.power(g.mul(x, y), ROOT)),
        ),
        (lambda g, x, y: g.call("abs", x), lambda g, x, y: x),
        (lambda g, x, y: g.call("sign", x), lambda g, x, y: g.call("sign", y)),
        (lambda g, x, y: g.elementwise("floor", x), lambda g, x, y: x),
        (lambda g, x, y: g.call("hypot", x, y), lambda g, x, y: g.call("arctan2", x, y)),
        (lambda g, x, y: g.call("cbrt", x), lambda g, x, y: g.power(x, Fraction(1, 3))),
    ]
    assert all(agree(a, b, seed) for a, b in true)
    assert not any(agree(a, b, seed) for a, b in false)


@pytest.mark.parametrize(
    "name, build",
    [
        ("div", lambda g, x, y: g.div(x, g.sub(y, y))),
        ("solve", lambda g, x, y: g.solve(*[g.broadcast(x, (2, 2))] * 2)),
        ("div", lambda g, x, y: g.div(y, g.sub(g.power(g.mul(x, x), ROOT), x))),
    ],
)
def test_what_divides_zero_is_refused_by_name(name: str, build: Any) -> None:
    """√(x²) − x is 0 for some x and not for others: nothing is divided by it."""
    with pytest.raises(residues.NoResidue) as refused:
        agree(build, lambda g, x, y: x)
    assert refused.value.op == name


def test_integers_are_themselves() -> None:
    """Masks of positions, indices and largest positions are exact, not residues."""
    g, over = Graph({"n": 3}), residues.field(1)
    n = Size.axis("n")
    x, i = g.input("x", (n,)), g.input("i", (Size.of(2),), "i")
    values = residues.draw([x], {"n": 3}, over) | {"i": [2, -1]}
    place = g.iota(n)
    masked, taken, top, sizes = residues.evaluate(
        [
            g.select(g.less(place, g.number(1)), g.neg(x), x),
            g.gather(x, i),
            g.reduce("reduce_max", place, [0]),
            g.mul(g.sized(n), place),
        ],
        values,
        over,
    )
    mod = [int(v) % over.p for v in values["x"]]
    assert list(masked) == [over.p - mod[0], mod[1], mod[2]]
    assert list(taken) == [mod[2], mod[2]] and top == 2 and list(sizes) == [0, 3, 6]
    with pytest.raises(UsageError, match="integers"):
        residues.draw([i], {}, over)


#: Operations that make integers of integers.
WHOLE = (
    *("const", "size", "iota", "delta", "add", "mul", "neg", "contract", "reduce_mul", "det"),
    *structure.MOVES,
)


@pytest.mark.parametrize("name", WHOLE)
def test_residues_of_integers_are_their_values(name: str) -> None:
    """Where the value is an integer for certain, its residue is that integer's."""
    over, compared = residues.field(4), 0
    for build, values, _ in CASES[name]:
        g = Graph()
        node = build(g)
        whole = {k: np.rint(4 * v) if v.dtype.kind == "f" else v for k, v in values.items()}
        with precision(200):
            (truth,) = certified.enclose([node], whole, g.env)
        (found,) = residues.evaluate([node], whole, over, g.env)
        assert found.shape == truth.shape
        for r, t in zip(found.flat, truth.flat, strict=True):
            n = t.unique_fmpz()
            if n is not None:
                assert (r - int(n)) % over.p == 0
                compared += 1
    assert compared


def test_linear_algebra_modulo_a_prime() -> None:
    """A(A⁻¹B) = B, det AB = det A det B."""
    g, over = Graph({"n": 3}), residues.field(2)
    n = Size.axis("n")
    a, b = g.input("a", (n, n)), g.input("b", (n, n))
    back = g.einsum("ij,jk->ik", a, g.solve(a, b))
    both = g.det(g.einsum("ij,jk->ik", a, b))
    found = residues.evaluate(
        [back, b, both, g.mul(g.det(a), g.det(b)), g.logdet(a), g.logdet(b)],
        residues.draw([a, b], {"n": 3}, over),
        over,
    )
    assert (found[0] == found[1]).all() and found[2] == found[3] and found[4] != found[5]


def test_fields_are_of_safe_primes() -> None:
    """p and q are prime, g has order q, and seeds give other ones."""
    fields = [residues.field(k) for k in range(3)]
    for f in fields:
        assert sp.isprime(f.p) and sp.isprime(f.q) and f.p == 2 * f.q + 1 < 2**63
        assert f.g != 1 and pow(f.g, f.q, f.p) == 1
    assert len({f.p for f in fields}) == 3


def test_exact_values_are_read_exactly() -> None:
    """A Fraction and the float of the same value have one residue."""
    g, over = Graph(), residues.field(0)
    x = g.input("x", ())
    a, b = (residues.evaluate([x], {"x": v}, over)[0] for v in (0.375, Fraction(3, 8)))
    assert a == b and a * 8 % over.p == 3
