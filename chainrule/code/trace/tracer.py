"""The hook that traces: what runs in the clone runs on real values, and is written down as nodes.

Every event is answered by NumPy or Python on the plain values, and by the table on the nodes; the
two must have the same shape.
"""

from __future__ import annotations

import dis
import operator
import os
import site
import sysconfig
from array import array
from collections import deque
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from chainrule.code.frame import Frame
from chainrule.code.instrument import BINARY as OPERATORS
from chainrule.code.instrument import Hook, sites_of
from chainrule.code.source import Site, Unfollowable
from chainrule.code.table.row import Unsupported, find
from chainrule.code.trace import keeping
from chainrule.code.trace.arrays import UFUNCS, Arrays, are_texts, is_number, sourced
from chainrule.code.trace.keeping import Keeper
from chainrule.code.trace.nodes import EXACT, NAMED, digits_of
from chainrule.code.trace.record import Call, Event, Guard
from chainrule.code.trace.rows import called
from chainrule.code.trace.traced import (
    Array,
    Int,
    NpFloat,
    Text,
    Traced,
    holds_traced,
    raw,
)
from chainrule.code.trace.watch import TRAPS
from chainrule.errors import ShapeError
from chainrule.graph.node import Graph, Node

#: Types that make something new of a number.
CONVERTERS = (
    *(float, int, complex, str, bytes, bytearray, memoryview, Fraction, Decimal, array),
    *(np.ndarray, np.generic),
)
#: Where packages are installed; Python's own modules are elsewhere.
INSTALLED = tuple(
    {sysconfig.get_path(k) + os.sep for k in ("purelib", "platlib")}
    | {path + os.sep for path in site.getsitepackages()}
)
MUTATORS = frozenset(
    "append extend insert pop popleft appendleft remove clear reverse sort update setdefault "
    "popitem add discard __setitem__ __delitem__".split()
)


class Tracer(Arrays, Hook):
    """One run of a clone. keepers : of what it changes of the user's, to be put back."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self.undo: list[Callable[[], None]] = []
        self.keepers: list[Keeper] = []
        self._frames: list[_Called] = []
        self._entered = 0
        self._journaled: dict[Any, Any] = {}

    def text(self, value: str, site: Site) -> str:
        self.site = site
        made: str = self.worded(value)
        return made

    def look_at_text(self, text: Text) -> None:
        """Code compares text: what stands in it must stay."""
        for value in text.sources:
            if isinstance(value, Int):
                self.whole(value, "its text is compared")
            else:
                self.keep(self.node_of(value), raw(value), "a value whose text is compared")

    def left(self, function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """A call of compiled or standard code that no rule covers: nothing may come back from it
        that was computed of the inputs."""
        owner = getattr(function, "__self__", None)
        values = (*args, *kwargs.values(), *((owner,) if holds_traced(owner) else ()))
        sources = [s for v in values if isinstance(v, Text) for s in v.sources]
        self.said = []
        result = function(*args, **kwargs)
        if result is None or holds_traced(result):
            return result
        if isinstance(function, type) and not makes_numbers(function):
            if not _numpys_module(function) or self._inside:
                return result
        if isinstance(owner, list | dict | set | tuple | deque):
            return result  # its items are the very values
        self.said += sources
        if self.said and (type(result) is str or are_texts(result)):
            return self.worded(result)
        if isinstance(result, bool):
            for v in values:
                if isinstance(v, Text):
                    self.look_at_text(v)
                elif self._moves(v) and isinstance(v, Traced | Array):
                    self.keep(self.node_of(v), raw(v), "a value that is looked at")
            return result
        if hasattr(result, "__next__") or (
            isinstance(result, list | tuple | dict | set) and not any(map(is_number, result))
        ):
            return result
        for v in (*values, *sources):
            if self._moves(v):
                raise self.fail(
                    f"{called(function)}{{at}} takes a value where it cannot be followed; it can "
                    "still be checked as a black box"
                )
            self.escape(v, f"it leaves in {called(function)}")
        return result

    def hashed(self, value: Any) -> int:
        """A value as a key: it must stay exactly what it is."""
        plain = raw(value)
        if self.looked_at(value.node):
            self.guards.append(Guard("a key stays as it is here", self.site, value.node, plain))
        return hash(plain)

    def call(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], site: Site) -> Any:
        from chainrule.code.trace.special import special

        self.site = site
        handled, result = special(self, function, args, kwargs)
        if handled:
            return result
        if find(function) is not None or _numpys(function):
            return self.apply(function, args, kwargs)
        owner = getattr(function, "__self__", None)
        if isinstance(owner, np.ndarray | np.generic) and isinstance(function, BuiltinFunctionType):
            return self.method(self.met(owner), function.__name__, args, kwargs)
        if _ours(owner) and isinstance(function, MethodType):  # of an array, bound to it
            return function(*args, **kwargs)
        if isinstance(owner, list | dict | set | deque) and (
            getattr(function, "__name__", "") in MUTATORS
        ):
            self.journal(owner)
        new, args, kwargs = self.reached(function, args, kwargs)
        if new is function and not self._users(function):
            if any(holds_traced(a) for a in (*args, *kwargs.values(), owner)):
                return self.left(function, args, kwargs)
        return new(*args, **kwargs)

    def _users(self, function: Any) -> bool:
        """Whether a callable that was not cloned is the user's all the same: it has no source."""
        plain = function.__func__ if isinstance(function, MethodType) else function
        if isinstance(plain, FunctionType):
            return super().follows(plain)
        if isinstance(plain, type):
            return not makes_numbers(plain)
        return not isinstance(plain, BuiltinFunctionType) and type(plain).__module__ == "functools"

    def touched(self, keeper: Keeper) -> None:
        """Something of the user's is about to change: it is put back at the end of this run, and of
        every later one."""
        self.keepers.append(keeper)
        self.undo.append(keeper())

    def journal(self, container: Any) -> None:
        """A container is about to change; the first time its content is remembered."""
        if id(container) not in self._journaled:
            self._journaled[id(container)] = container
            self.touched(keeping.container(container))

    def binary(self, op: str, left: Any, right: Any, site: Site) -> Any:
        self.site = site
        left, right = self.met(left), self.met(right)
        if type(left) is int and type(right) is int:
            if op == "/" and right != 0:
                return self.apply(np.true_divide, (left, right), {}, native=operator.truediv)
            if op == "**" and right < 0 and left != 0:
                return self.apply(np.power, (float(left), right), {}, native=operator.pow)
        elif _ours(left) or _ours(right):
            result = self.binary_value(op, left, right)
            if result is not NotImplemented:
                return result
        elif type(left) is Text or (op == "%" and isinstance(left, str)):
            return self._filled(left, right, op)
        elif op in _EXACT_OPERATORS and _plain_floats(left, right):
            if type(left) in _FLOATS:  # what it means is kept: LAMBDA * ALPHA
                return self.binary_value(op, self.traced(left, self.float_node(left)), right)
            return self.binary_value(op, left, self.traced(right, self.float_node(right)))
        return super().binary(op, left, right, site)

    def inplace(self, op: str, target: Any, value: Any, site: Site) -> Any:
        self.site = site
        target, value = self.met(target), self.met(value)
        if isinstance(target, _Masked):
            return self._under_mask(op, target, value, site)
        if isinstance(target, Array):
            if op not in UFUNCS:
                raise self.fail(f"the operator {op}={{at}} has no rule")
            before = self.node_of(target)
            row = find(UFUNCS[op])
            assert row is not None
            try:
                node = row.build(self.graph, before, self.node_of(value))
            except (Unsupported, ShapeError) as why:
                raise self.fail(f"{row.name}{{at}}: {why}") from None
            plain = raw(target)
            OPERATORS[op][1](plain, raw(value))
            if before.kind == "i" and node.kind == "f":
                raise self.fail("a float result in an integer array is rounded")
            self._store(target, self._fitted(node, target))
            return target
        if isinstance(target, list) and op == "+":
            self.journal(target)
            target.extend(value)
            return target
        if _ours(target) or _ours(value):
            return self.binary(op, target, value, site)
        return super().inplace(op, target, value, site)

    def unary(self, op: str, operand: Any, site: Site) -> Any:
        self.site = site
        operand = self.met(operand)
        return self.unary_value(op, operand) if _ours(operand) else super().unary(op, operand, site)

    def compare(self, op: str, left: Any, right: Any, site: Site) -> Any:
        self.site = site
        if op in UFUNCS:
            left, right = self.met(left), self.met(right)
            if _ours(left) or _ours(right):
                result = self.compared(op, left, right)
                if result is not NotImplemented:
                    return result
        for value in (left, right):
            if isinstance(value, Text):
                self.look_at_text(value)
        return super().compare(op, left, right, site)

    def condition(self, value: Any, site: Site, kind: str) -> bool:
        self.site = site
        value = self.met(value)
        return self.truth(value) if _ours(value) else super().condition(value, site, kind)

    def subscript(self, container: Any, index: Any, site: Site) -> Any:
        self.site = site
        container = self.met(container)
        if isinstance(container, Array | NpFloat):
            return self.read(container, index)
        if isinstance(container, list | tuple | str | range):
            index = self._position(index)
        if isinstance(container, Text):
            return sourced(str.__getitem__(container, index), container.sources)
        result = super().subscript(container, index, site)
        if isinstance(container, list | tuple | dict):
            return self.met(result, _item_name(site, index))
        return self.met(result)

    def _position(self, index: Any) -> Any:
        """An index into a list: plain integers."""
        if isinstance(index, Int):
            return self.whole(index, "a list is indexed with it")
        if isinstance(index, slice):
            return slice(*(self._position(p) for p in (index.start, index.stop, index.step)))
        return index

    def augmented(self, op: str, container: Any, index: Any, site: Site) -> Any:
        self.site = site
        container, where = self.met(container), self.met(index)
        if isinstance(container, Array) and isinstance(where, Array) and where.dtype == bool:
            return _Masked(container, where)
        return self.subscript(container, index, site)

    def _under_mask(self, op: str, target: _Masked, value: Any, site: Site) -> Any:
        """`x[mask] op= number`: for every mask."""
        array, mask = target.array, target.mask
        row = find(UFUNCS.get(op))
        single = is_number(value) and np.ndim(raw(value)) == 0
        if row is None or not single or mask.shape != array.shape or array.dtype.kind != "f":
            return self.inplace(op, self.subscript(array, mask, site), value, site)
        old = self.current(array)
        new = row.build(self.graph, old, self.node_of(value))
        node = self.graph.select(self.node_of(mask), new, old)
        plain = raw(array)
        plain[raw(mask)] = OPERATORS[op][0](plain[raw(mask)], raw(value))
        self._store(array, node)
        return target

    def store_subscript(self, container: Any, index: Any, value: Any, site: Site) -> None:
        self.site = site
        if isinstance(value, _Masked):
            return
        container = self.met(container)
        if isinstance(container, Array):
            self.write(container, index, value)
            return
        if isinstance(container, list | dict):
            self.journal(container)
            index = self._position(index)
        super().store_subscript(container, index, value, site)

    def delete_subscript(self, container: Any, index: Any, site: Site) -> None:
        self.site = site
        if isinstance(container, list | dict):
            self.journal(container)
        super().delete_subscript(container, index, site)

    def attribute(self, obj: Any, name: str, site: Site) -> Any:
        self.site = site
        obj = self.met(obj)
        if isinstance(obj, Array | NpFloat):
            return self.array_attribute(obj, name)
        result = super().attribute(obj, name, site)
        if isinstance(obj, ModuleType):
            if type(result) is float and result in NAMED and obj.__name__ in ("numpy", "math"):
                return self.traced(result, self.graph.number(NAMED[result]))
            return self.met(result, site.text)
        if isinstance(result, np.ndarray):
            return self.met(result, site.text.replace(" ", ""))
        return result

    def store_attribute(self, obj: Any, name: str, value: Any, site: Site) -> None:
        self.site = site
        if isinstance(getattr(obj, "__dict__", None), dict):
            key = (id(obj), name)
            if key not in self._journaled:
                self._journaled[key] = obj
                self.touched(keeping.attribute(obj, name))
        super().store_attribute(obj, name, value, site)

    def literal(self, value: Any, text: str, site: Site) -> Any:
        if type(value) is not float or not np.isfinite(value):
            return value
        self.site = site
        plain = text.replace("_", "")
        # many digits are those of a number that has more: √(2/π), written out
        known = self.float_node(value) if digits_of(plain) > EXACT else None
        if known is not None:
            self.literals[value] = None
        return self.traced(value, known or self.graph.number(Fraction(plain)))

    def iterate(self, iterable: Any, site: Site) -> Any:
        self.site = site
        iterable = self.met(iterable)
        if isinstance(iterable, Array):
            iterable = self.elements(iterable)
        elif isinstance(iterable, list | tuple) and any(
            isinstance(v, np.ndarray) and not isinstance(v, Array) for v in iterable
        ):
            name = site.text
            iterable = [self.met(v, f"{name}[{k}]") for k, v in enumerate(iterable)]
        return super().iterate(iterable, site)

    def unpack(self, value: Any, site: Site) -> Any:
        """What an assignment to several names takes apart."""
        self.site = site
        return self.met(value)

    def iteration(self, site: Site, count: int) -> None:
        if self._frames:
            self._frames[-1].turn(site, count)

    def assign(self, name: str, value: Any, version: int, site: Site) -> Any:
        self.site = site
        if site.kind == "argument":
            value = self.met(value)
        self._tell("argument" if site.kind == "argument" else "assign", name, version, value, site)
        return value

    def _tell(self, kind: Any, name: str, version: int, value: Any, site: Site) -> None:
        if not isinstance(value, Array | Traced) or (isinstance(value, Int) and value.size):
            return
        node = self.current(value) if isinstance(value, Array) else value.node
        frame = self._frames[-1] if self._frames else None
        event = Event(
            kind,
            name,
            version,
            node,
            site,
            frame.number if frame else -1,
            tuple(frame.turns.items()) if frame else (),
        )
        self.events.append(event)
        if kind == "argument" and frame is not None:
            frame.arguments.append((name, node))

    def enter(self, function: str, site: Site) -> Frame:
        frame = super().enter(function, site)
        caller = self._frames[-1].number if self._frames else -1
        self._frames.append(_Called(frame, self._entered, caller))
        self._entered += 1
        return frame

    def ret(self, value: Any, site: Site) -> Any:
        self.site = site
        value = self.met(value)
        if self._frames and isinstance(value, Array | Traced):
            top = self._frames[-1]
            node = self.node_of(value)
            name = top.frame.function
            self._tell("return", name, 0, value, site)
            arguments = tuple(top.arguments)
            self.calls.append(Call(name, arguments, node, top.frame.site, top.number, top.caller))
        return value

    def leave(self, frame: Frame) -> None:
        while self._frames and self._frames.pop().frame is not frame:
            pass

    def followed(self, function: Any) -> Any:
        new = type(function) is FunctionType and id(function) not in self.functions
        if new and self.follows(function):
            self.functions[id(function)] = function
            for keeper in keeping.names(function):
                self.touched(keeper)
        clone = super().followed(function)
        if new and id(function) in self.functions:
            kinds = {s.kind for s in sites_of(clone)}
            self.catching |= not kinds.isdisjoint({"catches", "traps"})
            if "traps" in kinds or (self.catching and self.raising):
                self.notes[TRAPS] = None
        return clone

    def follows(self, function: FunctionType) -> bool:
        """The user's functions, and installed ones in Python that no row covers."""
        if super().follows(function):
            return True
        file = function.__code__.co_filename
        top = (function.__module__ or "").split(".")[0]
        return file.startswith(INSTALLED) and top not in ("numpy", "chainrule", "pytest")

    def unfollowed(self, function: FunctionType, reason: Unfollowable) -> None:
        if not _straight(function):
            self.notes[f"{reason}; it is followed through NumPy's protocols"] = None
        self.catching |= bool(function.__code__.co_exceptiontable)

    def restore(self) -> None:
        """Everything that the run changed, back as it was."""
        while self.undo:
            self.undo.pop()()


class _Masked:
    """What `x[mask]` is on the left of `*=`: the array and the mask, not yet read."""

    __slots__ = ("array", "mask")

    def __init__(self, array: Array, mask: Array) -> None:
        self.array, self.mask = array, mask


class _Called:
    """A call in progress."""

    __slots__ = ("arguments", "caller", "frame", "number", "turns")

    def __init__(self, frame: Frame, number: int, caller: int) -> None:
        self.frame, self.number, self.caller = frame, number, caller
        self.arguments: list[tuple[str, Node]] = []
        self.turns: dict[Site, int] = {}

    def turn(self, site: Site, count: int) -> None:
        """A loop's turn; loops inside it begin anew."""
        if site in self.turns:
            for inner in list(self.turns)[list(self.turns).index(site) :]:
                del self.turns[inner]
        self.turns[site] = count


def makes_numbers(kind: type) -> bool:
    """Whether a class keeps a number in a form of its own."""
    return issubclass(kind, CONVERTERS) or kind.__module__ in ("ctypes", "_ctypes")


def _item_name(site: Site, index: Any) -> str:
    text = site.text.replace(" ", "")
    base = text[: text.rindex("[")] if text.endswith("]") and "[" in text else text
    shown = f'"{index}"' if isinstance(index, str) else str(index)
    return f"{base}[{shown}]"


def _ours(value: Any) -> bool:
    return isinstance(value, Array | Traced)


_FLOATS = (float, np.float64)
_EXACT_OPERATORS = ("+", "-", "*", "/", "**")


def _plain_floats(left: Any, right: Any) -> bool:
    """Whether both are plain finite numbers, one a float at least, and the other not 0."""
    kinds = {type(left), type(right)}
    if not kinds <= {int, *_FLOATS} or kinds == {int}:
        return False
    return bool(np.isfinite(left) and np.isfinite(right) and left != 0 and right != 0)


def _straight(function: FunctionType) -> bool:
    """Whether a function neither branches nor compares: the constructor of a named tuple."""
    names = {i.opname for i in dis.get_instructions(function)}
    return not any(n == "COMPARE_OP" or "JUMP" in n or n == "FOR_ITER" for n in names)


def _numpys(function: Any) -> bool:
    """Whether a callable is NumPy's: a ufunc, or a function of one of its modules."""
    if isinstance(function, np.ufunc):
        return True
    if isinstance(function, type) or isinstance(getattr(function, "__self__", None), np.ndarray):
        return False
    return _numpys_module(function)


def _numpys_module(function: Any) -> bool:
    module = getattr(function, "__module__", None) or ""
    return module.split(".")[0] == "numpy" and not module.startswith("numpy.random")
