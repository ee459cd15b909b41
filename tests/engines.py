"""Two engines that know the primitives on their own: torch, and SymPy on explicit components.

Neither shares a line with what is tested: each has its own meaning of every operation and every
function, and differentiates by itself.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from chainrule.graph.node import Node, reached


def constant_of(node: Node) -> np.ndarray:
    """A constant as float64 (bool for conditions)."""
    how, *rest = node.params
    if how == "number":
        return np.asarray(float(rest[0]))
    if how == "named":
        return np.asarray({"pi": 3.141592653589793, "e": 2.718281828459045}[rest[0]])
    if how == "near":
        return np.asarray(float.fromhex(rest[0]))
    dtype = {"b": bool, "i": np.int64, "f": float}[node.kind]
    out = np.frombuffer(rest[1], dtype).reshape(rest[0])
    return out if node.kind == "b" else out.astype(float)


def positions(node: Node, shape: Sequence[int], sizes: Mapping[str, int]) -> np.ndarray:
    """Where a spec reads in the row-major order of an array."""
    picked: np.ndarray = np.arange(int(np.prod(shape))).reshape(shape)
    axis = 0
    for part in node.params[0]:
        first = part[1].at(sizes)
        if part[0] == "at":
            picked = np.take(picked, first, axis=axis)
        else:
            where = [first + part[2] * k for k in range(part[3].at(sizes))]
            picked = np.take(picked, np.array(where, dtype=int), axis=axis)
            axis += 1
    return np.asarray(picked)


def letters(node: Node) -> str:
    names, out = node.params
    return (
        ",".join("".join(chr(97 + n) for n in ns) for ns in names)
        + "->"
        + "".join(chr(97 + n) for n in out)
    )


# -- torch ------------------------------------------------------------------------------------


#: Bernoulli numbers B2, B4, ….
BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)


def torch_polygamma(n: int, x: Any) -> Any:
    """ψ⁽ⁿ⁾(x) for x > 0: twenty steps up, then Stirling's series."""
    z = x + 20
    sign = (-1) ** (n + 1)
    below = sum(math.factorial(n) / (x + k) ** (n + 1) for k in range(20))
    tail = sum(
        b * math.factorial(2 * k + n - 1) / math.factorial(2 * k) / z ** (2 * k + n)
        for k, b in enumerate(BERNOULLI, 1)
    )
    head = math.factorial(n) / (2 * z ** (n + 1)) + tail
    if n == 0:
        return z.log() - head - below
    return sign * (math.factorial(n - 1) / z**n + head + below)


def torch_lgamma(x: Any) -> Any:
    """log Γ(x) for x > 0, in the same way."""
    z = x + 20
    tail = sum(b / (2 * k * (2 * k - 1)) / z ** (2 * k - 1) for k, b in enumerate(BERNOULLI, 1))
    below = sum((x + k).log() for k in range(20))
    return (z - 0.5) * z.log() - z + 0.5 * math.log(2 * math.pi) + tail - below


@cache
def torch_functions() -> dict[str, Any]:
    import torch as t

    return {
        "add": lambda a, b: a + b,
        "mul": lambda a, b: a * b,
        "div": lambda a, b: a / b,
        "neg": lambda a: -a,
        "less": lambda a, b: a < b,
        "equal": lambda a, b: a == b,
        "not": lambda a: ~a,
        "and": lambda a, b: a & b,
        "select": lambda c, a, b: t.where(c, a, b),
        "floor": t.floor,
        "exp": t.exp,
        "log": t.log,
        "sin": t.sin,
        "cos": t.cos,
        "arctan": t.arctan,
        "erf": t.erf,
        "lgamma": torch_lgamma,  # torch's own trigamma is right to 9 digits only
        "log1p": t.log1p,
        "expm1": t.expm1,
        "log2": t.log2,
        "log10": t.log10,
        "exp2": t.exp2,
        "tan": t.tan,
        "tanh": t.tanh,
        "sinh": t.sinh,
        "cosh": t.cosh,
        "arcsin": t.arcsin,
        "arccos": t.arccos,
        "arcsinh": t.arcsinh,
        "arccosh": t.arccosh,
        "arctanh": t.arctanh,
        "expit": t.sigmoid,
        "erfc": t.erfc,
        "abs": t.abs,
        "sign": t.sign,
        "cbrt": lambda x: t.sign(x) * t.abs(x) ** (1 / 3),
        "maximum": t.maximum,
        "minimum": t.minimum,
        "logaddexp": t.logaddexp,
        "arctan2": t.arctan2,
        "hypot": t.hypot,
        "pow": lambda a, b: a**b,
    }


def torch_rule(node: Node, xs: Sequence[Any], sizes: Mapping[str, int]) -> Any:
    """The value of a node that is no input, from those of its inputs."""
    import torch as t

    op, p = node.op, node.params
    shape = [s.at(sizes) for s in node.shape]
    if op == "const":
        return t.tensor(constant_of(node))
    if op == "size":
        return t.tensor(float(p[0].at(sizes)), dtype=t.float64)
    if op == "iota":
        return t.arange(shape[0], dtype=t.float64)
    if op == "delta":
        return t.tensor(np.eye(shape[0], shape[1], p[2]))
    if op not in ("not", "and", "select", "gather", "scatter_add", "put_at"):
        xs = [x.double() for x in xs]
    if op == "select":
        return t.where(xs[0], xs[1].double(), xs[2].double())
    if op in torch_functions():
        return torch_functions()[op](*xs)
    if op == "power":
        return xs[0] ** (int(p[0]) if p[0].denominator == 1 else float(p[0]))
    if op == "polygamma":
        return torch_polygamma(p[0], xs[0])
    if op == "contract":
        return t.einsum(letters(node), *xs)
    if op == "reshape":
        return xs[0].reshape(shape)
    if op == "broadcast":
        return t.broadcast_to(xs[0], shape)
    if op == "index":
        at = t.tensor(positions(node, xs[0].shape, sizes))
        return xs[0].reshape(-1)[at.reshape(-1)].reshape(shape)
    if op == "put":
        at = t.tensor(positions(node, xs[0].shape, sizes)).reshape(-1)
        return xs[0].reshape(-1).index_put((at,), xs[1].reshape(-1)).reshape(shape)
    first = {"gather": 1, "scatter_add": 1, "put_at": 2}.get(op, len(xs))
    where = tuple(x.long() for x in xs[first:])
    if op == "gather":
        return xs[0][where]
    if op == "scatter_add":
        return t.zeros(shape, dtype=t.float64).index_put(where, xs[0], accumulate=True)
    if op == "put_at":
        return xs[0].index_put(where, xs[1])
    if op == "concat":
        return t.cat(list(xs), p[0])
    if op == "reduce_mul":
        out = xs[0]
        for axis in sorted(p[0], reverse=True):
            parts = out.unbind(axis)
            out = t.ones([n for k, n in enumerate(out.shape) if k != axis], dtype=t.float64)
            for part in parts:
                out = out * part
        return out + 0 * xs[0].sum()  # torch knows where the product of nothing is from
    if op == "reduce_max":
        return t.amax(xs[0], dim=p[0])
    if op == "solve":
        return t.linalg.solve(xs[0], xs[1])
    if op == "det":
        return t.linalg.det(xs[0])
    assert op == "logdet", op
    return t.linalg.slogdet(xs[0])[1]


def run_torch(
    outputs: Sequence[Node], values: Mapping[str, Any], sizes: Mapping[str, int]
) -> dict[Node, Any]:
    """Every node that outputs need; the inputs are the tensors given."""
    known: dict[Node, Any] = {}
    for node in reached(outputs):
        if node.op == "input":
            known[node] = values[node.params[0]]
        else:
            known[node] = torch_rule(node, [known[i] for i in node.inputs], sizes)
    return known


# -- SymPy ------------------------------------------------------------------------------------


@cache
def sympy_functions() -> dict[str, Any]:
    import sympy as s

    def pick(c: Any, a: Any, b: Any) -> Any:
        return s.Piecewise((a, c), (b, True))

    half = s.Rational(1, 2)
    return {
        "add": lambda a, b: a + b,
        "mul": lambda a, b: a * b,
        "div": lambda a, b: a / b,
        "neg": lambda a: -a,
        "less": lambda a, b: s.Lt(a, b),
        "equal": lambda a, b: s.Eq(a, b),
        "not": lambda a: s.Not(a),
        "and": lambda a, b: s.And(a, b),
        "select": pick,
        "exp": s.exp,
        "log": s.log,
        "sin": s.sin,
        "cos": s.cos,
        "arctan": s.atan,
        "erf": s.erf,
        "lgamma": s.loggamma,
        "log1p": lambda x: s.log(1 + x),
        "expm1": lambda x: s.exp(x) - 1,
        "log2": lambda x: s.log(x) / s.log(2),
        "log10": lambda x: s.log(x) / s.log(10),
        "exp2": lambda x: s.Integer(2) ** x,
        "tan": s.tan,
        "tanh": s.tanh,
        "sinh": s.sinh,
        "cosh": s.cosh,
        "arcsin": s.asin,
        "arccos": s.acos,
        "arcsinh": s.asinh,
        "arccosh": s.acosh,
        "arctanh": s.atanh,
        "expit": lambda x: 1 / (1 + s.exp(-x)),
        "erfc": s.erfc,
        "abs": lambda x: pick(x > 0, x, -x),
        "sign": lambda x: pick(x > 0, s.Integer(1), s.Integer(-1)),
        "cbrt": lambda x: pick(x > 0, 1, -1) * pick(x > 0, x, -x) ** s.Rational(1, 3),
        "maximum": lambda a, b: pick(a > b, a, b),
        "minimum": lambda a, b: pick(a > b, b, a),
        "logaddexp": lambda a, b: s.log(s.exp(a) + s.exp(b)),
        "arctan2": s.atan2,
        "hypot": lambda a, b: (a**2 + b**2) ** half,
        "pow": lambda a, b: a**b,
    }


def _object(values: Sequence[Any], shape: Sequence[int]) -> np.ndarray:
    out = np.empty(len(values), dtype=object)
    out[:] = list(values)
    return out.reshape(shape)


def _number(x: Any) -> Any:
    """A condition as 0 or 1."""
    import sympy as s

    return s.Piecewise((1, x), (0, True))


def sympy_rule(
    node: Node, xs: Sequence[np.ndarray], sizes: Mapping[str, int], value: np.ndarray
) -> np.ndarray:
    """The components of a node. value : its number at the point, for what is constant near it."""
    import sympy as s

    op, p = node.op, node.params
    shape = tuple(n.at(sizes) for n in node.shape)
    if op == "const" and p[0] == "number":
        return _object([s.Rational(p[1].numerator, p[1].denominator)], ())
    if op == "const" and p[0] == "named":
        return _object([{"pi": s.pi, "e": s.E}[p[1]]], ())
    if op in ("const", "size", "iota", "delta", "floor"):
        exact = [
            s.true if v is True else s.false if v is False else s.Rational(v)
            for v in value.reshape(-1).tolist()
        ]
        return _object(exact, shape)
    if op not in ("not", "and", "select", "gather", "scatter_add", "put_at"):
        kinds = [i.kind for i in node.inputs]
        xs = [
            _object([_number(v) for v in x.reshape(-1)], x.shape) if kind == "b" else x
            for x, kind in zip(xs, kinds, strict=True)
        ]
    if op in sympy_functions() or op in ("power", "polygamma"):
        f = sympy_functions().get(op)
        if op == "power":
            f, xs = s.Pow, [*xs, _object([s.Rational(p[0].numerator, p[0].denominator)], ())]
        elif op == "polygamma":
            f, xs = s.polygamma, [_object([s.Integer(p[0])], ()), *xs]
        full = [np.broadcast_to(x, shape).reshape(-1) for x in xs]
        return _object([f(*entries) for entries in zip(*full, strict=True)], shape)
    if op == "contract":
        names, out = p
        extent: dict[int, int] = {}
        for ns, x in zip(names, xs, strict=True):
            extent.update(zip(ns, x.shape, strict=True))
        total = np.zeros(shape, dtype=object)
        total[...] = s.Integer(0)
        for at in itertools.product(*(range(d) for d in extent.values())):
            where = dict(zip(extent, at, strict=True))
            term = s.Integer(1)
            for ns, x in zip(names, xs, strict=True):
                term = term * x[tuple(where[n] for n in ns)]
            total[tuple(where[n] for n in out)] += term
        return total
    if op == "reshape":
        return xs[0].reshape(shape)
    if op == "broadcast":
        return np.broadcast_to(xs[0], shape)
    if op == "index":
        at = np.asarray(positions(node, xs[0].shape, sizes)).reshape(-1)
        return _object(list(xs[0].reshape(-1)[at]), shape)
    if op == "put":
        new = np.array(xs[0])
        new.reshape(-1)[positions(node, new.shape, sizes)] = xs[1]
        return new
    first = {"gather": 1, "scatter_add": 1, "put_at": 2}.get(op, len(xs))
    where_ = tuple(x.astype(int) for x in xs[first:])
    if op == "gather":
        return _object(list(np.asarray(xs[0][where_], dtype=object).reshape(-1)), shape)
    if op == "scatter_add":
        zero = _object([s.Integer(0)] * int(np.prod(shape)), shape)
        np.add.at(zero, where_, xs[0])
        return zero
    if op == "put_at":
        new = np.array(xs[0])
        new[where_] = xs[1]
        return new
    if op == "concat":
        return np.concatenate(list(xs), p[0])
    if op in ("reduce_mul", "reduce_max"):
        kept = [k for k in range(xs[0].ndim) if k not in p[0]]
        lines = (
            xs[0]
            .transpose([*kept, *p[0]])
            .reshape(int(np.prod(shape)), int(np.prod([xs[0].shape[a] for a in p[0]])))
        )
        out_ = []
        for line in lines:
            entry = s.Integer(1) if op == "reduce_mul" else line[0]
            for v in line if op == "reduce_mul" else line[1:]:
                entry = (
                    entry * v if op == "reduce_mul" else s.Piecewise((v, v > entry), (entry, True))
                )
            out_.append(entry)
        return _object(out_, shape)
    n = xs[0].shape[-1]
    batch = int(np.prod(xs[0].shape[:-2]))
    matrices = [s.Matrix(n, n, list(m.reshape(-1))) for m in xs[0].reshape(batch, n, n)]
    if op == "solve":
        k = xs[1].shape[-1]
        right = [s.Matrix(n, k, list(m.reshape(-1))) for m in xs[1].reshape(batch, n, k)]
        both = zip(matrices, right, strict=True)
        solved = [m.adjugate() * r / m.det(method="berkowitz") for m, r in both]
        return _object([v for m in solved for v in m], shape)
    dets = [m.det(method="berkowitz") for m in matrices]
    return _object(dets if op == "det" else [s.log(d**2) / 2 for d in dets], shape)


def run_sympy(
    output: Node,
    symbols: Mapping[str, np.ndarray],
    sizes: Mapping[str, int],
    at: Mapping[Node, Any],
) -> np.ndarray:
    """The components of the output; at : the number of each node at the point."""
    known: dict[Node, np.ndarray] = {}
    for node in reached([output]):
        if node.op == "input":
            known[node] = symbols[node.params[0]]
        else:
            xs = [known[i] for i in node.inputs]
            known[node] = np.asarray(sympy_rule(node, xs, sizes, at[node]), dtype=object)
    return known[output]


def exact(value: float) -> Any:
    """A float as the fraction that it is."""
    import sympy as s

    f = Fraction(value)
    return s.Rational(f.numerator, f.denominator)
