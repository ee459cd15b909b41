"""Shapes, indices and fresh arrays are NumPy's, at the sizes of the trace and at others."""

from __future__ import annotations

import gc
import inspect
import warnings
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule.code.table as table
from chainrule.code.table.creation import EMPTY, nested
from chainrule.code.table.extents import needs
from chainrule.code.table.indexing import IN_PLACE, add_at, assembled, loaded, read, write
from chainrule.code.table.row import ATTRIBUTES, METHODS, ROWS, Row, Sample, Unsupported, find
from chainrule.errors import ShapeError
from chainrule.graph.node import Graph, Node, reached
from chainrule.graph.sizes import Size
from chainrule.values.float64 import evaluate

OURS = (
    *("shapes", "joins", "repeats", "flips", "diagonals"),
    *("creation", "ranges", "indexing"),
)
FAMILY = [r for r in ROWS if r.build.__module__.rpartition(".")[2] in OURS and not r.refused]
KINDS = {"b": "b", "i": "i", "u": "i", "f": "f"}
LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "C": lambda a: np.array(a, order="C"),
    "Fortran": lambda a: np.array(a, order="F"),
    "negative strides": lambda a: np.flip(np.array(np.flip(a), order="C")),
}


def drawn(shape: Sequence[int], kind: str, rng: np.random.Generator) -> np.ndarray:
    """Entries that are all different, but for bools; integers from 0, so that they can index."""
    n = int(np.prod(shape))
    if kind == "b":
        return rng.integers(0, 2, tuple(shape)).astype(bool)
    if kind == "i":
        return rng.permutation(n).reshape(tuple(shape))
    return (rng.permutation(n) + 0.37).reshape(tuple(shape))


class Setting:
    """Inputs of symbolic shapes. Sizes that bear one name are one axis; 1 stays 1."""

    def __init__(self) -> None:
        self.g = Graph()
        self.inputs: list[Node] = []
        self.values: list[np.ndarray] = []

    def add(self, shape: Sequence[int | tuple[str, int]], kind: str, value: Any = None) -> Node:
        """A new input; a size is a number (a name of its own) or (name, number)."""
        k = len(self.inputs)
        sizes = []
        for axis, n in enumerate(shape):
            name, size = n if isinstance(n, tuple) else (f"a{k}_{axis}", n)
            one = size == 1 and not isinstance(n, tuple)
            sizes.append(Size.of(1) if one else self.g.axis(name, size))
        node = self.g.input(f"x{k}", tuple(sizes), kind)  # type: ignore[arg-type]
        self.inputs.append(node)
        shape = tuple(s.at(self.g.env) for s in sizes)
        rng = np.random.default_rng(k)
        self.values.append(drawn(shape, kind, rng) if value is None else np.asarray(value))
        return node

    def evaluate(self, *nodes: Node, values: Sequence[np.ndarray] | None = None) -> list[Any]:
        """The values of nodes, where the inputs are those given, or here."""
        given = self.values if values is None else values
        sizes: dict[str, int] = {}
        for node, value in zip(self.inputs, given, strict=True):
            for size, n in zip(node.shape, value.shape, strict=True):
                if size.name is not None:
                    assert sizes.setdefault(size.name, n) == n
        sizes = {**{n: v for n, v in self.g.env.items() if n not in self.g.axes}, **sizes}
        return evaluate(nodes, {f"x{k}": v for k, v in enumerate(given)}, sizes)


def assert_same(node: Node, got: np.ndarray, want: Any, where: object = "") -> None:
    """The same shape, kind and entries, exactly."""
    want = np.asarray(want)
    assert node.kind == KINDS[want.dtype.kind], (where, node.kind, want.dtype)
    assert got.shape == want.shape, where
    assert np.array_equal(got, want), where


# -- every row -------------------------------------------------------------------------------------


class Call:
    """A sample as a graph and as a call of the real function."""

    def __init__(self, row: Row, sample: Sample) -> None:
        self.row, self.sample, self.setting = row, sample, Setting()
        self.kinds = [
            {"bool": "b", "integers": "i"}.get(d.strip(), "f") for d in sample.domain.split(",")
        ]
        args, options = self._given(self._operand)
        result = row.build(self.setting.g, *args, **options)
        self.nodes = result if isinstance(result, tuple) else (result,)

    def _operand(self, value: Any) -> Any:
        if isinstance(value, list) and not all(isinstance(v, int) for v in value):
            return [self._operand(v) for v in value]
        if not isinstance(value, tuple):
            return value if value is None else nested(self.setting.g, value)
        k = len(self.setting.inputs)
        return self.setting.add(value, self.kinds[min(k, len(self.kinds) - 1)])

    def _given(self, operand: Callable[[Any], Any]) -> tuple[list[Any], dict[str, Any]]:
        names = list(inspect.signature(self.row.build).parameters.values())[1:]
        wanted = {o.lstrip("*") for o in self.row.operands}
        args = []
        for k, value in enumerate(self.sample.args):
            star = [p for p in names[: k + 1] if p.kind is p.VAR_POSITIONAL]
            name = (star or names[k : k + 1])[0].name
            args.append(operand(value) if name in wanted else value)
        return args, {n: operand(v) if n in wanted else v for n, v in self.sample.options}

    def real(self, function: Any, arrays: Sequence[np.ndarray]) -> tuple[Any, ...]:
        """What the function itself gives."""
        left = iter(arrays)

        def operand(value: Any) -> Any:
            if isinstance(value, list) and not all(isinstance(v, int) for v in value):
                return [operand(v) for v in value]
            return next(left) if isinstance(value, tuple) else value

        args, options = self._given(operand)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = function(*args, **options)
        return tuple(result) if isinstance(result, tuple | list) else (result,)

    def elsewhere(self) -> list[np.ndarray]:
        """Arrays of other sizes, wherever the call left a size free."""
        rng, out = np.random.default_rng(7), []
        for node in self.setting.inputs:
            settled = [(s, self.setting.g.size(s)) for s in node.shape]
            shape = [s.at({n: v + 2 for n, v in self.setting.g.env.items()}) for _, s in settled]
            out.append(drawn(shape, node.kind, rng))
        return out


@pytest.mark.parametrize("row", [r for r in FAMILY if r.samples], ids=lambda r: r.name)
def test_a_row_is_the_function(row: Row) -> None:
    assert row.says and row.callables
    for sample in row.samples:
        call = Call(row, sample)
        sizes = [s for node in call.setting.inputs for s in node.shape]
        fixed = [s for s, n in zip(sizes, _numbers(sample), strict=True) if s.const and n != 1]
        assert sample.pins or not fixed, (row.name, sample, fixed)
        for function in row.callables:
            for arrays in (call.setting.values, call.elsewhere()):
                for layout in LAYOUTS.values():
                    laid = [np.asarray(layout(a)) for a in arrays]
                    want = call.real(function, laid)
                    got = call.setting.evaluate(*call.nodes, values=laid)
                    assert len(want) == len(got)
                    for node, g, w in zip(call.nodes, got, want, strict=True):
                        assert_same(node, g, w, (row.name, sample, [a.shape for a in laid]))


def _numbers(sample: Sample) -> list[int]:
    """The sizes of a sample's arrays."""
    todo = [*sample.args, *(v for n, v in sample.options if n not in NOT_ARRAYS)]
    out: list[int] = []
    for value in todo:
        parts = value if isinstance(value, list) else [value]
        out += [n for p in parts if isinstance(p, tuple) for n in p]
    return out


NOT_ARRAYS = (
    *("shape", "axes", "axis", "source", "destination", "reps", "repeats", "pad_width", "shift"),
    "indices_or_sections",
)


def test_rows_without_samples_are_tested_below() -> None:
    """A row that no sample runs stands here by name; the tests of this file call each of them."""
    bare = {r.name for r in FAMILY if not r.samples}
    assert bare == {
        *("np.empty", "np.empty_like", "ndarray.T", "np.int64", "np.bool_"),
        *("np.take_along_axis", "np.choose", "np.ix_"),
        *IN_PLACE,
    }
    assert EMPTY <= bare


def test_methods_and_attributes_find_their_rows() -> None:
    for name in (
        *("reshape", "ravel", "flatten", "transpose", "squeeze", "swapaxes", "repeat", "take"),
        *("diagonal", "astype", "copy", "fill", "put", "item", "choose"),
    ):
        assert getattr(np.ndarray, name) in METHODS[name].callables, name
    assert set(ATTRIBUTES) >= {"T", "mT"}
    assert find(getattr(np, "concat", np.concatenate)) is find(np.concatenate) is not None
    assert find(np.zeros) is not None and find(np.fft.fft) is None


# -- at other sizes, with sizes as arguments -------------------------------------------------------


class Symbolic:
    """The table under NumPy's names, on nodes."""

    def __init__(self, g: Graph) -> None:
        self.g = g

    def __getattr__(self, name: str) -> Callable[..., Any]:
        row = find(getattr(np, name))
        assert row is not None, name

        def call(*args: Any, **options: Any) -> Any:
            return row.build(self.g, *args, **options)

        return call

    def at(self, x: Any, *index: Any) -> Any:
        """x[index]."""
        return read(self.g, x, index)

    def after(self, x: Any, value: Any, *index: Any) -> Any:
        """x after x[index] = value."""
        return write(self.g, x, index, nested(self.g, value))

    def T(self, x: Any) -> Any:
        """x.T."""
        return ATTRIBUTES["T"].build(self.g, x)


class Real:
    """The same on arrays."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def at(self, x: Any, *index: Any) -> Any:
        return x[index]

    def after(self, x: Any, value: Any, *index: Any) -> Any:
        copy = x.copy()
        copy[index] = value
        return copy

    def T(self, x: Any) -> Any:
        return x.T


N, M = ("n", 4), ("m", 3)
SL = slice

#: name: (shapes, kinds, function of (np, arrays)); all hold at every n and m that is large enough.
EVERY_SIZE: dict[str, tuple[list[Any], str, Callable[..., Any]]] = {
    "transposed": ([[N, M]], "f", lambda np, x: np.T(x)),
    "flat and back": ([[N, M]], "f", lambda np, x: np.reshape(np.ravel(x), x.shape)),
    "product of sizes": ([[N, M, 2]], "f", lambda np, x: np.reshape(x, (x.shape[0], -1))),
    "rest of rows": ([[N, M]], "f", lambda np, x: np.reshape(x, (-1, x.shape[0], 1))),
    "by a number": (
        [[N, M]],
        "f",
        lambda np, x: np.reshape(np.stack([x, x]), (2, -1)),
    ),
    "a new axis": ([[N, M]], "f", lambda np, x: np.at(x, SL(None), None, SL(None))),
    "all but the first": ([[N, M]], "f", lambda np, x: np.at(x, SL(1, None))),
    "all but the last": ([[N, M]], "f", lambda np, x: np.at(x, ..., SL(None, -1))),
    "the last": ([[N, M]], "f", lambda np, x: np.at(x, -1)),
    "the last two": ([[N, M]], "f", lambda np, x: np.at(x, SL(-2, None), SL(None, 2))),
    "backwards": ([[N, M]], "f", lambda np, x: np.at(x, SL(None, None, -1))),
    "backwards inside": ([[N]], "f", lambda np, x: np.at(x, SL(-2, 0, -1))),
    "differences": ([[N]], "f", lambda np, x: np.at(x, SL(1, x.shape[0]))),
    "up to a size": ([[N], [M]], "f", lambda np, x, y: np.at(x, SL(None, y.shape[0]))),
    "without a size": ([[N], [M]], "f", lambda np, x, y: np.at(x, SL(None, -y.shape[0]))),
    "before the last row": ([[N]], "f", lambda np, x: np.at(x, x.shape[0] - 2)),
    "nothing": ([[N]], "f", lambda np, x: np.at(x, SL(2, 1))),
    "even entries": (
        [[N]],
        "f",
        lambda np, x: np.at(np.repeat(x, 2), SL(None, None, 2)),
    ),
    "odd entries": ([[N]], "f", lambda np, x: np.at(np.repeat(x, 2), SL(1, None, 2))),
    "joined": ([[N, M], [2, M]], "f", lambda np, x, y: np.concatenate([x, y])),
    "stacked": ([[N, M]], "f", lambda np, x: np.stack([x, x], axis=1)),
    "split in its parts": (
        [[N], [M]],
        "f",
        lambda np, x, y: np.split(np.concatenate([x, y]), [x.shape[0]])[1],
    ),
    "halves": ([[N]], "f", lambda np, x: np.split(np.tile(x, 2), 2)[1]),
    "tiled by a size": ([[N], [M]], "f", lambda np, x, y: np.tile(x, (y.shape[0], 1))),
    "repeated by a size": ([[N], [M]], "f", lambda np, x, y: np.repeat(x, y.shape[0])),
    "zeros": ([[N, M]], "f", lambda np, x: np.zeros((x.shape[1], 2, x.shape[0]))),
    "filled": ([[N], [M]], "f", lambda np, x, y: np.full((y.shape[0], x.shape[0]), x)),
    "unit matrix": ([[N, M]], "f", lambda np, x: np.eye(x.shape[0], x.shape[1] + 2, 1)),
    "integers": ([[N, M]], "f", lambda np, x: np.arange(x.shape[0] * x.shape[1])),
    "integers from": ([[N]], "f", lambda np, x: np.arange(1, x.shape[0])),
    "integers down": ([[N]], "f", lambda np, x: np.arange(x.shape[0] - 1, -1, -1)),
    "even numbers": ([[N]], "f", lambda np, x: np.arange(0, 2 * x.shape[0], 2)),
    "diagonal matrix": ([[N]], "f", lambda np, x: np.diag(x)),
    "beside the diagonal": ([[N]], "f", lambda np, x: np.diag(x, -2)),
    "the diagonal": ([[N, N]], "f", lambda np, x: np.diag(x)),
    "a side diagonal": ([[N, N]], "f", lambda np, x: np.diag(x, 1)),
    "lower triangle": ([[N, M]], "f", lambda np, x: np.tril(x, 1)),
    "upper triangle": ([[N, M]], "f", lambda np, x: np.triu(x, -1)),
    "rolled": ([[N, M]], "f", lambda np, x: np.roll(x, 2, axis=0)),
    "rolled back": ([[N]], "f", lambda np, x: np.roll(x, -1)),
    "padded": ([[N, M]], "f", lambda np, x: np.pad(x, ((1, 2), (0, 1)))),
    "padded by a size": ([[N], [M]], "f", lambda np, x, y: np.pad(x, (0, y.shape[0]))),
    "a grid": ([[N], [M]], "f", lambda np, x, y: np.meshgrid(x, y)[1]),
    "labels": (
        [[N, 6], [N]],
        "fi",
        lambda np, p, y: np.at(p, np.arange(p.shape[0]), y),
    ),
    "rows by labels": ([[6, M], [N]], "fi", lambda np, p, y: np.at(p, y)),
    "columns by labels": ([[M, 6], [N]], "fi", lambda np, p, y: np.at(p, SL(None), y)),
    "labels apart": (
        [[6, M, 6], [N]],
        "fi",
        lambda np, p, y: np.at(p, y, SL(1, None), y),
    ),
    "labels in place": (
        [[M, 6, 6], [N]],
        "fi",
        lambda np, p, y: np.at(p, SL(None), y, 2),
    ),
    "one hot": (
        [[N, 6], [N]],
        "fi",
        lambda np, p, y: np.after(np.zeros(p.shape), 1, np.arange(p.shape[0]), y),
    ),
    "one hot, columns": (
        [[6, N], [N]],
        "fi",
        lambda np, p, y: np.after(np.zeros_like(p), 1.0, y, np.arange(y.shape[0])),
    ),
    "values at labels": (
        [[N, 6], [N], [N]],
        "fif",
        lambda np, p, y, v: np.after(p, v, np.arange(p.shape[0]), y),
    ),
    "one value, perhaps twice": ([[6, M], [N]], "fi", lambda np, p, y: np.after(p, 0.0, y)),
    "one row, perhaps twice": (
        [[6, M], [N], [M]],
        "fif",
        lambda np, p, y, v: np.after(p, v, y),
    ),
    "the first column": (
        [[N, M], [N]],
        "ff",
        lambda np, x, v: np.after(x, v, SL(None), 0),
    ),
    "the last row": ([[N, M], [M]], "ff", lambda np, x, v: np.after(x, v, -1)),
    "inner rows": ([[N, M], [M]], "ff", lambda np, x, v: np.after(x, v, SL(1, -1))),
    "a mask": ([[N, M], [N, M]], "fb", lambda np, x, m: np.after(x, 0.0, m)),
    "rows by a mask": ([[N, M], [N], [M]], "fbf", lambda np, x, m, v: np.after(x, v, m)),
    "along an axis": (
        [[N, 6], [N, M]],
        "fi",
        lambda np, x, i: np.take_along_axis(x, i, 1),
    ),
    "evenly spaced": (
        [[N], [M]],
        "f",
        lambda np, x, y: np.linspace(np.at(x, 0), np.at(y, 0), x.shape[0]),
    ),
}


@pytest.mark.parametrize("name", EVERY_SIZE)
def test_holds_at_every_size(name: str) -> None:
    shapes, kinds, function = EVERY_SIZE[name]
    s = Setting()
    nodes = [s.add(shape, k) for shape, k in zip(shapes, kinds * len(shapes), strict=False)]
    s.values = [v % 6 if v.dtype.kind == "i" else v for v in s.values]
    node = function(Symbolic(s.g), *nodes)
    assert not s.g.axes, f"a size was fixed: {s.g.axes}"
    assert all(size.at(s.g.env) >= 0 for size in needs(s.g))
    rng = np.random.default_rng(3)
    tried = 0
    for n, m in ((4, 3), (7, 5), (5, 5), (3, 2), (2, 2), (1, 1), (9, 0)):
        sizes = {"n": n, "m": m}
        axes = {k for i in s.inputs for k in (z.name for z in i.shape) if k is not None}
        sizes |= {k: v for k, v in s.g.env.items() if k not in sizes}
        if any(need.at(sizes) < 0 for need in needs(s.g)):
            continue
        assert axes <= sizes.keys()
        arrays = [drawn([z.at(sizes) for z in i.shape], i.kind, rng) for i in s.inputs]
        arrays = [a % 6 if a.dtype.kind == "i" else a for a in arrays]
        assert_same(node, s.evaluate(node, values=arrays)[0], function(Real(), *arrays), (n, m))
        tried += 1
    assert tried >= 3


# -- any index -------------------------------------------------------------------------------------


@st.composite
def indexed(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[Any, ...]]:
    """A shape, and an index that NumPy takes for it."""
    shape = tuple(draw(st.lists(st.integers(0, 4), max_size=4)))
    drawn_shape = tuple(draw(st.lists(st.sampled_from((1, 2, 3)), max_size=2)))
    parts: list[Any] = []
    axis = 0
    while axis < len(shape) and draw(st.integers(0, 5)):
        n = shape[axis]
        kind = draw(st.sampled_from("isssnaam"))
        if kind == "n":
            parts.append(None)
            continue
        if kind == "i" and n:
            parts.append(draw(st.integers(-n, n - 1)))
        elif kind == "a" and n:
            short = [d if draw(st.booleans()) else 1 for d in drawn_shape]
            cut = draw(st.integers(0, len(short)))
            entries = st.integers(-n, n - 1)
            count = int(np.prod(short[cut:]))
            values = draw(st.lists(entries, min_size=count, max_size=count))
            parts.append(np.array(values, np.int64).reshape(short[cut:]))
        elif kind == "m" and not any(isinstance(p, np.ndarray) for p in parts):
            wide = draw(st.integers(1, min(2, len(shape) - axis)))
            size = int(np.prod(shape[axis : axis + wide]))
            bits = draw(st.lists(st.booleans(), min_size=size, max_size=size))
            parts.append(np.array(bits, bool).reshape(shape[axis : axis + wide]))
            drawn_shape = ()
            axis += wide - 1
        else:
            bound = st.none() | st.integers(-6, 6)
            step = st.none() | st.sampled_from((1, -1, 2, -2, 3))
            parts.append(slice(draw(bound), draw(bound), draw(step)))
        axis += 1
    if draw(st.booleans()):
        parts.insert(draw(st.integers(0, len(parts))), Ellipsis)
        if axis < len(shape) and parts[-1] is not Ellipsis:
            rest = len(shape) - axis
            parts += draw(st.sampled_from(([], [slice(None, None, -1)] * min(rest, 1))))
    index = tuple(parts)
    try:
        np.zeros(shape)[index]
    except IndexError:  # an ellipsis or a mask put the parts on other axes
        index = ()
    return shape, index


def as_given(g: Graph, index: Sequence[Any]) -> tuple[Any, ...]:
    """Index arrays as the tracer hands them: integers as nodes, masks as arrays."""
    return tuple(
        nested(g, e) if isinstance(e, np.ndarray) and e.dtype.kind == "i" else e for e in index
    )


@settings(max_examples=250)
@given(indexed())
def test_any_index_reads(case: tuple[tuple[int, ...], tuple[Any, ...]]) -> None:
    shape, index = case
    s = Setting()
    x = s.add(shape, "f")
    node = read(s.g, x, as_given(s.g, index))
    assert_same(node, s.evaluate(node)[0], s.values[0][index], index)
    if not any(isinstance(e, np.ndarray) for e in index):
        link = node
        while link is not x:  # a chain that a write can follow back
            assert link.op in ("index", "reshape"), link
            link = link.inputs[0]


@settings(max_examples=150)
@given(indexed(), st.integers(1, 3))
def test_any_index_reads_at_other_sizes(
    case: tuple[tuple[int, ...], tuple[Any, ...]], more: int
) -> None:
    """Where the sizes that are left free meet what they need."""
    shape, index = case
    s = Setting()
    x = s.add(shape, "f")
    node = read(s.g, x, as_given(s.g, index))
    assert all(need.at(s.g.env) >= 0 for need in needs(s.g))
    for by in (more, -more):
        sizes = {name: max(n + by, 0) for name, n in s.g.env.items()}
        if all(need.at(sizes) >= 0 for need in needs(s.g)):
            value = drawn([n.at(sizes) for n in x.shape], "f", np.random.default_rng(0))
            assert_same(node, s.evaluate(node, values=[value])[0], value[index], index)


@settings(max_examples=250)
@given(indexed(), st.integers(0, 4), st.booleans())
def test_any_index_writes(
    case: tuple[tuple[int, ...], tuple[Any, ...]], keep: int, narrow: bool
) -> None:
    shape, index = case
    s = Setting()
    x = s.add(shape, "f")
    part = s.values[0][index].shape
    given_shape = [1 if narrow and k % 2 else n for k, n in enumerate(part)]
    given_shape = given_shape[max(len(part) - keep, 0) :]
    masked = any(isinstance(e, np.ndarray) and e.dtype == bool for e in index)
    longer = keep == 4 and part and not masked  # one axis more is let pass, but not at masks
    value = s.add([1, *given_shape] if longer else given_shape, "f")
    value_array = s.values[1] = s.values[1] + 100
    try:
        node = write(s.g, x, as_given(s.g, index), value)
    except Unsupported:
        arrays = [e for e in index if isinstance(e, np.ndarray)]
        assert max(e.ndim for e in arrays) >= 2 or len(np.broadcast(*arrays).shape) >= 2
        return
    want = s.values[0].copy()
    want[index] = value_array
    assert_same(node, s.evaluate(node)[0], want, index)


@settings(max_examples=150)
@given(indexed())
def test_any_index_adds(case: tuple[tuple[int, ...], tuple[Any, ...]]) -> None:
    shape, index = case
    s = Setting()
    x = s.add(shape, "i")
    value = s.add(s.values[0][index].shape, "i")
    node = add_at(s.g, x, as_given(s.g, index), value)
    want = s.values[0].copy()
    np.add.at(want, index, s.values[1])
    assert_same(node, s.evaluate(node)[0], want, index)


def test_an_ellipsis_of_no_axes_parts_index_arrays() -> None:
    s = Setting()
    x = s.add([3, 4, 5], "f")
    i = np.array([0, 1])
    for index in ((slice(None), i, ..., i), (0, slice(None), i), (i, None, i), (..., i, 0)):
        node = read(s.g, x, as_given(s.g, index))
        assert_same(node, s.evaluate(node)[0], s.values[0][index])


def test_what_an_index_needs_is_kept() -> None:
    s = Setting()
    x = s.add([N, M], "f")
    read(s.g, x, (2, slice(1, None)))
    assert {str(n) for n in needs(s.g)} == {"n - 3", "m - 1"}
    assert not s.g.axes
    built(s, np.squeeze, s.add([5], "f"))
    assert "a1_0 - 2" in map(str, needs(s.g))
    read(s.g, x, slice(None, 100))
    assert s.g.size(Size.axis("n")) == 4 and s.g.conditions


def test_labels_are_one_gather() -> None:
    s = Setting()
    p, y = s.add([N, 6], "f"), s.add([N], "i")
    node = read(s.g, p, (s.g.iota(p.shape[0]), y))
    assert node.op == "gather" and node.inputs == (p, s.g.iota(p.shape[0]), y)


def test_of_two_values_for_one_entry_the_last_stays() -> None:
    s = Setting()
    x, v = s.add([5], "f"), s.add([4], "f")
    node = write(s.g, x, s.g.array(np.array([1, 0, -4, 1])), v)
    want = s.values[0].copy()
    want[[1, 0, -4, 1]] = s.values[1]
    assert_same(node, s.evaluate(node)[0], want)
    assert s.g.size(x.shape[0]) == 5, "1 and -4 are one entry at this size alone"


# -- what is refused -------------------------------------------------------------------------------

REFUSED: dict[str, tuple[Callable[[Setting], Any], str]] = {
    "a mask read": (
        lambda s: read(s.g, s.add([3], "f"), s.add([3], "b")),
        "np.where",
    ),
    "labels twice": (
        lambda s: write(s.g, s.add([3], "f"), s.add([2], "i"), s.add([2], "f")),
        "np.add.at",
    ),
    "labels not paired": (
        lambda s: write(s.g, s.add([3, 3], "f"), (s.add([2], "i"),) * 2, s.add([2], "f")),
        "np.arange",
    ),
    "a row twice, counted from both ends": (
        lambda s: write(
            s.g, s.add([4, 3], "f"), (np.array([0, -4]), s.add([2], "i")), s.add([2], "f")
        ),
        "np.arange",
    ),
    "twice, in more than one axis": (
        lambda s: write(s.g, s.add([4], "f"), np.array([[0, 1], [1, 0]]), s.add([2, 2], "f")),
        "depends on more than values",
    ),
    "values for each true": (
        lambda s: write(s.g, s.add([3], "f"), s.add([3], "b"), s.add([2], "f")),
        "np.where",
    ),
    "floats into integers": (
        lambda s: write(s.g, s.add([3], "i"), 0, s.add([], "f")),
        "array one of floats",
    ),
    "integers into bools": (
        lambda s: write(s.g, s.add([3], "b"), 0, s.add([], "i")),
        "array one of floats",
    ),
    "a slice by a value": (
        lambda s: read(s.g, s.add([3], "f"), slice(s.add([], "i"))),
        "from a shape",
    ),
    "an index of floats": (
        lambda s: read(s.g, s.add([3], "f"), s.add([2], "f")),
        "integers",
    ),
    "float32": (lambda s: built(s, np.zeros, 3, dtype=np.float32), "float64"),
    "float32 made": (lambda s: built(s, np.float32, s.add([], "f")), "float64"),
    "uint8": (lambda s: built(s, np.ones, 3, dtype=np.uint8), "int64"),
    "memory order": (lambda s: built(s, np.ravel, s.add([3], "f"), "K"), "'C' or 'F'"),
    "reflected": (lambda s: built(s, np.pad, s.add([3], "f"), 1, mode="reflect"), "constant"),
    "a length by a value": (lambda s: built(s, np.arange, s.add([], "f")), "np.linspace"),
    "a size by a value": (lambda s: built(s, np.zeros, s.add([], "i")), "from a shape"),
    "wrapped": (lambda s: built(s, np.take, s.add([3], "f"), 4, mode="wrap"), "i % n"),
    "repeated to fit": (
        lambda s: built(s, np.put, s.add([4], "f"), [0, 1, 2], s.add([2], "f")),
        "as many values",
    ),
}


def built(s: Setting, function: Any, *args: Any, **options: Any) -> Any:
    """A row's result."""
    row = find(function)
    assert row is not None
    return row.build(s.g, *args, **options)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_followed_is_said(name: str) -> None:
    call, advice = REFUSED[name]
    with pytest.raises(Unsupported) as e:
        call(Setting())
    assert advice in str(e.value)


@pytest.mark.parametrize(
    "call",
    [
        lambda s: read(s.g, s.add([3], "f"), 3),
        lambda s: read(s.g, s.add([3], "f"), (0, 0)),
        lambda s: read(s.g, s.add([3], "f"), np.ones(2, bool)),
        lambda s: built(s, np.reshape, s.add([3], "f"), (2, -1)),
        lambda s: built(s, np.reshape, s.add([3], "f"), (2, 2)),
        lambda s: built(s, np.concatenate, [s.add([2, 3], "f"), s.add([2, 2], "f")]),
        lambda s: built(s, np.concatenate, []),
        lambda s: built(s, np.squeeze, s.add([3], "f"), 0),
        lambda s: built(s, np.split, s.add([3], "f"), 2),
        lambda s: built(s, np.transpose, s.add([2, 3], "f"), (0, 0)),
        lambda s: built(s, np.diag, s.add([2, 2, 2], "f")),
        lambda s: write(s.g, s.add([3], "f"), slice(None), s.add([2], "f")),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[[Setting], Any]) -> None:
    with pytest.raises(ShapeError):
        call(Setting())


# -- rows that write, and rows of indices ----------------------------------------------------------


def in_place(function: Any, args: Sequence[Any], **options: Any) -> tuple[Setting, Node, Any]:
    """A row in IN_PLACE on arrays, and what NumPy makes of the first of them."""
    s = Setting()
    row = find(function)
    assert row is not None and row.name in IN_PLACE
    nodes: list[Any] = []
    names = [p for p in inspect.signature(row.build).parameters if p != "g"]
    for name, value in zip(names, args, strict=False):
        if name in row.operands:
            array = np.asarray(value)
            value = s.add(array.shape, KINDS[array.dtype.kind], array)
        nodes.append(value)
    node = row.build(s.g, *nodes, **options)
    copy = np.array(args[0])
    assert function(copy, *args[1:], **options) is None
    return s, node, copy


X34 = np.random.default_rng(1).integers(-8, 8, (3, 4)) / 2
WRITES: list[tuple[Any, list[Any], dict[str, Any]]] = [
    (np.add.at, [X34, np.array([0, 2, 0]), X34 + 1], {}),
    (np.add.at, [X34, (slice(None), np.array([1, 1])), 2.0], {}),
    (np.add.at, [X34, slice(1, None), 2.0], {}),
    (np.subtract.at, [X34, (np.array([0, 0]), np.array([1, 1])), np.array([1.0, 2.0])], {}),
    (np.copyto, [X34, np.arange(4.0)], {}),
    (np.put, [X34, [0, 5, -1], np.array([1.0, 2.0, 3.0])], {}),
    (np.put, [X34, 7, 1.0], {}),
    (np.putmask, [X34, X34 > 0, 0.0], {}),
    (np.put_along_axis, [X34, np.array([[1], [0], [3]]), 9.0], {"axis": 1}),
    (np.fill_diagonal, [X34, 0.0], {}),
    (np.fill_diagonal, [X34.T.copy(), np.array([1.0, 2.0, 3.0])], {}),
    (np.ndarray.fill, [X34, 2.5], {}),
]


@pytest.mark.parametrize("k", range(len(WRITES)), ids=lambda k: f"{k} {WRITES[k][0].__name__}")
def test_rows_that_write(k: int) -> None:
    function, args, options = WRITES[k]
    s, node, want = in_place(function, args, **options)
    assert_same(node, s.evaluate(node)[0], want)


def test_copyto_where() -> None:
    s = Setting()
    x, y, m = s.add([3, 4], "f"), s.add([4], "f"), s.add([3, 1], "b")
    node = built(s, np.copyto, x, y, where=m)
    want = s.values[0].copy()
    np.copyto(want, s.values[1], where=s.values[2])
    assert_same(node, s.evaluate(node)[0], want)


def test_rows_of_indices() -> None:
    s = Setting()
    x, i, c = s.add([3, 4], "f"), s.add([3, 2], "i"), s.add([4], "i")
    s.values[1] %= 4
    s.values[2] %= 2
    node = built(s, np.take_along_axis, x, i, 1)
    assert_same(node, s.evaluate(node)[0], np.take_along_axis(s.values[0], s.values[1], 1))
    flat = built(s, np.take_along_axis, x, s.g.array(np.array([5, 5, 0])), None)
    assert_same(flat, s.evaluate(flat)[0], s.values[0].ravel()[[5, 5, 0]])
    rows = [read(s.g, x, k) for k in (0, 1)]
    chosen = built(s, np.choose, c, rows)
    assert_same(chosen, s.evaluate(chosen)[0], np.choose(s.values[2], s.values[0][:2]))
    a, b = built(s, np.ix_, s.g.iota(2), c)
    assert_same(b, s.evaluate(b)[0], np.ix_(range(2), s.values[2])[1])
    assert a.number_shape == (2, 1)


def test_fresh_arrays_and_kinds() -> None:
    s = Setting()
    x = s.add([N, M], "f")
    for function in (np.empty, np.zeros):
        assert built(s, function, (2, x.shape[0])).shape == (2, x.shape[0])
    assert built(s, np.empty_like, x).shape == x.shape
    assert ATTRIBUTES["T"].build(s.g, x).shape == x.shape[::-1]
    assert built(s, np.int64, s.add([2], "b")).kind == "i"
    assert built(s, np.bool_, x).kind == "b"
    whole = built(s, np.ones, 3, dtype=int)
    assert METHODS["astype"].build(s.g, whole, float) is built(s, np.ones, 3)
    s = Setting()
    n, x = s.g.axis("n", 3), s.add([], "f")
    node = built(s, np.array, [[x, 1.0], [n, x]])
    assert_same(node, s.evaluate(node)[0], [[s.values[0], 1.0], [3, s.values[0]]])


def test_reshape_fixes_as_few_sizes_as_possible() -> None:
    s = Setting()
    x = s.add([("N", 5), ("h", 4), ("w", 6)], "f")
    node = built(s, np.reshape, x, (-1, 24))
    assert [str(size) for size in node.shape] == ["N", "24"]
    assert set(s.g.axes) == {"h", "w"}
    s = Setting()
    x = s.add([("h", 4), ("N", 1)], "f")
    assert [str(size) for size in built(s, np.reshape, x, (4, -1)).shape] == ["4", "N"]
    s = Setting()
    x = s.add([("N", 5), ("d", 4)], "f")
    node = METHODS["reshape"].build(s.g, x, x.shape[0], 2, 2)
    assert [str(size) for size in node.shape] == ["N", "2", "2"] and set(s.g.axes) == {"d"}


# -- entries that are read again -------------------------------------------------------------------


def test_a_filled_array_gives_its_entries_back() -> None:
    """Ten thousand writes, each read again twice, and then the whole; nothing is walked twice."""
    s = Setting()
    count = 10_000
    x = s.add([count], "f")
    s.g.pin(x.shape[0])
    z = first = built(s, np.zeros, count)
    for k in range(count):
        value = read(s.g, x, k)
        z = write(s.g, z, k, value)
        assert loaded(s.g, z, (("at", Size.of(k)),)) is value
    assert loaded(s.g, z, (("at", Size.of(0)),)) is read(s.g, x, 0)
    for k in range(0, count, 3):
        assert loaded(s.g, z, (("at", Size.of(k)),)) is read(s.g, x, k)
    whole = assembled(s.g, z)
    assert whole.op == "concat" and first not in set(reached([whole]))
    assert_same(whole, s.evaluate(whole)[0], s.values[0])


def test_reading_an_older_version_does_not_see_younger_writes() -> None:
    s = Setting()
    x, v = s.add([4], "f"), s.add([5], "f")
    a = write(s.g, x, 0, read(s.g, v, 0))
    b = write(s.g, a, 0, read(s.g, v, 1))
    other = write(s.g, a, 1, read(s.g, v, 2))
    zero, one = (("at", Size.of(0)),), (("at", Size.of(1)),)
    assert loaded(s.g, a, zero) is read(s.g, v, 0)
    assert loaded(s.g, b, zero) is read(s.g, v, 1)
    assert loaded(s.g, other, zero) is read(s.g, v, 0)
    assert loaded(s.g, other, one) is read(s.g, v, 2)
    assert loaded(s.g, b, one) is s.g.index(x, one)


def test_places_that_may_be_one_are_not_taken_apart() -> None:
    """x[0] and x[n − 1] are one entry where n is 1; x[n − 1] and x[n − 2] never are."""
    s = Setting()
    x, v = s.add([N], "f"), s.add([2], "f")
    n = x.shape[0]
    last = write(s.g, x, -1, read(s.g, v, 0))
    first = (("at", Size.of(0)),)
    assert loaded(s.g, last, first) is s.g.index(last, first)
    both = write(s.g, last, -2, read(s.g, v, 1))
    assert loaded(s.g, both, (("at", n - 1),)) is read(s.g, v, 0)
    s.g.pin(n)
    assert loaded(s.g, both, (("at", Size.of(2)),)) is read(s.g, v, 1)
    assert loaded(s.g, both, first) is s.g.index(x, first)


def test_a_part_of_what_was_written_is_read_from_it() -> None:
    s = Setting()
    x, v = s.add([N, M], "f"), s.add([M], "f")
    y = write(s.g, x, 1, v)
    inner = (("at", Size.of(1)), ("at", Size.of(2)))
    assert loaded(s.g, y, inner) is s.g.index(v, inner[1:])
    apart = (("cut", Size.of(2), 1, Size.of(2)), ("at", Size.of(0)))
    assert loaded(s.g, y, apart) is s.g.index(x, apart)
    meets = (("cut", Size.of(1), 1, Size.of(2)), ("at", Size.of(0)))
    assert loaded(s.g, y, meets) is s.g.index(y, meets)
    zeros = built(s, np.zeros, (x.shape[0], 3))
    assert loaded(s.g, zeros, inner).op == "const"


@settings(max_examples=150)
@given(st.data())
def test_writes_and_reads_in_any_order(data: st.DataObject) -> None:
    """Random programs of writes; every read and the whole agree with NumPy."""
    shape = data.draw(st.sampled_from(((3,), (2, 3), (4, 2))))
    s = Setting()
    x = s.add(shape, "f")
    node, array = x, s.values[0].copy()
    part = st.one_of(st.integers(-2, 1), st.sampled_from((SL(None), SL(0, 1), SL(1, None))))
    for _ in range(data.draw(st.integers(1, 12))):
        index = tuple(data.draw(st.lists(part, max_size=len(shape))))
        value = s.add(array[index].shape, "f")
        s.values[-1] = s.values[-1] + 10.0 * len(s.values)
        array[index] = s.values[-1]
        node = write(s.g, node, index, value)
        if node.op == "put":
            seen = tuple(data.draw(st.lists(part, max_size=len(shape))))
            plain = read(s.g, node, seen)
            spec = plain.params[0] if plain.op == "index" else tuple(s.g.whole(node))
            short = loaded(s.g, node, spec)
            assert_same(short, s.evaluate(short)[0], array[seen])
    for n in x.shape:
        s.g.pin(n)
    for whole in (node, assembled(s.g, node)):
        assert_same(whole, s.evaluate(whole)[0], array)


def test_slices_that_follow_one_another_are_joined() -> None:
    s = Setting()
    x, y = s.add([N, M], "f"), s.add([2, M], "f")
    n, m = x.shape
    z = built(s, np.empty, (n + 2, m))
    z = write(s.g, z, slice(n, None), y)
    z = write(s.g, z, slice(None, n), x)
    assert assembled(s.g, z) is s.g.concat([x, y], 0)
    part = write(s.g, built(s, np.empty, (n + 2, m)), slice(None, n), x)
    assert assembled(s.g, part) is part
    over = write(s.g, part, slice(1, None), s.add([5, M], "f"))
    assert assembled(s.g, over) is over
    later = write(s.g, z, slice(1, 4), s.add([3, M], "f"))
    assert assembled(s.g, later) is later


def test_columns_are_joined_along_their_axis() -> None:
    s = Setting()
    x = s.add([N, 3], "f")
    z = built(s, np.empty, (x.shape[0], 2))
    for k in (1, 0, 1):
        z = write(s.g, z, (slice(None), k), read(s.g, x, (slice(None), k)))
    node = assembled(s.g, z)
    assert "put" not in {n.op for n in reached([node])}
    assert_same(node, s.evaluate(node)[0], s.values[0][:, :2])


def test_what_is_remembered_of_a_graph_does_not_keep_it() -> None:
    s = Setting()
    x = s.add([N], "f")
    loaded(s.g, write(s.g, x, 1, s.add([], "f")), (("at", Size.of(1)),))
    assert needs(s.g)
    graph = weakref.ref(s.g)
    del s, x
    gc.collect()
    assert graph() is None


def test_every_family_is_in_the_table() -> None:
    assert {"shapes", "indexing", "creation"} <= set(table.FAMILIES)
