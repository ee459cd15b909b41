"""Arrays made from values and shapes.

`np.empty` is zeros here: whoever follows the code knows by EMPTY that its entries must not be read
before they are written. Ranges and unit matrices are in `ranges`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.code.table import ranges
from chainrule.code.table.extents import fitted, pinned, reshaped, shape_of
from chainrule.code.table.kinds import cast, converted, kind_of, nested
from chainrule.code.table.row import Sample, refuse, row
from chainrule.code.table.ufunc import present
from chainrule.graph.node import Graph, Node

__all__ = ["EMPTY", "converted", "nested", "ranges"]

#: Rows whose entries are nothing until they are written.
EMPTY = frozenset({"np.empty", "np.empty_like"})


@row(
    "np.array",
    np.array,
    operands=("object",),
    says="x, in the kind asked for",
    samples=[
        Sample(((2, 3),)),
        Sample(((),)),
        Sample(((0, 2),), (("ndmin", 3),)),
        Sample(((3,),), (("dtype", float),), "integers"),
        Sample(((3,),), (("dtype", int),), "bool"),
        Sample(((2, 2),), (("dtype", bool),), "integers"),
    ],
)
def array(
    g: Graph,
    object: Any,
    dtype: Any = None,
    *,
    copy: Any = True,
    order: Any = "K",
    subok: bool = False,
    ndmin: Any = 0,
    like: Any = None,
) -> Node:
    x = cast(g, nested(g, object), dtype)
    more = max(pinned(g, ndmin, "ndmin") - x.ndim, 0)
    return reshaped(g, x, (*[1] * more, *x.shape))


@row(
    "np.asarray",
    np.asarray,
    np.asanyarray,
    operands=("a",),
    says="x, in the kind asked for",
    samples=[Sample(((2, 3),)), Sample(((),)), Sample(((3,),), (("dtype", float),), "integers")],
)
def asarray(
    g: Graph,
    a: Any,
    dtype: Any = None,
    order: Any = None,
    *,
    device: Any = None,
    copy: Any = None,
    like: Any = None,
) -> Node:
    return cast(g, nested(g, a), dtype)


@row(
    "np.ascontiguousarray",
    np.ascontiguousarray,
    np.asfortranarray,
    operands=("a",),
    says="x, with one axis at least",
    samples=[Sample(((2, 3),)), Sample(((),))],
)
def ascontiguousarray(g: Graph, a: Any, dtype: Any = None, *, like: Any = None) -> Node:
    x = cast(g, nested(g, a), dtype)
    return x if x.ndim else g.reshape(x, (1,))


@row(
    "np.copy",
    np.copy,
    np.ndarray.copy,
    methods=("copy", "__copy__", "__deepcopy__"),
    says="x",
    samples=[Sample(((2, 3),)), Sample(((),))],
)
def copy(g: Graph, a: Node, order: Any = "K", subok: bool = False) -> Node:
    return a


@row(
    "np.astype",
    np.ndarray.astype,
    *present(np, "astype"),
    operands=("x",),
    methods=("astype",),
    says="x in another kind: integers as reals, bools as 0 and 1, x ≠ 0 as bool",
    samples=[
        Sample(((2, 3), float), (), "integers"),
        Sample(((2, 3), int), (), "bool"),
        Sample(((2, 3), int)),
        Sample(((), float), (), "bool"),
        Sample(((3,), bool), (), "integers"),
        Sample(((3,), np.float64)),
    ],
)
def astype(
    g: Graph,
    x: Node,
    dtype: Any,
    order: Any = "K",
    casting: str = "unsafe",
    subok: bool = True,
    copy: bool = True,
    device: Any = None,
) -> Node:
    return converted(g, x, kind_of(dtype))


@row("np.float64", np.float64, operands=("x",), says="x as reals", samples=[Sample(((2,),))])
def float64(g: Graph, x: Any = 0.0) -> Node:
    return converted(g, nested(g, x), "f")


@row("np.int64", np.int64, np.int32, operands=("x",), says="x as integers")
def int64(g: Graph, x: Any = 0) -> Node:
    return converted(g, nested(g, x), "i")


@row("np.bool_", np.bool_, operands=("x",), says="x ≠ 0")
def bool_(g: Graph, x: Any = False) -> Node:
    return converted(g, nested(g, x), "b")


for _name in (
    *("float32", "float16", "longdouble", "complex64", "complex128"),
    *("int16", "int8", "uint8", "uint16", "uint32", "uint64"),
):
    refuse(
        f"np.{_name}",
        getattr(np, _name),
        says="it rounds or wraps around. Compute in float64, int64 or bool",
    )


# -- of one number ---------------------------------------------------------------------------------


def _filled(g: Graph, value: int, shape: Any, dtype: Any) -> Node:
    kind = "f" if dtype is None else kind_of(dtype)
    if kind == "b":  # a mask: integers would be positions
        return g.broadcast(g.array(np.asarray(bool(value))), shape_of(g, shape))
    return g.full(value, shape_of(g, shape), kind)


_SHAPES = [
    Sample((), (("shape", (2, 3)), ("dtype", bool))),
    Sample((3,)),
    Sample((), (("shape", (2, 0, 3)),)),
    Sample((), (("shape", ()),)),
    Sample((), (("shape", (2,)), ("dtype", int))),
]


@row("np.zeros", np.zeros, operands=(), says="0 in every entry", samples=_SHAPES)
def zeros(
    g: Graph,
    shape: Any,
    dtype: Any = None,
    order: Any = "C",
    *,
    device: Any = None,
    like: Any = None,
) -> Node:
    return _filled(g, 0, shape, dtype)


@row("np.ones", np.ones, operands=(), says="1 in every entry", samples=_SHAPES)
def ones(
    g: Graph,
    shape: Any,
    dtype: Any = None,
    order: Any = "C",
    *,
    device: Any = None,
    like: Any = None,
) -> Node:
    return _filled(g, 1, shape, dtype)


@row("np.empty", np.empty, operands=(), says="0 in every entry, not to be read before it is set")
def empty(
    g: Graph,
    shape: Any,
    dtype: Any = None,
    order: Any = "C",
    *,
    device: Any = None,
    like: Any = None,
) -> Node:
    return _filled(g, 0, shape, dtype)


@row(
    "np.full",
    np.full,
    operands=("fill_value",),
    says="x, broadcast",
    samples=[
        Sample((3, ())),
        Sample((4, ()), (("dtype", float),), "integers"),
    ],
)
def full(
    g: Graph,
    shape: Any,
    fill_value: Any,
    dtype: Any = None,
    order: Any = "C",
    *,
    device: Any = None,
    like: Any = None,
) -> Node:
    return fitted(g, cast(g, nested(g, fill_value), dtype), shape_of(g, shape))


def _like(g: Graph, value: Any, a: Node, dtype: Any, shape: Any) -> Node:
    kind = a.kind if dtype is None else kind_of(dtype)
    size = a.shape if shape is None else shape_of(g, shape)
    return fitted(g, converted(g, nested(g, value), kind), size)


_LIKE = [
    Sample(((2, 3),)),
    Sample(((),)),
    Sample(((0, 2),), (("dtype", int),)),
    Sample(((3,),), (), "integers"),
    Sample(((3,),), (("shape", (2, 2)),)),
]


@row("np.zeros_like", np.zeros_like, says="0 in the shape and kind of x", samples=_LIKE)
def zeros_like(
    g: Graph,
    a: Node,
    dtype: Any = None,
    order: Any = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Node:
    return _like(g, 0, a, dtype, shape)


@row("np.ones_like", np.ones_like, says="1 in the shape and kind of x", samples=_LIKE)
def ones_like(
    g: Graph,
    a: Node,
    dtype: Any = None,
    order: Any = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Node:
    return _like(g, 1, a, dtype, shape)


@row("np.empty_like", np.empty_like, operands=("prototype",), says="as np.empty")
def empty_like(
    g: Graph,
    prototype: Node,
    dtype: Any = None,
    order: Any = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Node:
    return _like(g, 0, prototype, dtype, shape)


@row(
    "np.full_like",
    np.full_like,
    operands=("a", "fill_value"),
    says="a value in the shape and kind of x",
    samples=[Sample(((2, 3), ())), Sample(((2, 3), (3,))), Sample(((), ()))],
)
def full_like(
    g: Graph,
    a: Node,
    fill_value: Any,
    dtype: Any = None,
    order: Any = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Node:
    return _like(g, fill_value, a, dtype, shape)
