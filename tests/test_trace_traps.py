"""Traps for whoever follows code: each met by a prototype, or one that it would have met.

A trap is passed with the right derivative, or with an error of ours that says why there is none.
What is said is held to key words only: a file, a line, a name.
"""

from __future__ import annotations

import builtins
import functools
import importlib
import inspect
import math
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from ways.honest import matches, right, right_or_refused

import chainrule as cr
from chainrule.code.trace.run import trace
from chainrule.graph.node import constant

Array = Any


def drawn(*shape: int, seed: int = 0) -> Array:
    """Normal numbers."""
    return np.random.default_rng([seed, *shape]).normal(size=shape)


def line_of(function: Callable[..., Any], text: str) -> int:
    """The line of a function's source that holds a text."""
    lines, first = inspect.getsourcelines(function)
    return first + next(k for k, line in enumerate(lines) if text in line)


# ---- constants -----------------------------------------------------------------------------------


def test_two_long_index_arrays_with_equal_repr() -> None:
    """Their middles are not printed: a key by repr takes one for the other."""
    n = 3000
    one, two = np.arange(n), np.arange(n)
    two[[1000, 1001]] = two[[1001, 1000]]
    assert repr(one) == repr(two)
    c = drawn(n)

    def f(x: Array) -> Any:
        return x[one] @ c - x[two] @ c

    expected = np.zeros(n)
    expected[1000] = c[1000] - c[1001]
    expected[1001] = -expected[1000]
    right(f, {"x": drawn(n)}, ("x",), lambda x: expected, [{"x": drawn(n, seed=1)}])


def test_two_long_constants_with_equal_repr() -> None:
    """The same where they are multiplied, also where they differ by 1e-12, or in a sign of 0."""
    big = np.full(3000, 0.5)
    other = big.copy()
    other[1500] = 0.25
    tiny = big.copy()
    tiny[1500] += 1e-12
    zeros, minus = np.zeros(3), np.array([0.0, -0.0, 0.0])

    def f(x: Array) -> Any:
        return np.sum(x * big) - np.sum(x * other)

    def g(x: Array) -> Any:
        return (np.sum(x * big) - np.sum(x * tiny)) * 1e12

    def h(x: Array) -> Any:
        return np.sum(np.arctan2(zeros, -np.abs(x)) * x) + np.sum(np.arctan2(minus, -np.abs(x)) * x)

    point = {"x": drawn(3000)}
    right(f, point, ("x",), lambda x: 0.25 * np.eye(1, 3000, 1500)[0])
    found = cr.derive(g, at=point, wrt=("x",)).evaluate(point)["x"]
    matches(found, -1.0 * np.eye(1, 3000, 1500)[0], "1e12 times a difference of 1e-12", 1e-3)
    right_or_refused(
        h, {"x": drawn(3)}, ("x",), lambda x: np.arctan2(zeros, -1.0) + np.arctan2(minus, -1.0)
    )


def test_constants_of_other_kinds_are_other_constants() -> None:
    """True, 1, 1.0 and [1] are equal and no one number in code: x/2 and x//2, x**2 and x**2.0."""

    def f(x: Array) -> Any:
        masks = [np.array([True, False, True]), np.array([1, 0, 1]), np.array([1.0, 0.0, 1.0])]
        picked = np.sum(x[masks[0]] ** 2)  # a mask
        taken = np.sum(x[masks[1]] ** 3)  # positions
        return picked + taken + np.sum(x * masks[2])

    def d(x: Array) -> Array:
        return np.array([2 * x[0] + 3 * x[0] ** 2 + 1, 6 * x[1] ** 2, 2 * x[2] + 1])

    right(f, {"x": drawn(3)}, ("x",), d, [{"x": drawn(3, seed=1)}])


def numbers(graph: Any) -> set[Any]:
    """The constants in a graph that are single numbers."""
    found = [constant(n) for n in graph.nodes if n.op == "const"]
    return {c for c in found if isinstance(c, Fraction | float | int)}


def folded(x: Array) -> Any:
    return np.sum(3 * 0.1 * x)


def third(x: Array) -> Any:
    return np.sum(x / 3 + 1 / 3 * x)


def test_python_folds_constants_and_we_do_not() -> None:
    """CPython makes 3*0.1 into 0.30000000000000004; the code means 3/10."""
    at = {"x": drawn(3)}
    right(folded, at, ("x",), lambda x: np.full(len(x), 0.3))
    graph = trace(folded, at, ("x",)).graph
    assert Fraction(0.1 * 3) not in numbers(graph) and 0.1 * 3 not in numbers(graph)
    sympy = pytest.importorskip("sympy")
    for function, exact in ((folded, sympy.Rational(3, 10)), (third, sympy.Rational(2, 3))):
        made = cr.derive(function, at=at, wrt=("x",))["x"].to_sympy({"x": (3,)})
        entries = list(np.ravel(np.array(made.tolist() if hasattr(made, "tolist") else made)))
        assert all(sympy.nsimplify(e) == exact and not e.has(sympy.Float) for e in entries), entries


def circle(x: Array) -> Any:
    return np.sum(np.pi * x**2) + math.pi * x[0] + math.e * x[1] + 2 * math.tau * x[0]


def test_pi_is_pi() -> None:
    """np.pi, math.pi and math.e are the numbers, by their names."""
    at = {"x": drawn(3)}
    one = np.eye(3)
    right(
        circle,
        at,
        ("x",),
        lambda x: 2 * np.pi * x + np.pi * one[0] + math.e * one[1] + 4 * np.pi * one[0],
    )
    text = str(cr.derive(circle, at=at, wrt=("x",))["x"].formula)
    assert "π" in text or "pi" in text, text
    assert "3.14" not in text


# ---- what is not followed ------------------------------------------------------------------------


def transformed(x: Array) -> Any:
    z = x * 2
    return np.sum(np.abs(np.fft.fft(z)) ** 2)  # no row


def deep_inside(x: Array) -> Any:
    return transformed(x) + 1


@pytest.mark.parametrize("function", [transformed, deep_inside], ids=lambda f: f.__name__)
def test_a_function_without_a_row_is_named(function: Callable[..., Any]) -> None:
    """The file, the line, the call, and what to do instead."""
    with pytest.raises(cr.TraceError) as caught:
        cr.derive(function, at={"x": drawn(4)}, wrt=("x",))
    said = str(caught.value)
    assert "fft" in said
    assert Path(__file__).name in said
    assert str(line_of(transformed, "# no row")) in said
    assert "can" in said or "give" in said or "black box" in said


def without_dependence(x: Array) -> Any:
    scale = np.abs(np.fft.fft(np.ones(4))).sum()  # of constants: it need not be followed
    return np.sum(x**2) * scale


def test_an_unknown_function_of_constants_is_no_trouble() -> None:
    """Only what depends on an input needs a row."""
    right(without_dependence, {"x": drawn(4)}, ("x",), lambda x: 8 * x, [{"x": drawn(3)}])


SCOPE: dict[str, Any] = {"np": np}
exec("def executed(x):\n    z = np.tanh(x)\n    return np.sum(z**2)", SCOPE)


class Native:
    """Like a compiled function: a call without source."""

    __call__ = staticmethod(functools.partial(np.vdot, np.arange(3.0)))


@pytest.mark.parametrize(
    ("function", "name", "expected"),
    [
        (SCOPE["executed"], "x", lambda x: 2 * np.tanh(x) * (1 - np.tanh(x) ** 2)),
        (functools.partial(np.dot, np.arange(3.0)), "b", lambda b: np.arange(3.0)),
        (functools.partial(np.dot, np.arange(3.0)), "x", lambda x: np.arange(3.0)),
        (np.exp, "x", lambda x: np.diag(np.exp(x))),
        (np.linalg.norm, "x", lambda x: x / np.linalg.norm(x)),
        (np.sum, "a", lambda a: np.ones(3)),
        (np.trace, "a", None),
        (Native(), "x", lambda x: np.arange(3.0)),
        (np.fft.fft, "a", None),
        (np.vectorize(lambda x: x * x), "x", lambda x: np.diag(2 * x)),
        (np.frompyfunc(lambda x: x * x, 1, 1), "x", lambda x: np.diag(2 * x)),
        (type("C", (), {"f": lambda self, x: np.sum(x**2)})().f, "x", lambda x: 2 * x),
        (eval("lambda x: np.sum(x ** 3)", {"np": np}), "x", lambda x: 3 * x**2),
        (builtins.sum, "iterable", None),
        (math.sin, "x", None),
    ],
    ids=lambda f: getattr(f, "__name__", None) or type(f).__name__,
)
def test_a_function_without_source(function: Any, name: str, expected: Any) -> None:
    """It is followed through NumPy's protocols, or refused in words; it never gives a wrong one."""
    at = {name: np.abs(drawn(3)) + 0.5}
    if expected is None:
        try:
            cr.derive(function, at=at, wrt=(name,))
        except cr.ChainruleError as error:
            assert len(str(error)) > 20
        except (TypeError, ValueError):  # what it raises by itself
            with pytest.raises((TypeError, ValueError)):
                function(at[name])
        return
    right_or_refused(function, at, (name,), lambda **v: expected(v[name]), [{name: drawn(3)}])


@pytest.mark.parametrize(
    ("x", "word"),
    [
        (np.array([1 + 2j, 3.0]), "complex"),
        (np.array([1.0, 2.0], dtype=object), "object"),
        (np.array(["a", "b"]), "U1"),
        (np.array(["2020-01-01"], dtype="datetime64[D]"), "datetime"),
        ("no array", "str"),
        (None, "None"),
    ],
    ids=["complex", "object", "text", "dates", "str", "None"],
)
def test_inputs_that_are_no_real_numbers(x: Any, word: str) -> None:
    """They are refused, and the input and its kind are named."""
    with pytest.raises(cr.ChainruleError) as caught:
        cr.derive(lambda x: np.sum(x * 1.0), at={"x": x}, wrt=("x",))
    said = str(caught.value)
    assert "x" in said.replace("complex", "")
    assert word.lower() in said.lower() or "real" in said.lower() or "number" in said.lower()


def complex_inside(x: Array) -> Any:
    z = np.exp(1j * x)
    return np.sum(z.real**2)


def test_complex_numbers_on_the_way() -> None:
    """Refused, or right; the imaginary part is not dropped."""
    right_or_refused(
        complex_inside, {"x": drawn(3)}, ("x",), lambda x: -np.sin(2 * x), [{"x": drawn(4)}]
    )


@pytest.mark.parametrize("kind", [np.float32, np.float16, np.int64, np.int8, np.uint8, np.bool_])
def test_other_real_kinds(kind: Any) -> None:
    """Followed in float64, which is said where it matters, or refused."""
    x = np.array([1, 0, 1]).astype(kind)
    right_or_refused(
        lambda x: np.sum(x * x * 1.5),
        {"x": x},
        ("x",),
        lambda x: 3.0 * x.astype(float),
        [{"x": drawn(3)}],
    )
    assert x.dtype == kind
    if kind == np.float32:
        notes = trace(lambda x: np.sum(x * x), {"x": x}, ("x",)).notes
        assert any("float32" in n for n in notes)


def narrowed(x: Array) -> Any:
    return np.sum(x.astype(np.float32).astype(float) ** 2) + np.sum(np.zeros(3, np.float32) + x)


def overflowing(x: Array) -> Any:
    k = np.array([100, 100, 100], dtype=np.int8)
    k *= 2  # −56 each
    return np.sum(k * x)


def divided(x: Array) -> Any:
    k = np.arange(3) // 2
    return np.sum(k * x) + np.sum(np.arange(3) % 2 * x) + np.sum(np.arange(3) / 2 * x)


def stored_in_integers(x: Array) -> Any:
    buffer = np.zeros(3, dtype=int)
    buffer[:] = x  # cut to integers
    return np.sum(buffer * 1.0) + np.sum(x)


def test_integers_and_small_floats_inside() -> None:
    """Integer arithmetic is integer arithmetic: it wraps, cuts and divides as NumPy does."""
    at = {"x": drawn(3) * 3}
    others = [{"x": drawn(3, seed=1) * 3}]
    for function, expected in (
        (narrowed, lambda x: 2 * x + 1),
        (overflowing, lambda x: np.full(3, -56.0)),
        (divided, lambda x: np.array([0.0, 1.5, 2.0])),
        (stored_in_integers, lambda x: np.ones(3)),
    ):
        try:
            right_or_refused(function, at, ("x",), expected, others)
        except AssertionError:
            if function is not narrowed:
                raise
            lowered = cr.derive(function, at=at, wrt=("x",)).lower()
            matches(lowered(at)["x"], expected(**at), "in float32", 1e-6)


@pytest.mark.parametrize(
    ("x", "function", "expected"),
    [
        (np.zeros(0), lambda x: np.sum(x**2), lambda x: 2 * x),
        (np.zeros((0, 3)), lambda x: np.sum(x @ np.ones(3)), lambda x: np.zeros((0, 3))),
        (np.zeros((3, 0)), lambda x: np.sum((x @ x.T) ** 2), lambda x: np.zeros((3, 0))),
        (np.array(2.0), lambda x: x**3, lambda x: 3 * x**2),
        (np.float64(2.0), lambda x: x**3, lambda x: 3 * x**2),
        (2.0, lambda x: x**3, lambda x: 3 * np.asarray(x) ** 2),
        (np.array([2.0]), lambda x: np.sum(x**3), lambda x: 3 * x**2),
        (np.array([[2.0]]), lambda x: (x @ x)[0, 0], lambda x: 2 * x),
        (np.array(2.0), lambda x: np.exp(x) * np.ones(3), lambda x: np.exp(x) * np.ones(3)),
        (np.zeros(0), lambda x: np.concatenate([x, [1.0]]) * 2, lambda x: np.zeros((1, 0))),
    ],
    ids=["empty", "no rows", "no columns", "0-d", "scalar", "float", "one", "1x1", "out", "joined"],
)
def test_empty_one_and_none(x: Any, function: Any, expected: Any) -> None:
    """Sizes of 0 and 1, and no axis at all."""
    assert not right_or_refused(function, {"x": x}, ("x",), expected)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_point_that_is_no_number(bad: float) -> None:
    """nan stays nan where it belongs; other entries are right; nothing hangs."""
    x = np.array([1.0, bad, 2.0])
    function = lambda x: np.sum(x**2 * np.array([1.0, 2.0, 3.0]))  # noqa: E731
    try:
        derivation = cr.derive(function, at={"x": x}, wrt=("x",))
    except cr.ChainruleError as error:
        assert "nan" in str(error) or "inf" in str(error) or "finite" in str(error)
        return
    matches(derivation.lower()({"x": drawn(3)})["x"], 2 * drawn(3) * [1, 2, 3], "finite")
    found = derivation.lower()({"x": x})["x"]
    np.testing.assert_array_equal(found[[0, 2]], [2.0, 12.0])
    assert not np.isfinite(found[1])


# ---- places --------------------------------------------------------------------------------------


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A package of the user's: weights in one module, the network in another."""
    (tmp_path / "trap_weights.py").write_text(
        "import numpy as np\nW1 = np.array([[1.0, 2], [3, 5], [7, 11]])\nb = np.zeros(3)\n"
    )
    (tmp_path / "trap_net.py").write_text(
        "import numpy as np\n"
        "import trap_weights\n"
        "from trap_weights import W1, b\n"
        "Ws = [W1, W1]\n"
        "same = np.array(W1)\n"
        "def by_name(x):\n    return np.sum((W1 @ x + b) ** 2)\n"
        "def by_both(x):\n    return np.sum((W1 @ x) * (trap_weights.W1 @ x))\n"
        "def tied(x):\n    return np.sum((Ws[0] @ x) * (Ws[1] @ x))\n"
        "def twins(x):\n    return np.sum((W1 @ x) * (same @ x))\n"
        "def default(x, W=W1):\n    return np.sum((W @ x) ** 2)\n"
        "def shadowed(W1, x):\n    return np.sum((W1 @ x) ** 2)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield importlib.import_module("trap_net")
    for name in ("trap_net", "trap_weights"):
        sys.modules.pop(name, None)


def test_weights_that_another_module_imports_by_name(modules: ModuleType) -> None:
    """One array under several names is one variable; two equal arrays are two."""
    x = drawn(2)
    W = modules.W1.copy()
    quadratic = 2 * np.outer(W @ x, x)
    before = modules.W1, sys.modules["trap_weights"].W1, modules.Ws[0]
    for function, place, expected in (
        (modules.by_name, "W1", quadratic),
        (modules.by_name, "b", 2 * W @ x),
        (modules.by_both, "W1", quadratic),
        (modules.by_both, "trap_weights.W1", quadratic),
        (modules.tied, "Ws[0]", quadratic),
        (modules.tied, "Ws[1]", quadratic),
        (modules.twins, "W1", quadratic / 2),
        (modules.twins, "same", quadratic / 2),
    ):
        derivation = cr.derive(function, at={"x": x}, wrt=(place,))
        found = derivation.evaluate({"x": x, place: W if place != "b" else modules.b})
        matches(found[place], expected, f"{function.__name__}, {place}")
    assert before[0] is modules.W1 and before[1] is sys.modules["trap_weights"].W1
    assert before[2] is modules.Ws[0] and modules.Ws[0] is modules.Ws[1]
    np.testing.assert_array_equal(modules.W1, W)


def test_an_argument_that_is_the_global(modules: ModuleType) -> None:
    """An argument with a global's name is the argument; the global's own array as an argument and
    as the global are not one variable unless both are asked for."""
    x, W = drawn(2), modules.W1
    right(
        modules.shadowed,
        {"W1": W, "x": x},
        ("W1",),
        lambda W1, x: 2 * np.outer(W1 @ x, x),
        [{"W1": drawn(3, 2), "x": drawn(2, seed=1)}],
    )
    assert modules.W1 is W


@pytest.mark.parametrize(
    ("wrt", "word"),
    [
        (("nothing",), "nothing"),
        (("x", "W9"), "W9"),
        (("self.W",), "self.W"),
        (("x[",), "x["),
        (("np.pi.real.imag",), "np.pi"),
        (("__import__('os')",), "__import__"),
        ((3,), "3"),
    ],
    ids=lambda v: str(v),
)
def test_names_that_are_no_places(wrt: Any, word: str) -> None:
    """Refused, with the name; and nothing in it is evaluated."""
    with pytest.raises(cr.ChainruleError) as caught:
        cr.derive(folded, at={"x": drawn(3)}, wrt=wrt)
    assert word in str(caught.value)


def test_points_that_do_not_fit() -> None:
    """Missing, unknown and misshapen arguments are named."""

    def f(x: Array, y: Array) -> Any:
        return np.sum(x @ y)

    with pytest.raises(cr.ChainruleError, match="y"):
        cr.derive(f, at={"x": drawn(3)}, wrt=("x",))
    with pytest.raises(cr.ChainruleError, match="z"):
        cr.derive(f, at={"x": drawn(3), "y": drawn(3), "z": drawn(3)}, wrt=("x",))
    with pytest.raises((cr.ChainruleError, ValueError)):
        cr.derive(f, at={"x": drawn(3), "y": drawn(4)}, wrt=("x",))
    lowered = cr.derive(f, at={"x": drawn(3), "y": drawn(3)}, wrt=("x",)).lower()
    for values in (
        {"x": drawn(3)},
        {"x": drawn(3), "y": drawn(4)},
        {"x": drawn(3, 3), "y": drawn(3)},
    ):
        with pytest.raises(cr.ChainruleError):
            lowered(values)


def test_results_that_are_no_numbers() -> None:
    """None, text, an object: refused, in words."""
    for result in (None, "loss", object(), [], {}):
        with pytest.raises(cr.ChainruleError) as caught:
            cr.derive(lambda x, r=result: (np.sum(x), r)[1], at={"x": drawn(3)}, wrt=("x",))
        assert len(str(caught.value)) > 20


def test_results_that_do_not_depend_or_are_the_input() -> None:
    """Zeros where nothing depends on it; the identity where it is returned as it is."""
    x = drawn(3)
    right(lambda x, y: np.sum(y**2), {"x": x, "y": drawn(2)}, ("x",), lambda x, y: 0 * x)
    right(lambda x: 7.0, {"x": x}, ("x",), lambda x: 0 * x, [{"x": drawn(5)}])
    right(lambda x: np.sum(x * 0), {"x": x}, ("x",), lambda x: 0 * x)
    right(lambda x: x, {"x": x}, ("x",), lambda x: np.eye(len(x)), [{"x": drawn(5)}])
    right(lambda x: len(x) * 1.0, {"x": x}, ("x",), lambda x: 0 * x, [{"x": drawn(5)}])
    right(
        lambda x: np.sum(np.floor(x) * 2 + np.round(x) + np.sign(x)),
        {"x": x},
        ("x",),
        lambda x: 0 * x,
        [{"x": drawn(3, seed=4)}],
    )


class Named:
    """A method whose name begins texts in its own code."""

    def loss(self, x: Array) -> Any:
        parts = {"loss": np.sum(x**2), "loss_l1": np.sum(np.abs(x))}
        return {"loss": parts["loss"] + parts["loss" + "_l1"]}


def test_texts_that_begin_with_the_functions_name() -> None:
    """Keys are the user's own; a clone that renames itself must not rename them."""

    def x_(x: Array) -> Any:
        return {"x_": np.sum(x**2)}

    for function, key in ((Named().loss, "loss"), (x_, "x_")):
        assert list(trace(function, {"x": drawn(3)}, ("x",)).outputs) == [key]
    expected = {"loss": lambda x: 2 * x + np.sign(x), "x_": lambda x: 2 * x}
    for function, key in ((Named().loss, "loss"), (x_, "x_")):
        right(lambda x, f=function, k=key: f(x)[k], {"x": drawn(3)}, ("x",), expected[key])


def root(v: Array) -> Any:
    return np.sqrt(v * v)


def half_power(v: Array) -> Any:
    return (v**2) ** 0.5


def log_exp(v: Array) -> Any:
    return np.log(np.exp(v))


def exp_log(v: Array) -> Any:
    return np.exp(np.log(v))


def over_over(v: Array) -> Any:
    return 1 / (1 / v)


def there_and_back(v: Array) -> Any:
    return (v * 2 + v) / 3 - 0.0


@pytest.mark.parametrize(
    "helper",
    [root, half_power, log_exp, exp_log, over_over, there_and_back],
    ids=lambda f: f.__name__,
)
def test_a_helper_that_does_nothing(helper: Callable[..., Any]) -> None:
    """For positive numbers it is the identity, by a long way round: what is done with its result
    has the same derivative as without it. Whole arrays, scalars, and twice."""
    at, others = {"x": np.abs(drawn(3)) + 0.5}, [{"x": np.abs(drawn(5)) + 0.5}]
    cases: list[tuple[Callable[..., Any], Callable[..., Any]]] = [
        (lambda x: np.sum(helper(x)), lambda x: 0 * x + 1),
        (lambda x: np.sum(helper(x) ** 2), lambda x: 2 * x),
        (lambda x: np.sum(helper(x) * helper(x)), lambda x: 2 * x),
        (lambda x: np.sum(helper(x) ** 3), lambda x: 3 * x**2),
        (lambda x: np.sum(1 / helper(x)), lambda x: -1 / x**2),
        (lambda x: np.sum(helper(x) ** -2), lambda x: -2 / x**3),
        (lambda x: np.sum(np.sqrt(helper(x))), lambda x: 0.5 / np.sqrt(x)),
        (lambda x: np.sum(np.exp(-helper(x))), lambda x: -np.exp(-x)),
        (lambda x: np.sum(helper(helper(x)) ** 2), lambda x: 2 * x),
        (lambda x: np.sum(helper(x**2) ** 2), lambda x: 4 * x**3),
        (lambda x: np.linalg.norm(helper(x)) ** 2, lambda x: 2 * x),
        (lambda x: helper(np.linalg.norm(x)) ** 2, lambda x: 2 * x),
        (lambda x: helper(x[0]) ** 2 + helper(x[1]) ** 2, lambda x: np.r_[2 * x[:2], 0 * x[2:]]),
        (lambda x: helper(np.sum(x**2)) ** 0.5 * 2, lambda x: 2 * x / np.linalg.norm(x)),
    ]
    for function, expected in cases:
        right(function, at, ("x",), expected, others)


def test_arithmetic_is_literal() -> None:
    """x*x/x is x, and its derivative 1, but not at 0; 0*x is not simply 0 where x is infinite."""
    lowered = cr.derive(lambda x: np.sum(x * x / x), at={"x": drawn(3)}, wrt=("x",)).lower()
    matches(lowered({"x": drawn(3)})["x"], np.ones(3), "x")
    lowered = cr.derive(lambda x: np.sum(np.sqrt(x**2)), at={"x": drawn(3)}, wrt=("x",)).lower()
    matches(lowered({"x": np.array([2.0, -3.0, 0.5])})["x"], [1.0, -1.0, 1.0], "√x² is |x|")


# ---- size ----------------------------------------------------------------------------------------


def deep_recursion(x: Array, depth: int = 150) -> Any:
    if depth == 0:
        return np.sum(x**2)
    return deep_recursion(x * 1.001, depth - 1)


def endless(x: Array) -> Any:
    return endless(x + 1)


def test_recursion() -> None:
    """150 levels are followed; without an end it is Python's own RecursionError, or ours."""
    right(deep_recursion, {"x": drawn(3)}, ("x",), lambda x: 2 * x * 1.001**300, [{"x": drawn(4)}])
    before = sys.getrecursionlimit(), np.geterr()
    with pytest.raises((RecursionError, cr.ChainruleError)):
        cr.derive(endless, at={"x": drawn(3)}, wrt=("x",))
    assert (sys.getrecursionlimit(), np.geterr()) == before


def long_chain(x: Array) -> Any:
    for _ in range(3000):
        x = x * 1.0001 + 0.0001
    return np.sum(x)


def long_loop(x: float) -> Any:
    s = 0.0
    for k in range(10_000):
        s = s + x * k
    return s


def test_long_chains_and_loops() -> None:
    """A chain of 6,000 operations is no recursion of ours; 10,000 turns are a graph of a few nodes
    a turn, in the trace and in the derivative."""
    right(long_chain, {"x": drawn(2)}, ("x",), lambda x: np.full(2, 1.0001**3000))
    derivation = cr.derive(long_loop, at={"x": 1.5}, wrt=("x",))
    assert len(derivation.trace.graph.nodes) <= 10 * 10_000  # with those of the derivative
    matches(derivation.lower()({"x": 1.5})["x"], sum(range(10_000)), "x")
