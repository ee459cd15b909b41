"""Values to nodes and back: every array belongs to a buffer, every scalar knows its node.

The user's arrays are met by identity, and copied first: nothing of the user's is written to.
"""

from __future__ import annotations

import operator
from fractions import Fraction
from typing import Any

import numpy as np

from chainrule.code.table import indexing
from chainrule.code.trace import meanings, memory
from chainrule.code.trace.memory import Buffer, Record
from chainrule.code.trace.record import Guard
from chainrule.code.trace.traced import (
    Array,
    Int,
    NpFloat,
    PyFloat,
    Traced,
    Truth,
    holds_traced,
)
from chainrule.code.trace.watch import Watch
from chainrule.errors import TraceError
from chainrule.graph.node import Graph, Node
from chainrule.graph.sizes import Size, show

NAMED = {np.pi: "pi", np.e: "e", np.euler_gamma: "euler_gamma"}
EXACT = 12  # digits up to which a decimal is what it says


class Nodes(Watch):
    """known : id of an array of the user's → (it, what stands for it)."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self.buffers: dict[int, Buffer] = {}
        self.known: dict[int, tuple[np.ndarray, Array]] = {}
        self.inputs: dict[str, Node] = {}
        self.found: dict[str, Any] = {}
        self._simpler: dict[int, tuple[int, Node]] = {}
        self._written: tuple[int, dict[float, Any]] | None = None
        self.literals: dict[float, None] = {}

    def read(self, array: Any, index: Any) -> Any:
        """`array[index]`: see `arrays`."""
        raise NotImplementedError

    def method(self, array: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A method of an array: see `arrays`."""
        raise NotImplementedError

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
        """A float that no literal explains: pi and e, short decimals, what a module's own
        line says it is, else a real within ±4 ulp."""
        if value in NAMED:
            return self.graph.number(NAMED[value])
        if value == 2 * np.pi:  # math.tau
            return self.graph.mul(self.graph.number(2), self.graph.number("pi"))
        if not np.isfinite(value):
            return self.graph.number(value)
        if digits_of(repr(value)) <= EXACT:
            return self.graph.number(Fraction(repr(value)))
        if self._written is None or self._written[0] != len(self.functions):
            self._written = len(self.functions), meanings.written(self.functions.values())
        if value in self._written[1] and meanings.is_plain(self._written[1][value]):
            self.literals[value] = None
        known = meanings.meant(self.graph, value, self._written[1])
        return self.graph.number(value) if known is None else known

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
        made.tracer, made.node = self.me, node
        return made

    def sized(self, size: Size) -> Int:
        """A size as an int that remembers its axes."""
        made = Int(size.at(self.graph.env))
        made.tracer, made.size = self.me, size
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
        array.tracer, array.record = self.me, record
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
        if same_entries(plain, buffer.whole):
            return Record(buffer)
        places = positions(plain, buffer.whole)
        if places is None:
            raise self.fail("a view of memory that could not be followed")
        g, whole = self.graph, buffer.node
        for size in whole.shape:
            self.pin(size, "a view made where it could not be followed")
        flat = g.reshape(whole, (whole.graph.size(total(whole)),))
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
            seen.tracer, seen.record = self.me, self._by_address(value, buffer)
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

    def escape(self, value: Any, why: str) -> None:
        """Pin the sizes in a value that leaves our sight."""
        if isinstance(value, Int):
            self.whole(value, why)
        elif isinstance(value, Array | Traced):
            self.fix(self.node_of(value), why)
        elif isinstance(value, list | tuple):
            for v in value:
                self.escape(v, why)

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


def same_entries(a: np.ndarray, b: np.ndarray) -> bool:
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


def total(node: Node) -> Size:
    total = Size.of(1)
    for s in node.shape:
        total = total * s
    return total


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None


def digits_of(text: str) -> int:
    """How many significant digits a decimal is written with."""
    return len(text.lower().lstrip("-").split("e")[0].replace(".", "").strip("0"))
