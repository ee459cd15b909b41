"""The hook that traces: what runs in the clone runs on real values, and is written down as nodes.

Every event is answered by NumPy or Python on the plain values, and by the table on the nodes; the
two must have the same shape. Arrays of the user's are met by identity and copied first, so that
nothing of the user's is written to.
"""

from __future__ import annotations

import inspect
import operator
import os
import site
import sysconfig
from array import array
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from chainrule.code.frame import Frame
from chainrule.code.instrument import BINARY as OPERATORS
from chainrule.code.instrument import Hook, cloned
from chainrule.code.source import Site, Unfollowable
from chainrule.code.table import indexing
from chainrule.code.table.arguments import counted
from chainrule.code.table.row import ATTRIBUTES, METHODS, Row, Unsupported, find
from chainrule.code.trace import keeping, memory
from chainrule.code.trace.keeping import Keeper
from chainrule.code.trace.memory import Buffer, Record
from chainrule.code.trace.record import Call, Event, Guard
from chainrule.code.trace.traced import (
    Array,
    Int,
    NpFloat,
    PyFloat,
    Text,
    Traced,
    Truth,
    holds_traced,
    raw,
)
from chainrule.errors import ShapeError, TraceError
from chainrule.graph.node import Graph, Node
from chainrule.graph.sizes import Size, show

UFUNCS: dict[str, Any] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "@": np.matmul,
    "/": np.true_divide,
    "//": np.floor_divide,
    "%": np.remainder,
    "**": np.power,
    "&": np.bitwise_and,
    "|": np.bitwise_or,
    "^": np.bitwise_xor,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
}
COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
UNARY: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "-": (np.negative, operator.neg),
    "+": (np.positive, operator.pos),
    "~": (np.invert, operator.invert),
    "abs": (np.absolute, abs),
}
NAMED = {np.pi: "pi", np.e: "e", np.euler_gamma: "euler_gamma"}
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
EXACT = 12  # digits up to which a decimal is what it says
IN_PLACE = frozenset("fill itemset partition put resize sort".split())
MUTATORS = frozenset(
    "append extend insert pop popleft appendleft remove clear reverse sort update setdefault "
    "popitem add discard __setitem__ __delitem__".split()
)


class Tracer(Hook):
    """One run. graph : what is written. The results are in `guards`, `events`, `calls`, `pinned`.

    known : id of an array of the user's → (it, what stands for it).
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        graph.on_condition = self._on_condition
        self.site: Site | None = None
        self.reason = ""
        self.buffers: dict[int, Buffer] = {}
        self.known: dict[int, tuple[np.ndarray, Array]] = {}
        self.inputs: dict[str, Node] = {}
        self.found: dict[str, Any] = {}
        self.guards: list[Guard] = []
        self.events: list[Event] = []
        self.calls: list[Call] = []
        self.pinned: dict[str, str] = {}
        self.notes: dict[str, None] = {}
        self.said: list[Any] = []  # values that were turned into text since we last looked
        self.raising = False  # np.errstate(…="raise"): what is no number becomes an exception
        self.undo: list[Callable[[], None]] = []
        self.functions: dict[int, FunctionType] = {}
        self._frames: list[_Called] = []
        self._entered = 0
        self._varies: dict[int, tuple[bool, frozenset[str]]] = {}
        self._journaled: dict[Any, Any] = {}
        self.keepers: list[Keeper] = []
        self._inside = False
        self._simpler: dict[int, tuple[int, Node]] = {}

    # -- where we are --------------------------------------------------------------------------

    def where(self) -> str:
        """``net.py:31``, or nothing where no source is known."""
        return "" if self.site is None else f" at {self.site}"

    def fail(self, message: str) -> TraceError:
        """A TraceError with the place, where the message says {at}, else at its end."""
        text = "" if self.site is None else f"\n    {self.site.text.strip().splitlines()[0]}"
        if "{at}" not in message:
            message += "{at}"
        return TraceError(message.replace("{at}", self.where()) + text)

    def _on_condition(self, a: Size, b: Size) -> None:
        why = self.reason or f"{a} must equal {b}"
        for one, other in ((a, b), (b, a)):
            if other.const is not None and one.const is None:
                self.pinned.setdefault(str(one), f"{why}{self.where()}")
        self.guards.append(Guard(f"{a} = {b}", self.site, size=(a, "==", b)))

    def pin(self, size: Size, why: str) -> int:
        """Fix a size at what it is here, and say why."""
        self.reason = why
        try:
            return self.graph.pin(size)
        finally:
            self.reason = ""

    def varies(self, node: Node) -> bool:
        """Whether a node depends on an input's values."""
        return self._about(node)[0]

    def axes_of(self, node: Node) -> frozenset[str]:
        """The axes whose sizes a node's value depends on, or may."""
        return self._about(node)[1]

    def looked_at(self, node: Node) -> bool:
        """Whether a look at a node must become a guard: it is no constant."""
        varies, axes = self._about(node)
        return varies or any(self.graph.size(Size.axis(a)).const is None for a in axes)

    def _about(self, node: Node) -> tuple[bool, frozenset[str]]:
        todo = [node]
        while todo:
            top = todo[-1]
            if top.number in self._varies:
                todo.pop()
                continue
            rest = [i for i in top.inputs if i.number not in self._varies]
            if rest:
                todo.extend(rest)
                continue
            below = [self._varies[i.number] for i in top.inputs]
            axes = _names(top.params).union(*(a for _, a in below), *(s.names for s in top.shape))
            self._varies[top.number] = top.op == "input" or any(v for v, _ in below), axes
            todo.pop()
        return self._varies[node.number]

    def fix(self, node: Node, why: str) -> None:
        """Pin every size that a node depends on."""
        for name in sorted(self.axes_of(node)):
            self.pin(Size.axis(name), why)

    # -- values and nodes ----------------------------------------------------------------------

    def node_of(self, value: Any) -> Node:
        """The node of anything that is a number, an array, or a nested list of such."""
        g = self.graph
        if isinstance(value, Array):
            return self._read_through(self.current(value))
        if isinstance(value, Traced):
            return value.node
        if isinstance(value, np.ndarray):
            return self.node_of(self.adopt(value))
        if isinstance(value, bool | np.bool_):
            return g.array(np.array(bool(value)))
        if isinstance(value, int | np.integer):
            return g.number(int(value))
        if isinstance(value, float | np.floating):
            return self.float_node(float(value))
        if isinstance(value, Fraction):
            return g.number(value)
        if isinstance(value, list | tuple | range):
            if not holds_traced(value) and not any(isinstance(v, np.ndarray) for v in value):
                return self.constant(np.asarray(value))
            parts = [self.node_of(v) for v in value]
            return g.concat([g.reshape(p, (1, *p.shape)) for p in parts], 0)
        raise self.fail(f"a {type(value).__name__} is no number or array that can be followed")

    def current(self, array: Array) -> Node:
        """An array's node as its memory has it: with every write in it."""
        return memory.value_of(self.graph, self.record(array))

    def _read_through(self, node: Node) -> Node:
        """What was written is read as what it was, not through the writes, where that is exact."""
        if node.op == "put" or (node.op == "index" and node.inputs[0].op == "put"):
            known = self._simpler.get(node.number)
            if known is None or known[0] != self.graph.version:
                if node.op == "put":
                    simpler = indexing.assembled(self.graph, node)
                else:
                    simpler = indexing.loaded(self.graph, node.inputs[0], node.params[0])
                known = self._simpler[node.number] = (self.graph.version, simpler)
            return known[1]
        return node

    def float_node(self, value: float) -> Node:
        """A float that no literal explains: pi and e, short decimals, else a real within ±4 ulp."""
        if value in NAMED:
            return self.graph.number(NAMED[value])
        if not np.isfinite(value):
            return self.graph.number(value)
        short = _digits(repr(value)) <= EXACT
        return self.graph.number(Fraction(repr(value)) if short else value)

    def constant(self, value: np.ndarray) -> Node:
        """An array that does not change, by its bytes."""
        if value.dtype.kind not in "fiub":
            raise self.fail(
                f"an array of {value.dtype} is not followed; real numbers are (float, int, bool)"
            )
        if value.ndim == 0 and value.dtype.kind == "f":
            return self.float_node(float(value))
        return self.graph.array(value)

    def traced(self, value: Any, node: Node, origin: Array | None = None) -> Any:
        """A plain result with its node."""
        made: Any
        if isinstance(value, np.ndarray):
            return self._array(value, node, origin)
        if node.number_shape != ():
            raise self.fail(f"a rule of ours gives {show(node.shape)} for a scalar; report this")
        if isinstance(value, bool | np.bool_):
            made = Truth()
            made.value = value
        elif isinstance(value, int | np.integer):
            made = Int(value)
            made.size = None
        elif isinstance(value, np.floating):
            made = NpFloat(value)
        elif isinstance(value, float):
            made = PyFloat(value)
        else:
            raise self.fail(f"a {type(value).__name__} is not followed")
        made.tracer, made.node = self, node
        return made

    def sized(self, size: Size) -> Int:
        """A size as an int that remembers its axes."""
        made = Int(size.at(self.graph.env))
        made.tracer, made.size = self, size
        made.node = self.graph.sized(size)
        return made

    def _array(self, value: np.ndarray, node: Node, origin: Array | None) -> Array:
        if value.dtype.kind not in "fiub":
            raise self.fail(f"an array of {value.dtype} is not followed")
        if value.shape != node.number_shape:
            raise self.fail(
                f"a rule of ours gives the shape {node.number_shape} where NumPy gives "
                f"{value.shape}; please report this"
            )
        plain = np.ndarray.view(value, np.ndarray)
        owner = memory.owner_of(value)
        buffer = self.buffers.get(id(owner))
        if buffer is None:
            buffer = Buffer(owner, plain, node)
            self.buffers[id(owner)] = buffer
            record = Record(buffer)
        else:
            record = self._view(plain, node, origin, buffer)
        array = plain.view(Array)
        array.tracer, array.record = self, record
        return array

    def _view(self, plain: np.ndarray, node: Node, origin: Array | None, buffer: Buffer) -> Record:
        if origin is not None:
            before = self.record(origin)
            for start in (self.current, self.node_of):  # as it is in memory; as it was read
                try:
                    links = memory.chain_between(node, start(origin))
                except memory.NotAView:
                    continue
                if before.buffer is buffer:
                    return Record(buffer, (*before.chain, *links))
        return self._by_address(plain, buffer)

    def _by_address(self, plain: np.ndarray, buffer: Buffer) -> Record:
        """A view that is known by its memory only: positions in the buffer, for these shapes."""
        if _same_entries(plain, buffer.whole):
            return Record(buffer)
        places = positions(plain, buffer.whole)
        if places is None:
            raise self.fail("a view of memory that could not be followed")
        g, whole = self.graph, buffer.node
        for size in whole.shape:
            self.pin(size, "a view made where it could not be followed")
        flat = g.reshape(whole, (whole.graph.size(_total(whole)),))
        return Record(buffer, (flat, g.gather(flat, g.array(places))))

    def record(self, array: Array) -> Record:
        """Where an array lives."""
        if array.record is None:
            buffer = self.buffers.get(id(memory.owner_of(array)))
            plain = np.ndarray.view(array, np.ndarray)
            if buffer is None:
                buffer = Buffer(memory.owner_of(array), plain, self.constant(plain))
                self.buffers[id(buffer.owner)] = buffer
                array.record = Record(buffer)
            else:
                array.record = self._by_address(plain, buffer)
        return array.record

    # -- the user's arrays ---------------------------------------------------------------------

    def place(self, name: str, value: Any, original: Any = None) -> Any:
        """An input: what stands for `value`. original : the array to be met in its place."""
        g = self.graph
        if isinstance(value, np.ndarray):
            copy = self._copied(value, name)
            shape = tuple(g.axis(f"{name}.{k}", n) for k, n in enumerate(copy.shape))
            kind = {"b": "b", "i": "i", "u": "i"}.get(copy.dtype.kind, "f")
            node = g.input(name, shape, kind)  # type: ignore[arg-type]
            self.inputs[name] = node
            made = self._array(copy, node, None)
            if original is not None:
                self.known[id(original)] = (original, made)
            return made
        node = g.input(name, ())
        self.inputs[name] = node
        return self.traced(value if isinstance(value, np.floating) else float(value), node)

    def _copied(self, value: np.ndarray, name: str) -> np.ndarray:
        if value.dtype.kind not in "fiub":
            raise TraceError(
                f"{name} is an array of {value.dtype}; real numbers are followed (float, int, bool)"
            )
        if value.dtype.kind == "f" and value.dtype != np.float64:
            self.notes[f"{name} is {value.dtype}; it is followed in float64"] = None
            return np.array(value, dtype=np.float64, order="K")
        return np.array(value, order="K")

    def adopt(self, value: np.ndarray, name: str = "") -> Array:
        """An array that was there before, or that came from where no hook is: the one that stands
        for it. A float array with a name becomes an input."""
        known = self.known.get(id(value))
        if known is not None and known[0] is value:
            return known[1]
        if isinstance(value, Array):
            return value
        owner = memory.owner_of(value)
        buffer = self.buffers.get(id(owner))
        if buffer is not None:  # memory of ours that came back as a plain array
            seen = np.ndarray.view(value, Array)
            seen.tracer, seen.record = self, self._by_address(value, buffer)
            return seen
        for original, made in list(self.known.values()):
            if memory.owner_of(original) is owner and value.size:
                there = positions(value, original)
                if there is not None:
                    flat = self.read(self.method(made, "reshape", (-1,), {}), there)
                    self.known[id(value)] = (value, flat)
                    return flat  # type: ignore[no-any-return]
                raise self.fail(f"{name or 'an array'} shares memory with another input")
        name = name or self._global_name(value)
        if name and value.dtype.kind == "f":
            unique, n = name, 1
            while unique in self.inputs:
                n += 1
                unique = f"{name}⟨{n}⟩"
            self.found[unique] = value
            return self.place(unique, value, value)  # type: ignore[no-any-return]
        made = self._array(self._copied(value, name or "an array"), self.constant(value), None)
        self.known[id(value)] = (value, made)
        return made

    def _global_name(self, value: np.ndarray) -> str:
        for function in reversed(self.functions.values()):
            names = function.__code__.co_names
            for name in names:
                if function.__globals__.get(name) is value:
                    return name
            for name, cell in zip(
                function.__code__.co_freevars, function.__closure__ or (), strict=True
            ):
                if _content(cell) is value:
                    return name
        return ""

    def met(self, value: Any, name: str = "") -> Any:
        """What stands for a value that code holds: the user's arrays by identity."""
        if isinstance(value, np.ndarray) and not isinstance(value, Array):
            if value.dtype.kind in "fiub":
                return self.adopt(value, name)
        return value

    # -- NumPy's functions ---------------------------------------------------------------------

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
            return look(self, np.nonzero if function is np.where else function, args, kwargs)
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
            return cloned(inner, self)(*args, **kwargs)
        except (TraceError, Unfollowable, TypeError):
            raise refused from None
        finally:
            self.site, self._inside = here, False

    def _moves(self, value: Any) -> bool:
        """Whether a value depends on an input."""
        if isinstance(value, Array) or (isinstance(value, Traced) and not isinstance(value, Int)):
            return self.varies(self.node_of(value))
        if isinstance(value, Int):
            return value.size is None and self.varies(value.node)
        if isinstance(value, list | tuple | set):
            return any(self._moves(v) for v in value)
        if isinstance(value, dict):
            return any(self._moves(v) for v in value.values())
        return False

    def _plain(self, function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """A call on constants: done as it is; sizes leave as plain integers."""
        for value in (*args, *kwargs.values()):
            self.escape(value, f"the size leaves as a plain number in {called(function)}")
        result = function(*raw(args), **raw(dict(kwargs)))
        if isinstance(result, np.ndarray) and result.dtype.kind in "fiub":
            return self._array(result, self.constant(result), None)
        return result

    def escape(self, value: Any, why: str) -> None:
        """Pin the sizes in a value that leaves our sight."""
        if isinstance(value, Int):
            self.whole(value, why)
        elif isinstance(value, Array | Traced):
            self.fix(self.node_of(value), why)
        elif isinstance(value, list | tuple):
            for v in value:
                self.escape(v, why)

    def whole(self, value: Any, why: str = "it is used as a plain integer") -> int:
        """A plain int of an integer that code needs as one; what it was becomes a guard."""
        if isinstance(value, Int):
            plain = int.__int__(value)
            if value.size is not None:
                self.pin(value.size, why)
            elif self.looked_at(value.node):
                self.guards.append(Guard(f"an integer is {plain}", self.site, value.node, plain))
            return plain
        return operator.index(value)

    def real(self, node: Node) -> None:
        """A guard: every entry is a number, so that no exception is raised."""
        if self.looked_at(node):
            self.guards.append(Guard("it is a number", self.site, node, True, all_finite))

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
        if self.raising and isinstance(node, Node) and node.kind == "f":
            self.real(node)
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

    # -- arrays: entries, methods, attributes --------------------------------------------------

    def _index(self, index: Any, masks: bool) -> tuple[Any, Any]:
        """An index for the table, and a plain one for NumPy."""
        if isinstance(index, tuple):
            pairs = [self._index(i, masks) for i in index]
            return tuple(p[0] for p in pairs), tuple(p[1] for p in pairs)
        if isinstance(index, slice):
            parts = [self._edge(p) for p in (index.start, index.stop, index.step)]
            return slice(*(p[0] for p in parts)), slice(*(p[1] for p in parts))
        if isinstance(index, list):
            index = np.array(raw(index)) if not holds_traced(index) else self.stacked(index)
        if isinstance(index, np.ndarray):
            index = self.met(index)
            node, plain = self.node_of(index), raw(index)
            if plain.dtype.kind == "b":
                if masks:
                    return node, plain
                self.keep(node, plain, "a mask")
                return plain, plain
            return node, plain
        if isinstance(index, Truth):
            raise self.fail("an index that is a truth value is not followed")
        if isinstance(index, Traced | int | np.integer) and not isinstance(index, bool):
            return self._edge(index)
        return index, index

    def _edge(self, value: Any) -> tuple[Any, Any]:
        if isinstance(value, Int):
            plain = int.__int__(value)
            return (value.size if value.size is not None else self.whole(value)), plain
        if isinstance(value, Traced | np.integer):
            return operator.index(raw(value)), operator.index(raw(value))
        return value, value

    def stacked(self, values: Any) -> Any:
        """A nested list with traced entries as an array."""
        return self.apply(np.array, (values,), {})

    def keep(self, node: Node, value: Any, what: str) -> None:
        """A guard: a node's value stays as it is here."""
        if self.looked_at(node):
            text = f"{what} stays as it is here"
            self.guards.append(Guard(text, self.site, node, np.array(value)))

    def read(self, array: Any, index: Any) -> Any:
        """`array[index]`."""
        if not isinstance(array, Array):
            array = self._array(np.asarray(raw(array)), self.node_of(array), None)
        ours, plain = self._index(index, masks=False)
        value = raw(array)[plain]
        try:
            node = indexing.read(self.graph, self.current(array), ours)
        except (Unsupported, ShapeError) as why:
            raise self.fail(str(why)) from None
        if not isinstance(value, np.ndarray):
            node = self._read_through(node)
        return self.traced(value, node, array)

    def write(self, array: Array, index: Any, value: Any) -> None:
        """`array[index] = value`."""
        ours, plain = self._index(index, masks=True)
        value = self.met(value)
        new = self.node_of(value)
        raw(array)[plain] = raw(value)
        old = self.current(array)
        try:
            try:
                node = indexing.write(self.graph, old, ours, new)
            except Unsupported:
                ours, _ = self._index(index, masks=False)
                node = indexing.write(self.graph, old, ours, new)
        except (Unsupported, ShapeError) as why:
            raise self.fail(str(why)) from None
        self._store(array, node)

    def elements(self, array: Array) -> list[Any]:
        """The entries along the first axis, which is fixed by this."""
        if array.ndim == 0:
            raise TypeError("iteration over a 0-d array")
        self.pin(self.node_of(array).shape[0], "a loop over it")
        return [self.read(array, k) for k in range(array.shape[0])]

    def method(self, array: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A method of an array."""
        from chainrule.code.trace.special import ARRAY_METHODS

        if name in IN_PLACE and not isinstance(array, Array):
            return getattr(raw(array), name)(*raw(args), **raw(kwargs))  # a scalar does not change
        special = ARRAY_METHODS.get(name)
        if special is not None:
            return special(self, array, *args, **kwargs)
        row = METHODS.get(name)
        if row is None:
            raise self.fail(
                f"the method .{name} of an array{{at}} has no rule; it can still be checked "
                "as a black box"
            )

        def native(first: Any, *rest: Any, **options: Any) -> Any:
            return getattr(first, name)(*rest, **options)

        args = tuple(self.met(a) for a in args)
        if name in ("reshape", "transpose") and len(args) != 1:
            args = (tuple(args),) if args or name == "reshape" else ()
        return self.by_row(row, native, (array, *args), dict(kwargs))

    def array_attribute(self, array: Any, name: str) -> Any:
        """An attribute of an array."""
        node = self.node_of(array)
        if name == "shape":
            return tuple(self.sized(s) for s in node.shape)
        if name == "size":
            return self.sized(_total(node))
        if name in ("real", "flat"):
            return self.method(array, "ravel", (), {}) if name == "flat" else array
        row = ATTRIBUTES.get(name)
        if row is not None:
            return self.by_row(row, lambda a: getattr(a, name), (array,), {})
        if name in ("nbytes", "strides"):
            self.fix(node, f"its {name} are plain numbers")
        if name in ("dtype", "ndim", "itemsize", "nbytes", "flags", "strides", "base"):
            return getattr(raw(array), name)
        if callable(getattr(np.ndarray, name, None)):
            return MethodType(_named(name), array)
        if hasattr(raw(array), name):
            raise self.fail(f"the attribute .{name} of an array{{at}} has no rule")
        raise AttributeError(f"'numpy.ndarray' object has no attribute '{name}'")

    # -- operators -----------------------------------------------------------------------------

    def binary_value(self, op: str, left: Any, right: Any) -> Any:
        """`left op right` where one side is traced."""
        if op not in "&|^":
            left, right = self._counted(left), self._counted(right)
        if isinstance(left, Int | int) and isinstance(right, Int | int):
            done = self._sizes(op, left, right)
            if done is not None:
                return done
        if not _numeric(left) or not _numeric(right):
            if isinstance(left, list | tuple | str) or isinstance(right, list | tuple | str):
                if not isinstance(left, np.ndarray) and not isinstance(right, np.ndarray):
                    return self._repeated(op, left, right)
            else:
                return NotImplemented
        if op not in UFUNCS:
            raise self.fail(f"the operator {op}{{at}} has no rule")
        return self.apply(UFUNCS[op], (left, right), {}, native=OPERATORS[op][0])

    def _counted(self, value: Any) -> Any:
        """Python's True as the 1 that it is in arithmetic."""
        if isinstance(value, Truth) and isinstance(value.value, bool):
            return self.traced(int(value.value), counted(self.graph, value.node))
        return value

    def _repeated(self, op: str, left: Any, right: Any) -> Any:
        """`[0] * n`, `"%d" % n`: Python's own."""
        if isinstance(left, str):
            return self._filled(left, right)
        counts = [self.whole(v) if isinstance(v, Int) else v for v in (left, right)]
        return OPERATORS[op][0](*counts)

    def _filled(self, left: str, right: Any, op: str = "%") -> Any:
        """`"%d" % n`, and the sum of texts."""
        values = right if isinstance(right, tuple) else (right,)
        self.said = [s for v in (left, *values) if isinstance(v, Text) for s in v.sources]
        self.said += [v for v in values if isinstance(v, Traced | Array)]
        return self.worded(OPERATORS[op][0](left, right))

    def _sizes(self, op: str, left: int, right: int) -> Any:
        """Arithmetic of integers in which sizes remember their axes; None where it is no such."""
        sizes = [v.size if isinstance(v, Int) else Size.of(v) for v in (left, right)]
        a, b = sizes
        if a is None or b is None:
            return None
        if op in "+-*":
            return self.sized({"+": a + b, "-": a - b, "*": a * b}[op])
        if op == "**" and isinstance(b.const, int) and b.const >= 0:
            total = Size.of(1)
            for _ in range(b.const):
                total = total * a
            return self.sized(total)
        if op in ("//", "%"):
            exact = a.exact_div(b) if b.terms else None
            if exact is not None:
                return self.sized(exact) if op == "//" else 0
            why = f"a size in {op} that leaves a remainder"
            return OPERATORS[op][0](
                *(self.whole(v, why) if isinstance(v, Int) else v for v in (left, right))
            )
        return None

    def unary_value(self, op: str, operand: Any) -> Any:
        """`op operand` where it is traced."""
        if isinstance(operand, Int) and operand.size is not None:
            if op == "-":
                return self.sized(-operand.size)
            if op in ("+", "abs"):
                return operand
        function, native = UNARY[op]
        operand = self._counted(operand) if op != "~" else operand
        return self.apply(function, (operand,), {}, native=native)

    def compared(self, op: str, left: Any, right: Any) -> Any:
        """`left op right` where one side is traced."""
        if isinstance(left, Int | int) and isinstance(right, Int | int):
            sizes = [v.size if isinstance(v, Int) else Size.of(v) for v in (left, right)]
            if sizes[0] is not None and sizes[1] is not None:
                return self._size_guard(op, sizes[0], sizes[1])
        if not _numeric(left) or not _numeric(right):
            if not isinstance(left, np.ndarray | list) and not isinstance(right, np.ndarray | list):
                return NotImplemented
        return self.apply(UFUNCS[op], (left, right), {}, native=COMPARE[op])

    def _size_guard(self, op: str, a: Size, b: Size) -> bool:
        a, b = self.graph.size(a), self.graph.size(b)
        holds = bool(COMPARE[op](a.at(self.graph.env), b.at(self.graph.env)))
        if (a - b).const is not None:
            return holds
        if (op == "==" and holds) or (op == "!=" and not holds):
            self.reason = "the code compares them"
            self.graph.same(a, b)
            self.reason = ""
        else:
            text = f"{a} {op} {b} is {str(holds).lower()}"
            kept = op if holds else {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}.get(op, "!=")
            self.guards.append(Guard(text, self.site, size=(a, kept, b)))
        return holds

    def truth(self, value: Any) -> bool:
        """What a condition comes out as; a guard of the path."""
        if isinstance(value, Int) and value.size is not None:
            return self._size_guard("!=", value.size, Size.of(0))
        node = self.node_of(value)
        plain = raw(value)
        holds = bool(plain)  # NumPy's own message for more than one entry
        if self.looked_at(node):
            shown = "" if self.site is None else self.site.text.strip().splitlines()[0]
            text = f"{shown or 'a condition'} is {str(holds).lower()}"
            self.guards.append(Guard(text, self.site, node, np.asarray(plain)))
        return holds

    # -- what leaves -----------------------------------------------------------------------------

    def worded(self, value: Any) -> Any:
        """Text that a call or an f-string gave, with the values that were said in it."""
        said, self.said = self.said, []
        return _sourced(value, tuple(said)) if said else value

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
        if self.said and (type(result) is str or _texts(result)):
            return self.worded(result)
        if isinstance(result, bool):
            for v in values:
                if isinstance(v, Text):
                    self.look_at_text(v)
                elif self._moves(v) and isinstance(v, Traced | Array):
                    self.keep(self.node_of(v), raw(v), "a value that is looked at")
            return result
        if hasattr(result, "__next__") or (
            isinstance(result, list | tuple | dict | set) and not any(map(_numeric, result))
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

    # -- events --------------------------------------------------------------------------------

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
            return _sourced(str.__getitem__(container, index), container.sources)
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
        single = _numeric(value) and np.ndim(raw(value)) == 0
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
        known = self.float_node(value) if _digits(plain) > EXACT else None
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

    # -- names and calls -----------------------------------------------------------------------

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
        if type(function) is FunctionType and id(function) not in self.functions:
            if self.follows(function):
                self.functions[id(function)] = function
                for keeper in keeping.names(function):
                    self.touched(keeper)
        return super().followed(function)

    def follows(self, function: FunctionType) -> bool:
        """The user's functions, and installed ones in Python that no row covers."""
        if super().follows(function):
            return True
        file = function.__code__.co_filename
        top = (function.__module__ or "").split(".")[0]
        return file.startswith(INSTALLED) and top not in ("numpy", "chainrule", "pytest")

    def unfollowed(self, function: FunctionType, reason: Unfollowable) -> None:
        self.notes[f"{reason}; it is followed through NumPy's protocols"] = None

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


def _digits(text: str) -> int:
    """How many significant digits a decimal is written with."""
    return len(text.lower().lstrip("-").split("e")[0].replace(".", "").strip("0"))


def _texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(type(v) is str for v in value)


def _sourced(value: Any, sources: tuple[Any, ...]) -> Any:
    """Text, or a list of texts, with the values that stand in it."""
    if _texts(value):
        return type(value)(_sourced(v, sources) for v in value)
    if type(value) is not str:
        return value
    made = Text(value)
    made.sources = sources
    return made


def makes_numbers(kind: type) -> bool:
    """Whether a class keeps a number in a form of its own."""
    return issubclass(kind, CONVERTERS) or kind.__module__ in ("ctypes", "_ctypes")


def all_finite(value: Any) -> bool:
    """Whether every entry is a number."""
    return bool(np.all(np.isfinite(value)))


def positions(view: np.ndarray, whole: np.ndarray) -> np.ndarray | None:
    """Where each entry of a view stands in `whole` (row-major), by address; None if not all do."""
    if view.dtype != whole.dtype or not view.size:
        return None
    there, ours = _addresses(whole).reshape(-1), _addresses(view)
    order = np.argsort(there)
    at = np.searchsorted(there[order], ours)
    at = np.minimum(at, len(there) - 1)
    found = order[at]
    return found if bool((there[found] == ours).all()) else None


def _same_entries(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays are one, entry by entry, in the same memory."""
    return (a.__array_interface__["data"][0], a.shape, a.strides, a.dtype) == (
        b.__array_interface__["data"][0],
        b.shape,
        b.strides,
        b.dtype,
    )


def _addresses(array: np.ndarray) -> np.ndarray:
    total = np.full(array.shape, array.__array_interface__["data"][0], dtype=np.int64)
    for axis, (n, stride) in enumerate(zip(array.shape, array.strides, strict=True)):
        total += (np.arange(n) * stride).reshape(
            [-1 if k == axis else 1 for k in range(array.ndim)]
        )
    return total


def called(function: Any) -> str:
    """A callable's name as a person writes it."""
    module = (getattr(function, "__module__", "") or "").replace("numpy", "np")
    name = getattr(function, "__qualname__", getattr(function, "__name__", repr(function)))
    module = "np" if isinstance(function, np.ufunc) and not module else module
    return f"{module}.{name}" if module not in ("", "builtins") else str(name)


def _names(params: Any) -> frozenset[str]:
    """The axes in a node's parameters."""
    if isinstance(params, Size):
        return params.names
    if isinstance(params, tuple):
        return frozenset().union(*(_names(p) for p in params))
    return frozenset()


def _total(node: Node) -> Size:
    total = Size.of(1)
    for s in node.shape:
        total = total * s
    return total


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _named(name: str) -> Callable[..., Any]:
    def method(array: Any, *args: Any, **kwargs: Any) -> Any:
        return array.tracer.method(array, name, args, kwargs)

    return method


def _item_name(site: Site, index: Any) -> str:
    text = site.text.replace(" ", "")
    base = text[: text.rindex("[")] if text.endswith("]") and "[" in text else text
    shown = f'"{index}"' if isinstance(index, str) else str(index)
    return f"{base}[{shown}]"


def _unreal(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind not in "fiub"


def _ours(value: Any) -> bool:
    return isinstance(value, Array | Traced)


def _numeric(value: Any) -> bool:
    return isinstance(value, np.ndarray | Traced | int | float | np.number | np.bool_)


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


_SIGNATURES: dict[int, inspect.Signature] = {}


def _signature(row: Row) -> inspect.Signature:
    known = _SIGNATURES.get(id(row.build))
    if known is None:
        known = _SIGNATURES[id(row.build)] = inspect.signature(row.build)
    return known
