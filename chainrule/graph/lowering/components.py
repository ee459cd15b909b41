"""Graphs as explicit SymPy components, for small shapes.

Each entry is one real expression; an input's entries are symbols x, x[i], W[i,j], as in formulas.
Exact numbers stay exact. A float that stands for a real number it is only near to becomes the
rational number that it is in binary; say so where such a result is shown. Sizes are numbers here,
and nothing is simplified but what SymPy does by itself.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from chainrule.errors import BudgetError, ShapeError, UsageError
from chainrule.graph.functions import FUNCTIONS
from chainrule.graph.node import Node, bind_sizes, constant, reached, slices
from chainrule.graph.sizes import show

Array = np.ndarray[Any, Any]

#: More entries than this in one array, or products in one sum, are no small shapes.
MAX_ENTRIES = 100_000


def to_sympy(node: Node, sizes: Mapping[str, int | tuple[int, ...]] | None = None) -> Any:
    """A node's entries: an Expr for a scalar, a matrix for two axes, else an N-dim array.

    sizes : axis → size, or input → shape, or some of both; the others are the graph's own.
    Conditions (kind "b") become 1 and 0 by cases. Raises ShapeError for shapes that do not fit,
    UsageError for an operation without a formula, BudgetError beyond 100,000 entries.

    >>> from chainrule.graph.node import Graph
    >>> g = Graph({"n": 2})
    >>> x = g.input("x", (g.axis("n", 2),))
    >>> to_sympy(g.einsum("i,i->", x, g.call("exp", x)))
    x[0]*exp(x[0]) + x[1]*exp(x[1])
    >>> to_sympy(g.einsum("i,j->ij", x, x), {"x": (1,)})
    Matrix([[x[0]**2]])
    """
    import sympy as sp

    out = components([node], _sizes(node, sizes or {}))[node]
    out = _each(lambda c: _number(sp, c), out)
    if out.ndim == 0:
        return out[()]
    if out.ndim == 2:
        return sp.ImmutableDenseMatrix(*out.shape, list(out.ravel()))
    return sp.ImmutableDenseNDimArray(list(out.ravel()), out.shape)


def components(nodes: Sequence[Node], sizes: Mapping[str, int]) -> dict[Node, Array]:
    """Node → its entries, for everything that nodes need; conditions as conditions.

    sizes : axis → size. Raises what `to_sympy` raises.
    """
    import sympy as sp

    made: dict[Node, Array] = {}
    for n in reached(nodes):
        shape = tuple(s.at(sizes) for s in n.shape)
        if math.prod(shape) > MAX_ENTRIES:
            raise BudgetError(f"{show(n.shape)} has {math.prod(shape):,} entries; give small sizes")
        entries = _entries(sp, n, [made[i] for i in n.inputs], sizes, shape)
        made[n] = np.broadcast_to(_array(entries), shape)
    return made


def _sizes(node: Node, given: Mapping[str, int | tuple[int, ...]]) -> dict[str, int]:
    graph = node.graph
    inputs = {n.params[0]: n for n in reached([node]) if n.op == "input"}
    shapes = {k: v for k, v in given.items() if isinstance(v, tuple)}
    for name in shapes.keys() - inputs.keys():
        raise UsageError(f"{name} is no input here; there are {', '.join(inputs) or 'none'}")
    known = bind_sizes({k: inputs[k] for k in shapes}, shapes)
    for name, size in given.items():
        if isinstance(size, int) and known.setdefault(name, size) != size:
            raise ShapeError(f"the axis {name} is {known[name]} by the shapes, and {size} as given")
    known = {**graph.env, **known}
    for name, of in graph.axes.items():
        if name in given and given[name] != of.at(known):
            raise ShapeError(f"the axis {name} is {of} here, which is {of.at(known)}")
    return known


def _array(entries: Any) -> Array:
    if isinstance(entries, np.ndarray):
        return entries
    out: Array = np.empty((), dtype=object)
    out[()] = entries
    return out


def _each(f: Callable[..., Any], *arrays: Array) -> Array:
    """A function on entries of arrays that broadcast; never NumPy's own idea of an object."""
    spread = np.broadcast_arrays(*arrays)
    out: Array = np.empty(spread[0].shape, dtype=object)
    for place in np.ndindex(*out.shape):
        out[place] = f(*(a[place] for a in spread))
    return out


def _number(sp: Any, entry: Any) -> Any:
    """A condition as 1 or 0, by cases; a number as it is."""
    if entry in (sp.true, True):
        return sp.Integer(1)
    if entry in (sp.false, False):
        return sp.Integer(0)
    return sp.Piecewise((1, entry), (0, True)) if _condition(sp, entry) else entry


def _condition(sp: Any, entry: Any) -> bool:
    return isinstance(entry, (sp.logic.boolalg.Boolean, bool)) and not isinstance(entry, sp.Symbol)


def _truth(sp: Any, entry: Any) -> Any:
    """A number as the condition that it is not 0; a condition as it is."""
    return entry if _condition(sp, entry) else sp.Ne(entry, 0)


def _exact(sp: Any, value: Any) -> Any:
    if isinstance(value, (bool, np.bool_)):
        return sp.true if value else sp.false
    if isinstance(value, (float, np.floating)) and not math.isfinite(value):
        raise UsageError(f"the constant {value} is no real number")
    exact = Fraction(value.item() if isinstance(value, np.generic) else value)
    return sp.Rational(exact.numerator, exact.denominator)


def _leaf(sp: Any, node: Node, sizes: Mapping[str, int], shape: tuple[int, ...]) -> Any:
    """The entries of a node without inputs."""
    if node.op == "input":
        name, out = node.params[0], np.empty(shape, dtype=object)
        for place in np.ndindex(*shape):
            index = f"[{','.join(map(str, place))}]" if place else ""
            out[place] = sp.Symbol(f"{name}{index}", real=True)
        return out
    if node.op == "size":
        return sp.Integer(node.graph.size(node.params[0]).at(sizes))
    if node.op == "iota":
        return _each(lambda v: _exact(sp, v), np.arange(shape[0]))
    if node.op == "delta":
        return _each(lambda v: _exact(sp, int(v)), np.eye(shape[0], shape[1], k=node.params[2]))
    if node.params[0] == "named":
        return {"pi": sp.pi, "e": sp.E, "euler_gamma": sp.EulerGamma}[node.params[1]]
    if node.params[0] == "infinite":
        return _each(lambda v: v, np.array(node.params[1] * sp.oo, dtype=object))
    return _each(lambda v: _exact(sp, v), _array(constant(node)))


def _functions(sp: Any) -> dict[str, Callable[..., Any]]:
    third = sp.Rational(1, 3)
    return {
        **{name: getattr(sp, name) for name in ("exp", "log", "sin", "cos", "tan", "sign")},
        **{name: getattr(sp, name) for name in ("tanh", "sinh", "cosh", "erf", "erfc")},
        "arctan": sp.atan,
        "arcsin": sp.asin,
        "arccos": sp.acos,
        "arcsinh": sp.asinh,
        "arccosh": sp.acosh,
        "arctanh": sp.atanh,
        "lgamma": sp.loggamma,
        "log1p": lambda x: sp.log(1 + x),
        "expm1": lambda x: sp.exp(x) - 1,
        "log2": lambda x: sp.log(x) / sp.log(2),
        "log10": lambda x: sp.log(x) / sp.log(10),
        "exp2": lambda x: 2**x,
        "expit": lambda x: 1 / (1 + sp.exp(-x)),
        "abs": sp.Abs,
        "cbrt": lambda x: sp.sign(x) * sp.Abs(x) ** third,
        "maximum": sp.Max,
        "minimum": sp.Min,
        "logaddexp": lambda a, b: sp.log(sp.exp(a) + sp.exp(b)),
        "arctan2": sp.atan2,
        "hypot": lambda a, b: sp.sqrt(a**2 + b**2),
        "pow": lambda a, b: a**b,
    }


def _operations(sp: Any, node: Node) -> Callable[..., Any] | None:
    """The entry of an elementwise node from entries that are numbers."""
    p = node.params
    if node.op == "polygamma":
        return lambda x: sp.polygamma(p[0], x)
    if node.op in FUNCTIONS:
        return _functions(sp).get(node.op)
    table: dict[str, Callable[..., Any]] = {
        "add": lambda a, b: a + b,
        "mul": lambda a, b: a * b,
        "div": lambda a, b: a / b,
        "neg": lambda a: -a,
        "power": lambda a: a ** sp.Rational(p[0].numerator, p[0].denominator),
        "less": sp.Lt,
        "equal": sp.Eq,
        "floor": sp.floor,
    }
    return table.get(node.op)


def _entries(
    sp: Any, node: Node, xs: Sequence[Array], sizes: Mapping[str, int], shape: tuple[int, ...]
) -> Any:
    op, params = node.op, node.params
    if not xs and op != "contract":
        return _leaf(sp, node, sizes, shape)
    f = _operations(sp, node)
    if f is not None:
        return _each(lambda *e: f(*(_number(sp, v) for v in e)), *xs)
    if op == "not":
        return _each(lambda c: sp.Not(_truth(sp, c)), *xs)
    if op == "and":
        return _each(lambda a, b: sp.And(_truth(sp, a), _truth(sp, b)), *xs)
    if op == "select":
        return _each(lambda c, a, b: _cases(sp, _truth(sp, c), a, b), *xs)
    if op in ("reshape", "broadcast"):
        return xs[0].reshape(shape) if op == "reshape" else xs[0]
    if op in ("index", "put"):
        spec: Any = tuple(
            tuple(node.graph.size(v) if hasattr(v, "at") else v for v in part) for part in params[0]
        )
        if op == "index":
            return xs[0][slices(spec, sizes)]
        out = xs[0].copy()
        cuts: Any = (*slices(spec, sizes), ...)
        out[cuts] = xs[1]  # a lone place would hold the array itself
        return out
    if op == "concat":
        return np.concatenate(xs, axis=params[0])
    if op in ("gather", "scatter_add", "put_at"):
        return _moved(sp, node, xs, shape)
    if node.kind != "b" or op != "reduce_mul":
        xs = [_each(lambda v: _number(sp, v), x) for x in xs]
    if op == "contract":
        return _contracted(sp, params, xs, shape)
    if op in ("reduce_mul", "reduce_max"):
        joint = sp.Max if op == "reduce_max" else sp.And if node.kind == "b" else sp.Mul
        return _folded(lambda *v: joint(*v), xs[0], params[0], shape)
    if op in ("solve", "det", "logdet"):
        return _linear(sp, op, xs, shape)
    raise UsageError(f"{op} has no formula in components")


def _cases(sp: Any, c: Any, a: Any, b: Any) -> Any:
    if c in (sp.true, sp.false):
        return a if c == sp.true else b
    if _condition(sp, a) and _condition(sp, b):
        return sp.Or(sp.And(c, a), sp.And(sp.Not(c), b))
    return sp.Piecewise((_number(sp, a), c), (_number(sp, b), True))


def _folded(f: Callable[..., Any], x: Array, axes: Sequence[int], shape: tuple[int, ...]) -> Array:
    kept = [k for k in range(x.ndim) if k not in axes]
    rows = x.transpose(*kept, *axes).reshape(*shape, -1)
    out: Array = np.empty(shape, dtype=object)
    for place in np.ndindex(*shape):
        out[place] = f(*rows[place])
    return out


def _contracted(sp: Any, params: Any, xs: Sequence[Array], shape: tuple[int, ...]) -> Array:
    labels, kept = params
    named = list(zip(labels, xs, strict=True))
    extent = {n: s for of, x in named for n, s in zip(of, x.shape, strict=True)}
    gone = [n for n in extent if n not in kept]
    terms = math.prod(extent.values())
    if terms > MAX_ENTRIES:
        raise BudgetError(f"a sum of products has {terms:,} of them; give small sizes")
    out: Array = np.empty(shape, dtype=object)
    for place in np.ndindex(*shape):
        at = dict(zip(kept, place, strict=True))
        total = []
        for rest in itertools.product(*(range(extent[n]) for n in gone)):
            at.update(zip(gone, rest, strict=True))
            total.append(sp.Mul(*(x[tuple(at[n] for n in of)] for of, x in named)))
        out[place] = sp.Add(*total)
    return out


def _moved(sp: Any, node: Node, xs: Sequence[Array], shape: tuple[int, ...]) -> Array:
    """Index arrays must be numbers here."""
    first = 2 if node.op == "put_at" else 1
    where = []
    for x in xs[first:]:
        if not all(getattr(v, "is_Integer", False) for v in x.ravel()):
            raise UsageError(f"{node.op} at places that are not known numbers has no components")
        where.append(x.astype(np.int64))
    places = tuple(where)
    if node.op == "gather":
        return _array(xs[0][places])
    if node.op == "put_at":
        out: Array = xs[0].copy()
        there: Any = (*places, ...)
        out[there] = xs[1]
        return out
    out = np.empty(shape, dtype=object)
    out.fill(sp.Integer(0))
    for at in np.ndindex(*places[0].shape):
        spot: Any = (*(p[at] for p in places), ...)
        out[spot] = out[spot] + xs[0][at]
    return out


def _linear(sp: Any, op: str, xs: Sequence[Array], shape: tuple[int, ...]) -> Array:
    out: Array = np.empty(shape, dtype=object)
    for lead in np.ndindex(*xs[0].shape[:-2]):
        a = sp.Matrix(xs[0][lead].tolist())
        if op == "solve":
            x = a.LUsolve(sp.Matrix(xs[1][lead].tolist()))
            out[lead] = np.array(x.tolist(), dtype=object)
        else:
            det = a.det(method="berkowitz")
            out[lead] = det if op == "det" else sp.log(sp.Abs(det))
    return out
