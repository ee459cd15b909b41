"""A function to a clone of its syntax tree in which every event passes one hook.

The clone has the original's globals, cells, defaults and line numbers. The user's functions that
it calls are cloned when they are called, once for each hook; nothing of the user's is written to.
Known to be out of sight: functions that installed code calls by itself (context managers, other
callbacks than those in the table below), and code that looks at the stack.
"""

from __future__ import annotations

import functools
import itertools
import operator
import os
import site as site_packages
import sys
import sysconfig
from collections.abc import Callable, Iterator
from types import CellType, CodeType, FunctionType, MethodType
from typing import Any, Self
from weakref import WeakKeyDictionary

from chainrule.code.frame import Frame
from chainrule.code.rewrite import HOOK, SITES, rewrite
from chainrule.code.source import NoSource, Site, Unfollowable, locate

__all__ = ["Frame", "Hook", "NoSource", "Site", "Unfollowable", "instrument"]

BINARY: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any], str]] = {
    "+": (operator.add, operator.iadd, "add"),
    "-": (operator.sub, operator.isub, "sub"),
    "*": (operator.mul, operator.imul, "mul"),
    "@": (operator.matmul, operator.imatmul, "matmul"),
    "/": (operator.truediv, operator.itruediv, "truediv"),
    "//": (operator.floordiv, operator.ifloordiv, "floordiv"),
    "%": (operator.mod, operator.imod, "mod"),
    "**": (operator.pow, operator.ipow, "pow"),
    "<<": (operator.lshift, operator.ilshift, "lshift"),
    ">>": (operator.rshift, operator.irshift, "rshift"),
    "&": (operator.and_, operator.iand, "and"),
    "|": (operator.or_, operator.ior, "or"),
    "^": (operator.xor, operator.ixor, "xor"),
}
UNARY: dict[str, tuple[Callable[[Any], Any], str]] = {
    "-": (operator.neg, "__neg__"),
    "+": (operator.pos, "__pos__"),
    "~": (operator.invert, "__invert__"),
}
COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "is": operator.is_,
    "is not": operator.is_not,
    "in": lambda item, container: item in container,
    "not in": lambda item, container: item not in container,
}
MIRRORED: dict[str, tuple[str, str]] = {
    "==": ("__eq__", "__eq__"),
    "!=": ("__ne__", "__ne__"),
    "<": ("__lt__", "__gt__"),
    "<=": ("__le__", "__ge__"),
    ">": ("__gt__", "__lt__"),
    ">=": ("__ge__", "__le__"),
}
#: Installed functions that call the functions they are given, and keep none of them in sight.
CALLERS: tuple[Any, ...] = (
    *(map, filter, sorted, min, max, functools.reduce),
    *(itertools.accumulate, itertools.dropwhile, itertools.takewhile, itertools.filterfalse),
    *(itertools.groupby, itertools.starmap),
)
NUMPY_CALLERS = ("vectorize", "apply_along_axis", "apply_over_axes", "fromfunction", "piecewise")

#: Modules of this package that are followed as the user's: the examples, and what stands between
#: the user's functions and a check.
FOLLOWED = ("chainrule.gallery", "chainrule.claim.adapted")

_CALLERS = frozenset(map(id, CALLERS))
_PATHS = tuple(
    path.rstrip("/\\") + os.sep
    for path in {
        *(sysconfig.get_paths()[k] for k in ("stdlib", "platstdlib", "purelib", "platlib")),
        *site_packages.getsitepackages(),
        site_packages.getusersitepackages(),
    }
)


class Hook:
    """What every event passes. This one does what Python does; override what you need.

    A method's result takes the place of the event's. Sites tell where. One hook may serve one
    thread at a time; two hooks know nothing of each other.
    """

    _clones: WeakKeyDictionary[FunctionType, tuple[CodeType, FunctionType]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls)
        self._clones = WeakKeyDictionary()
        return self

    # -- events --------------------------------------------------------------------------------

    def call(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], site: Site) -> Any:
        """`function(*args, **kwargs)`: a call, or a decorator's application."""
        function, args, kwargs = self.reached(function, args, kwargs)
        return function(*args, **kwargs)

    def binary(self, op: str, left: Any, right: Any, site: Site) -> Any:
        """`left op right`; op is + - * @ / // % ** << >> & | ^."""
        native, _, name = BINARY[op]
        if type(_raw(type(left), f"__{name}__")) is FunctionType:
            return self._reflected(op, left, right)
        if type(_raw(type(right), f"__r{name}__")) is FunctionType:
            if type(left) in (int, float, complex, bool):
                return self._reflected(op, left, right)
        return native(left, right)

    def inplace(self, op: str, target: Any, value: Any, site: Site) -> Any:
        """`target op= value`, before the result is bound; op without its `=`."""
        _, native, name = BINARY[op]
        method = _raw(type(target), f"__i{name}__")
        if type(method) is FunctionType:
            result = self.followed(method)(target, value)
            if result is not NotImplemented:
                return result
        elif method is not None:
            return native(target, value)
        if type(_raw(type(target), f"__{name}__")) is FunctionType:
            return self._reflected(op, target, value, f"{op}=")
        return native(target, value)

    def unary(self, op: str, operand: Any, site: Site) -> Any:
        """`op operand`; op is - + ~."""
        native, name = UNARY[op]
        method = _raw(type(operand), name)
        if type(method) is FunctionType:
            return self.followed(method)(operand)
        return native(operand)

    def compare(self, op: str, left: Any, right: Any, site: Site) -> Any:
        """`left op right`, one link of a chain; op is == != < <= > >= is, is not, in, not in."""
        if op in MIRRORED and type(_raw(type(left), MIRRORED[op][0])) is FunctionType:
            return self._compared(op, left, right)
        return COMPARE[op](left, right)

    def condition(self, value: Any, site: Site, kind: str) -> bool:
        """The truth of a value: kind is if, while, ifexp, assert, comprehension, match, not, and,
        or, compare (an inner link of a chain). A test made of and, or, not asks its leaves."""
        return bool(value)

    def subscript(self, container: Any, index: Any, site: Site) -> Any:
        """`container[index]`, read."""
        method = _raw(type(container), "__getitem__")
        if type(method) is FunctionType:
            return self.followed(method)(container, index)
        return container[index]

    def augmented(self, op: str, container: Any, index: Any, site: Site) -> Any:
        """`container[index]`, read in order to be updated by `op=`."""
        return self.subscript(container, index, site)

    def store_subscript(self, container: Any, index: Any, value: Any, site: Site) -> None:
        """`container[index] = value`."""
        method = _raw(type(container), "__setitem__")
        if type(method) is FunctionType:
            self.followed(method)(container, index, value)
        else:
            container[index] = value

    def delete_subscript(self, container: Any, index: Any, site: Site) -> None:
        """`del container[index]`."""
        del container[index]

    def attribute(self, obj: Any, name: str, site: Site) -> Any:
        """`obj.name`, read; the user's properties are followed."""
        kind: Any = type(obj)
        if kind.__getattribute__ is object.__getattribute__:
            raw = _raw(kind, name)
            if type(raw) is property and type(raw.fget) is FunctionType:
                try:
                    return self.followed(raw.fget)(obj)
                except AttributeError:
                    if not hasattr(kind, "__getattr__"):
                        raise
                    return self.followed(kind.__getattr__)(obj, name)
            if type(raw) is functools.cached_property and name not in obj.__dict__:
                obj.__dict__[name] = self.followed(raw.func)(obj)
        return getattr(obj, name)

    def store_attribute(self, obj: Any, name: str, value: Any, site: Site) -> None:
        """`obj.name = value`."""
        kind: Any = type(obj)
        raw = _raw(kind, name) if kind.__setattr__ is object.__setattr__ else None
        if type(raw) is property and type(raw.fset) is FunctionType:
            self.followed(raw.fset)(obj, value)
        else:
            setattr(obj, name, value)

    def delete_attribute(self, obj: Any, name: str, site: Site) -> None:
        """`del obj.name`."""
        delattr(obj, name)

    def literal(self, value: Any, text: str, site: Site) -> Any:
        """A number as it is written, before any folding: `3*0.1` is two literals."""
        return value

    def assign(self, name: str, value: Any, version: int, site: Site) -> Any:
        """A binding of a local or global name; versions count from 1 for each name and call.

        The result is bound, but for a lambda's arguments and a comprehension's names, where it is
        not used. site : the statement; for arguments, loops and `with` the name.
        """
        return value

    def text(self, value: str, site: Site) -> str:
        """A formatted string; what is formatted in it is not told apart."""
        return value

    def unpack(self, value: Any, site: Site) -> Any:
        """What an assignment takes apart: the right side of `a, b = value`."""
        return value

    def iterate(self, iterable: Any, site: Site) -> Any:
        """What a for loop or a comprehension runs over; its turns are told to `iteration`."""
        method = _raw(type(iterable), "__iter__")
        if type(method) is FunctionType:
            iterator = self.followed(method)(iterable)
            if not hasattr(type(iterator), "__next__"):
                kind = type(iterator).__name__
                raise TypeError(f"iter() returned non-iterator of type '{kind}'")
        else:
            iterator = iter(iterable)
        return self._turns(iterator, site)

    def iteration(self, site: Site, count: int) -> None:
        """A turn of a loop begins, the first is 1; site: what is iterated over, or the `while`."""

    def enter(self, function: str, site: Site) -> Frame:
        """A user's function is entered (a generator: its first `next`); gives the call's frame."""
        return Frame(self, function, site)

    def ret(self, value: Any, site: Site) -> Any:
        """The value of a `return`, or of a lambda."""
        return value

    def leave(self, frame: Frame) -> None:
        """A call ends, also by an exception (but for a lambda's: `call` sees that)."""

    def unfollowed(self, function: FunctionType, reason: Unfollowable) -> None:
        """A reached function of the user's that has no source; it is called as it is."""

    # -- what is reached -----------------------------------------------------------------------

    def follows(self, function: FunctionType) -> bool:
        """Whether a reached function is the user's: neither installed nor ours."""
        module = function.__module__ or ""
        if module.startswith("chainrule."):
            return module.startswith(FOLLOWED)
        file = function.__code__.co_filename
        return not file.startswith("<frozen") and not file.startswith(_PATHS)

    def followed(self, function: Any) -> Any:
        """The clone of a user's function; everything else as it is."""
        if type(function) is not FunctionType:
            return function
        if HOOK in function.__code__.co_freevars and _hook_of(function) is self:
            return function
        known = self._clones.get(function)
        if known is None or known[0] is not function.__code__:
            clone = function
            if HOOK in function.__code__.co_freevars or self.follows(function):
                try:
                    clone = cloned(function, self)
                except Unfollowable as reason:
                    self.unfollowed(function, reason)
            known = self._clones[function] = (function.__code__, clone)
        clone = known[1]
        if clone is not function:
            if clone.__defaults__ is not function.__defaults__:
                clone.__defaults__ = function.__defaults__
            if clone.__kwdefaults__ is not function.__kwdefaults__:
                clone.__kwdefaults__ = function.__kwdefaults__
        return clone

    def reached(
        self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
        """A callable and its arguments, with the user's functions replaced by their clones."""
        kind = type(function)
        if _calls_back(function):
            args = tuple(map(self.followed_callback, args))
            kwargs = {name: self.followed_callback(v) for name, v in kwargs.items()}
        if kind is FunctionType:
            function = self.followed(function)
        elif kind is MethodType:
            inner, _, _ = self.reached(function.__func__, (), {})
            if inner is not function.__func__:
                function = MethodType(inner, function.__self__)
        elif kind is functools.partial:
            inner, _, _ = self.reached(function.func, (), {})
            if inner is not function.func:
                function = functools.partial(inner, *function.args, **function.keywords)
        elif isinstance(function, type) and kind.__call__ is type.__call__:
            new, init = function.__new__, function.__init__  # type: ignore[misc]
            if self.followed(new) is not new or self.followed(init) is not init:
                function = functools.partial(self._construct, function)
        elif type(_raw(kind, "__call__")) is FunctionType:
            function = MethodType(self.followed(kind.__call__), function)
        return function, args, kwargs

    def followed_callback(self, value: Any) -> Any:
        """A function that is handed to `map`, `sorted` and their like."""
        if type(value) in (FunctionType, MethodType, functools.partial):
            return self.reached(value, (), {})[0]
        return value

    def _construct(self, cls: Any, /, *args: Any, **kwargs: Any) -> Any:
        """`type.__call__`, with the user's `__new__` and `__init__` followed."""
        obj = self.followed(cls.__new__)(cls, *args, **kwargs)
        if isinstance(obj, cls):
            result = self.followed(type(obj).__init__)(obj, *args, **kwargs)
            if result is not None:
                raise TypeError(f"__init__() should return None, not '{type(result).__name__}'")
        return obj

    def _bound(self, method: Any, obj: Any) -> Any:
        """A class's special method, bound as Python binds it, and followed."""
        method = self.followed(method)
        return method.__get__(obj, type(obj)) if hasattr(method, "__get__") else method

    def _reflected(self, op: str, left: Any, right: Any, said: str = "") -> Any:
        """Python's protocol for `left op right`, with the user's methods followed."""
        name = BINARY[op][2]
        a = _raw(type(left), f"__{name}__")
        b = _raw(type(right), f"__r{name}__") if type(right) is not type(left) else None
        tries = [(a, left, right), (b, right, left)]
        if (
            b is not None
            and issubclass(type(right), type(left))
            and b is not _raw(type(left), f"__r{name}__")
        ):
            tries.reverse()
        for method, first, second in tries:
            if method is not None:
                result = self._bound(method, first)(second)
                if result is not NotImplemented:
                    return result
        sign = said or ("** or pow()" if op == "**" else op)
        types = f"'{type(left).__name__}' and '{type(right).__name__}'"
        raise TypeError(f"unsupported operand type(s) for {sign}: {types}")

    def _compared(self, op: str, left: Any, right: Any) -> Any:
        """Python's protocol for a comparison whose left side has a method of the user's."""
        name, mirrored = MIRRORED[op]
        a, b = _raw(type(left), name), _raw(type(right), mirrored)
        tries = [(a, left, right), (b, right, left)]
        if type(right) is not type(left) and issubclass(type(right), type(left)):
            tries.reverse()
        for method, first, second in tries:
            result = self._bound(method, first)(second)
            if result is not NotImplemented:
                return result
        if op in ("==", "!="):
            return (left is right) == (op == "==")
        types = f"'{type(left).__name__}' and '{type(right).__name__}'"
        raise TypeError(f"'{op}' not supported between instances of {types}")

    def _turns(self, iterator: Iterator[Any], site: Site) -> Iterator[Any]:
        for count, item in enumerate(iterator, 1):
            self.iteration(site, count)
            yield item


def _hook_of(clone: FunctionType) -> Any:
    cell = (clone.__closure__ or ())[clone.__code__.co_freevars.index(HOOK)]
    return cell.cell_contents


def _makers(cls: Any) -> tuple[Any, Any]:
    """What a class calls to make an object."""
    return cls.__new__, cls.__init__


def _raw(kind: type, name: str) -> Any:
    """A class's attribute, without asking descriptors."""
    for base in kind.__mro__:
        if name in base.__dict__:
            return base.__dict__[name]
    return None


def _calls_back(function: Any) -> bool:
    if id(function) in _CALLERS:
        return True
    if type(function).__module__ not in ("builtins", "numpy"):
        return False  # others may compute attributes
    name = getattr(function, "__name__", "")
    if name in NUMPY_CALLERS:
        return str(getattr(function, "__module__", "")).split(".")[0] == "numpy"
    return name == "sort" and type(getattr(function, "__self__", None)) is list


def sites_of(clone: FunctionType) -> tuple[Site, ...]:
    """The sites that a clone refers to; none for what is no clone."""
    names = clone.__code__.co_freevars
    if SITES not in names:
        return ()
    found: tuple[Site, ...] = (clone.__closure__ or ())[names.index(SITES)].cell_contents
    return found


def cloned(function: FunctionType, hook: Hook) -> FunctionType:
    """A function's clone for a hook: its own globals, cells and defaults, and one hook.

    Raises NoSource, Unfollowable.
    """
    code = function.__code__
    cells = dict(zip(code.co_freevars, function.__closure__ or (), strict=True))
    if HOOK not in code.co_freevars:  # else defined in a clone: it only changes the hook
        code, sites = _template(code, function.__globals__)
        cells[SITES] = CellType(sites)
    cells[HOOK] = CellType(hook)
    missing = [name for name in code.co_freevars if name not in cells]
    if missing:
        raise NoSource(f"{function.__qualname__}: its source reads {missing[0]} from elsewhere")
    closure = tuple(cells[name] for name in code.co_freevars)
    clone = FunctionType(
        code, function.__globals__, function.__name__, function.__defaults__, closure
    )
    clone.__kwdefaults__ = function.__kwdefaults__
    clone.__qualname__ = function.__qualname__
    clone.__module__ = function.__module__
    clone.__doc__ = function.__doc__
    clone.__dict__.update(function.__dict__)
    if sys.version_info >= (3, 14):
        clone.__annotate__ = function.__annotate__
    else:
        clone.__annotations__ = function.__annotations__
    return clone


_TEMPLATES: dict[int, tuple[CodeType, CodeType, tuple[Site, ...]]] = {}


def _template(code: CodeType, namespace: dict[str, Any]) -> tuple[CodeType, tuple[Site, ...]]:
    """The rewritten code of a code object; the same for every hook."""
    known = _TEMPLATES.get(id(code))
    if known is None or known[0] is not code:
        known = _TEMPLATES[id(code)] = (code, *rewrite(*locate(code, namespace), code))
    return known[1], known[2]


def instrument(function: Callable[..., Any], hook: Hook) -> Callable[..., Any]:
    """A clone of a callable that does the same, with every event passing the hook.

    function : a function, lambda, method, partial, class, or an object with `__call__`.
    hook : told of every event; what its methods give takes the event's place.
    Raises NoSource where there is none that belongs to it, Unfollowable for coroutines.

    >>> from chainrule.gallery.heart import heart
    >>> class Names(Hook):
    ...     def assign(self, name, value, version, site):
    ...         if name == "phi":
    ...             print(site.line > 1, version, site.text)
    ...         return value
    >>> _ = instrument(heart, Names())(3)
    True 1 phi = 2 * np.pi * x
    """
    if isinstance(function, staticmethod | classmethod):
        function = function.__func__
    inner: Any = function
    while isinstance(inner, MethodType | functools.partial):
        inner = inner.__func__ if isinstance(inner, MethodType) else inner.func
    if not isinstance(inner, FunctionType | type):
        inner = _raw(type(inner), "__call__")
    if isinstance(inner, FunctionType):
        if inner not in hook._clones:
            hook._clones[inner] = (inner.__code__, cloned(inner, hook))
    elif isinstance(inner, type) and (
        own := [m for m in _makers(inner) if type(m) is FunctionType]
    ):
        for maker in own:
            hook._clones[maker] = (maker.__code__, cloned(maker, hook))
    else:
        name = getattr(function, "__qualname__", None) or repr(function)
        wrapped = getattr(function, "__wrapped__", None)
        what = f"give {wrapped.__qualname__}.__wrapped__" if wrapped else "give a Python function"
        raise NoSource(f"{name}: no source, it is a {type(function).__name__}; {what}")
    followed: Callable[..., Any] = hook.reached(function, (), {})[0]
    return followed
