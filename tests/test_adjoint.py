"""Derivatives of graphs: against torch, SymPy, HIPS autograd and known answers, and how they read.

The comparison itself (random graphs, engines that share nothing) is `tests/differential.py`.
"""

from __future__ import annotations

import itertools
import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.errors import ShapeError, UsageError
from chainrule.gallery import lecture
from chainrule.graph.derivative import rules, slopes
from chainrule.graph.derivative.adjoint import Unit, hessian, jacobian, reverse
from chainrule.graph.derivative.simplify import Lean
from chainrule.graph.derivative.tangent import forward, hvp
from chainrule.graph.node import DEFINED, PRIMITIVES, Graph, Node, reached
from chainrule.graph.sizes import Size
from chainrule.values.float64 import evaluate

OPS = (*PRIMITIVES, *DEFINED)


def torch_or_skip() -> Any:
    return pytest.importorskip(
        "torch", reason="DERIVATIVES NOT COMPARED WITH TORCH: pip install 'chainrule[torch]'"
    )


# -- against other engines --------------------------------------------------------------------


def test_every_operation_has_both_rules() -> None:
    assert rules.PULLBACKS.keys() | slopes.CONSTANT == set(OPS)
    assert rules.PUSHFORWARDS.keys() | slopes.CONSTANT == set(OPS)
    assert not rules.PULLBACKS.keys() & slopes.CONSTANT


@settings(max_examples=20)
@given(st.randoms(use_true_random=False))
def test_random_graphs_against_torch(rnd: random.Random) -> None:
    torch_or_skip()
    from differential import Tally, against_torch
    from random_graphs import draw

    d, output, _ = draw(rnd, OPS, rnd.randint(1, 6))
    tally, before = Tally(), list(d.g.conditions)
    against_torch(d, output, tally)
    assert not tally.wrong, tally.wrong[0]
    assert d.g.conditions == before  # differentiating asks nothing of the sizes


def test_a_draw_of_the_differential_command() -> None:
    torch_or_skip()
    from differential import compare

    tally = compare(1500, seed=7, share=0.25)
    assert not tally.wrong, tally.wrong[0]
    assert tally.by_kind["SymPy: gradients"] > 20
    assert len(tally.by_op) > 50


@pytest.mark.parametrize("op", ["contract", "tanh", "index", "reduce_mul", "div", "put", "solve"])
def test_the_comparison_sees_a_wrong_rule(op: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch_or_skip()
    from differential import Tally, against_torch
    from random_graphs import draw

    right = rules.PULLBACKS["put" if op == "index" else op]

    def wrong(lean: Lean, node: Node, bar: Node, extra: int, wanted: Any) -> list[Node | None]:
        near = lean.number(Fraction(10**8 + 1, 10**8))
        return [t and lean.mul(near, t) for t in right(lean, node, bar, extra, wanted)]

    if op == "index":
        import chainrule.graph.derivative.adjoint as adjoint

        place = adjoint.slot
        monkeypatch.setattr(
            adjoint,
            "slot",
            lambda lean, shape, value, spec: place(
                lean, shape, lean.mul(lean.number(Fraction(10**8 + 1, 10**8)), value), spec
            ),
        )
    else:
        monkeypatch.setitem(rules.PULLBACKS, op, wrong)
    tally = Tally()
    for seed in range(12):
        d, output, _ = draw(random.Random(f"{op}/{seed}"), (op,), 1, empty=False)
        against_torch(d, output, tally)
    assert tally.wrong


def test_rosenbrock_against_autograd() -> None:
    import autograd
    import autograd.numpy as anp

    def rosen(x: Any) -> Any:
        return anp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    g = Graph({"n": 5})
    n = g.axis("n", 5)
    x, v = g.input("x", (n,)), g.input("v", (n,))
    late = g.index(x, (("cut", Size.of(1), 1, n - 1),))
    early = g.index(x, (("cut", Size.of(0), 1, n - 1),))
    gap = g.power(g.sub(late, g.power(early, 2)), 2)
    f = g.sum(g.add(g.mul(g.number(100), gap), g.power(g.sub(g.number(1), early), 2)), [0])
    outs = [reverse(f, [x]).of[x], hessian(f, x, x), hvp(f, [x], [v])[0]]
    for size in (5, 2, 9):
        at, along = np.linspace(-1, 1.3, size), np.linspace(2, -1, size)
        gradient, second, product = evaluate(outs, {"x": at, "v": along})
        expected = autograd.hessian(rosen)(at)
        np.testing.assert_allclose(gradient, autograd.grad(rosen)(at), rtol=1e-13, atol=1e-11)
        np.testing.assert_allclose(second, expected, rtol=1e-13, atol=1e-11)
        np.testing.assert_allclose(product, expected @ along, rtol=1e-12, atol=1e-10)


# -- the page's network -----------------------------------------------------------------------


class Net:
    """The lecture page's network as a graph."""

    def __init__(self) -> None:
        self.g = g = Graph()
        n1, n2, samples = g.axis("n1", 6), g.axis("n2", 7), g.axis("N", 5)
        shapes: dict[str, tuple[Any, ...]] = {
            "W1": (n1, 1), "b1": (n1, 1), "W2": (n2, n1), "b2": (n2, 1), "W3": (2, n2),
            "b3": (2, 1), "x": (1, samples), "y": (2, samples),
        }  # fmt: skip
        self.of = {k: g.input(k, tuple(map(Size.of, s))) for k, s in shapes.items()}
        self.units: list[Unit] = []
        a, one = self.of["x"], g.number(1)
        for k in (1, 2, 3):
            z = g.add(g.einsum("ij,jk->ik", self.of[f"W{k}"], a), self.of[f"b{k}"])
            a = g.div(one, g.add(one, g.call("exp", g.neg(z))))
            self.of[f"z{k}"], self.of[f"a{k}"] = z, a
            self.units.append(Unit("sigma", (z,), a))
        self.d = g.sub(a, self.of["y"])
        norm = g.power(g.einsum("ij,ij->", self.d, self.d), Fraction(1, 2))
        self.norm, self.cost = norm, g.div(g.power(norm, 2), g.sized(samples))

    names = ("W1", "b1", "W2", "b2", "W3", "b3")


def test_the_networks_adjoints_are_what_one_writes_by_hand() -> None:
    net = Net()
    g, of = net.g, net.of
    found = reverse(net.cost, [of[k] for k in net.names], units=net.units)
    two = g.number(Fraction(2))
    slopes, deltas = {}, {}
    for k in (3, 2, 1):
        e = g.call("exp", g.neg(of[f"z{k}"]))
        slopes[k] = g.div(e, g.power(g.add(g.number(1), e), 2))
        assert found.slopes[net.units[k - 1], 0] is slopes[k]
        if k == 3:
            up = g.mul(g.div(two, g.sized(Size.axis("N"))), net.d)
        else:
            up = g.contract([(0, 1), (0, 2)], (2, 1), deltas[k + 1], of[f"W{k + 1}"])
        assert found.of[of[f"a{k}"]] is up
        deltas[k] = g.mul(up, slopes[k])
        assert found.of[of[f"z{k}"]] is deltas[k]
        below = of["x"] if k == 1 else of[f"a{k - 1}"]
        assert found.of[of[f"W{k}"]] is g.einsum("ij,kj->ik", deltas[k], below)
        bias = of[f"b{k}"]
        assert found.of[bias] is g.reshape(g.sum(deltas[k], [1]), bias.shape)
    assert found.kinks == () and found.ignored == ()


def test_the_networks_gradients_at_other_sizes() -> None:
    net = Net()
    found = reverse(net.cost, [net.of[k] for k in net.names], units=net.units)
    rnd = np.random.default_rng(3)
    lecture.reset_network(n1=4, n2=3, random=rnd)
    x, y = rnd.standard_normal((1, 9)), rnd.standard_normal((2, 9))
    values = {k: getattr(lecture, k) for k in net.names} | {"x": x, "y": y}
    ours = evaluate([found.of[net.of[k]] for k in net.names], values)
    for name, mine in zip(net.names, ours, strict=True):
        by_hand = getattr(lecture, f"J_{name}")(x, y)
        np.testing.assert_allclose(mine, by_hand, rtol=1e-12, atol=1e-15)
    lecture.reset_network(random=np.random.default_rng(0))


def test_inside_a_unit_adjoints_are_made_on_demand_and_right() -> None:
    net = Net()
    wrt = [net.of[k] for k in net.names]
    with_units, without = reverse(net.cost, wrt, units=net.units), reverse(net.cost, wrt)
    made = len(net.g.nodes)
    assert set(with_units.of) == set(without.of) and len(with_units.of) == len(without.of)
    nodes = sorted(without.of, key=lambda n: n.number)
    rnd = np.random.default_rng(0)
    values = {k: rnd.standard_normal(net.of[k].number_shape) for k in (*net.names, "x", "y")}
    a = evaluate([with_units.of[n] for n in nodes], values)
    b = evaluate([without.of[n] for n in nodes], values)
    for mine, other in zip(a, b, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-12, atol=1e-15)
    assert len(net.g.nodes) >= made
    with pytest.raises(KeyError):
        with_units.of[net.of["y"]]


# -- units ------------------------------------------------------------------------------------


def _unit_graph() -> tuple[Graph, Node, Node, Node]:
    g = Graph({"n": 3})
    n = g.axis("n", 3)
    x, y = g.input("x", (n,)), g.input("y", (n,))
    return g, x, y, g.mul(x, y)


def test_units_that_cannot_be_followed_as_such_say_why() -> None:
    g, x, y, z = _unit_graph()
    e = g.call("exp", z)
    a = g.div(e, g.add(e, g.number(1)))
    other = g.mul(z, y)
    total = g.sum(g.add(g.add(a, g.call("sin", g.neg(z))), other), [0])
    softmax = g.div(e, g.sum(e, [0]))
    units = {
        Unit("inner", (z,), e): "it is part of outer",
        Unit("scaled", (z,), other): "it uses more than its arguments",
        Unit("softmax", (z,), softmax): "the output does not need it",
        Unit("same", (z,), z): "it returns an argument",
        Unit("strange", (y,), g.neg(x)): "the output does not need it",
    }
    found = reverse(total, [x, y], units=[*units, Unit("outer", (z,), a)])
    assert dict(found.ignored) == units
    assert [u.name for u, _ in found.slopes] == ["outer"]

    again = reverse(g.sum(softmax, [0]), [x], units=[Unit("softmax", (z,), softmax)])
    assert again.ignored[0][1] == "contract is not elementwise"
    used = reverse(g.sum(g.mul(a, e), [0]), [x], units=[Unit("outer", (z,), a)])
    assert used.ignored[0][1] == "what it computes on the way is used elsewhere"
    constant = reverse(g.sum(a, [0]), [x], units=[Unit("c", (y,), a)])
    assert constant.ignored[0][1] == "it uses more than its arguments"


def test_a_unit_of_two_arguments_that_stretch() -> None:
    g = Graph({"n": 3, "m": 2})
    x, y = g.input("x", (g.axis("n", 3), Size.of(1))), g.input("y", (g.axis("m", 2),))
    s = g.mul(g.call("sin", x), g.call("maximum", y, g.number(Fraction(0))))
    unit = Unit("f", (x, y), s)
    total = g.sum(g.power(s, 2), [0, 1])
    a, b = reverse(total, units=[unit]), reverse(total)
    values = {"x": np.array([[0.3], [1.0], [-2.0]]), "y": np.array([-1.0, 2.0])}
    for node in (x, y):
        left, right = evaluate([a.of[node], b.of[node]], values)
        np.testing.assert_allclose(left, right, rtol=1e-14)
    assert a.kinks == b.kinks and [text for _, text in a.kinks] == ["{0} = {1}"]


# -- kinks, and where the code is defined ------------------------------------------------------


def _kinks(build: Any) -> list[tuple[str, str]]:
    g = Graph({"n": 3})
    x = g.input("x", (g.axis("n", 3),))
    out = build(g, x)
    total = g.sum(out, range(out.ndim)) if out.ndim else out
    return [(node.op, text) for node, text in reverse(total).kinks]


def test_kinks_are_collected() -> None:
    zero = Fraction(0)
    assert _kinks(lambda g, x: g.call("abs", x)) == [("abs", "{0} = 0")]
    assert _kinks(lambda g, x: g.call("sign", x)) == [("sign", "{0} = 0")]
    assert _kinks(lambda g, x: g.power(x, Fraction(1, 2))) == [("power", "{0} = 0")]
    assert _kinks(lambda g, x: g.power(x, Fraction(3, 2))) == []
    assert _kinks(lambda g, x: g.reduce("reduce_max", x, [0]))[0][0] == "reduce_max"
    assert _kinks(lambda g, x: g.elementwise("floor", x))[0][0] == "floor"
    switched = lambda g, x: g.select(g.less(x, g.number(zero)), x, g.neg(x))  # noqa: E731
    assert _kinks(switched) == [("select", "where {0} switches")]
    masked = lambda g, x: g.mul(g.less(x, g.number(zero)), x)  # noqa: E731
    assert _kinks(masked) == [("mul", "where {0} switches")]
    fixed = lambda g, x: g.select(g.equal(g.iota(x.shape[0]), g.number(1)), x, g.neg(x))  # noqa: E731
    assert _kinks(fixed) == []


def test_a_squared_norm_has_no_kink_and_the_norm_has_one() -> None:
    g = Graph({"n": 3})
    x = g.input("x", (g.axis("n", 3),))
    absolute = g.call("abs", x)
    for square in (g.einsum("i,i->", x, x), g.sum(g.power(absolute, 2), [0])):
        norm = g.power(square, Fraction(1, 2))
        for out in (g.power(norm, 2), g.mul(norm, norm)):
            found = reverse(out, [x])
            assert found.kinks == ()
            assert evaluate([found.of[x]], {"x": np.zeros(3)})[0].tolist() == [0.0, 0.0, 0.0]
            assert evaluate([found.of[norm]], {"x": np.ones(3)})[0] == 2 * np.sqrt(3)
            ahead = forward([out], {x: x})[0]
            assert ahead is not None
            assert evaluate([ahead], {"x": np.zeros(3)})[0] == 0.0
        once = reverse(norm, [x])
        assert [text for _, text in once.kinks] == ["{0} = 0"]
        assert np.isnan(evaluate([once.of[x]], {"x": np.zeros(3)})[0]).all()
    both = reverse(g.add(g.power(norm, 2), norm), [x])  # each its own way
    at = np.array([1.0, -2.0, 2.0])
    np.testing.assert_allclose(evaluate([both.of[x]], {"x": at})[0], 2 * at + at / 3, rtol=1e-15)
    np.testing.assert_allclose(evaluate([both.of[norm]], {"x": at})[0], 7, rtol=1e-15)


def test_a_branch_not_taken_does_no_harm() -> None:
    g = Graph({"n": 4})
    x = g.input("x", (g.axis("n", 4),))
    zero = g.number(Fraction(0))
    inside = g.less(zero, x)
    for f in (g.call("log", x), g.mul(x, g.call("log", x)), g.div(g.number(1), x),
              g.power(x, Fraction(1, 2)), g.call("exp", g.div(g.number(1), x))):  # fmt: skip
        total = g.sum(g.mul(g.number(Fraction(3)), g.select(inside, f, zero)), [0])
        got = evaluate([reverse(total, [x]).of[x]], {"x": np.array([0.0, -1.0, 0.5, 2.0])})[0]
        assert got[:2].tolist() == [0.0, 0.0] and np.isfinite(got).all() and got[2:].all()


def test_products_with_zeros_to_second_order() -> None:
    for known in (True, False):  # written out, or as a square with 1 on the diagonal
        g = Graph({"n": 4})
        x = g.input("x", (Size.of(4) if known else g.axis("n", 4),))
        product = g.reduce("reduce_mul", x, [0])
        outs = [reverse(product, [x]).of[x], hessian(product, x, x)]
        for at in ([2.0, 0.0, 3.0, 5.0], [2.0, 0.0, 0.0, 5.0], [0.0, 0.0, 0.0, 5.0]):
            first, second = evaluate(outs, {"x": np.array(at)})
            for i, j in itertools.product(range(4), repeat=2):
                rest = np.prod([v for k, v in enumerate(at) if k not in (i, j)])
                assert second[i, j] == (0 if i == j else rest)
                assert first[i] == np.prod([v for k, v in enumerate(at) if k != i])


def test_a_tie_for_the_largest_is_shared() -> None:
    g = Graph({"n": 3})
    x = g.input("x", (g.axis("n", 3),))
    found = reverse(g.reduce("reduce_max", x, [0]), [x])
    assert evaluate([found.of[x]], {"x": [1.0, 4.0, 4.0]})[0].tolist() == [0, 0.5, 0.5]


# -- what is built ----------------------------------------------------------------------------


def _operands(g: Graph, n: Size) -> dict[str, Node]:
    """Operands in every form that a rewriting looks for."""
    x, y, s = g.input("x", (n,)), g.input("y", (n, Size.of(1))), g.input("s", ())
    i = g.input("i", (n,), "i")
    two, zero = g.number(Fraction(2)), g.number(Fraction(0))
    c = g.less(zero, x)
    return {
        "x": x, "y": y, "s": s, "i": i, "c": c, "zero": zero, "one": g.number(Fraction(1)),
        "minus": g.number(Fraction(-1)), "two": two, "int": g.number(3), "pi": g.number("pi"),
        "near": g.number(0.1), "size": g.sized(n), "zeros": g.full(0, (n,)),
        "ones": g.full(1, (n, n)), "thirds": g.full(Fraction(1, 3), (1, n)),
        "cells": g.reshape(g.full(Fraction(1, 3), (n,)), (n, 1)), "-x": g.neg(x),
        "--x": g.neg(g.neg(x)), "-i": g.neg(i), "2x": g.mul(two, x), "2y": g.mul(two, y),
        "3i": g.mul(g.number(Fraction(3)), i), "-3x": g.mul(g.number(Fraction(-3)), x),
        "tall 2x": g.mul(g.full(2, (n, n)), x), "2/x": g.div(two, x), "1/x": g.div(g.number(1), x),
        "1/s": g.div(g.number(Fraction(1)), s), "x/3": g.div(x, g.number(3)), "sx": g.mul(s, x),
        "x+s": g.add(x, s), "x-y": g.sub(x, y), "s-x": g.sub(s, x), "x..": g.broadcast(x, (n, n)),
        "-y..": g.broadcast(g.neg(y), (n, n)), "x|0": g.select(c, x, zero),
        "0|x": g.select(c, zero, x), "1|0": g.select(c, g.number(Fraction(1)), zero),
        "not": g.select(g.not_(c), x, zero), 
        "x|y|0": g.select(c, g.select(g.less(y, x), y, zero), zero),
        "log|0": g.select(c, g.call("log", g.call("exp", x)), zero), "abs": g.call("abs", x),
        "sign": g.call("sign", x), "d": g.delta(n, n), "dx": g.mul(g.delta(n, n), x),
        "x2": g.power(x, 2), "root": g.power(g.power(x, 2), Fraction(1, 2)),
        "x'": g.reshape(x, (n, 1)),
    }  # fmt: skip


def _same(g: Graph, pairs: list[tuple[str, Node, Node]], n: int) -> None:
    """Lean and literal nodes: one shape, one value, reals stay reals."""
    pairs = [(name, a, b) for name, a, b in pairs if a is not b]
    assert len(pairs) > 100
    rnd = np.random.default_rng(1)
    at = {
        "x": rnd.uniform(0.4, 2, n) * rnd.choice([-1, 1], n), "y": rnd.uniform(0.4, 2, (n, 1)),
        "s": np.asarray(-1.7), "i": np.arange(1, n + 1), "A": rnd.standard_normal((n, n)),
        "B": rnd.standard_normal((n, n)), "u": rnd.standard_normal(n),
    }  # fmt: skip
    used = [k for k in at if any(m.op == "input" and m.params[0] == k for m in g.nodes)]
    values = evaluate([m for _, *both in pairs for m in both], {k: at[k] for k in used}, {"n": n})
    for (name, lean, literal), a, b in zip(pairs, values[::2], values[1::2], strict=True):
        assert lean.shape == literal.shape, name
        assert lean.kind == literal.kind or (lean.kind == "f"), name
        fine = np.isfinite(b)
        assert np.allclose(a[fine], b[fine], rtol=1e-13, atol=1e-13), name


@pytest.mark.parametrize(("n", "how"), [(0, "symbol"), (1, "number"), (3, "symbol"), (3, "new")])
def test_rewritings_of_two_operands_are_exact(n: int, how: str) -> None:
    g = Graph({"n": n})
    size = Size.of(n) if how == "number" else g.axis("n", n)
    early = Lean(g)  # to it, the operands are new nodes as well
    operands = _operands(g, size)
    lean = early if how == "new" else Lean(g)
    pairs = []
    for (p, a), (q, b) in itertools.product(operands.items(), repeat=2):
        for op in ("add", "sub", "mul", "div"):
            if op == "sub" and "b" in (a.kind, b.kind):
                continue
            pairs.append((f"{op}({p}, {q})", getattr(lean, op)(a, b), getattr(g, op)(a, b)))
        pairs.append((f"select({p}, {q})", lean.select(operands["c"], a, b),
                      g.select(operands["c"], a, b)))  # fmt: skip
    _same(g, pairs, n)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_rewritings_of_one_operand_are_exact(n: int) -> None:
    g = Graph({"n": n})
    size = g.axis("n", n)
    lean, pairs, wide = Lean(g), [], (2, size, size)
    for name, a in _operands(g, size).items():
        ops: list[tuple[str, Any]] = [("neg", lambda b, a=a: b.neg(a))]
        ops += [(f"**{p}", lambda b, a=a, p=p: b.power(a, p)) for p in (0, 1, 2, 3)]
        ops += [("stretch", lambda b, a=a: b.broadcast(b.broadcast(a, wide[-2:]), wide))]
        ops += [("flat", lambda b, a=a: b.reshape(b.reshape(a, (1, *a.shape)), (*a.shape, 1, 1)))]
        ops += [
            ("sums", lambda b, a=a, k=k: b.sum(b.broadcast(a, wide), k))
            for k in ([0], [1], [0, 1, 2])
        ]
        ops += [("all", lambda b, a=a: b.index(a, tuple(g.whole(a))))]
        pairs += [(f"{op} {name}", make(lean), make(g)) for op, make in ops
                  if a.kind == "f" or op != "neg"]  # fmt: skip
    _same(g, pairs, n)


SUMS = (
    "ij->ji", "ij->i", "ij->", "ii->i", "ii->", "ij,jk->ik", "ij,jk->ki", "ij,ij->ij", "ij,ij->",
    "ij,ij->i", "ij,ji->", "ij,kl->ik", "ij,ik->jk", "ij,jj->i", "ij,kk->ij", "ii,jj->ij",
    "ij,j->i", "ij,j->ij", "i,j->ij", "i,i->i", "i,i->", "i,j->", "i,j->j", "ij,jk,kl->il",
    "ij,j,jk->ik", "ij,jk,ik->", "ij,->ij", "ij,,jk->k",
)  # fmt: skip


@pytest.mark.parametrize("n", [0, 1, 3])
@pytest.mark.parametrize("new", [False, True])
def test_sums_of_products_are_exact(n: int, new: bool) -> None:
    g = Graph({"n": n})
    size = g.axis("n", n)
    lean = Lean(g)
    a, b = g.input("A", (size, size)), g.input("B", (size, size))
    x, u, s = g.input("x", (size,)), g.input("u", (size,)), g.input("s", ())
    column = g.reshape(x, (size, 1))
    outer = g.mul(column, g.reshape(u, (1, size)))
    unit, mask = g.delta(size, size), g.less(a, b)
    matrices = [
        a, g.transpose(a), g.broadcast(x, (size, size)), g.broadcast(column, (size, size)), unit,
        g.mul(unit, x), g.neg(g.mul(unit, column)), outer, g.einsum("ij,jk->ik", a, b),
        g.mul(g.broadcast(column, (size, size)), g.broadcast(u, (size, size))),
        g.full(0, (size, size)),
        g.full(Fraction(3, 2), (size, size)), g.mul(s, a), mask, g.delta(size, size, 1),
        g.sum(g.broadcast(g.reshape(a, (size, 1, size)), (size, 3, size)), [1]),
    ]  # fmt: skip
    vectors = [x, g.broadcast(s, (size,)), g.einsum("ii->i", a), g.sum(a, [0]), g.iota(size)]
    scalars = [s, g.number(Fraction(2, 3)), g.sum(x, [0])]
    lean = lean if new else Lean(g)
    rnd, pairs = random.Random(4), []
    for subscripts in SUMS:
        parts = subscripts.split("->")[0].split(",")
        pools = [(scalars, vectors, matrices)[len(p)] for p in parts]
        for _ in range(60):
            xs = [rnd.choice(pool) for pool in pools]
            literal = g.einsum(subscripts, *xs)
            pairs.append((f"{subscripts} {xs}", lean.contract(*_labels(subscripts), *xs), literal))
    _same(g, pairs, n)


def _labels(subscripts: str) -> tuple[list[list[int]], list[int]]:
    left, out = subscripts.split("->")
    return [[ord(c) for c in p] for p in left.split(",")], [ord(c) for c in out]


def test_what_may_be_undefined_is_not_canceled() -> None:
    g = Graph()
    x, lean = g.input("x", ()), Lean(g)
    assert lean.div(x, x).op == "div"
    assert lean.power(lean.power(x, 2), Fraction(1, 2)).op == "power"
    assert lean.call("log", lean.call("exp", x)).op == "log"
    assert lean.mul(x, lean.div(lean.number(1), x)).op == "div"
    assert lean.call("exp", lean.call("log", x)).op == "exp"
    assert lean.div(lean.number(1), lean.number(0)).op == "div"


def test_literal_nodes_stay() -> None:
    g, x, y, z = _unit_graph()
    total = g.sum(g.mul(g.number(1), g.add(g.number(0), g.div(z, g.mul(x, g.number(1))))), [0])
    before = [(n.op, n.inputs, n.params) for n in g.nodes]
    reverse(total)
    hvp(total, [x], [y])
    assert [(n.op, n.inputs, n.params) for n in g.nodes[: len(before)]] == before


def test_sums_that_are_less_work() -> None:
    g = Graph({"n": 3, "m": 2})
    n, m = g.axis("n", 3), g.axis("m", 2)
    a, x = g.input("A", (n, m)), g.input("x", (m,))
    assert jacobian(g.einsum("ij,j->i", a, x), x) is a
    assert jacobian(g.call("sin", x), x).op == "mul"
    chain = g.call("tanh", g.einsum("ij,j->i", a, g.call("sin", x)))
    for node in reached([jacobian(chain, x)]):
        assert node.op != "delta"
    square = g.einsum("ij,ik->jk", a, a)
    trace = g.einsum("ii->", square)
    assert reverse(trace, [a]).of[a].op == "mul"  # 2·A
    wide = g.mul(g.reshape(x, (1, m, 1)), g.input("w", (n, 1, n)))
    total = g.sum(g.sum(wide, [1, 2]), [0])
    assert all(
        node.ndim < 3 or node.number < total.number for node in reached([reverse(total, [x]).of[x]])
    )


# -- size -------------------------------------------------------------------------------------


def test_depth_is_no_limit_and_the_work_is_linear() -> None:
    g = Graph()
    x = y = g.input("x", ())
    for _ in range(8_000):
        y = g.call("sin", y)
    literal = len(g.nodes)
    found = reverse(y)
    assert len(g.nodes) - literal <= 3 * literal
    value, expected = 0.5, 1.0
    for _ in range(8_000):
        expected *= np.cos(value)
        value = np.sin(value)
    np.testing.assert_allclose(evaluate([found.of[x]], {"x": 0.5})[0], expected, rtol=1e-9)
    tangent = forward([y], {x: g.number(Fraction(1))})[0]
    assert tangent is not None
    np.testing.assert_allclose(evaluate([tangent], {"x": 0.5})[0], expected, rtol=1e-9)


def test_an_array_read_entry_by_entry_is_put_together_once() -> None:
    g = Graph({"n": 300})
    x = g.input("x", (g.axis("n", 300), Size.of(2)))
    total = g.number(Fraction(0))
    for k in range(299):
        a = g.index(x, (("at", Size.of(k)), ("at", Size.of(0))))
        b = g.index(x, (("at", Size.of((7 * k) % 300)), ("at", Size.of(1))))
        total = g.add(total, g.mul(a, b))
    at = np.random.default_rng(0).standard_normal((300, 2))
    adjoint = reverse(total).of[x]
    assert sum(n.op in ("put", "add") and n.ndim == 2 for n in reached([adjoint])) == 0
    expected = np.zeros((300, 2))
    for k in range(299):
        expected[k, 0] += at[(7 * k) % 300, 1]
        expected[(7 * k) % 300, 1] += at[k, 0]
    assert np.array_equal(evaluate([adjoint], {"x": at})[0], expected)


# -- errors, zeros ----------------------------------------------------------------------------


def test_what_cannot_be_differentiated_is_said() -> None:
    g, x, _, z = _unit_graph()
    with pytest.raises(UsageError, match="give a seed"):
        reverse(z)
    i = g.input("i", (), "i")
    with pytest.raises(UsageError, match="no real numbers"):
        reverse(g.sum(x, [0]), [i])
    with pytest.raises(ShapeError, match="must end with"):
        reverse(z, seed=g.number(Fraction(1)))
    with pytest.raises(ShapeError):
        reverse(z, seed=g.full(1, (2,)))
    with pytest.raises(ShapeError, match="must be one"):
        forward([z], {x: g.number(Fraction(1))})


def test_what_does_not_depend_has_zeros() -> None:
    g, x, y, _ = _unit_graph()
    f = g.sum(g.elementwise("floor", x), [0])
    found = reverse(f, [x, y])
    assert [evaluate([found.of[v]], {}, {"n": 3})[0].tolist() for v in (x, y)] == [[0.0] * 3] * 2
    assert forward([f, y], {x: y}) == [None, None]
    assert hvp(g.sum(x, [0]), [x], [y])[0].shape == x.shape
    assert forward([], {}) == []
