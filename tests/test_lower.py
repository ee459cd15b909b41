"""Formulas as NumPy code: values, broadcasting, names that never become source."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

import chainrule as cr
from chainrule.graph.lower import lower

x, y = sp.symbols("x y", real=True)


def test_every_kind_of_function_lowers() -> None:
    """What the text language can say, NumPy can compute, to rounding of the certified value."""
    for text in (
        "sin(x)/cos(x) + tan(x)",
        "exp(x)*log(x)",
        "sqrt(x) + cbrt(x)",
        "atan(x) + asin(x/9)",
        "sinh(x)*tanh(x)",
        "abs(x) + sign(x)",
        "max(x, 2) + min(x, 1)",
        "erf(x) + erfc(x)",
        "gamma(x) + lgamma(x)",
        "sigmoid(x) + softplus(x)",
        "x**pi",
        "2**x",
    ):
        whole = cr.derive({"f": f"t*({text})"}, of="f", wrt="t")
        for point in (0.25, 1.5, 3.75):
            exact = whole.evaluate(t=1.0, x=point)
            np.testing.assert_allclose(whole.lower()(t=1.0, x=point), exact, rtol=1e-13)


def test_constants_take_the_shape_of_the_points() -> None:
    """A derivative that is constant is given once for each point."""
    d = cr.derive({"f": "3*t"}, of="f", wrt="t")
    assert d.lower()(t=np.zeros((2, 5))).tolist() == np.full((2, 5), 3.0).tolist()


def test_batches_come_first() -> None:
    """A Jacobian at many points has the batch axes before its own."""
    d = cr.derive({"f": ["x*y", "x + y"]}, of="f", wrt=("x", "y"))
    batch = np.arange(6.0).reshape(2, 3)
    values = d.lower()(x=batch, y=1.0)
    assert values.shape == (2, 3, 2, 2)
    assert values[1, 2].tolist() == [[1.0, 5.0], [1.0, 1.0]]


def test_vectors_and_matrices_are_taken_in_their_shapes() -> None:
    """∂(W a)/∂a is W."""
    d = cr.derive({"z": "W @ a"}, of="z", wrt="a", shapes={"W": (2, 3), "a": 3})
    W = np.arange(6.0).reshape(2, 3)
    assert d.lower()(a=np.ones(3), W=W).tolist() == W.tolist()
    with pytest.raises(cr.UsageError, match=r"W has shape \(2, 2\); it needs \(2, 3\)"):
        d.lower()(a=np.ones(3), W=np.ones((2, 2)))
    with pytest.raises(cr.UsageError, match="give a, W; got a"):
        d.lower()(a=np.ones(3))


def test_names_are_never_source() -> None:
    """A symbol whose name is code is a symbol: nothing of it is executed."""
    evil = sp.Symbol("__import__('os').system('echo no')", real=True)
    assert lower([evil + 1], [evil])(2.0)[0] == 3.0


def test_two_names_that_look_alike_stay_apart() -> None:
    """W[1,0] and W_1[0] are two symbols, whatever a printer makes of them."""
    a, b = sp.Symbol("W[1,0]", real=True), sp.Symbol("W_1[0]", real=True)
    assert lower([a - b], [a, b])(5.0, 3.0)[0] == 2.0


def test_what_has_no_number_is_refused() -> None:
    """An undefined function, or a symbol that is not given, is named."""
    f = sp.Function("sigma")
    with pytest.raises(cr.UsageError, match=r"sigma\(x\).* has no number"):
        lower([f(x)], [x])
    with pytest.raises(cr.UsageError, match="y in x \\+ y has no number"):
        lower([x + y], [x])


def test_steps_of_definitions_by_cases() -> None:
    """A step of a definition by cases is computed right (SymPy's cse breaks it)."""
    first = sp.Piecewise((sp.exp(-3), x + sp.pi > sp.E), (x, True))
    second = sp.sin(sp.Piecewise((y, x > -sp.Rational(1, 2)), (sp.pi, True)))
    step = sp.Heaviside(second - first)
    assert lower([step, first, second], [x, y])(-3.0, 1.0)[0] == 1.0
