"""NumPy's functions by their rows: the function itself on plain values, its row on nodes."""

from __future__ import annotations

import inspect
import operator
from collections import OrderedDict
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

import numpy as np

from chainrule.code.instrument import cloned
from chainrule.code.source import Site, Unfollowable
from chainrule.code.table.row import Row, Unsupported, find
from chainrule.code.trace import memory
from chainrule.code.trace.nodes import Nodes
from chainrule.code.trace.traced import (
    Array,
    Int,
    Traced,
    raw,
)
from chainrule.errors import ShapeError, TraceError
from chainrule.graph.node import Graph, Node


class Rows(Nodes):
    """Answers calls of what the table knows."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self.raising = False  # np.errstate(…="raise"): what is no number becomes an exception
        self._inside = False

    def _tell(self, kind: Any, name: str, version: int, value: Any, site: Site) -> None:
        """An event: see `tracer`."""
        raise NotImplementedError

    def apply(
        self,
        function: Any,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        native: Callable[..., Any] | None = None,
    ) -> Any:
        """A function of NumPy's, on plain values and on nodes."""
        from chainrule.code.trace.special import LOOKS, look

        args = tuple(self.met(a) for a in args)
        kwargs = {k: self.met(v) for k, v in kwargs.items()}
        row = find(function)
        if id(function) in LOOKS or (function is np.where and len(args) + len(kwargs) == 1):
            return look(self.me, np.nonzero if function is np.where else function, args, kwargs)
        if row is not None and any(_unreal(a) for a in args):
            row = None
        if row is None:
            if any(self._moves(a) for a in (*args, *kwargs.values())):
                return self._by_source(function, args, kwargs)
            return self._plain(function, args, kwargs)
        return self.by_row(row, function, args, dict(kwargs), native)

    def _by_source(self, function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """A function of NumPy's without a row: its own Python is followed, if it has any."""
        refused = self.fail(
            f"{called(function)}{{at}} has no rule; it can still be checked on exact numbers or as "
            "a black box"
        )
        inner = getattr(function, "_implementation", function)
        if type(inner) is not FunctionType or self._inside:
            raise refused
        here, self._inside = self.site, True
        try:
            return cloned(inner, self.me)(*args, **kwargs)
        except (TraceError, Unfollowable, TypeError):
            raise refused from None
        finally:
            self.site, self._inside = here, False

    def _plain(self, function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """A call on constants: done as it is; sizes leave as plain integers."""
        for value in (*args, *kwargs.values()):
            self.escape(value, f"the size leaves as a plain number in {called(function)}")
        result = function(*raw(args), **raw(dict(kwargs)))
        if isinstance(result, np.ndarray) and result.dtype.kind in "fiub":
            return self._array(result, self.constant(result), None)
        return result

    def by_row(
        self,
        row: Row,
        function: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        native: Callable[..., Any] | None = None,
    ) -> Any:
        """A call of a function that has a row."""
        out = kwargs.pop("out", None)
        if isinstance(function, np.ufunc) and len(args) > function.nin:
            out, args = args[function.nin :], args[: function.nin]
        if isinstance(out, tuple):
            out = out[0] if len(out) == 1 else out
        if isinstance(out, tuple):
            raise self.fail(f"{row.name} with several out= arrays is not followed")
        signature = _signature(row)
        try:
            bound = signature.bind(self.graph, *args, **kwargs)
        except TypeError as why:
            # NumPy says it better where the call is wrong anyway
            self._native(native or function, args, kwargs)
            raise self.fail(
                f"{row.name}{{at}}: {why}; this way of calling it has no rule"
            ) from None
        given = dict(bound.arguments)
        out = given.pop("out", None) if out is None else out
        first = next(iter(list(given)[1:2]), None)
        origin = given.get(first) if row.view and first else None
        for name, value in list(given.items())[1:]:
            given[name] = self._argument(row, name, value)
        result = self._native(native or function, args, kwargs)
        try:
            call = inspect.BoundArguments(signature, OrderedDict(given))
            node = row.build(*call.args, **call.kwargs)
        except (Unsupported, ShapeError) as why:
            if not any(self._moves(v) for v in (*args, *kwargs.values())) and out is None:
                return self._plain(function, args, kwargs)
            raise self.fail(f"{row.name}{{at}}: {why}") from None
        if out is not None:
            return self._into(out, result, node)
        if self.raising or (self.catching and _raises(function, native, result)):
            for made in node if isinstance(node, tuple | list) else (node,):
                if isinstance(made, Node) and made.kind == "f":
                    self.real(made)
        if result is None and isinstance(args[0], Array):  # copyto, add.at: written into it
            self._store(args[0], self._fitted(node, args[0]))
            return None
        return self.results(result, node, origin if isinstance(origin, Array) else None)

    def results(self, result: Any, node: Any, origin: Array | None = None) -> Any:
        """Plain results with their nodes: one, or a tuple or list of them."""
        if isinstance(node, tuple | list):
            parts = [self.traced(r, n, origin) for r, n in zip(result, node, strict=True)]
            if hasattr(result, "_fields"):
                return type(result)(*parts)
            return type(result)(parts) if isinstance(result, list | tuple) else tuple(parts)
        return self.traced(result, node, origin)

    def _native(self, function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        try:
            return function(*raw(args), **raw(dict(kwargs)))
        except (ArithmeticError, ValueError):  # the code may catch it: that it is raised is a look
            for value in (*args, *kwargs.values()):
                if isinstance(value, Array | Traced):
                    self.keep(self.node_of(value), raw(value), "a value that raises an exception")
            raise

    def _argument(self, row: Row, name: str, value: Any) -> Any:
        if name in row.operands:
            return None if value is None else self.node_of(value)
        if f"*{name}" in row.operands:
            return tuple(self.node_of(v) for v in value)
        return self._option(value)

    def _option(self, value: Any) -> Any:
        """Sizes as `Size`; other integers plain."""
        if isinstance(value, Int):
            return value.size if value.size is not None else self.whole(value)
        if isinstance(value, list | tuple):
            return type(value)(self._option(v) for v in value)
        if isinstance(value, slice):
            return slice(*(self._option(v) for v in (value.start, value.stop, value.step)))
        if isinstance(value, Traced):
            if self.varies(value.node):
                raise self.fail("an option that depends on the inputs is not followed")
            self.fix(value.node, "it is used as an option")
            return raw(value)
        if isinstance(value, Array):
            return self.node_of(value)
        return value

    def _into(self, out: Any, result: Any, node: Node) -> Any:
        """`out=`: the result is written into an array that is there."""
        if not isinstance(out, Array):
            raise self.fail("out= needs an array")
        target = raw(out)
        np.copyto(target, result, casting="same_kind")
        self._store(out, self._fitted(node, out))
        return out

    def _fitted(self, node: Node, array: Array) -> Node:
        record = self.record(array)
        shape = memory.value_of(self.graph, record).shape
        return node if node.shape == shape else self.graph.broadcast(node, shape)

    def _store(self, array: Array, node: Node) -> None:
        try:
            memory.store(self.graph, self.record(array), node)
        except memory.NotAView:
            raise self.fail("a write through a view that repeats entries") from None
        if self.site is not None:
            self._tell("store", "", 0, array, self.site)


def called(function: Any) -> str:
    """A callable's name as a person writes it."""
    module = (getattr(function, "__module__", "") or "").replace("numpy", "np")
    name = getattr(function, "__qualname__", getattr(function, "__name__", repr(function)))
    module = "np" if isinstance(function, np.ufunc) and not module else module
    return f"{module}.{name}" if module not in ("", "builtins") else str(name)


def _raises(function: Any, native: Any, result: Any) -> bool:
    """Whether a function raises an exception at some values: NumPy's linear algebra, and what
    Python divides or raises to a power itself."""
    if getattr(function, "__module__", "") == "numpy.linalg":
        return True
    first = result[0] if type(result) is tuple and result else result
    return type(first) is float and any((native or function) is f for f in _DIVIDE)


_DIVIDE = (operator.truediv, operator.floordiv, operator.mod, operator.pow, pow, divmod)


def _unreal(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind not in "fiub"


_SIGNATURES: dict[int, inspect.Signature] = {}


def _signature(row: Row) -> inspect.Signature:
    known = _SIGNATURES.get(id(row.build))
    if known is None:
        known = _SIGNATURES[id(row.build)] = inspect.signature(row.build)
    return known
