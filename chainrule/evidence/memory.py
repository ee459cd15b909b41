"""Whether code touches the memory of arrays as bytes: it is never run on exact numbers.

On exact numbers an array holds references to objects. Code that writes to its memory as if floats
lay there (`ctypes`, a `memoryview`, `np.frombuffer`) would end the process, and code that reads it
reads something else. So all names that the code mentions are looked at, in the functions, methods,
closures and modules of the user's that it can reach, before anything is run.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

RAW = frozenset(
    "ctypes data memoryview frombuffer tobytes tofile __array_interface__ __array_struct__ "
    "from_address from_buffer string_at memmove cast cffi dlpack from_dlpack __dlpack__".split()
)
MANY = 2_000  # things that are looked into
FOREIGN = ("numpy", "scipy", "chainrule")


def raw_memory(function: Any) -> str:
    """What a function's code mentions that touches memory: its name; "" if nothing does.

    >>> import numpy as np
    >>> raw_memory(lambda x: np.frombuffer(x.tobytes())), raw_memory(lambda x: 2 * x)
    ('frombuffer', '')
    """
    seen: set[int] = set()
    kept = [function]  # so that no identity is given twice
    for value in kept:
        if id(value) in seen or len(seen) > MANY:
            continue
        seen.add(id(value))
        if isinstance(value, FunctionType):
            names = list(_names(value.__code__))
            for name in names:
                if name in RAW:
                    return name
            kept += _mentioned(value, names)
        elif isinstance(value, MethodType):
            kept += [value.__func__, value.__self__]
        elif isinstance(value, partial):
            kept += [value.func, *value.args, *value.keywords.values()]
        elif isinstance(value, property):
            kept += [value.fget]
        elif isinstance(value, staticmethod | classmethod):
            kept.append(value.__func__)
        elif isinstance(value, list | tuple | dict):
            kept += list(value.values()) if isinstance(value, dict) else list(value)
        elif isinstance(value, type):
            if _users(value.__module__):
                kept += [*vars(value).values(), *value.__bases__]
        elif _users(type(value).__module__):
            kept += [type(value), *getattr(value, "__dict__", {}).values()]
    return ""


def _mentioned(function: FunctionType, names: list[str]) -> Iterator[Any]:
    """What the names in a function's code, its closure and its defaults are."""
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:
            continue
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    yield getattr(function, "__wrapped__", None)
    for name in names:
        value = function.__globals__.get(name)
        if isinstance(value, ModuleType):
            if _users(value.__name__):
                yield from (vars(value).get(n) for n in names)
        elif value is not None and not isinstance(value, FunctionType):
            yield value
        elif value is not None and _users(value.__module__ or ""):
            yield value


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
        elif isinstance(constant, str) and constant in RAW:  # getattr(x, "ctypes")
            yield constant


def _users(module: str) -> bool:
    top = module.split(".")[0]
    if module.startswith("chainrule.gallery"):
        return True
    return top not in FOREIGN and top not in sys.stdlib_module_names
