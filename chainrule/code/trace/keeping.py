"""What a run of the user's code changes besides its result: kept before, put back after.

A keeper, when it is called, remembers a state and gives what puts it back.
"""

from __future__ import annotations

import dis
from collections.abc import Callable
from types import CellType, FunctionType
from typing import Any

import numpy as np

Keeper = Callable[[], Callable[[], None]]
_NOTHING = object()


def attribute(obj: Any, name: str) -> Keeper:
    """An attribute of an object with a `__dict__`, also one that is not there yet."""

    def keep() -> Callable[[], None]:
        old = vars(obj).get(name, _NOTHING)

        def back() -> None:
            if old is _NOTHING:
                vars(obj).pop(name, None)
            else:
                object.__setattr__(obj, name, old)

        return back

    return keep


def container(held: Any) -> Keeper:
    """A list, dict, set or deque with its items."""

    def keep() -> Callable[[], None]:
        old = held.copy()

        def back() -> None:
            if isinstance(held, list):
                held[:] = old
                return
            held.clear()
            held.update(old) if hasattr(held, "update") else held.extend(old)

        return back

    return keep


def generator(owner: np.random.Generator) -> Keeper:
    """The state of a random generator."""

    def keep() -> Callable[[], None]:
        old = owner.bit_generator.state
        return lambda: setattr(owner.bit_generator, "state", old)

    return keep


def names(function: FunctionType) -> list[Keeper]:
    """The globals and the cells that a function binds."""
    found: list[Keeper] = []
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    for step in dis.get_instructions(function.__code__):
        if step.opname in ("STORE_GLOBAL", "DELETE_GLOBAL"):
            found.append(_key(function.__globals__, str(step.argval)))
        elif step.opname in ("STORE_DEREF", "DELETE_DEREF") and step.argval in cells:
            found.append(_cell(cells[step.argval]))
    return found


def _key(namespace: dict[str, Any], name: str) -> Keeper:
    def keep() -> Callable[[], None]:
        old = namespace.get(name, _NOTHING)

        def back() -> None:
            if old is _NOTHING:
                namespace.pop(name, None)
            else:
                namespace[name] = old

        return back

    return keep


def _cell(cell: CellType) -> Keeper:
    def keep() -> Callable[[], None]:
        try:
            old = cell.cell_contents
        except ValueError:
            return lambda: None

        def back() -> None:
            cell.cell_contents = old

        return back

    return keep
