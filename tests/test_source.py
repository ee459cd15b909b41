"""Lowered graphs: readable source and fast programs give what the graph gives, and read well.

The reference is `values.float64.evaluate`, the literal interpreter; components are held to it and
to `sympy.diff`. Random graphs are drawn over every primitive and every function.
"""

from __future__ import annotations

import ast
import builtins
import keyword
import subprocess
import sys
import traceback
import tracemalloc
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.errors import BudgetError, ShapeError, UsageError
from chainrule.graph.derivative.adjoint import reverse
from chainrule.graph.functions import FUNCTIONS
from chainrule.graph.lowering.components import to_sympy
from chainrule.graph.lowering.numpy_text import HELPERS
from chainrule.graph.lowering.source import program, source
from chainrule.graph.node import DEFINED, PRIMITIVES, Graph, Node, reached
from chainrule.graph.sizes import Size, product
from chainrule.values.float64 import evaluate

ENV = {"n": 3, "m": 4, "k": 2}
ONE = Size.of(1)


# -- graphs --------------------------------------------------------------------------------------


class Maker:
    """A graph with inputs of many shapes, and nodes drawn from it."""

    def __init__(self, random: Random, env: dict[str, int] | None = None) -> None:
        self.random = random
        self.g = Graph(env or ENV)
        g = self.g
        n, m, k = self.axes = tuple(g.axis(a, g.env[a]) for a in "nmk")
        self.inputs = {
            "x": g.input("x", (n, m)),
            "net.W": g.input("net.W", (k, n)),
            "v": g.input("v", (m,)),
            "s": g.input("s", ()),
            'p["A"]': g.input('p["A"]', (n, n)),
            "T": g.input("T", (k, n, m)),
            "c": g.input("c", (n, ONE)),
            "i": g.input("i", (k,), "i"),
            "on": g.input("on", (n, m), "b"),
        }
        self.nodes = list(self.inputs.values())

    def pick(self, fits: Callable[[Node], bool] = lambda _: True) -> Node:
        """A node that fits, the later ones more often."""
        found = [x for x in self.nodes if fits(x)]
        return self.random.choices(found, range(1, len(found) + 1))[0]

    def real(self, ndim: int | None = None) -> Node:
        return self.pick(lambda x: x.kind == "f" and ndim in (None, x.ndim))

    def array(self) -> Node:
        return self.pick(lambda x: x.ndim > 0)

    def with_(self, a: Node) -> Node:
        """A node that broadcasts with another."""
        return self.pick(
            lambda b: all(
                p in (q, 1) or q == 1 for p, q in zip(a.shape[::-1], b.shape[::-1], strict=False)
            )
        )

    def number(self) -> Node:
        return self.g.number(
            self.random.choice([Fraction(1, 3), 1, Fraction(-1), Fraction(2), 3, -2, "pi", 0.1])
        )

    def positive(self, x: Node) -> Node:
        return self.g.add(self.g.power(x, 2), self.g.number(Fraction(3, 2)))

    def bounded(self, x: Node) -> Node:
        """In (−1, 1), with no zero that rounding could move."""
        return self.g.div(self.g.call("arctan", x), self.g.number(Fraction(2)))

    def spec(self, x: Node) -> Any:
        parts: list[Any] = []
        for n in x.shape:
            parts.append(
                self.random.choice(
                    [
                        ("at", Size.of(0)),
                        ("at", n - 1),
                        ("cut", Size.of(0), 1, n),
                        ("cut", Size.of(0), 1, n - 1),
                        ("cut", n - 1, -1, n),
                        ("cut", Size.of(0), 2, Size.of(1)),
                    ]
                )
            )
        return tuple(parts)

    def grow(self, steps: int) -> None:
        """More nodes, of random operations; those that do not fit are left out."""
        for _ in range(steps):
            op = self.random.choice(ALL)
            try:
                node = make(self, op)
            except (ShapeError, IndexError):
                continue
            if node.ndim <= 4 and product(node.shape).at(self.g.env) <= 3000:
                self.nodes.append(node)

    def values(self, seed: int, env: dict[str, int] | None = None) -> dict[str, Any]:
        """Arrays for the inputs; axes that turned out to be something are that."""
        rng, sizes = np.random.default_rng(seed), self.sizes(env or self.g.env)
        out: dict[str, Any] = {}
        for name, node in self.inputs.items():
            shape = tuple(s.at(sizes) for s in node.shape)
            out[name] = rng.standard_normal(shape)
            if node.kind != "f":
                out[name] = (
                    rng.permutation(max(shape))[: shape[0]] % 2
                    if node.kind == "i"
                    else (out[name] > 0)
                )
        return out

    def sizes(self, env: dict[str, int]) -> dict[str, int]:
        return {**env, **{a: s.at(env) for a, s in self.g.axes.items()}}


def contraction(t: Maker) -> Node:
    """A random sum of products of one to three arrays."""
    xs = [t.pick(lambda x: x.ndim <= 3) for _ in range(t.random.choice([1, 1, 2, 2, 2, 3]))]
    sizes: list[Size] = []
    labels = []
    for x in xs:
        names: list[int] = []
        for n in x.shape:
            known = [k for k, size in enumerate(sizes) if size == n]
            if known and t.random.random() < 0.8:
                names.append(t.random.choice(known))
            else:
                sizes.append(n)
                names.append(len(sizes) - 1)
        labels.append(names)
    out = [k for k in range(len(sizes)) if t.random.random() < 0.5]
    t.random.shuffle(out)
    return t.g.contract(labels, out, *xs)


def reshaped(t: Maker) -> Node:
    x = t.array()
    shape = list(x.shape)
    how = t.random.randrange(5)
    if how == 0:
        shape.insert(t.random.randrange(len(shape) + 1), ONE)
    elif how == 1:
        shape = [product(shape)]
    elif how == 2:
        shape = [s for s in shape if s != 1]
    elif how == 3:
        t.random.shuffle(shape)
    else:  # a sum that keeps its axis
        return t.g.reshape(t.g.sum(x, [0]), [ONE, *x.shape[1:]])
    return t.g.reshape(x, shape)


def stretched(t: Maker) -> Node:
    x = t.pick(lambda x: x.ndim < 3)
    shape = [t.random.choice(t.axes) if s == 1 else s for s in x.shape]
    return t.g.broadcast(x, [t.random.choice(t.axes), *shape])


def put(t: Maker) -> Node:
    x = t.array()
    spec = t.spec(x)
    shape = t.g.cut_shape(spec)
    value = t.pick(lambda v: v.shape == shape[len(shape) - v.ndim :] and v.ndim <= len(shape))
    return t.g.put(x, t.g.broadcast(value, shape), spec)


def put_at(t: Maker) -> Node:
    k = t.axes[2]
    base = t.pick(lambda x: x.ndim > 0 and x.shape[0].at(t.g.env) >= t.g.env["k"])
    shape = (k, *base.shape[1:])
    value = t.pick(lambda v: v.shape == shape[len(shape) - v.ndim :] and v.ndim <= len(shape))
    return t.g.put_at(base, t.g.broadcast(value, shape), t.g.iota(k))


def gather(t: Maker) -> Node:
    x, i = t.array(), t.inputs["i"]
    if x.ndim > 1 and t.random.random() < 0.3:
        return t.g.gather(x, t.g.mul(i, t.g.number(0)), i)
    if t.random.random() < 0.2:
        return t.g.gather(x, t.g.index(i, (("at", Size.of(0)),)))
    return t.g.gather(x, i)


def concat(t: Maker) -> Node:
    x = t.array()
    axis = t.random.randrange(x.ndim)
    rest = [s for k, s in enumerate(x.shape) if k != axis]
    y = t.pick(
        lambda y: y.ndim == x.ndim and [s for k, s in enumerate(y.shape) if k != axis] == rest
    )
    return t.g.concat([x, y], axis)


def reduced(t: Maker, op: str) -> Node:
    x = t.array()
    x = t.bounded(x) if x.kind == "f" else x
    axes = [k for k in range(x.ndim) if t.random.random() < 0.6]
    return t.g.reduce(op, x, axes)


def regular(t: Maker) -> Node:
    """A well-conditioned matrix."""
    g, n = t.g, t.axes[0]
    small = g.mul(g.number(Fraction(1, 10)), g.call("arctan", t.inputs['p["A"]']))
    return g.add(small, g.delta(n, n))


def power(t: Maker) -> Node:
    whole = [2, 3, 4, 5, 1, 0]
    exponent = Fraction(t.random.choice([*whole, -1, -2, "1/2", "-1/2", "1/3", "3/2"]))
    x = t.pick()
    return t.g.power(x if exponent in whole else t.positive(x), exponent)


def selection(t: Maker) -> Node:
    g, c = t.g, t.pick(lambda x: x.kind == "b")
    if t.random.random() < 0.3:
        return g.select(c, g.number(Fraction(1)), g.number(Fraction(0)))
    a = t.with_(c)
    g.stretched(c.shape, a.shape)
    return g.select(c, a, t.with_(a))


def constant(t: Maker) -> Node:
    arrays = ([1.0, 2.0, -3.0], [1.5, 1.5], [True, False], [3, 4, 5], [[0.0, -1.0]], [0.1] * 30)
    if t.random.random() < 0.5:
        return t.number()
    if t.random.random() < 0.5:
        return t.g.full(t.random.choice([0, 1, 2]), t.axes[:2])
    return t.g.array(np.array(t.random.choice(arrays)))


def pair(t: Maker) -> tuple[Node, Node]:
    a = t.pick()
    b = t.with_(a)
    return (a, b) if t.random.random() < 0.8 else (a, t.number())


def truth(t: Maker) -> Node:
    return t.pick(lambda x: x.kind == "b")


#: How each primitive is drawn.
MAKERS: dict[str, Callable[[Maker], Node]] = {
    "input": lambda t: t.random.choice(list(t.inputs.values())),
    "const": constant,
    "size": lambda t: t.g.sized(
        t.random.choice([t.axes[0], t.axes[0] * t.axes[1] * 2, t.axes[2] + 2])
    ),
    "iota": lambda t: t.g.iota(t.random.choice(t.axes)),
    "delta": lambda t: t.g.delta(
        t.random.choice(t.axes), t.axes[0], t.random.choice([0, 0, 1, -1])
    ),
    "add": lambda t: t.g.add(*pair(t)) if t.random.random() < 0.5 else t.g.sub(*pair(t)),
    "mul": lambda t: t.g.mul(*pair(t)),
    "div": lambda t: t.g.div(t.pick(), t.positive(t.real(2))),
    "neg": lambda t: t.g.neg(t.pick()),
    "power": power,
    "less": lambda t: t.g.less(*pair(t)) if t.random.random() < 0.5 else t.g.less_equal(*pair(t)),
    "equal": lambda t: t.g.equal(t.pick(lambda x: x.kind != "f"), t.number()),
    "not": lambda t: t.g.not_(truth(t)),
    "and": lambda t: (t.g.and_ if t.random.random() < 0.5 else t.g.or_)(truth(t), t.inputs["on"]),
    "select": selection,
    "floor": lambda t: t.g.elementwise("floor", t.pick()),
    "contract": contraction,
    "reshape": reshaped,
    "broadcast": stretched,
    "index": lambda t: t.g.index(x := t.array(), t.spec(x)),
    "put": put,
    "gather": gather,
    "scatter_add": lambda t: t.g.scatter_add(
        t.pick(lambda x: x.ndim > 0 and x.shape[0] == t.axes[2]), [t.axes[1] + 2], t.inputs["i"]
    ),
    "put_at": put_at,
    "concat": concat,
    "reduce_mul": lambda t: reduced(t, "reduce_mul"),
    "reduce_max": lambda t: reduced(t, "reduce_max"),
    "solve": lambda t: t.g.solve(
        regular(t), t.pick(lambda x: x.ndim == 2 and x.shape[0] == t.axes[0])
    ),
    "det": lambda t: t.g.det(regular(t)),
    "logdet": lambda t: t.g.logdet(regular(t)),
    "polygamma": lambda t: t.g.call(
        "polygamma", t.positive(t.pick()), order=t.random.choice([0, 1, 2])
    ),
}
#: The functions whose arguments must be large enough; the others take (−0.8, 0.8).
POSITIVE = {"log", "log2", "log10", "lgamma", "arccosh", "pow"}


def called(t: Maker, name: str) -> Node:
    a = t.pick()
    args = [t.positive(a) if name in POSITIVE else t.bounded(a)]
    if FUNCTIONS[name].keeps_kind:
        args = [a]
    if FUNCTIONS[name].arity == 2:
        args.append(t.bounded(t.with_(a)))
    if name == "arctan2":  # NumPy looks at the sign of a zero, and a sum of products has either
        args = [t.positive(x) for x in args]
    return t.g.call(name, *args)


def make(t: Maker, op: str) -> Node:
    """A node of an operation."""
    return MAKERS[op](t) if op in MAKERS else called(t, op)


ALL = (*PRIMITIVES, *DEFINED)


def close(found: Any, wanted: np.ndarray) -> bool:
    """Equal up to rounding, in proportion to the largest entry."""
    finite = np.abs(wanted[np.isfinite(wanted)].astype(float))
    return np.shape(found) == wanted.shape and np.allclose(
        found, wanted, rtol=1e-9, atol=1e-10 * max(1.0, finite.max(initial=0.0)), equal_nan=True
    )


def run(text: str, name: str, *values: Any) -> Any:
    """What the source gives in a namespace of its own."""
    scope: dict[str, Any] = {}
    exec(text, scope)
    with np.errstate(all="ignore"):
        return scope[name](*values)


def agree(
    t: Maker, outputs: dict[str, Node], names: dict[Node, str], values: Any, env: Any
) -> None:
    """Both lowered forms give what the graph gives, share nothing, and change nothing."""
    try:
        wanted = evaluate(list(outputs.values()), values, env)
    except (ValueError, IndexError, np.linalg.LinAlgError):  # a cut or an index outside
        return
    kept = {name: v.copy() for name, v in values.items()}
    text = source(outputs, t.inputs, names, "found")
    by_source = run(text, "found", *values.values())
    if len(outputs) == 1:
        by_source = {next(iter(outputs)): by_source}
    by_program = program(outputs, t.inputs)(values)
    assert list(by_source) == list(by_program) == list(outputs)
    for key, want in zip(outputs, wanted, strict=True):
        assert close(by_program[key], want), key
        assert close(by_source[key], want), text
        assert by_program[key].dtype == want.dtype
        assert want.ndim == 0 or by_source[key].dtype == want.dtype, text
    for both in (by_source, by_program):
        arrays = [a for a in both.values() if np.ndim(a) or both is by_program]
        for j, a in enumerate(arrays):
            for b in (*arrays[:j], *values.values()):
                assert not np.shares_memory(a, b), text
    for name, before in kept.items():
        assert np.array_equal(values[name], before), f"{name} was written to"


@pytest.mark.parametrize("op", ALL)
def test_every_primitive_and_function(op: str) -> None:
    """Each operation by itself, several draws, also at other sizes than the graph's own."""
    assert set(MAKERS) | set(FUNCTIONS) == set(ALL)
    done = 0
    for seed in range(30):
        t = Maker(Random(f"{op} {seed}"))
        t.grow(3)
        try:
            node = make(t, op)
        except (ShapeError, IndexError):
            continue
        agree(t, {"out": node}, {}, t.values(seed), t.sizes(t.g.env))
        if not t.g.axes:
            larger = {"n": 5, "m": 3, "k": 3}
            agree(t, {"out": node}, {}, t.values(seed, larger), larger)
        done += node.op == op or op == "input"
        if done == 4:
            return
    assert done


@settings(max_examples=100, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 25), st.integers(1, 4))
def test_random_graphs(random: Random, steps: int, outputs: int) -> None:
    """Programs and sources of random graphs, with users' names for some nodes, equal the graph."""
    t = Maker(random)
    t.grow(steps)
    wanted = {f"out {k}": t.pick() for k in range(outputs)}
    names = {
        x: random.choice(["z", "a1", "np", "lambda", "sum", "t1"])
        for x in t.nodes
        if x.op != "input" and random.random() < 0.2
    }
    agree(t, wanted, names, t.values(1), t.sizes(t.g.env))


@pytest.mark.parametrize("size", [0, 1])
def test_empty_and_single_axes(size: int) -> None:
    """A program made at one size runs at size 0 and 1."""
    g = Graph({"n": 3, "m": 4})
    n, m = g.axis("n", 3), g.axis("m", 4)
    W, x = g.input("W", (n, m)), g.input("x", (m,))
    z = g.einsum("ij,j->i", W, x)
    mean = g.div(g.sum(g.power(z, 2), [0]), g.sized(n))
    outputs = {"mean": mean, "turned": g.index(z, (("cut", n - 1, -1, n),)), "eye": g.delta(n, n)}
    values = {"W": np.ones((size, 2)), "x": np.ones(2)}
    for key, a in program(outputs, {"W": W, "x": x})(values).items():
        assert close(a, evaluate([outputs[key]], values, {"n": size})[0])


# -- the network ---------------------------------------------------------------------------------


def network(widths: tuple[int, ...]) -> tuple[dict[str, Node], dict[Node, str], Node]:
    """The page's network as graph: inputs, the user's names, the cost."""
    g = Graph({f"n{k}": w for k, w in enumerate(widths)} | {"N": 5})
    n, N = [g.axis(f"n{k}", w) for k, w in enumerate(widths)], g.axis("N", 5)
    inputs = {"x": g.input("x", (n[0], N)), "y": g.input("y", (n[-1], N))}
    names: dict[Node, str] = {}
    a, one = inputs["x"], g.number(1)
    for k in range(1, len(widths)):
        W = inputs[f"W{k}"] = g.input(f"W{k}", (n[k], n[k - 1]))
        b = inputs[f"b{k}"] = g.input(f"b{k}", (n[k], ONE))
        z = g.add(g.einsum("ij,jk->ik", W, a), b)
        a = g.div(one, g.add(one, g.call("exp", g.neg(z))))
        names |= {z: f"z{k}", a: f"a{k}"}
    square = g.sum(g.power(g.sub(a, inputs["y"]), 2), [0, 1])
    return inputs, names, g.div(square, g.sized(n[0] * N))


def test_the_network_reads_as_a_person_writes_it() -> None:
    """Golden: every gradient of a 1-6-2 network, with adjoints named."""
    inputs, names, cost = network((1, 6, 2))
    places = [p for p in inputs if p not in "xy"]
    of = reverse(cost, [inputs[p] for p in places]).of
    named = {**names, **{of[node]: f"d_{name}" for node, name in names.items()}}
    assert (
        source({p: of[inputs[p]] for p in places}, inputs, named)
        == '''\
import numpy as np


def gradients(x, y, W1, b1, W2, b2):
    """W1, b1, W2, b2; derived by chainrule.

    x : (n0×N)
    y : (n2×N)
    W1 : (n1×n0)
    b1 : (n1×1)
    W2 : (n2×n1)
    b2 : (n2×1)
    """
    z1 = W1 @ x + b1
    t1 = np.exp(-z1)
    t2 = 1 + t1
    a1 = 1 / t2
    z2 = W2 @ a1 + b2
    t3 = np.exp(-z2)
    t4 = 1 + t3
    a2 = 1 / t4
    d_a2 = 2 / x.size * (a2 - y)
    d_z2 = d_a2 / t4**2 * t3
    d_a1 = W2.T @ d_z2
    d_z1 = d_a1 / t2**2 * t1
    return {
        "W1": d_z1 @ x.T,
        "b1": np.sum(d_z1, axis=1, keepdims=True),
        "W2": d_z2 @ a1.T,
        "b2": np.sum(d_z2, axis=1, keepdims=True),
    }
'''
    )


def test_cases_and_writing_read_as_a_person_writes_them() -> None:
    """Golden: comparisons, np.where, slices, writing into a buffer, a helper that NumPy lacks."""
    g = Graph({"n": 4})
    n = g.axis("n", 4)
    v, W = g.input("self.v", (n,)), g.input('params["W"]', (n, n))
    zero, number = g.number(0), g.number
    relu = g.select(g.less_equal(zero, v), v, g.mul(number(Fraction(1, 3)), v))
    rest = g.index(v, (("cut", Size.of(1), 1, n - 1),))
    first = g.index(v, (("cut", Size.of(0), 1, n - 1),))
    buffer = g.full(0, (n,))
    buffer = g.put(buffer, g.sub(rest, first), (("cut", Size.of(1), 1, n - 1),))
    buffer = g.put(buffer, number("pi"), (("at", Size.of(0)),))
    outer = g.einsum("i,j->ij", relu, g.call("expit", buffer))
    trace = g.einsum("ij,ji->", W, outer)
    out = {
        "r": g.add(trace, g.einsum("ii->", W)),
        "root": g.power(g.sum(g.power(v, 2), [0]), Fraction(1, 2)),
    }
    assert (
        source(out, {"self.v": v, 'params["W"]': W}, {buffer: "d"}, "both")
        == '''\
import numpy as np


def expit(x):
    """1/(1 + exp(-x)), without overflow."""
    return np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))


def both(self_v, params_W):
    """r, root; derived by chainrule.

    self_v : self.v, (n)
    params_W : params["W"], (n×n)
    """
    d = np.zeros(self_v.shape)
    d[1:] = self_v[1:] - self_v[:-1]
    d[0] = np.pi
    t1 = np.outer(np.where(self_v >= 0, self_v, 1 / 3 * self_v), expit(d))
    return {
        "r": np.einsum("ij,ji->", params_W, t1) + np.trace(params_W),
        "root": np.sqrt(np.sum(self_v**2)),
    }
'''
    )


def test_signs_and_parentheses() -> None:
    """Minimal parentheses, the graph's order, and no double sign."""
    g = Graph({"n": 3})
    n = g.axis("n", 3)
    a, b, A = g.input("a", (n,)), g.input("b", (n,)), g.input("A", (n, n))
    at = g.einsum("ij,j->i", A, a)
    cases = {
        "a - b": g.sub(a, b),
        "b - a": g.add(g.neg(a), b),
        "-a - b": g.sub(g.neg(a), b),
        "a - (a - b)": g.sub(a, g.sub(a, b)),
        "a * (b / a)": g.mul(a, g.div(b, a)),
        "a * b / a": g.div(g.mul(a, b), a),
        "a + b * 2": None,
        "-a * b": g.mul(a, g.neg(b)),
        "a * b": g.mul(g.neg(a), g.neg(b)),
        "-(a + b)": g.neg(g.add(a, b)),
        "2 * a": g.mul(a, g.number(Fraction(2))),
        "(a + b) ** 2": g.power(g.add(a, b), 2),
        "-a**3": g.power(g.neg(a), 3),
        "1 / a**2": g.power(a, -2),
        "1 / np.sqrt(a)": g.power(a, Fraction(-1, 2)),
        "a ** (1 / 3)": g.power(a, Fraction(1, 3)),
        "A @ a": at,
        "a @ A": g.einsum("i,ij->j", a, A),
        "A.T @ A": g.einsum("ji,jk->ik", A, A),
        "A @ A.T": g.einsum("ij,kj->ik", A, A),
        "A @ A @ a": g.einsum("ij,j->i", g.einsum("ij,jk->ik", A, A), a),
        "A @ (A @ a)": g.einsum("ij,j->i", A, at),
        "2 * (A @ a)": g.mul(at, g.number(Fraction(2))),
        "A @ -a": g.einsum("ij,j->i", A, g.neg(a)),
        "-(A @ a)": g.neg(at),
        "a @ b": g.einsum("i,i->", a, b),
        "A.sum()": g.sum(A, [0, 1]),
        "np.sum(A, axis=0)": g.sum(A, [0]),
        "np.sum(A * A)": g.einsum("ij,ij->", A, A),
        "np.diagonal(A).copy()": g.einsum("ii->i", A),
        "A * a": g.mul(A, a),
        "A * a[:, None]": g.mul(A, g.reshape(a, (n, 1))),
        "a <= b": None,
        "a >= b": g.not_(g.less(a, b)),
        "a != b": g.not_(g.equal(a, b)),
        "(a < b) | (a == b)": g.or_(g.less(a, b), g.equal(a, b)),
        "~((a < b) & (b < a))": g.not_(g.and_(g.less(a, b), g.less(b, a))),
        "np.full(a.shape, 0.5)": g.full(Fraction(1, 2), (n,)),
        "np.ones((a.size, a.size, a.size))": g.full(1, (n, n, n)),
        "a[::-1].copy()": g.index(a, (("cut", n - 1, -1, n),)),
        "np.eye(a.size) * np.arange(a.size)": g.mul(g.delta(n, n), g.iota(n)),
    }
    for text, node in cases.items():
        if node is not None:
            whole = source({"": node}, {"a": a, "b": b, "A": A}, {}, "f")
            assert whole.splitlines()[-1].strip() == f"return {text}"


def test_lines_are_short() -> None:
    """No line is longer than 88; a long expression is taken apart."""
    g = Graph({"n": 3})
    x = g.input("a_rather_long_name_of_an_input", (g.axis("n", 3),))
    y = x
    for k in range(40):
        y = g.call("sin", g.add(g.mul(y, x), g.number(Fraction(k, 7))))
    parts = g.concat([g.mul(x, g.number(k)) for k in range(30)], 0)
    text = source({"y": y, "parts": parts}, {"a_rather_long_name_of_an_input": x}, {})
    assert max(map(len, text.splitlines())) <= 88
    values = np.array([0.1, 0.2, 0.3])
    for got, node in zip(run(text, "gradients", values).values(), (y, parts), strict=True):
        assert close(got, evaluate([node], {"a_rather_long_name_of_an_input": values})[0])


# -- names ---------------------------------------------------------------------------------------

HOSTILE = [
    "np", "math", "lambda", "sum", "None", "t1", "t2", "expit", "net.W1", "net_W1", 'net["W1"]',
    "Ws[0]", "Ws[-1]", "σ", "ﬁ", "fi", "x²", "", " ", "2", "_", "__import__", "match",
    'p["""\nimport os\n"""]', 'p["\\"]', "a);import os;(b", "x\u2028y", "\ud800", "{0}",
    "gradients",
]  # fmt: skip


def test_hostile_names_become_identifiers() -> None:
    """Whatever a place or an output is called, the text is one harmless function, and right."""
    g = Graph({})
    inputs = {name: g.input(name, ()) for name in HOSTILE}
    total, names = g.number(0), {}
    for name, node in inputs.items():
        total = g.add(g.mul(total, g.number(2)), g.call("expit", node))
        names[total] = name
    outputs = {name: g.mul(total, g.number(k)) for k, name in enumerate(HOSTILE)}
    text = source(outputs, inputs, names)
    tree = ast.parse(text.encode())
    assert [type(s).__name__ for s in tree.body] == ["Import", "FunctionDef", "FunctionDef"]
    function = tree.body[-1]
    assert isinstance(function, ast.FunctionDef)
    arguments = [a.arg for a in function.args.args]
    assert len(set(arguments)) == len(HOSTILE)
    bound = {
        n.id for n in ast.walk(function) if isinstance(n, ast.Name) and n.id not in ("np", "expit")
    }
    for name in {*arguments, *bound}:
        assert name.isidentifier() and not keyword.iskeyword(name)
        assert name not in dir(builtins) and name not in ("np", "expit", "gradients")
    values = [0.1 * k for k in range(len(HOSTILE))]
    got = run(text, "gradients", *values)
    wanted = evaluate(list(outputs.values()), dict(zip(HOSTILE, values, strict=True)))
    assert list(got) == HOSTILE
    assert all(close(a, b) for a, b in zip(got.values(), wanted, strict=True))
    again = program(outputs, inputs)(dict(zip(HOSTILE, values, strict=True)))
    assert all(close(a, b) for a, b in zip(again.values(), wanted, strict=True))


def test_every_function_is_numpys_or_has_a_helper() -> None:
    """What a row names is in NumPy, or among the helpers."""
    for name, row in FUNCTIONS.items():
        head = row.source.split("(")[0]
        assert head == "{0} ** {1}" or hasattr(np, head.removeprefix("np.")) or name in HELPERS


# -- programs ------------------------------------------------------------------------------------


def test_a_program_computes_nothing_twice_and_reuses_memory() -> None:
    """One exp per layer, and a long chain holds no more than two arrays."""
    inputs, _, cost = network((3, 4, 4, 2))
    places = [p for p in inputs if p not in "xy"]
    of = reverse(cost, [inputs[p] for p in places]).of
    text = program({p: of[inputs[p]] for p in places}, inputs).text
    assert text.count("np.exp(") == 3
    assert text.count("np.negative(") == 3

    g = Graph({"n": 5})
    x = g.input("x", (g.axis("n", 5),))
    y = g.add(x, x)
    for _ in range(20):
        y = g.mul(g.call("sin", y), g.number(Fraction(1, 2)))
    chain = program({"y": y}, {"x": x})
    values = {"x": np.ones(100_000)}
    chain(values)
    tracemalloc.start()
    try:
        chain(values)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.1 * values["x"].nbytes


def test_a_view_keeps_its_memory() -> None:
    """An array that a view still shows is not overwritten, however the view was made."""
    g = Graph({"n": 3, "m": 2})
    n, m = g.axis("n", 3), g.axis("m", 2)
    x = g.input("x", (n, m))
    y = g.call("exp", x)
    row = g.index(y, (("at", Size.of(0)), ("cut", Size.of(0), 1, m)))
    views = [g.transpose(y), row, g.reshape(y, (m, n)), g.broadcast(y, (m, n, m))]
    for view in views:
        late = g.call("sin", view)
        over = g.add(y, g.number(Fraction(1)))  # the last use of y itself
        both = g.mul(g.sum(over, [0, 1]), g.sum(late, range(late.ndim)))
        values = {"x": np.arange(6.0).reshape(3, 2)}
        assert close(program({"o": both}, {"x": x})(values)["o"], evaluate([both], values)[0])


def test_sums_over_stretched_axes() -> None:
    """Products of arrays that are stretched along the axis that is summed, or kept."""
    g = Graph({"n": 3, "m": 4})
    n, m = g.axis("n", 3), g.axis("m", 4)
    c, v, s = g.input("c", (n, ONE)), g.input("v", (m,)), g.input("s", ())
    wide, tall = g.broadcast(c, (n, m)), g.broadcast(v, (n, m))
    scalar = g.broadcast(s, (n, m))
    inputs = {"c": c, "v": v, "s": s}
    values = {"c": [[1.0], [2.0], [-3.0]], "v": [1.0, 2.0, 3.0, 5.0], "s": 7.0}
    for subscripts in ("ij,ij->i", "ij,ij->j", "ij,ij->", "ij,ij->ij", "ij,kj->ik", "ij,ik->kj"):
        for a in (wide, tall, scalar):
            for b in (wide, tall, scalar):
                out = {"o": g.einsum(subscripts, a, b)}
                want = evaluate([out["o"]], values, {"n": 3, "m": 4})[0]
                assert close(program(out, inputs)(values)["o"], want), subscripts
                by_source = run(
                    source(out, inputs, {}), "gradients", *map(np.array, values.values())
                )
                assert close(by_source, want), subscripts


def test_products_do_not_commute() -> None:
    """A @ B and B @ A, a − b and b − a, a/b and b/a are different."""
    g = Graph({"n": 2})
    n = g.axis("n", 2)
    A, B = g.input("A", (n, n)), g.input("B", (n, n))
    outputs = {}
    for k, (x, y) in enumerate([(A, B), (B, A)]):
        outputs |= {f"@{k}": g.einsum("ij,jk->ik", x, y), f"-{k}": g.sub(x, y)}
        outputs |= {f"/{k}": g.div(x, y), f"c{k}": g.concat([x, y], 0), f"<{k}": g.less(x, y)}
    values = {"A": np.array([[1.0, 2.0], [3.0, 4.0]]), "B": np.array([[5.0, 1.0], [1.0, 7.0]])}
    by_source = run(source(outputs, {"A": A, "B": B}, {}), "gradients", *values.values())
    by_program = program(outputs, {"A": A, "B": B})(values)
    for key, want in zip(outputs, evaluate(list(outputs.values()), values), strict=True):
        assert close(by_source[key], want) and close(by_program[key], want), key


def test_conditions_and_literals_as_numbers() -> None:
    """Truth values in sums, signs and quotients; whole literals where NumPy would make integers."""
    g = Graph({"n": 3})
    n = g.axis("n", 3)
    x = g.input("x", (n,))
    on = g.less(g.number(0), x)
    one, two = g.number(Fraction(1)), g.number(Fraction(2))
    as_number = g.select(on, one, g.number(Fraction(0)))
    outputs = {
        "-c/x": g.neg(g.div(on, x)),
        "-c·x": g.neg(g.mul(on, x)),
        "-c": g.neg(on),
        "c+c": g.add(on, on),
        "c·-1": g.mul(as_number, g.number(Fraction(-1))),
        "c·x": g.mul(as_number, g.neg(x)),
        "c²": g.power(on, 2),
        "Σc": g.einsum("i->", on),
        "cx": g.einsum("i,i->", on, x),
        "floor 2": g.broadcast(g.elementwise("floor", two), (n,)),
        "floor n": g.broadcast(g.elementwise("floor", g.sized(n)), (n,)),
        "|2|": g.broadcast(g.call("abs", two), (n,)),
        "2·3": g.broadcast(g.mul(two, g.number(Fraction(3))), (n,)),
        "n·n": g.broadcast(g.mul(g.sized(n), g.sized(n)), (n,)),
        "2 where c": g.select(on, two, one),
        "max": g.broadcast(g.call("maximum", two, one), (n,)),
        "iota": g.mul(g.iota(n), two),
        "written": g.put(g.iota(n), g.number(Fraction(1, 2)), (("at", Size.of(0)),)),
        "sign c": g.call("sign", on),
    }
    values = {"x": np.array([1.5, -2.0, 0.5])}
    by_source = run(source(outputs, {"x": x}, {}), "gradients", *values.values())
    by_program = program(outputs, {"x": x})(values)
    for key, want in zip(outputs, evaluate(list(outputs.values()), values), strict=True):
        for got in (by_source[key], by_program[key]):
            assert close(got, want), key
            assert np.asarray(got).dtype == want.dtype, key


def test_a_buffer_that_others_read_is_copied() -> None:
    """Writing into what is still needed, before or after, changes nothing for the others."""
    g = Graph({"n": 3})
    n = g.axis("n", 3)
    x = g.input("x", (n,))
    first, last = (("at", Size.of(0)),), (("at", n - 1),)
    one = g.put(x, g.number(Fraction(5)), first)
    two = g.put(one, g.number(Fraction(6)), last)
    three = g.put(one, g.number(Fraction(7)), last)
    y = g.call("exp", x)
    shown = g.index(y, (("cut", n - 1, -1, n),))
    four = g.put(y, g.number(Fraction(8)), first)
    five = g.add(four, shown)
    lone = g.put(g.concat([y, y], 0), g.index(y, last), (("at", Size.of(4)),))
    chosen = {"1": one, "2": two, "3": three, "4": four, "5": five, "y": y, "6": lone}
    names = {one: "b", two: "b", y: "y", four: "z"}
    values = {"x": np.array([1.0, 2.0, 3.0])}
    for keys in (chosen, ["2", "3"], ["5"], ["y", "5"], ["4"], ["6", "4"]):
        outputs = {key: chosen[key] for key in keys}
        for named in ({}, names):
            got = run(source(outputs, {"x": x}, named), "gradients", values["x"])
            got = got if len(outputs) > 1 else {next(iter(outputs)): got}
            made = program(outputs, {"x": x})(values)
            for key, want in zip(outputs, evaluate(list(outputs.values()), values), strict=True):
                assert close(got[key], want) and close(made[key], want), key
    assert values["x"].tolist() == [1.0, 2.0, 3.0]


def test_buffers_filled_in_a_loop_are_not_copied() -> None:
    """A hundred writes into one buffer are one array."""
    g = Graph({"n": 100})
    x = g.input("x", (g.axis("n", 100),))
    g.pin(g.axis("n", 100))
    out = g.full(0, (100,))
    for k in range(100):
        part = g.index(x, (("at", Size.of(k)),))
        out = g.put(out, g.mul(part, part), (("at", Size.of(k)),))
    made = program({"o": out}, {"x": x})
    assert made.text.count("np.full") + made.text.count("np.array(t") == 1
    text = source({"o": out}, {"x": x}, {})
    assert text.count("np.zeros") == 1 and ".copy()" not in text
    values = np.arange(100.0)
    assert np.array_equal(made({"x": values})["o"], values**2)
    assert np.array_equal(run(text, "gradients", values), values**2)


def test_deep_graphs() -> None:
    """Twenty thousand nodes in a row are no problem for Python (nor are 200,000, in a minute)."""
    g = Graph({})
    x = g.input("x", ())
    y = x
    for k in range(10_000):
        y = g.add(g.mul(y, g.number(Fraction(1, 2))), x if k % 2 else g.number(Fraction(1)))
    assert sum(1 for _ in reached([y])) > 20_000
    want = evaluate([y], {"x": 0.25})[0]
    assert close(program({"y": y}, {"x": x})({"x": 0.25})["y"], want)
    assert close(run(source({"y": y}, {"x": x}, {}), "gradients", 0.25), want)


def test_what_a_program_refuses() -> None:
    """Missing inputs and shapes that do not fit are named."""
    g = Graph({"n": 3})
    n = g.axis("n", 3)
    x, y = g.input("x", (n,)), g.input("y", (n,))
    total = {"t": g.add(x, y)}
    for lower in (lambda: program(total, {"x": x}), lambda: source(total, {"x": x}, {})):
        with pytest.raises(UsageError, match="the input y is needed"):
            lower()
    both = program(total, {"x": x, "y": y})
    with pytest.raises(UsageError, match="y has no value"):
        both({"x": np.ones(3)})
    with pytest.raises(ShapeError, match="y has the shape"):
        both({"x": np.ones(3), "y": np.ones(4)})
    assert both({"x": [1, 2], "y": [1, 2]})["t"].tolist() == [2.0, 4.0]


def test_a_traceback_shows_the_line() -> None:
    """An error inside a program points at a line of its code."""
    g = Graph({"n": 2})
    n = g.axis("n", 2)
    A, b = g.input("A", (n, n)), g.input("b", (n, n))
    with pytest.raises(np.linalg.LinAlgError) as caught:
        program({"x": g.solve(A, b)}, {"A": A, "b": b})({"A": np.zeros((2, 2)), "b": np.eye(2)})
    assert "t0 = np.linalg.solve(x0, x1)" in "".join(traceback.format_exception(caught.value))


# -- components ----------------------------------------------------------------------------------


def test_gradients_in_components_are_sympys() -> None:
    """The lowered adjoint of a 1-2-1 network, entry by entry, is sympy.diff of the lowered cost."""
    inputs, _, cost = network((1, 2, 1))
    sizes = {"n0": 1, "n1": 2, "n2": 1, "N": 2}
    formula = to_sympy(cost, sizes)
    adjoints = reverse(cost).of
    rng = np.random.default_rng(3)
    point = {s: sp.Rational(int(rng.integers(-9, 9)), 8) for s in formula.free_symbols}
    compared = 0
    for name in ("W1", "b1", "W2", "b2"):
        entries = to_sympy(adjoints[inputs[name]], sizes)
        for i, j in np.ndindex(*entries.shape):
            ours = entries[i, j].xreplace(point)
            theirs = formula.diff(sp.Symbol(f"{name}[{i},{j}]", real=True)).xreplace(point)
            assert abs(sp.N(ours - theirs, 30, maxn=400)) < 1e-25
            compared += 1
    assert compared == 7


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 4))
def test_components_of_random_graphs(random: Random, steps: int) -> None:
    """Components with numbers put in are what the graph gives."""
    t = Maker(random, {"n": 2, "m": 2, "k": 2})
    t.grow(steps)
    node = t.nodes[-1]
    values, sizes = t.values(2), t.sizes(t.g.env)
    try:
        want = evaluate([node], values, sizes)[0]
        found = to_sympy(node)
    except (ValueError, IndexError, UsageError, BudgetError):
        return
    put = {}
    for name, v in values.items():
        for place in np.ndindex(*v.shape):
            index = f"[{','.join(map(str, place))}]" if place else ""
            symbol = sp.Symbol(f"{name}{index}", real=True)
            put[symbol] = sp.Float(v[place], 30) if v.dtype == float else sp.Integer(int(v[place]))
    entries = [found] if want.ndim == 0 else sp.flatten(found.tolist()) if want.size else []
    assert want.ndim == 0 or found.shape == want.shape
    got = np.array([complex(sp.N(e.xreplace(put))) for e in entries]).reshape(want.shape)
    assert close(got, want)


def test_components_are_exact_and_named() -> None:
    """Symbols as formulas have them, fractions, cases, and what is refused."""
    g = Graph({"n": 2})
    n = g.axis("n", 2)
    x, W, s = g.input("x", (n,)), g.input("net.W", (n, n)), g.input("s", ())
    X, S = sp.Symbol("x[0]", real=True), sp.Symbol("s", real=True)
    assert to_sympy(s) == S
    assert to_sympy(x)[0] == X and to_sympy(x).shape == (2,)
    assert to_sympy(W)[1, 0] == sp.Symbol("net.W[1,0]", real=True)
    assert isinstance(to_sympy(W), sp.ImmutableDenseMatrix)
    assert to_sympy(g.mul(s, g.number(Fraction(1, 3)))) == S / 3
    assert to_sympy(g.number(0.1)) == sp.Rational(*(0.1).as_integer_ratio())
    assert to_sympy(g.less(s, g.number(1))) == sp.Piecewise((1, S < 1), (0, True))
    zero = g.number(0)
    assert to_sympy(g.select(g.less(s, zero), g.neg(s), s)) == sp.Piecewise((-S, S < 0), (S, True))
    assert to_sympy(g.call("maximum", s, zero)) == sp.Max(S, 0)
    assert to_sympy(g.det(W), {"n": 1}) == sp.Symbol("net.W[0,0]", real=True)
    assert to_sympy(x, {"x": (3,)}).shape == (3,)
    with pytest.raises(UsageError, match="not known numbers"):
        i = g.input("i", (n,), "i")
        to_sympy(g.gather(x, i))
    with pytest.raises(BudgetError, match="1,000,000"):
        to_sympy(W, {"n": 1000})
    with pytest.raises(ShapeError):
        to_sympy(g.einsum("ij,j->i", W, x), {"x": (3,), "net.W": (2, 2)})
    with pytest.raises(UsageError, match="y is no input"):
        to_sympy(x, {"y": (2,)})


def test_the_benchmark_runs() -> None:
    """`python -m tests.benchmarks` prints its table, here at tiny sizes; no time is judged."""
    root = Path(__file__).parents[1]
    command = [sys.executable, "-m", "tests.benchmarks", "--tiny"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    head = next(k for k, line in enumerate(lines) if line.startswith("network"))
    assert [line.split(",")[0] for line in lines[head + 1 :]] == ["1-3-2", "2 wide"]
