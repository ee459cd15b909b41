"""What is no function of mathematics: Python's builtins that take things apart or look at them, and
NumPy's that only look. A look at values is a guard; a look at sizes keeps them symbolic.
"""

from __future__ import annotations

import functools
import random
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.code.table.row import find
from chainrule.code.trace import keeping
from chainrule.code.trace.record import Guard
from chainrule.code.trace.traced import Array, Int, NpFloat, PyFloat, Text, Traced, Truth, raw
from chainrule.code.trace.watch import TRAPS
from chainrule.graph.sizes import Size

if TYPE_CHECKING:
    from chainrule.code.trace.tracer import Tracer

#: Functions of NumPy's that look at values and give something that is no longer followed.
VALUES: tuple[Any, ...] = (
    *(np.argmax, np.argmin, np.argsort, np.nonzero, np.flatnonzero, np.count_nonzero),
    *(np.allclose, np.array_equal, np.isclose, np.searchsorted, np.lexsort),
    *(np.argwhere, np.digitize, np.array_equiv),
)
#: That ask whether a number is a number: of real numbers they always are.
NUMBER = (np.isnan, np.isfinite, np.isinf)
ABOUT = (
    *(np.shape, np.ndim, np.size, np.result_type, np.isscalar, np.iscomplexobj, np.isrealobj),
    *(np.iterable, np.can_cast, np.promote_types, np.min_scalar_type),
)
ABOUT_MEMORY = (np.shares_memory, np.may_share_memory)
ERRORS = (np.errstate, np.seterr, np.geterr, np.printoptions, np.set_printoptions)

LOOKS = {id(f): f for f in (*VALUES, *NUMBER, *ABOUT, *ABOUT_MEMORY)}


def look(t: Tracer, function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """One of `LOOKS`."""
    if function in (np.shape, np.size, np.ndim) and isinstance(args[0], Array):
        axis = args[1] if len(args) > 1 else kwargs.get("axis")
        if axis is not None:
            return t.sized(t.node_of(args[0]).shape[axis])
        return t.array_attribute(args[0], function.__name__)
    result = function(*raw(args), **raw(dict(kwargs)))
    if function in ABOUT or function in ABOUT_MEMORY:
        return result
    varying = [(k, a) for k, a in enumerate(args) if isinstance(a, Array | Traced)]
    if len(varying) > 1:
        raise t.fail(f"{function.__name__} of several traced arrays is not followed")
    for k, a in varying:
        node = t.node_of(a)

        def again(value: Any, k: int = k) -> Any:
            put = [value if n == k else raw(b) for n, b in enumerate(args)]
            return function(*put, **raw(dict(kwargs)))

        if t.looked_at(node):
            text = f"{function.__name__} gives what it gives here"
            t.guards.append(Guard(text, t.site, node, result, again))
        for size in node.shape if np.ndim(result) else ():
            t.pin(size, f"{function.__name__} looks at it")
    return result


def _item(t: Tracer, array: Any, *index: Any) -> Any:
    if index:
        return t.read(array, index if len(index) > 1 else index[0])
    node, plain = t.node_of(array), raw(array)
    for size in node.shape:
        t.pin(size, "item() takes the only entry")
    value = plain.item()
    return t.traced(value, t.graph.reshape(node, ()))


def _tolist(t: Tracer, array: Any) -> Any:
    if raw(array).ndim == 0:
        return _item(t, array)
    parts = t.elements(array)
    return [
        _tolist(t, e) if isinstance(e, Array) else t.traced(raw(e).item(), t.node_of(e))
        for e in parts
    ]


def _fill(t: Tracer, array: Any, value: Any) -> None:
    t.write(array, Ellipsis, value)


def _look_method(function: Any) -> Callable[..., Any]:
    return lambda t, array, *args, **kwargs: look(t, function, (array, *args), kwargs)


def _sort_in_place(t: Tracer, array: Any, axis: int = -1) -> None:
    t.write(array, Ellipsis, _sort(t, array, axis))


ARRAY_METHODS: dict[str, Callable[..., Any]] = {
    "item": _item,
    "tolist": _tolist,
    "fill": _fill,
    "sort": _sort_in_place,
    "argmax": _look_method(np.argmax),
    "argmin": _look_method(np.argmin),
    "argsort": _look_method(np.argsort),
    "nonzero": _look_method(np.nonzero),
    "searchsorted": _look_method(np.searchsorted),
}


def _len(t: Tracer, value: Any) -> Any:
    value = t.met(value)
    if isinstance(value, Array) and value.ndim:
        return t.sized(t.node_of(value).shape[0])
    return len(value)


def _range(t: Tracer, *bounds: Any) -> Any:
    return range(*(t.whole(b, "a loop over it") for b in bounds))


def _parts(t: Tracer, value: Any) -> Any:
    value = t.met(value)
    return t.elements(value) if isinstance(value, Array) else value


def _apart(function: Any) -> Callable[..., Any]:
    def run(t: Tracer, *args: Any, **kwargs: Any) -> Any:
        return function(*(_parts(t, a) for a in args), **raw(kwargs))

    return run


def _enumerate(t: Tracer, values: Any, start: Any = 0) -> Any:
    return enumerate(_parts(t, values), t.whole(start))


def _ndenumerate(t: Tracer, array: Any) -> Any:
    array = t.met(array)
    if not isinstance(array, Array):
        return np.ndenumerate(array)
    for size in t.node_of(array).shape:
        t.pin(size, "a loop over it")
    flat = t.elements(t.method(array, "reshape", (-1,), {}))
    return zip(np.ndindex(raw(array).shape), flat, strict=True)


def _reversed(t: Tracer, values: Any) -> Any:
    parts = _parts(t, values)
    return reversed(parts)


def _float(t: Tracer, value: Any = 0.0) -> Any:
    value = t.met(value)
    if isinstance(value, Text):
        return t.left(float, (value,), {})
    if not isinstance(value, Array | Traced):
        return float(value)
    node = t.node_of(value)
    for size in node.shape:
        t.pin(size, "float() takes the only entry")
    plain = float(np.asarray(raw(value)).reshape(()))
    node = t.graph.reshape(node, ()) if node.shape else node
    if node.kind == "b":
        node = t.node_of(t.binary_value("*", value, 1.0))
    return t.traced(plain, node)


def _int(t: Tracer, value: Any = 0, *base: Any) -> Any:
    value = t.met(value)
    if isinstance(value, Text):
        return t.left(int, (value, *base), {})
    if isinstance(value, Int) and value.size is not None:
        return value
    plain = int(raw(value), *base)
    if isinstance(value, Array | Traced):
        node = t.node_of(value)
        if t.looked_at(node):
            t.guards.append(Guard(f"int() gives {plain}", t.site, node, plain, int))
    return plain


def _bool(t: Tracer, value: Any = False) -> Any:
    value = t.met(value)
    return t.truth(value) if isinstance(value, Array | Traced) else bool(value)


def _type(t: Tracer, value: Any, *more: Any) -> Any:
    if more:
        return type(value, *more)
    plain = {Array: np.ndarray, PyFloat: float, NpFloat: np.float64, Int: int, Truth: np.bool_}
    return plain.get(type(value), type(value))


def _by_row(function: Any, takes_apart: bool = False) -> Callable[..., Any]:
    """sum, min, max, abs …: by their row where something is traced."""

    def run(t: Tracer, *args: Any, **kwargs: Any) -> Any:
        listed = tuple(_listed(t, a) if takes_apart else t.met(a) for a in args)
        row = find(function)
        plain = not any(_traced(a) for a in listed)
        if row is None or plain or "key" in kwargs:
            return function(*listed, **kwargs)
        return t.by_row(row, function, listed, kwargs)

    return run


def _traced(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(_traced(v) for v in value)
    return isinstance(value, Array | Traced)


def _listed(t: Tracer, value: Any) -> Any:
    value = t.met(value)
    if isinstance(value, Array | Traced | str | np.ndarray):
        return t.elements(value) if isinstance(value, Array) and value.ndim else value
    if isinstance(value, Iterable):
        return [t.met(v) for v in value]
    return value


def _as_is(function: Any) -> Callable[..., Any]:
    return lambda t, *args, **kwargs: function(*args, **kwargs)


def _worded(function: Any) -> Callable[..., Any]:
    def run(t: Tracer, *args: Any, **kwargs: Any) -> Any:
        t.said = [s for a in args if isinstance(a, Text) for s in a.sources]
        return t.worded(function(*args, **kwargs))

    return run


WARNINGS = (warnings.simplefilter, warnings.filterwarnings, warnings.catch_warnings)


def _errors(function: Any) -> Callable[..., Any]:
    def run(t: Tracer, *args: Any, **kwargs: Any) -> Any:
        loud = not {"raise", "error"}.isdisjoint(map(str, (*args, *kwargs.values())))
        t.raising = t.raising or loud
        if loud and t.catching:
            t.notes[TRAPS] = None
        return function(*args, **kwargs)

    return run


def _getattr(t: Tracer, obj: Any, name: str, *default: Any) -> Any:
    obj = t.met(obj)
    if isinstance(obj, Array) and t.site is not None:
        try:
            return t.array_attribute(obj, name)
        except AttributeError:
            if default:
                return default[0]
            raise
    return t.met(getattr(obj, name, *default), f"{_said(obj)}.{name}")


def _said(obj: Any) -> str:
    return str(getattr(obj, "__name__", type(obj).__name__))


def _random(t: Tracer, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    for value in (*args, *kwargs.values()):
        t.escape(value, "random numbers are drawn for it")
    t.notes["random numbers are drawn inside; they stand as the constants drawn here"] = None
    owner = getattr(function, "__self__", None)
    if isinstance(owner, np.random.Generator):
        t.touched(keeping.generator(owner))
    result = function(*raw(args), **raw(kwargs))
    if isinstance(result, np.ndarray) and result.dtype.kind in "fiub":
        return t.traced(result, t.constant(result))
    return result


def _is_random(function: Any) -> bool:
    owner = getattr(function, "__self__", None)
    if isinstance(owner, np.random.Generator | np.random.RandomState | random.Random):
        return True
    module = getattr(function, "__module__", None) or ""
    return module.startswith("numpy.random") and not isinstance(function, type)


def _sort(t: Tracer, array: Any, axis: Any = -1, **options: Any) -> Any:
    """Sorted entries are taken where they are here; that this is their order becomes a guard."""
    array = t.met(array)
    if axis is None:
        array, axis = t.method(array, "ravel", (), {}), 0
    order = look(t, np.argsort, (array,), {"axis": axis, "kind": "stable"})
    return t.apply(np.take_along_axis, (array, order), {"axis": axis})


def _fromiter(t: Tracer, values: Any, dtype: Any = float, count: int = -1) -> Any:
    made = list(values)
    return t.stacked(made) if _traced(made) else np.fromiter(made, dtype, count)


def _vectorized(t: Tracer, function: np.vectorize, *args: Any) -> Any:
    """np.vectorize: entry by entry."""
    arrays = t.apply(np.broadcast_arrays, args, {}) if len(args) > 1 else [t.met(args[0])]
    shape = np.shape(raw(arrays[0]))
    run = t.followed_callback(function.pyfunc)
    flat = [t.elements(t.method(a, "reshape", (-1,), {})) for a in arrays]
    values = [run(*entries) for entries in zip(*flat, strict=True)]
    return t.method(t.stacked(values), "reshape", shape, {})


def _mathematical(
    t: Tracer, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[bool, Any]:
    """math.*, operator.*, np.float64: by row where something is traced, else Python's."""
    row = find(function)
    if getattr(function, "__name__", "") in ("fsum", "prod", "dist", "sumprod"):
        args = tuple(_listed(t, a) for a in args)
    args = tuple(t.met(a) for a in args)
    if not any(_traced(a) for a in args):
        result = function(*args, **kwargs)
        plain = all(type(a) in (int, float) for a in args) and not kwargs
        if row is None or not plain or type(result) is not float or not np.isfinite(result):
            return True, result
        args = tuple(t.traced(float(a), t.float_node(float(a))) for a in args)  # math.sqrt(2) is √2
    if row is None:
        if getattr(function, "__module__", "") == "_operator":
            return True, function(*args, **kwargs)  # the values' own operators
        return True, t.left(function, args, kwargs)
    if all(isinstance(a, Int) and a.size is not None for a in args) and row.name == "abs":
        return True, t.sized(Size.of(0) + args[0].size)
    result = t.by_row(row, function, args, kwargs)
    if isinstance(result, PyFloat):
        t.real(result.node)  # where it is none, Python raises
    return True, result


_HANDLERS: tuple[tuple[Any, Callable[..., Any]], ...] = (
    (len, _len),
    (range, _range),
    (zip, _apart(zip)),
    (enumerate, _enumerate),
    (reversed, _reversed),
    (list, _apart(list)),
    (tuple, _apart(tuple)),
    (iter, _apart(iter)),
    (float, _float),
    (int, _int),
    (bool, _bool),
    (type, _type),
    (getattr, _getattr),
    (np.sort, _sort),
    (np.ndenumerate, _ndenumerate),
    (np.fromiter, _fromiter),
    *((f, _by_row(f, takes_apart=True)) for f in (sum, min, max)),
    *((f, _by_row(f)) for f in (abs, round, pow, divmod)),
    *((f, _as_is(f)) for f in (print, isinstance, issubclass, hasattr, callable, id)),
    *((f, _as_is(f)) for f in (vars, dir, super, object, dict, set)),
    *((f, _worded(f)) for f in (str, repr, format, ascii)),
    *((f, _errors(f)) for f in (*ERRORS, *WARNINGS)),
)
_SPECIAL = {id(f): (f, run) for f, run in _HANDLERS}


def special(
    t: Tracer, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[bool, Any]:
    """(True, result) for what is answered here."""
    known = _SPECIAL.get(id(function))
    if known is not None:
        return True, known[1](t, *args, **kwargs)
    if isinstance(function, functools._lru_cache_wrapper):
        inner, args, kwargs = t.reached(function.__wrapped__, args, kwargs)
        return True, inner(*args, **kwargs)
    if isinstance(function, np.vectorize) and args:
        return True, _vectorized(t, function, *args)
    if _is_random(function):
        return True, _random(t, function, args, kwargs)
    module = getattr(function, "__module__", None)
    if module in ("math", "_operator") or (
        isinstance(function, type) and issubclass(function, np.generic)
    ):
        return _mathematical(t, function, args, kwargs)
    return False, None
