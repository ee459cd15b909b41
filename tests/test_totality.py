"""Every operation has every interpretation: what one lacks is refused by name, never by omission.

One small node for each primitive and each defined function; all interpreters are asked for it.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from chainrule.graph.derivative.adjoint import reverse
from chainrule.graph.derivative.tangent import forward
from chainrule.graph.functions import FUNCTIONS
from chainrule.graph.lowering.components import to_sympy
from chainrule.graph.lowering.program import program
from chainrule.graph.lowering.source import source
from chainrule.graph.node import DEFINED, PRIMITIVES, Graph, Node, reached
from chainrule.graph.notation.notation import Notation
from chainrule.graph.sizes import Size
from chainrule.values import certified, float64, jets, residues
from chainrule.values.ball import precision

X = np.array([0.5, 0.25, 0.75])
A = np.array([[3.0, 0.5, 0.25], [0.625, 2.0, 0.125], [0.25, 0.75, 4.0]])
VALUES = {"x": X, "A": A}
SIZES = {"n": 3}


class Small:
    """A graph with a vector x, a square matrix A, and positions k."""

    def __init__(self) -> None:
        self.g = Graph()
        n = self.g.axis("n", 3)
        self.x = self.g.input("x", (n,))
        self.A = self.g.input("A", (n, self.g.size(n)))
        self.k = self.g.array(np.array([2, 0]))
        self.inputs = {"x": self.x, "A": self.A}


CUT = (("cut", Size.of(0), 1, Size.of(2)),)
BUILDS: dict[str, Callable[[Small], Node]] = {
    "input": lambda s: s.x,
    "const": lambda s: s.g.number(Fraction(1, 3)),
    "size": lambda s: s.g.sized(Size.axis("n")),
    "iota": lambda s: s.g.iota(Size.axis("n")),
    "delta": lambda s: s.g.delta(Size.axis("n"), Size.axis("n")),
    "add": lambda s: s.g.add(s.x, s.A),
    "mul": lambda s: s.g.mul(s.x, s.A),
    "div": lambda s: s.g.div(s.x, s.A),
    "neg": lambda s: s.g.neg(s.x),
    "power": lambda s: s.g.power(s.x, 3),
    "less": lambda s: s.g.less(s.x, s.A),
    "equal": lambda s: s.g.equal(s.x, s.A),
    "not": lambda s: s.g.not_(s.g.less(s.x, s.A)),
    "and": lambda s: s.g.and_(s.g.less(s.x, s.A), s.g.less(s.A, s.x)),
    "select": lambda s: s.g.select(s.g.less(s.x, s.A), s.x, s.A),
    "floor": lambda s: s.g.elementwise("floor", s.x),
    "contract": lambda s: s.g.einsum("ij,j->i", s.A, s.x),
    "reduce_mul": lambda s: s.g.reduce("reduce_mul", s.A, (0,)),
    "reduce_max": lambda s: s.g.reduce("reduce_max", s.A, (0,)),
    "reshape": lambda s: s.g.reshape(s.x, (1, Size.axis("n"))),
    "broadcast": lambda s: s.g.broadcast(s.x, (2, Size.axis("n"))),
    "index": lambda s: s.g.index(s.x, CUT),
    "put": lambda s: s.g.put(s.x, s.g.index(s.x, CUT), (("cut", Size.of(1), 1, Size.of(2)),)),
    "gather": lambda s: s.g.gather(s.A, s.k),
    "scatter_add": lambda s: s.g.scatter_add(s.g.gather(s.A, s.k), [Size.axis("n")], s.k),
    "put_at": lambda s: s.g.put_at(s.A, s.g.neg(s.g.gather(s.A, s.k)), s.k),
    "concat": lambda s: s.g.concat([s.x, s.x], 0),
    "solve": lambda s: s.g.solve(s.A, s.g.reshape(s.x, (Size.axis("n"), 1))),
    "det": lambda s: s.g.det(s.A),
    "logdet": lambda s: s.g.logdet(s.A),
    "polygamma": lambda s: s.g.call("polygamma", s.x, order=1),
    "arccosh": lambda s: s.g.call("arccosh", s.g.add(s.x, s.g.number(1))),
}
for _name, _row in FUNCTIONS.items():
    if _name not in BUILDS:
        BUILDS[_name] = (
            (lambda s, name=_name: s.g.call(name, s.x))
            if _row.arity == 1
            else (lambda s, name=_name: s.g.call(name, s.x, s.A))
        )
EVERY = (*PRIMITIVES, *DEFINED)


def test_the_table_is_every_operation() -> None:
    """A new primitive or function must be added here, and so meets every interpreter."""
    assert set(BUILDS) == set(EVERY)
    for name, build in BUILDS.items():
        assert build(Small()).op == name


@pytest.mark.parametrize("name", EVERY)
def test_every_interpretation(name: str) -> None:
    """Numbers with bounds, balls, jets, residues; formulas, source, program, components."""
    small = Small()
    node = BUILDS[name](small)
    (value,) = float64.evaluate([node], VALUES, SIZES)
    assert value.shape == node.number_shape
    ((again, bound),) = float64.bounded([node], VALUES, SIZES)
    assert np.array_equal(again, value) and bool(np.all(bound >= 0))
    with precision(100):
        (balls,) = certified.enclose([node], VALUES, SIZES)
        middle = np.vectorize(lambda b: float(b.mid()), otypes=[float])(balls)
        assert bool((np.abs(middle - value) <= bound + 1e-300).all())
        ((first, _),) = jets.enclose([node], VALUES, {"x": np.ones(3)}, SIZES)
        assert first.shape == value.shape
    field = residues.field(seed=1)
    numbers = residues.draw([small.x, small.A], SIZES, field)
    try:
        (residue,) = residues.evaluate([node], numbers, field, SIZES)
        assert np.shape(residue) == value.shape
    except residues.NoResidue as why:
        assert why.op in {n.op for n in reached([node])} and why.op in str(why)
    notation = Notation(small.inputs)
    assert notation.text(node) and notation.latex(node)
    text = source({"out": node}, small.inputs, {}, "f")
    space: dict[str, Any] = {}
    exec(text, space)
    assert np.allclose(space["f"](**VALUES), value, rtol=1e-12)
    assert np.allclose(program({"out": node}, small.inputs)(VALUES)["out"], value, rtol=1e-12)
    assert to_sympy(node, SIZES) is not None


@pytest.mark.parametrize("name", EVERY)
def test_every_derivative(name: str) -> None:
    """Reverse and forward mode, both against jets; of integers and conditions there is none."""
    small = Small()
    node = BUILDS[name](small)
    if node.kind != "f":
        return
    g = small.g
    total = g.sum(node, range(node.ndim)) if node.ndim else node
    of = reverse(total).of
    back = sum(
        float(float64.evaluate([g.sum(of[i], range(i.ndim))], VALUES, SIZES)[0])
        for i in (small.x, small.A)
        if i in of
    )
    ones = {small.x: g.full(1, small.x.shape), small.A: g.full(1, small.A.shape)}
    (pushed,) = forward([total], ones)
    ahead = 0.0 if pushed is None else float(float64.evaluate([pushed], VALUES, SIZES)[0])
    with precision(100):
        ((_, d),) = jets.enclose([total], VALUES, {"x": np.ones(3), "A": np.ones((3, 3))}, SIZES)
    true = float(d.item().mid())
    assert np.isclose(back, true, rtol=1e-12) and np.isclose(ahead, true, rtol=1e-12)
