"""What the user's functions can reach is kept, compared bit by bit, and put back.

Names that their code mentions in its module, closures, defaults, objects and containers behind
them, the arrays in those; and the state of random generators. What cannot be reached from the
functions is not looked at.
"""

from __future__ import annotations

import copy
import random
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from chainrule.code.trace.places import own_functions, written

DEPTH, MANY = 6, 20_000
LIBRARIES = {"site-packages", "dist-packages"}
LARGEST = 2**26  # entries of all arrays together that are copied

ATOMS = (str, bytes, int, float, complex, bool, type(None), np.generic, range)


@dataclass
class Kept:
    """The state of everything reached. owned : names that belong to objects (``self.dW``)."""

    arrays: list[tuple[str, np.ndarray, np.ndarray]] = field(default_factory=list)
    held: list[tuple[str, Any, Any]] = field(default_factory=list)
    generators: list[tuple[str, Any, Any]] = field(default_factory=list)
    owned: set[str] = field(default_factory=set)

    def changes(self) -> list[str]:
        """The names of what is not as it was."""
        found = [name for name, now, old in self.arrays if now.tobytes() != old.tobytes()]
        for name, container, old in self.held:
            found += _changed(name, container, old)
        return list(dict.fromkeys(found))

    def counted(self) -> list[str]:
        """The names of plain numbers, texts and lengths that are not as they were: what a function
        can count its calls with. Arrays of more than one entry are none."""
        found = [
            name
            for name, now, old in self.arrays
            if now.size == 1 and now.tobytes() != old.tobytes()
        ]
        for name, container, old in self.held:
            found += _counted(name, container, old)
        return list(dict.fromkeys(found))

    def restore(self) -> None:
        """Put everything back."""
        for _, container, old in self.held:
            _put_back(container, old)
        # Views that may be written to come first: what is read-only (a base that was locked after
        # the view was made, a buffer) is often put back through them.
        for _, now, old in sorted(self.arrays, key=lambda a: not a[1].flags.writeable):
            if now.tobytes() == old.tobytes():
                continue
            writeable = now.flags.writeable
            try:
                now.flags.writeable = True
            except ValueError:  # memory that NumPy does not own: it cannot be put back from here
                continue
            now[...] = old
            now.flags.writeable = writeable
        for _, generator, state in self.generators:
            _set_state(generator, state)


class _Globals(dict[str, Any]):
    """Some names of a namespace; those that it does not have are left out."""

    def __init__(self, namespace: dict[str, Any], names: Iterable[str]) -> None:
        super().__init__({n: namespace[n] for n in names if n in namespace})
        self.names = tuple(names)


def keep(functions: Iterable[Any], others: Iterable[Any] = ()) -> Kept:
    """Look at everything that functions, and other objects, can reach."""
    kept = Kept()
    seen: dict[int, Any] = {}
    total = 0

    def walk(name: str, value: Any, depth: int, owned: bool) -> None:
        nonlocal total
        if isinstance(value, ATOMS) or id(value) in seen or depth < 0 or len(seen) > MANY:
            return
        seen[id(value)] = value
        if owned:
            kept.owned.add(name)
        if isinstance(value, np.ndarray):
            if value.dtype.kind != "O" and total + value.size <= LARGEST:
                total += value.size
                kept.arrays.append((name, value, value.copy()))
        elif isinstance(value, np.random.Generator | np.random.RandomState | random.Random):
            kept.generators.append((name, value, _state(value)))
        elif isinstance(value, dict | list | set):
            hold(name, value, copy.copy(value), owned)
            items = value.items() if isinstance(value, dict) else enumerate(list(value))
            for key, part in list(items):
                walk(name + written("item", key), part, depth - 1, owned)
        elif isinstance(value, tuple):
            for key, part in enumerate(value):
                walk(name + written("item", key), part, depth - 1, owned)
        elif isinstance(value, partial):
            for part in (value.func, value.args, value.keywords):
                walk(name, part, depth, owned)
        elif isinstance(value, MethodType):
            walk("self", value.__self__, depth, True)
            walk(name, value.__func__, depth, owned)
        elif isinstance(value, FunctionType):
            function(value, depth)
        elif isinstance(value, ModuleType):
            return
        elif isinstance(value, type):
            if _ours(getattr(value, "__module__", "")):
                for key, part in list(vars(value).items()):
                    walk(f"{name}.{key}", part, depth - 1, owned)
        elif isinstance(getattr(value, "__dict__", None), dict):
            hold(name, value, dict(vars(value)), True)
            for key, part in list(vars(value).items()):
                walk(f"{name}.{key}", part, depth - 1, True)
            for f in own_functions(value):
                walk(name, f, depth - 1, owned)

    def hold(name: str, container: Any, old: Any, owned: bool) -> None:
        kept.held.append((name, container, old))
        if owned:
            kept.owned.add(name)

    def function(f: FunctionType, depth: int) -> None:
        names = _names(f.__code__)
        if _ours(f.__globals__.get("__name__", "")):
            kept.held.append(("", f.__globals__, _Globals(f.__globals__, names)))
            for n in names:
                value = f.__globals__.get(n)
                if isinstance(value, ModuleType) and _ours(value.__name__):
                    own = vars(value)
                    kept.held.append((n, own, _Globals(own, names)))
                    for m in names:
                        walk(f"{n}.{m}", own.get(m), depth - 1, False)
                walk(n, value, depth - 1, False)
        for n, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True):
            try:
                value = cell.cell_contents
            except ValueError:
                continue
            kept.held.append((n, cell, value))
            walk(n, value, depth - 1, False)
        for n, value in {**(f.__kwdefaults__ or {}), **_defaults(f)}.items():
            walk(n, value, depth - 1, False)
        if f.__dict__:
            hold(f.__name__, f, dict(f.__dict__), False)

    for f in functions:
        for own in own_functions(f):
            walk(own.__name__, own, DEPTH, False)
        walk("", f, DEPTH, False)
    for n, value in dict(others).items() if isinstance(others, Mapping) else enumerate(others):
        walk(str(n), value, DEPTH, False)
    return kept


@contextmanager
def kept(functions: Iterable[Any], others: Mapping[str, Any]) -> Iterator[Kept]:
    """Everything as it was when the block ends, whatever happens in it."""
    states = np.random.get_state(), random.getstate()  # noqa: NPY002
    state = keep(functions, others)
    try:
        yield state
    finally:
        state.restore()
        np.random.set_state(states[0])  # noqa: NPY002
        random.setstate(states[1])


def _ours(module: str) -> bool:
    """Whether a module is the user's to look into: no installed library, none of Python's."""
    top = module.split(".")[0]
    if top == "chainrule":
        return module.startswith("chainrule.gallery")
    file = str(getattr(sys.modules.get(module), "__file__", ""))
    return top not in sys.stdlib_module_names and not LIBRARIES & {*Path(file).parts}


def _names(code: Any) -> tuple[str, ...]:
    inner = [n for c in code.co_consts if hasattr(c, "co_names") for n in _names(c)]
    return tuple(dict.fromkeys([*code.co_names, *inner]))


def _defaults(f: FunctionType) -> dict[str, Any]:
    values = f.__defaults__ or ()
    names = f.__code__.co_varnames[: f.__code__.co_argcount]
    return dict(zip(names[len(names) - len(values) :], values, strict=True))


def _state(generator: Any) -> Any:
    if isinstance(generator, np.random.Generator):
        return copy.deepcopy(generator.bit_generator.state)
    return generator.get_state() if hasattr(generator, "get_state") else generator.getstate()


def _set_state(generator: Any, state: Any) -> None:
    if isinstance(generator, np.random.Generator):
        generator.bit_generator.state = state
    elif hasattr(generator, "set_state"):
        generator.set_state(state)
    else:
        generator.setstate(state)


def _now(container: Any, old: Any) -> Mapping[Any, Any]:
    """What a container holds now, by key."""
    if isinstance(old, _Globals):
        return {n: container[n] for n in old.names if n in container}
    if isinstance(container, dict):
        return container
    if isinstance(container, list):
        return dict(enumerate(container))
    own: dict[str, Any] = vars(container)
    return own


def _changed(name: str, container: Any, old: Any) -> list[str]:
    if isinstance(container, set):
        return [name] if container != old else []
    if hasattr(container, "cell_contents"):
        return [name] if container.cell_contents is not old else []
    now, before = _now(container, old), dict(enumerate(old)) if isinstance(old, list) else old
    keys = [k for k in (*before, *(k for k in now if k not in before)) if _differs(k, now, before)]
    if isinstance(old, _Globals):
        return [f"{name}.{k}" if name else str(k) for k in keys]
    kind = "item" if isinstance(container, dict | list) else "attribute"
    return [name + written(kind, k) for k in keys]


def _counted(name: str, container: Any, old: Any) -> list[str]:
    """What of a container counts: its length, or a plain value in it that is another one."""
    if isinstance(container, set):
        return [name] if len(container) != len(old) else []
    if hasattr(container, "cell_contents"):
        return [name] if _counts(container.cell_contents, old) else []
    now, before = _now(container, old), dict(enumerate(old)) if isinstance(old, list) else old
    if isinstance(container, dict | list) and not isinstance(old, _Globals):
        if len(now) != len(before):
            return [name]
    keys = [k for k in {**before, **now} if _differs(k, now, before)]
    keys = [k for k in keys if _counts(now.get(k, _NOTHING), before.get(k, _NOTHING))]
    if isinstance(old, _Globals):
        return [f"{name}.{k}" if name else str(k) for k in keys]
    kind = "item" if isinstance(container, dict | list) else "attribute"
    return [name + written(kind, k) for k in keys]


def _counts(now: Any, old: Any) -> bool:
    """Whether a plain value, or an array of one entry, was put in the place of another one."""
    kinds = [
        isinstance(v, ATOMS) or (isinstance(v, np.ndarray) and v.size == 1) for v in (now, old)
    ]
    if not any(kinds):
        return False
    if now is old or not all(kinds) or type(now) is not type(old):
        return now is not old
    try:
        return bool(now != old)
    except Exception:
        return True


_NOTHING = object()


def _differs(key: Any, now: Mapping[Any, Any], before: Mapping[Any, Any]) -> bool:
    return now.get(key, _NOTHING) is not before.get(key, _NOTHING)


def _put_back(container: Any, old: Any) -> None:
    if not _changed("", container, old):
        return
    if hasattr(container, "cell_contents"):
        container.cell_contents = old
    elif isinstance(container, list):
        container[:] = old
    elif isinstance(container, set):
        container.clear()
        container.update(old)
    elif isinstance(old, _Globals):
        for n in old.names:
            if n in old:
                container[n] = old[n]
            else:
                container.pop(n, None)
    else:
        own = container if isinstance(container, dict) else vars(container)
        own.clear()
        own.update(old)
