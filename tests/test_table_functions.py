"""Rows of functions are what NumPy does: at every shape, layout and size, with NumPy's kinds."""

from __future__ import annotations

import inspect
import math
import operator
import warnings
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chainrule.code.table.page import printed
from chainrule.code.table.row import ROWS, Row, Sample, Unsupported, find, row
from chainrule.errors import ShapeError
from chainrule.graph.derivative.adjoint import reverse
from chainrule.graph.node import Graph, Node, reached
from chainrule.graph.sizes import Size
from chainrule.values.float64 import evaluate

special: Any
linear: Any
try:
    from scipy import linalg as linear
    from scipy import special
except ImportError:
    special = linear = None
needs_scipy = pytest.mark.skipif(special is None, reason="SciPy is not installed")

OURS = (
    *("elementwise", "choice", "logic", "scalars", "special", "reductions", "moments", "running"),
    *("products", "einsum", "norms", "linalg"),
)
FAMILY = [r for r in ROWS if r.build.__module__.rpartition(".")[2] in OURS and not r.refused]
KINDS = {"b": "b", "i": "i", "u": "i", "f": "f"}
LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "C": lambda a: np.array(a, order="C"),
    "Fortran": lambda a: np.array(a, order="F"),
    "negative strides": lambda a: np.flip(np.array(np.flip(a), order="C")),
}


def drawn(shape: tuple[int, ...], domain: str, rng: np.random.Generator) -> np.ndarray:
    """An array of a sample's domain."""
    if domain == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if domain == "integers":
        return rng.integers(-2, 3, shape)
    if domain == "regular":
        return rng.uniform(-1, 1, shape) + 4 * np.eye(shape[-1])
    low, high = {
        "real": (-2.0, 2.0),
        "positive": (0.2, 3.0),
        "unit": (-0.95, 0.95),
        "share": (0.05, 0.95),
        "above one": (1.1, 3.0),
        "nonzero": (0.3, 2.0),
    }[domain]
    sign = rng.choice([-1.0, 1.0], shape) if domain == "nonzero" else 1.0
    return np.asarray(rng.uniform(low, high, shape) * sign)


class Call:
    """A sample as a graph with symbolic sizes, and as calls of the real function.

    `shapes` lists the shapes of the arrays drawn; every axis but those of size 1 has its own name.
    """

    def __init__(self, row: Row, sample: Sample) -> None:
        self.row, self.sample = row, sample
        self.domains = [d.strip() for d in sample.domain.split(",")]
        self.shapes: list[tuple[int, ...]] = []
        self.graph = Graph()
        self.inputs: list[Node] = []
        self.nodes = self._built()

    def _operand(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._operand(v) for v in value]
        if not isinstance(value, tuple):
            return None if value is None else self.graph.number(exact(value))
        k = len(self.shapes)
        self.shapes.append(value)
        axes = [
            Size.of(1) if n == 1 else self.graph.axis(f"a{k}_{axis}", n)
            for axis, n in enumerate(value)
        ]
        kind = {"bool": "b", "integers": "i"}.get(self.domain(k), "f")
        self.inputs.append(self.graph.input(f"x{k}", tuple(axes), kind))  # type: ignore[arg-type]
        return self.inputs[-1]

    def domain(self, k: int) -> str:
        """Where the entries of array k lie."""
        return self.domains[min(k, len(self.domains) - 1)]

    def _given(self, operand: Callable[[Any], Any]) -> tuple[list[Any], dict[str, Any]]:
        """The sample's arguments and options, with `operand` at what are operands."""
        parameters = list(inspect.signature(self.row.build).parameters.values())[1:]
        star = [p for p in parameters if p.kind is inspect.Parameter.VAR_POSITIONAL]

        def at(name: str, value: Any) -> Any:
            return operand(value) if {name, f"*{name}"} & set(self.row.operands) else value

        names = [p.name for p in parameters]
        if star:
            names = names[: names.index(star[0].name)] + [star[0].name] * len(self.sample.args)
        args = [at(name, v) for name, v in zip(names, self.sample.args, strict=False)]
        return args, {name: at(name, v) for name, v in self.sample.options}

    def _built(self) -> tuple[Node, ...]:
        args, options = self._given(self._operand)
        result = self.row.build(self.graph, *args, **options)
        return result if isinstance(result, tuple) else (result,)

    def arrays(self, rng: np.random.Generator, shapes: Sequence[tuple[int, ...]]) -> list[Any]:
        """Fresh arrays of the domains."""
        return [drawn(shape, self.domain(k), rng) for k, shape in enumerate(shapes)]

    def real(self, function: Any, arrays: list[np.ndarray]) -> tuple[np.ndarray, ...]:
        """What the function itself gives."""
        left = iter(arrays)

        def operand(value: Any) -> Any:
            if isinstance(value, list):
                return [operand(v) for v in value]
            return next(left)[()] if isinstance(value, tuple) else value

        args, options = self._given(operand)
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the mean of nothing
            result = function(*args, **options)
        parts = result if isinstance(result, tuple) else (result,)
        return tuple(np.asarray(p) for p in parts)

    def elsewhere(self) -> list[tuple[int, ...]]:
        """Other shapes: each size that the call did not fix is another one, 1 stays 1."""
        out = []
        for node, shape in zip(self.inputs, self.shapes, strict=True):
            free = [self.graph.size(s).const is None for s in node.shape]
            out.append(tuple(n + 3 if f else n for n, f in zip(shape, free, strict=True)))
        return out

    def sizes(self, shapes: Sequence[tuple[int, ...]]) -> dict[str, int]:
        """The size of each axis that is left."""
        found = {}
        for node, shape in zip(self.inputs, shapes, strict=True):
            found.update(
                (s.name, n) for s, n in zip(node.shape, shape, strict=True) if s.name is not None
            )
        return found


def exact(value: Any) -> Any:
    """A literal as the exact number that it means."""
    return Fraction(repr(value)) if isinstance(value, float) else value


def callables(row: Row) -> Iterator[Any]:
    """The objects that are a row's function, those of SciPy with them."""
    yield from row.callables
    for dotted in row.late:
        owner = special if dotted.startswith("scipy.special") else linear
        if owner is not None and hasattr(owner, dotted.rpartition(".")[2]):
            yield getattr(owner, dotted.rpartition(".")[2])


def of_scalars(function: Any) -> bool:
    """Whether a function is one of Python's that take no arrays."""
    return getattr(function, "__module__", "") == "math" or function is operator.not_


def compare(call: Call, function: Any, shapes: Sequence[tuple[int, ...]], layout: str) -> None:
    """The graph's values and the function's: shapes, kinds, and entries to 64 units · scale."""
    rng = np.random.default_rng(len(call.row.name))
    arrays = [LAYOUTS[layout](a) for a in call.arrays(rng, shapes)]
    want = call.real(function, arrays)
    values = {f"x{k}": a for k, a in enumerate(arrays)}
    got = evaluate(call.nodes, values, call.sizes(shapes))
    where = f"{call.row.name} {call.sample} {function} {layout} {list(shapes)}"
    assert len(got) == len(want), where
    for g, w, node in zip(got, want, call.nodes, strict=True):
        assert g.shape == w.shape, where
        assert node.kind == KINDS[w.dtype.kind], f"{where}: {node.kind}, NumPy has {w.dtype}"
        if node.kind != "f":
            assert np.array_equal(g, w), where
            continue
        assert np.array_equal(np.isnan(g), np.isnan(w)), where
        scale = 1 + np.max(np.abs(w), initial=0, where=np.isfinite(w))
        assert np.all((np.abs(g - w) <= 2**-46 * scale) | (g == w) | np.isnan(w)), where


@pytest.mark.parametrize("row", FAMILY, ids=lambda r: r.name)
def test_a_row_is_the_function(row: Row) -> None:
    """Every callable, sample and layout, at the sample's sizes and at others."""
    assert row.samples and row.says
    if special is None and not row.callables:
        pytest.skip("SciPy is not installed")
    compared = 0
    for sample in row.samples:
        call = Call(row, sample)
        free = [s for node in call.inputs for s in node.shape if call.graph.size(s).const is None]
        sized = [n for shape in call.shapes for n in shape if n != 1]
        assert sample.pins or len(free) == len(sized), f"{row.name} {sample}: a size was fixed"
        for function in callables(row):
            scalars_only = of_scalars(function) and not all(map(of_scalars, callables(row)))
            if scalars_only and any(call.shapes):
                continue
            for layout in LAYOUTS:
                compare(call, function, call.shapes, layout)
            compare(call, function, call.elsewhere(), "C")
            compared += 1
    assert compared


def wrong(build: Any, *samples: Sample) -> Row:
    """A row of np.mean that is not right."""
    return Row("wrong", (np.mean,), ("a",), build, says="wrong", samples=samples)


SAMPLE = Sample(((3,),))


@pytest.mark.parametrize(
    "build",
    [
        lambda g, a: g.div(g.sum(a, [0]), g.number(Fraction("3.000000000001"))),
        lambda g, a: g.div(g.sum(a, [0]), g.number(3)),  # right for three entries only
        lambda g, a: g.index(a, (("at", Size.of(0)),)),
        lambda g, a: g.reshape(g.div(g.sum(a, [0]), g.sized(a.shape[0])), [1]),
        lambda g, a: g.less(g.sum(a, [0]), g.number(0)),
        lambda g, a: g.div(g.sum(a, [0]), g.number(g.pin(a.shape[0]))),
    ],
    ids=["a last place", "one size", "a value", "a shape", "a kind", "a size fixed"],
)
def test_a_wrong_row_is_noticed(build: Any) -> None:
    """The test above can fail, for each thing that it looks at."""
    with pytest.raises(AssertionError):
        test_a_row_is_the_function(wrong(build, SAMPLE))


def test_a_right_row_passes() -> None:
    """The mean as it should be is no mistake to that test."""
    right = wrong(lambda g, a: g.div(g.sum(a, [0]), g.sized(a.shape[0])), SAMPLE)
    test_a_row_is_the_function(right)


def test_every_callable_is_found() -> None:
    """By identity, also those of SciPy, once it has been imported."""
    for line in FAMILY:
        for function in callables(line):
            found = find(function)
            assert found is not None and found.name == line.name, (line.name, function)
    assert find(len) is None and find(np.fft.fft) is None


# -- single facts --------------------------------------------------------------------------------


def scalar(kind: str = "f", name: str = "x") -> tuple[Graph, Node]:
    """A graph with one scalar input."""
    g = Graph()
    return g, g.input(name, (), kind)  # type: ignore[arg-type]


def built(function: Any, g: Graph, *args: Any, **options: Any) -> Any:
    """The node of a call, by the function's row."""
    found = find(function)
    assert found is not None
    return found.build(g, *args, **options)


def ops(node: Node) -> list[str]:
    """The operations of a node, inputs first."""
    return [n.op for n in reached([node])]


@pytest.mark.parametrize("pair", [("b", "b"), ("b", "i"), ("i", "b"), ("i", "i"), ("b", "f")])
@pytest.mark.parametrize(
    "function",
    [np.add, np.multiply, np.divide, np.maximum, np.logical_xor, np.less, np.equal, np.arctan2],
    ids=lambda f: f.__name__,
)
def test_kinds_of_two(function: Any, pair: tuple[str, str]) -> None:
    """Kind and value, for bools and integers, are NumPy's."""
    values = {"b": np.array([True, False, True]), "i": np.array([2, 3, -1]), "f": np.ones(3)}
    values["f"] = np.array([0.5, -1.5, 2.0])
    right = np.array([True, True, True]) if pair[1] == "b" else values[pair[1]]
    g = Graph()
    n = g.axis("n", 3)
    a, b = g.input("a", (n,), pair[0]), g.input("b", (n,), pair[1])  # type: ignore[arg-type]
    node = built(function, g, a, b)
    want = function(values[pair[0]], right)
    (got,) = evaluate([node], {"a": values[pair[0]], "b": right})
    assert node.kind == KINDS[want.dtype.kind]
    assert np.allclose(got, want, rtol=1e-6 if want.dtype == np.float16 else 1e-15, atol=1e-3)


@pytest.mark.parametrize("function", [np.floor_divide, np.remainder, np.fmod, np.subtract])
def test_integers_stay_integers(function: Any) -> None:
    """Quotients cut off, remainders and differences of integers, also of negative ones."""
    a, b = np.array([7, -7, 7, -7]), np.array([2, 2, -2, -2])
    g = Graph()
    n = g.axis("n", 4)
    node = built(function, g, g.input("a", (n,), "i"), g.input("b", (n,), "i"))
    assert node.kind == "i"
    assert np.array_equal(evaluate([node], {"a": a, "b": b})[0], function(a, b))


def test_bools_have_no_minus() -> None:
    """As in NumPy; a difference with a number counts."""
    g, x = scalar("b")
    for function, args in ((np.subtract, (x, x)), (np.negative, (x,)), (np.positive, (x,))):
        with pytest.raises(TypeError, match="boolean"):
            built(function, g, *args)
    node = built(np.subtract, g, g.number(3), x)
    assert evaluate([node], {"x": True})[0] == 2


@pytest.mark.parametrize(
    ("literal", "expected"),
    [
        (2, Fraction(2)),
        (Fraction(2), Fraction(2)),
        (Fraction(1, 2), Fraction(1, 2)),
        (Fraction("1.5"), Fraction(3, 2)),
        (Fraction("0.1"), Fraction(1, 10)),
        (0.25, Fraction(1, 4)),
        (-1, Fraction(-1)),
    ],
)
def test_a_constant_exponent_is_exact(literal: Any, expected: Fraction) -> None:
    """0.5 is a root, 0.1 a tenth; not exp(b log a)."""
    g, x = scalar()
    node = built(np.power, g, x, g.number(literal))
    assert node.op == "power" and node.params == (expected,)


def test_other_exponents_are_exp_log() -> None:
    """A traced exponent, a constant base, and a float that is only near something."""
    g, x = scalar()
    assert built(np.power, g, x, x).op == "pow"
    assert built(operator.pow, g, g.number(2), x).op == "pow"
    assert built(np.power, g, x, g.number(0.1)).op == "pow"  # a computed float: 0.1 ± 4 ulp
    assert built(np.power, g, x, g.number("pi")).op == "pow"
    assert built(np.power, g, x, g.array(np.array(3.0))).params == (Fraction(3),)


def test_a_negative_base() -> None:
    """Whole powers of negative numbers are numbers, roots are none; as in NumPy."""
    g, x = scalar()
    for p, want in ((3, -8.0), (2, 4.0), (-1, -0.5), (Fraction(1, 2), np.nan)):
        node = built(np.power, g, x, g.number(p))
        assert np.array_equal(evaluate([node], {"x": -2.0})[0], want, equal_nan=True)


def test_a_float_power_of_integers_is_a_float() -> None:
    """x ** 2.0 of integers is no integer to NumPy."""
    g, x = scalar("i")
    assert built(np.power, g, x, g.number(Fraction(2))).kind == "f"
    assert built(np.power, g, x, g.number(2)).kind == "i"


@pytest.mark.parametrize("value", [0.5, 1.5, 2.5, -0.5, -1.5, 0.49999999999999994, 7.0, -3.2])
def test_ties_round_to_even(value: float) -> None:
    """np.rint, round, and NumPy's round, at ties and just below them."""
    g, x = scalar()
    for function in (np.rint, round, np.round):
        node = built(function, g, x)
        assert evaluate([node], {"x": value})[0] == function(value)


def test_where_x_is_zero() -> None:
    """sinc, sign, heaviside at 0, where a formula without its cases would divide by 0."""
    g, x = scalar()
    zero = {"x": 0.0}
    assert evaluate([built(np.sinc, g, x)], zero)[0] == 1
    assert evaluate([built(np.sign, g, x)], zero)[0] == 0
    assert evaluate([built(np.heaviside, g, x, g.number(Fraction(1, 2)))], zero)[0] == 0.5


@needs_scipy
def test_zero_times_a_logarithm() -> None:
    """xlogy is 0 where x is 0, whatever y is; elsewhere its slope is that of x log y."""
    g, x = scalar()
    zero = {"x": 0.0}
    assert evaluate([built(special.xlogy, g, x, x)], zero)[0] == 0
    assert evaluate([built(special.xlogy, g, x, g.number(-1))], zero)[0] == 0
    slope = reverse(built(special.xlogy, g, x, g.number(3))).of[x]
    assert np.isclose(evaluate([slope], zero)[0], math.log(3), rtol=1e-15)


def test_gamma_has_its_sign() -> None:
    """Γ is negative on (−1, 0), positive on (−2, −1)."""
    g, x = scalar()
    node = built(math.gamma, g, x)
    for value in (-0.5, -1.5, -2.25, 0.5, 4.0):
        assert np.isclose(evaluate([node], {"x": value})[0], math.gamma(value), rtol=1e-13)


def test_a_mean_divides_by_a_symbol() -> None:
    """The size is a node, the product of the axes; of nothing the mean is nan, as in NumPy."""
    g = Graph()
    n, m = g.axis("n", 2), g.axis("m", 3)
    node = built(np.mean, g, g.input("x", (n, m)))
    assert [i.params for i in node.inputs if i.op == "size"] == [(n * m,)]
    assert np.isnan(evaluate([node], {"x": np.ones((0, 3))})[0])


def test_the_largest_at_a_tie() -> None:
    """Ties do not change a maximum; argmax takes the first."""
    g = Graph()
    x = g.input("x", (g.axis("n", 4),))
    values = {"x": np.array([1.0, 5.0, 5.0, 2.0])}
    assert evaluate([built(np.max, g, x)], values)[0] == 5
    assert evaluate([built(np.argmax, g, x)], values)[0] == 1
    assert evaluate([built(np.argmin, g, g.neg(x))], values)[0] == 1


def test_a_norm_is_the_root_of_the_sum_of_squares() -> None:
    """Literally, and with no absolute value in it."""
    g = Graph()
    node = built(np.linalg.norm, g, g.input("x", (g.axis("n", 2), g.axis("m", 3))))
    assert ops(node) == ["input", "mul", "contract", "power"]


@needs_scipy
def test_a_stable_logsumexp() -> None:
    """Large entries do not overflow, as in SciPy."""
    g = Graph()
    x = g.input("x", (g.axis("n", 3),))
    values = {"x": np.array([1000.0, 1001.0, 999.0])}
    for function in (special.logsumexp, special.softmax, special.log_softmax):
        got = evaluate([built(function, g, x)], values)[0]
        assert np.allclose(got, function(values["x"]), rtol=1e-13, atol=0)


def test_einsum_reads_its_text() -> None:
    """Spaces, an ellipsis of no axes, and the order of the alphabet where no result is named."""
    g = Graph()
    n, m = g.axis("n", 2), g.axis("m", 3)
    x = g.input("x", (n, m))
    assert built(np.einsum, g, "j i", x).number_shape == (3, 2)
    assert built(np.einsum, g, " ...ij -> ... ji ", x).number_shape == (3, 2)
    with pytest.raises(ValueError, match="names 2 operands"):
        built(np.einsum, g, "ij,jk", x)
    with pytest.raises(ShapeError):
        built(np.einsum, g, "ii", x)


def test_a_size_that_only_happens_to_be_one_is_fixed() -> None:
    """Stretching an axis of size 1 is a condition, unless the size is 1 itself."""
    g = Graph()
    a = g.input("a", (g.axis("n", 1), g.axis("k", 2), g.axis("m", 3)))
    b = g.input("b", (g.axis("p", 4), g.axis("q", 3), g.axis("r", 5)))
    assert built(np.matmul, g, a, b).number_shape == (4, 2, 5)
    assert g.size(Size.axis("n")) == 1 and g.size(Size.axis("p")).const is None


def test_matmul_of_a_scalar_is_an_error() -> None:
    """As in NumPy; dot multiplies."""
    g, x = scalar()
    with pytest.raises(ShapeError, match="scalar"):
        built(np.matmul, g, x, x)
    assert built(np.dot, g, x, x).op == "mul"


REFUSED: list[tuple[Any, tuple[Any, ...], dict[str, Any], str]] = [
    (np.exp, (), {"where": np.array([True])}, "np.exp: where=.*np.where"),
    (np.exp, (), {"dtype": np.float32}, "np.exp: dtype=float32.*float64"),
    (np.any, (), {"initial": True}, "np.any: initial=.*result"),
    (np.sum, (), {"where": np.array([True])}, "np.sum: where="),
    (np.logaddexp.reduce, (), {"initial": 0.0}, "np.logaddexp.reduce: initial="),
    (np.mean, (), {"dtype": "float32"}, "np.mean: dtype=float32"),
    (np.where, (), {}, "np.where: with one argument.*mask"),
    (np.linalg.norm, (), {"ord": 2}, "ord=2 of a matrix needs singular values.*Frobenius"),
    (np.linalg.norm, (), {"ord": "nuc"}, "ord='nuc' of a matrix"),
    (np.linalg.pinv, (), {}, "np.linalg.pinv: singular values.*solve"),
    (np.linalg.eigh, (), {}, "np.linalg.eigh: eigenvalues"),
    (np.linalg.cholesky, (), {}, "slogdet"),
    (max, (), {"key": abs}, "max: key="),
    (np.sort, (), {}, "np.sort: which entry comes where"),
    (np.nonzero, (), {}, "np.nonzero: the size of its result depends.*np.where"),
    (np.nanmean, (), {}, "np.nanmean: .*np.mean"),
    (np.diff, (), {"prepend": 0}, "np.diff: prepend=.*np.concatenate"),
]


@pytest.mark.parametrize(("function", "args", "options", "message"), REFUSED)
def test_what_is_not_covered_is_refused(
    function: Any, args: tuple[Any, ...], options: dict[str, Any], message: str
) -> None:
    """By name, with what to do; never overlooked."""
    g = Graph()
    x = g.input("x", (g.axis("n", 2), g.axis("m", 3)))
    with pytest.raises(Unsupported, match=message):
        built(function, g, x, *args, **options)


@needs_scipy
def test_a_weighted_logsumexp_is_refused() -> None:
    """With what to write instead."""
    g, x = scalar()
    with pytest.raises(Unsupported, match=r"logsumexp: b= and return_sign=.*np.log\(np.sum"):
        built(special.logsumexp, g, x, b=1)


def test_bits_of_integers_are_refused() -> None:
    """& of bools is a condition; of integers it is something else."""
    g, x = scalar("i")
    with pytest.raises(Unsupported, match=r"np.bitwise_and: bits of integers"):
        built(operator.and_, g, x, x)
    with pytest.raises(Unsupported, match=r"np.reciprocal.*1 / x"):
        built(np.reciprocal, g, x)


def test_an_axis_that_is_not_there() -> None:
    """Named, with how many there are; the same axis twice as well."""
    g = Graph()
    x = g.input("x", (g.axis("n", 2), g.axis("m", 3)))
    with pytest.raises(ShapeError, match=r"np.sum: axis 2 of an array with 2 axes"):
        built(np.sum, g, x, axis=2)
    with pytest.raises(ShapeError, match=r"np.sum: the same axis twice"):
        built(np.sum, g, x, axis=(0, -2))


def test_sizes_are_axes_and_orders_too() -> None:
    """An axis, a ddof or an order that is a constant Size or NumPy integer is an integer."""
    g = Graph()
    x = g.input("x", (g.axis("n", 2), g.axis("m", 3)))
    assert built(np.sum, g, x, axis=Size.of(1)) is built(np.sum, g, x, axis=np.int64(-1))
    with pytest.raises(Unsupported, match="axis must be a constant integer"):
        built(np.sum, g, x, axis=Size.axis("n"))


def test_a_row_needs_a_free_callable() -> None:
    """Two rows for one function are a mistake that is noticed."""
    with pytest.raises(ValueError, match="has a row already"):
        row("twice", np.exp)(lambda g, x: x)
    assert [r.name for r in ROWS if r.name == "twice"] == []


def test_the_page_is_the_table() -> None:
    """docs/numpy.md is what the rows say."""
    page = Path(__file__).parent.parent / "docs" / "numpy.md"
    assert page.read_text(encoding="utf-8") == printed()
