"""Where a function's inputs live: its arguments, and places that it reads (`W1`, `net.W1`,
`self.W`, `params["W1"]`, `Ws[0]`). A place is found by the array's identity wherever that is held,
bound for one call, and restored whatever happens.

Binding writes to the user's module for the time of the call: one call at a time holds the lock, and
another thread of the user's that reads the same place meanwhile would see the bound value.
"""

from __future__ import annotations

import ast
import copy
import inspect
import random
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from chainrule.errors import UsageError

LOCK = threading.RLock()
DEPTH, MANY = 5, 5_000
LARGE = ("numpy", "scipy", "torch", "jax", "sympy", "matplotlib", "pandas")

Step = tuple[str, Any]  # ("attribute", name) or ("item", key)


def parse(name: str) -> tuple[str, tuple[Step, ...]]:
    """The root and the steps of a place. Read from its syntax tree, never evaluated.

    >>> parse('net.W'), parse('params["W1"]'), parse("Ws[0]")[1]
    (('net', (('attribute', 'W'),)), ('params', (('item', 'W1'),)), (('item', 0),))
    """
    steps: list[Step] = []
    if not isinstance(name, str):
        raise UsageError(f"{name!r} is no name of a place; names are text, such as 'W1'")
    try:
        node: Any = ast.parse(name.strip(), mode="eval").body
        while not isinstance(node, ast.Name):
            if isinstance(node, ast.Attribute):
                steps.append(("attribute", node.attr))
            elif isinstance(node, ast.Subscript):
                steps.append(("item", ast.literal_eval(node.slice)))
            else:
                raise ValueError
            node = node.value
    except (SyntaxError, ValueError):
        raise UsageError(
            f'{name!r} is no name of a place; write W1, net.W1, params["W1"] or Ws[0]'
        ) from None
    return node.id, tuple(reversed(steps))


def canonical(name: str) -> str:
    """A place's name in one spelling: ``params["W1"]``."""
    root, steps = parse(name)
    return root + "".join(written(kind, key) for kind, key in steps)


def written(kind: str, key: Any) -> str:
    """One step as text."""
    if kind == "attribute":
        return f".{key}"
    return f'["{key}"]' if isinstance(key, str) else f"[{key!r}]"


@dataclass
class Prepared:
    """A function with everything that a call of it needs.

    arguments : parameter → value as given. inputs : place → its array or float, arguments first.
    originals : place that is no argument → the very object that it holds now.
    slots : likewise → (container, step) of the place itself.
    found : places that nobody named, and that the code read.
    functions : those whose globals, closures and defaults are searched. keepers : of what a call
    changes besides, so that it can be put back.
    """

    function: Callable[..., Any]
    arguments: dict[str, Any]
    inputs: dict[str, Any]
    wrt: tuple[str, ...]
    originals: dict[str, Any] = field(default_factory=dict)
    slots: dict[str, tuple[Any, Step]] = field(default_factory=dict)
    functions: list[FunctionType] = field(default_factory=list)
    found: tuple[str, ...] = ()
    signature: inspect.Signature | None = None
    keepers: list[Callable[[], Callable[[], None]]] = field(default_factory=list)

    def call(self, target: Callable[..., Any], leaf: Callable[[str, Any], Any]) -> Any:
        """Call `target` with the arguments, every input among them replaced by `leaf`."""
        given = {n: self._put(n, v, leaf) for n, v in self.arguments.items()}
        if self.signature is None:
            return target(*given.values())
        positional: list[Any] = []
        named: dict[str, Any] = {}
        extra = {n: v for n, v in given.items() if n not in self.signature.parameters}
        for p in self.signature.parameters.values():
            if p.kind is p.VAR_KEYWORD:
                named |= given.get(p.name, {}) or extra
            elif p.name not in given:
                continue
            elif p.kind is p.VAR_POSITIONAL:
                positional.extend(given[p.name])
            elif p.kind is p.KEYWORD_ONLY or len(positional) < self._before(p.name, given):
                named[p.name] = given[p.name]
            else:
                positional.append(given[p.name])
        return target(*positional, **named)

    def _before(self, name: str, given: Mapping[str, Any]) -> int:
        assert self.signature is not None
        names = list(self.signature.parameters)
        return sum(1 for n in names[: names.index(name)])

    def _put(self, name: str, value: Any, leaf: Callable[[str, Any], Any]) -> Any:
        if name in self.inputs:
            return leaf(name, self.inputs[name])
        if type(value) in (list, tuple):
            return type(value)(self._put(f"{name}[{k}]", v, leaf) for k, v in enumerate(value))
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            parts = zip(value._fields, value, strict=True)
            return type(value)(*(self._put(f"{name}.{k}", v, leaf) for k, v in parts))
        if type(value) is dict:
            return {k: self._put(name + written("item", k), v, leaf) for k, v in value.items()}
        if isinstance(value, np.random.Generator | np.random.RandomState):
            return copy.deepcopy(value)
        return value

    def run(self, values: Mapping[str, Any], times: int = 1) -> Any:
        """The function itself with its inputs at `values`: copies, which it may write to.

        times : with 2, it is called twice, and both results are given; what a call changes besides
        its result is put back at the end only.
        """

        def fresh(name: str, kept: Any) -> Any:
            value = values.get(name, kept)
            return np.array(value) if isinstance(value, np.ndarray) else value

        outside = {n: fresh(n, self.inputs[n]) for n in self.originals}
        undo = [keep() for keep in self.keepers]
        try:
            with bound(self, outside), np.errstate(all="ignore"):
                if times == 1:
                    return self.call(self.function, fresh)
                results = []
                for _ in range(times):
                    with random_kept():
                        results.append(copied(self.call(self.function, fresh)))
                return results
        finally:
            while undo:
                undo.pop()()


def prepare(
    function: Callable[..., Any], at: Mapping[str, Any], wrt: Sequence[str] = ()
) -> Prepared:
    """Sort what `at` and `wrt` name into arguments and places.

    Raises UsageError for names that are neither, and for arguments that are missing.
    """
    if not callable(function):
        raise UsageError(f"{function!r} is no function; give the function itself, not its result")
    if not isinstance(at, Mapping):
        raise UsageError(f"at={at!r}: give a point as name → array, such as {{'x': x, 'W1': W1}}")
    try:
        signature: inspect.Signature | None = inspect.signature(function)
    except (TypeError, ValueError):
        signature = None
    parameters = {} if signature is None else dict(signature.parameters)
    takes_more = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    arguments: dict[str, Any] = {}
    outside: dict[str, Any] = {}
    for name, value in at.items():
        if not isinstance(name, str):
            raise UsageError(f"at has the key {name!r}; names are text, such as 'W1'")
        if signature is None or name in parameters:
            arguments[name] = value
        elif takes_more and not _exists(function, name):
            arguments[name] = value
        else:
            outside[canonical(name)] = value
    for p in parameters.values():
        needed = p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        if needed and p.name not in arguments:
            raise UsageError(f"{said(function)} needs {p.name}; give it in at={{{p.name!r}: …, …}}")
    wanted = [canonical(w) for w in ([wrt] if isinstance(wrt, str) else wrt)]
    for p in parameters.values():  # defaults that are arrays, or asked for
        asked = isinstance(p.default, np.ndarray) or p.name in wanted
        if p.default is not p.empty and p.name not in arguments and asked:
            arguments[p.name] = p.default
    prepared = Prepared(function, arguments, {}, (), signature=signature)
    prepared.functions = own_functions(function)
    for name, value in arguments.items():
        _leaves(prepared.inputs, name, value, wanted)
    for name, value in outside.items():
        _add_place(prepared, name, value)
    resolved: list[str] = []
    for name in wanted:
        inside = [n for n in prepared.inputs if n == name or n.startswith((f"{name}[", f"{name}."))]
        if not inside:
            _add_place(prepared, name, None)
            inside = [
                n for n in prepared.inputs if n == name or n.startswith((f"{name}[", f"{name}."))
            ]
        resolved += inside
    prepared.wrt = tuple(dict.fromkeys(resolved))
    return prepared


def _leaves(inputs: dict[str, Any], name: str, value: Any, wanted: Sequence[str]) -> None:
    """Arrays and floats among an argument's parts; integers only where they are asked for."""
    if isinstance(value, np.ndarray | float | np.floating):
        inputs[name] = value
    elif isinstance(value, int | np.integer) and not isinstance(value, bool) and name in wanted:
        inputs[name] = float(value)
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        for k, v in zip(value._fields, value, strict=True):
            _leaves(inputs, f"{name}.{k}", v, wanted)
    elif isinstance(value, list | tuple):
        for k, v in enumerate(value):
            _leaves(inputs, f"{name}[{k}]", v, wanted)
    elif isinstance(value, dict):
        for k, v in value.items():
            _leaves(inputs, name + written("item", k), v, wanted)


def copied(result: Any) -> Any:
    """A result whose arrays no later call can change."""
    if isinstance(result, np.ndarray):
        return result.copy()
    if type(result) in (list, tuple):
        return type(result)(copied(r) for r in result)
    return {k: copied(v) for k, v in result.items()} if type(result) is dict else result


def said(function: Any) -> str:
    """A function's name for messages."""
    return str(getattr(function, "__name__", None) or type(function).__name__)


def own_functions(function: Any) -> list[FunctionType]:
    """The plain functions behind a callable."""
    while isinstance(function, partial):
        function = function.func
    if isinstance(function, MethodType):
        return own_functions(function.__func__)
    if isinstance(function, FunctionType):
        return [function]
    method = vars(type(function)).get("__call__")
    return [method] if isinstance(method, FunctionType) else []


def _root(function: Any, arguments: Mapping[str, Any], name: str) -> Any:
    """What a name means where the function stands. Raises KeyError."""
    if name in arguments:
        return arguments[name]
    inner = function
    while isinstance(inner, partial):
        inner = inner.func
    if name == "self":
        if isinstance(inner, MethodType):
            return inner.__self__
        if not isinstance(inner, FunctionType):
            return inner
    namespace = _namespace(function, name)
    if isinstance(namespace, partial):
        return _kept(namespace)[name]
    return namespace.cell_contents if isinstance(namespace, CellType) else namespace[name]


def _kept(function: partial[Any]) -> dict[str, Any]:
    """The arguments that a partial keeps, by name."""
    try:
        signature = inspect.signature(function.func)
        return dict(signature.bind_partial(*function.args, **function.keywords).arguments)
    except (TypeError, ValueError):
        return dict(function.keywords)


def _exists(function: Any, name: str) -> bool:
    try:
        _root(function, {}, parse(name)[0])
    except (KeyError, UsageError):
        return False
    return True


def _add_place(prepared: Prepared, name: str, value: Any) -> None:
    root, steps = parse(name)
    function = prepared.function
    try:
        obj = _root(function, prepared.arguments, root)
        container: Any = None
        for kind, key in steps:
            container = obj
            obj = getattr(obj, key) if kind == "attribute" else obj[key]
    except (KeyError, AttributeError, IndexError, TypeError):
        known = ", ".join(prepared.arguments) or "none"
        raise UsageError(
            f"{name} is neither an argument of {said(function)} (they are: {known}) nor a place "
            "that it can read; give it in at=, or check the name"
        ) from None
    if steps:
        theirs = isinstance(container, ModuleType) and not _is_users(container)
        if theirs or isinstance(container, float | int | np.generic | np.ndarray):
            raise UsageError(f"{name} is no place of yours: it cannot be given another value")
        prepared.slots[name] = (container, steps[-1])
    elif root in prepared.arguments:
        raise UsageError(f"{name} = {obj!r} is no array of numbers")
    else:
        prepared.slots[name] = (_namespace(function, root), ("item", root))
    if isinstance(obj, np.ndarray | float | int | np.number) and not isinstance(obj, bool):
        prepared.originals[name] = obj
        given = obj if value is None else value
        if isinstance(given, np.ndarray):
            prepared.inputs[name] = given
        else:
            prepared.inputs[name] = np.asarray(given) if isinstance(obj, np.ndarray) else given
        return
    parts: dict[str, Any] = {}
    _leaves(parts, name, obj, ())
    if not parts and hasattr(obj, "__dict__"):
        for key, v in vars(obj).items():
            _leaves(parts, f"{name}.{key}", v, ())
    if not parts:
        raise UsageError(f"{name} holds a {type(obj).__name__}, which is no array of numbers")
    for part in parts:
        _add_place(prepared, part, None)


def _namespace(function: Any, name: str) -> Any:
    """What holds a name for a function: a partial, a cell, or globals. Raises KeyError."""
    while isinstance(function, partial):
        if name in _kept(function):
            return function
        function = function.func
    todo, seen = own_functions(function), set()
    namespaces = [f.__globals__ for f in todo]
    for f in todo:  # grows: functions in the closures of functions
        seen.add(id(f))
        for free, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True):
            try:
                value = cell.cell_contents
            except ValueError:
                continue
            if free == name:
                return cell
            todo += [g for g in own_functions(value) if id(g) not in seen]
        if len(todo) < 200:
            todo += [g for g in _named(f) if id(g) not in seen and g not in todo]
            namespaces += [g.__globals__ for g in todo if g.__globals__ not in namespaces]
    for namespace in namespaces:
        if name in namespace:
            return namespace
    raise KeyError(name)


def _named(function: FunctionType) -> list[FunctionType]:
    """The user's functions that a function names: globals, and attributes of modules."""
    names, found = function.__code__.co_names, []
    for name in names:
        value = function.__globals__.get(name)
        held = [value]
        if _is_users(value):
            held = [vars(value).get(n) for n in names]
        found += [f for h in held if callable(h) and not isinstance(h, type) for f in own(h)]
    return found


def _is_users(thing: Any) -> bool:
    """Whether it is a module of the user's."""
    return isinstance(thing, ModuleType) and thing.__name__.split(".")[0] not in (
        *LARGE,
        *sys.stdlib_module_names,
    )


def own(thing: Any) -> list[FunctionType]:
    """`own_functions`, without those of the large libraries."""
    return [f for f in own_functions(thing) if (f.__module__ or "").split(".")[0] not in LARGE]


@contextmanager
def random_kept() -> Iterator[None]:
    """The global random states, after a block what they were before it."""
    ours = np.random.get_state(), random.getstate()  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(ours[0])  # noqa: NPY002
        random.setstate(ours[1])


@contextmanager
def bound(prepared: Prepared, values: Mapping[str, Any]) -> Iterator[None]:
    """Values at places for the time of a block: wherever the place's own object is held."""
    if not values:
        yield
        return
    undo: list[Callable[[], None]] = []
    with LOCK:
        try:
            arrays: dict[int, tuple[Any, Any]] = {}
            for name, value in values.items():
                old = prepared.originals[name]
                if isinstance(old, np.ndarray):
                    arrays[id(old)] = (old, value)
                else:
                    container, (kind, key) = prepared.slots[name]
                    undo.append(_set(container, kind, key, value))
            if arrays:
                _rebind(prepared, arrays, undo)
            yield
        finally:
            while undo:
                undo.pop()()


def _set(container: Any, kind: str, key: Any, value: Any) -> Callable[[], None]:
    """Put a value; gives what puts the old one back."""
    if isinstance(container, CellType):
        old = container.cell_contents
        container.cell_contents = value
        return lambda: setattr(container, "cell_contents", old)
    if kind == "attribute":
        old = getattr(container, key)
        object.__setattr__(container, key, value)
        return lambda: object.__setattr__(container, key, old)
    old = container[key]
    container[key] = value

    def back() -> None:
        container[key] = old

    return back


def _rebind(
    prepared: Prepared, arrays: Mapping[int, tuple[Any, Any]], undo: list[Callable[[], None]]
) -> None:
    """Every reachable slot that holds one of the arrays gets the new one."""
    seen: set[int] = set()
    found: set[int] = set()

    def new(value: Any, depth: int = DEPTH) -> Any:
        """What a slot that holds `value` gets; None if it stays. Tuples are made anew."""
        pair = arrays.get(id(value))
        if pair is not None and pair[0] is value:
            found.add(id(value))
            return pair[1]
        if isinstance(value, tuple) and depth and len(value) < MANY:
            parts = [new(v, depth - 1) for v in value]
            if any(p is not None for p in parts):
                both = [v if p is None else p for p, v in zip(parts, value, strict=True)]
                return type(value)(*both) if hasattr(value, "_fields") else type(value)(both)
        return None

    def swap(container: Any, kind: str, key: Any, value: Any) -> None:
        put = new(value)
        if put is not None:
            undo.append(_set(container, kind, key, put))

    def walk(obj: Any, depth: int) -> None:
        if id(obj) in seen or len(seen) > MANY or depth < 0:
            return
        if isinstance(obj, str | bytes | int | float | np.ndarray | np.generic | type | ModuleType):
            return
        seen.add(id(obj))
        if isinstance(obj, dict):
            for key, value in list(obj.items()):
                swap(obj, "item", key, value)
                walk(value, depth - 1)
        elif isinstance(obj, list):
            for key, value in enumerate(list(obj[:MANY])):
                swap(obj, "item", key, value)
                walk(value, depth - 1)
        elif isinstance(obj, tuple):
            for value in obj:
                walk(value, depth - 1)
        elif isinstance(obj, FunctionType):
            inside(obj, depth)
        elif isinstance(obj, MethodType):
            walk(obj.__self__, depth - 1)
            walk(obj.__func__, depth)
        elif isinstance(obj, partial):
            args, keywords = new(obj.args), {k: new(v) for k, v in obj.keywords.items()}
            if args is not None or any(v is not None for v in keywords.values()):
                kept = (obj.func, obj.args, obj.keywords, vars(obj))
                both = {k: v if keywords[k] is None else keywords[k] for k, v in kept[2].items()}
                put: Any = obj
                put.__setstate__((kept[0], args or kept[1], both, kept[3]))
                undo.append(lambda: put.__setstate__(kept))
            for part in (obj.func, obj.args, obj.keywords):
                walk(part, depth)
        elif isinstance(getattr(obj, "__dict__", None), dict):
            for key, value in list(vars(obj).items()):
                swap(obj, "attribute", key, value)
                walk(value, depth - 1)

    def inside(f: FunctionType, depth: int) -> None:
        for cell in f.__closure__ or ():
            try:
                value = cell.cell_contents
            except ValueError:
                continue
            swap(cell, "cell", "", value)
            walk(value, depth - 1)
        if f.__defaults__ and any(new(v) is not None for v in f.__defaults__):
            old = f.__defaults__
            f.__defaults__ = tuple(v if new(v) is None else new(v) for v in old)
            undo.append(lambda: setattr(f, "__defaults__", old))

    for container, (kind, key) in prepared.slots.values():
        if isinstance(container, CellType):
            swap(container, "cell", "", container.cell_contents)
        elif isinstance(container, tuple | partial):
            continue
        elif kind == "attribute":
            swap(container, kind, key, getattr(container, key, None))
        else:
            swap(container, kind, key, container[key])
    walk(prepared.function, DEPTH)
    for f in prepared.functions:
        seen.add(id(f))
        inside(f, DEPTH)
        namespace = f.__globals__
        if id(namespace) not in seen:
            seen.add(id(namespace))
            names = {n for g in prepared.functions for n in g.__code__.co_names}
            for key, value in list(namespace.items()):
                swap(namespace, "item", key, value)
                if key in names and _is_users(value):
                    for inner, held in list(vars(value).items()):
                        swap(vars(value), "item", inner, held)
                elif key in names and not isinstance(value, FunctionType):
                    walk(value, DEPTH - 1)
    for key, (old, value) in arrays.items():
        if key in found:
            continue
        if old.shape == value.shape and old.flags.writeable:  # held where nothing can be put
            kept = old.copy()
            old[...] = value
            undo.append(lambda old=old, kept=kept: old.__setitem__(Ellipsis, kept))  # type: ignore[misc]
        else:
            raise UsageError("an array is held where it cannot be replaced for a call (a tuple?)")
