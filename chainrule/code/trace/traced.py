"""What rides in the user's variables while a function is traced: real values that know their node.

Arrays are ndarrays, floats are floats, sizes are ints: code that asks what they are, or hands them
to something that no hook sees, meets what it expects; NumPy's protocols and Python's operators lead
back to the tracer. Holds no rules: every operation is the tracer's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.graph.node import Node
from chainrule.graph.sizes import Size

if TYPE_CHECKING:
    from chainrule.code.trace.memory import Record
    from chainrule.code.trace.tracer import Tracer


class Text(str):
    """Text in which traced values stand. sources : these values."""

    sources: tuple[Any, ...]

    def __str__(self) -> str:
        for value in self.sources:
            value.tracer.said.append(value)
        return str.__str__(self)


def _said(self: Any) -> str:
    self.tracer.said.append(self)
    return repr(raw(self))


def _shown(self: Any) -> str:
    self.tracer.said.append(self)
    return str(raw(self))


def _formatted(self: Any, how: str) -> str:
    self.tracer.said.append(self)
    return format(raw(self), how)


_TEXT = {"__repr__": _said, "__str__": _shown, "__format__": _formatted}


class Array(np.ndarray):
    """An ndarray whose entries are a node. record : where it lives; None for a view that something
    made behind the tracer's back, which is then found by its memory."""

    tracer: Tracer
    record: Record | None
    locals().update(_TEXT)
    __class__ = property(lambda self: np.ndarray)

    def __array_finalize__(self, parent: Any) -> None:
        self.record = None
        if isinstance(parent, Array):
            self.tracer = parent.tracer

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        return self.tracer.apply(function, inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return self.tracer.apply(func, args, kwargs)

    def __getitem__(self, index: Any) -> Any:
        return self.tracer.read(self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        self.tracer.write(self, index, value)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tracer.elements(self))

    def __bool__(self) -> bool:
        return self.tracer.truth(self)

    def __contains__(self, item: Any) -> bool:
        return any(bool(self.tracer.compared("==", e, item)) for e in self)

    def __float__(self) -> Any:
        raise TypeError("a traced array does not become a plain float unseen")

    __int__ = __index__ = __complex__ = __float__

    def __reduce__(self) -> Any:
        return raw(self).__reduce__()

    def __reduce_ex__(self, protocol: Any) -> Any:
        return raw(self).__reduce_ex__(protocol)

    def __deepcopy__(self, memo: Any) -> Any:
        return self.tracer.apply(np.copy, (self,), {})

    def __copy__(self) -> Any:
        return self.tracer.apply(np.copy, (self,), {})


def _method(name: str) -> Callable[..., Any]:
    def method(self: Array, *args: Any, **kwargs: Any) -> Any:
        return self.tracer.method(self, name, args, kwargs)

    method.__name__ = name
    return method


def _attribute(name: str) -> Any:
    return property(lambda self: self.tracer.array_attribute(self, name))


#: Methods that answer from the tracer wherever they are called; shape and size stay plain where no
#: hook sees them (NumPy itself asks), as do strides and flags.
METHODS_OF_ARRAYS = (
    *("all", "any", "argmax", "argmin", "argsort", "astype", "choose", "clip", "compress"),
    *("conj", "conjugate", "copy", "cumprod", "cumsum", "diagonal", "dot", "fill", "flatten"),
    *("item", "max", "mean", "min", "nonzero", "partition", "prod", "ptp", "put", "ravel"),
    *("repeat", "reshape", "resize", "round", "searchsorted", "sort", "squeeze", "std", "sum"),
    *("swapaxes", "take", "tobytes", "tolist", "trace", "transpose", "var", "view"),
)
for _name in METHODS_OF_ARRAYS:
    setattr(Array, _name, _method(_name))
for _name in ("T", "mT", "flat", "real", "imag"):
    setattr(Array, _name, _attribute(_name))


class Traced:
    """A scalar that knows its node."""

    tracer: Tracer
    node: Node

    def __hash__(self) -> int:
        return self.tracer.hashed(self)


def _binary(op: str) -> Callable[[Any, Any], Any]:
    return lambda self, other: self.tracer.binary_value(op, self, other)


def _reflected(op: str) -> Callable[[Any, Any], Any]:
    return lambda self, other: self.tracer.binary_value(op, other, self)


def _comparison(op: str) -> Callable[[Any, Any], Any]:
    return lambda self, other: self.tracer.compared(op, self, other)


def _unary(op: str) -> Callable[[Any], Any]:
    return lambda self: self.tracer.unary_value(op, self)


_OPERATORS = {
    **{f"__{n}__": _binary(s) for n, s in (("add", "+"), ("sub", "-"), ("mul", "*"))},
    **{f"__r{n}__": _reflected(s) for n, s in (("add", "+"), ("sub", "-"), ("mul", "*"))},
    **{f"__{n}__": _binary(s) for n, s in (("truediv", "/"), ("floordiv", "//"), ("mod", "%"))},
    **{f"__r{n}__": _reflected(s) for n, s in (("truediv", "/"), ("floordiv", "//"), ("mod", "%"))},
    **{"__pow__": _binary("**"), "__rpow__": _reflected("**")},
    **{"__lt__": _comparison("<"), "__le__": _comparison("<="), "__eq__": _comparison("==")},
    **{"__gt__": _comparison(">"), "__ge__": _comparison(">="), "__ne__": _comparison("!=")},
    **{"__neg__": _unary("-"), "__pos__": _unary("+"), "__abs__": _unary("abs")},
}


class PyFloat(float, Traced):
    """A Python float."""

    locals().update({**_OPERATORS, **_TEXT})
    __array_priority__ = 1000.0
    __hash__ = Traced.__hash__
    __class__ = property(lambda self: float)

    def __bool__(self) -> bool:
        return self.tracer.truth(self)

    def __reduce__(self) -> Any:
        return float, (float.__float__(self),)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        return self.tracer.apply(function, inputs, kwargs)


class NpFloat(np.float64, Traced):  # type: ignore[misc]
    """A NumPy float, as `x[0]` and `np.sum(x)` give it.

    NumPy's own type comes first: with it second, NumPy reads the value from a wrong place.
    """

    locals().update({**_OPERATORS, **_TEXT})
    __array_priority__ = 1000.0
    __class__ = property(lambda self: np.float64)
    __bool__ = PyFloat.__bool__
    __hash__ = Traced.__hash__
    __array_ufunc__ = PyFloat.__array_ufunc__

    def __reduce__(self) -> Any:
        return float, (np.float64.__float__(self),)

    def __getitem__(self, index: Any) -> Any:
        return self.tracer.read(self, index)


for _name in METHODS_OF_ARRAYS:
    setattr(NpFloat, _name, _method(_name))
for _name in ("T", "real", "imag"):
    setattr(NpFloat, _name, _attribute(_name))


class Int(int, Traced):
    """An integer: a size, which knows its axes, or a traced integer value.

    size : what it is as a size; None for a value.
    """

    size: Size | None
    locals().update({**_OPERATORS, **_TEXT})
    __class__ = property(lambda self: int)

    __hash__ = Traced.__hash__

    def __bool__(self) -> bool:
        return self.tracer.truth(self)

    def __reduce__(self) -> Any:
        return int, (int.__int__(self),)


class Truth(Traced):
    """The outcome of a comparison of scalars: 0 or 1 in arithmetic, a guard where it is looked at.

    value : what it is here, a bool of Python's or of NumPy's: True + True is 2, or True.
    """

    value: bool | np.bool_
    locals().update({**_OPERATORS, **_TEXT})
    __hash__ = Traced.__hash__
    __and__, __or__, __xor__ = (_binary(s) for s in "&|^")
    __rand__, __ror__, __rxor__ = (_reflected(s) for s in "&|^")
    __invert__ = _unary("~")
    dtype = np.dtype(bool)
    shape: tuple[int, ...] = ()
    ndim = 0
    size = 1

    def __bool__(self) -> bool:
        return self.tracer.truth(self)

    def all(self) -> Truth:
        """Itself."""
        return self

    any = all

    def item(self) -> Truth:
        """Itself."""
        return self

    def astype(self, dtype: Any) -> Any:
        """As a number."""
        return self.tracer.binary_value("*", self, 1.0)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array(self.value, dtype=dtype)


def raw(value: Any) -> Any:
    """A value without its node, for NumPy itself: the same memory, plain types."""
    if isinstance(value, Array):
        return np.ndarray.view(value, np.ndarray)
    if isinstance(value, PyFloat):
        return float.__float__(value)
    if isinstance(value, NpFloat):
        return np.float64(float.__float__(value))
    if isinstance(value, Int):
        return int.__int__(value)
    if isinstance(value, Truth):
        return value.value
    if isinstance(value, Text):
        return str.__str__(value)
    kind = type(value)
    if kind in (list, tuple, set):
        return kind(raw(v) for v in value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return kind(*(raw(v) for v in value))
    if kind is dict:
        return {k: raw(v) for k, v in value.items()}
    if kind is slice:
        return slice(raw(value.start), raw(value.stop), raw(value.step))
    return value


def holds_traced(value: Any, depth: int = 6) -> bool:
    """Whether a value is traced, or a container of something that is."""
    if isinstance(value, Traced | Array | Text):
        return True
    if depth and isinstance(value, list | tuple | set | frozenset):
        return any(holds_traced(v, depth - 1) for v in value)
    if depth and isinstance(value, dict):
        return any(holds_traced(v, depth - 1) for v in value.values())
    if isinstance(value, slice):
        return any(isinstance(v, Traced) for v in (value.start, value.stop, value.step))
    return False


def leaves(result: Any, key: str = "") -> Iterable[tuple[str, Any]]:
    """The arrays and numbers in what a function returned, each with its key."""
    if isinstance(result, np.ndarray | Traced | int | float | np.number | np.bool_):
        yield key, result
    elif isinstance(result, dict):
        for k, v in result.items():
            yield from leaves(v, f"{key}[{k!r}]" if key else str(k))
    elif isinstance(result, tuple) and hasattr(result, "_fields"):
        for k, v in zip(result._fields, result, strict=True):
            yield from leaves(v, f"{key}.{k}" if key else str(k))
    elif isinstance(result, list | tuple):
        for n, v in enumerate(result):
            yield from leaves(v, f"{key}[{n}]")
