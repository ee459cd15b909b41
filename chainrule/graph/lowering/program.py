"""Graphs as fast NumPy code: `program`.

Two passes. The first writes a graph as instructions, one NumPy call each: products as BLAS calls on
views, arrays no larger than their stretching demands, signs kept aside where that is exact, equal
instructions once. The second places them: an operand that nobody needs any more and that is ours
takes the result, the others are freed at their last use; what is cheap is done again rather than
kept for long. It gives what the graph gives, up to
rounding; nobody reads this code, so it names things t0, t1, …; the readable form is `graph.source`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from chainrule.errors import UsageError
from chainrule.graph.lowering.numpy_text import HELPERS, Sizes, built
from chainrule.graph.lowering.program_sums import Products
from chainrule.graph.lowering.program_terms import DTYPE_TEXT, DTYPES, Instruction, Value
from chainrule.graph.node import Node, bind_sizes, reached
from chainrule.graph.sizes import Size


class _Lowering(Products):
    """The first pass: what moves entries, linear algebra, and the results."""

    def op_reshape(self, node: Node) -> Value:
        (x,) = node.inputs
        value = self.values[x]
        if value.held == () or (x.shape == node.shape):
            return value
        full = self.full(x)
        form = f"{{0}}.reshape({self.sizes.of_shape(node.shape)})"
        return self.emit(form, (full.at,), node.shape, node.kind, owned="view")

    def op_broadcast(self, node: Node) -> Value:
        return self.values[node.inputs[0]]

    def op_index(self, node: Node) -> Value:
        (x,) = node.inputs
        if self.values[x].held == ():
            return self.values[x]
        cuts = self.cuts(x, node.params[0])
        if set(cuts) <= set(":, "):
            return self.values[x]
        form = f"{{0}}[{cuts}]"
        full = self.full(x)
        return self.emit(form, (full.at,), node.shape, node.kind, owned="view", whole=False)

    def cuts(self, x: Node, spec: Any) -> str:
        size = x.graph.size
        settled = tuple(tuple(size(p) if isinstance(p, Size) else p for p in part) for part in spec)
        return self.sizes.index(settled, x.shape) or "()"

    def places(self, indices: Sequence[Node], first: int) -> tuple[list[int | str], str]:
        values = [self.full(i, "i") for i in indices]
        places = ", ".join(f"{{{k + first}}}" for k in range(len(values)))
        return [v.at for v in values], places

    def op_gather(self, node: Node) -> Value:
        x, *indices = node.inputs
        at, places = self.places(indices, 1)
        owned = "" if indices[0].ndim else "view"
        form, operands = f"{{0}}[{places}]", (self.full(x).at, *at)
        return self.emit(form, operands, node.shape, node.kind, owned=owned, whole=False)

    def op_scatter_add(self, node: Node) -> Value:
        g, *indices = node.inputs
        at, places = self.places(indices, 1)
        shape = self.sizes.of_shape(node.shape)
        form = f"np.zeros({shape}, {DTYPE_TEXT[node.kind]})"
        then = f"np.add.at({{t}}, ({places},), {{0}})"
        return self.emit(form, (self.full(g).at, *at), node.shape, node.kind, then=then)

    def written(self, node: Node, places: str, at: Sequence[int | str]) -> Value:
        base, value = node.inputs[:2]
        x, v = self.as_kind(self.values[base], node.kind), self.number(value)
        operands = (x.at, v.at, *at)
        shape, kind = self.sizes.of_shape(node.shape), DTYPE_TEXT[node.kind]
        whole = x.held == node.shape and not isinstance(x.at, str)
        form = f"np.array({{0}}, {kind})" if whole else f"np.full({shape}, {{0}}, {kind})"
        then, keeps = f"{{t}}[{places}] = {{1}}", 0 if whole else None
        return self.emit(form, operands, node.shape, node.kind, then=then, keeps=keeps)

    def op_put(self, node: Node) -> Value:
        return self.written(node, self.cuts(node.inputs[0], node.params[0]), ())

    def op_put_at(self, node: Node) -> Value:
        at, places = self.places(node.inputs[2:], 2)
        return self.written(node, places, at)

    def op_concat(self, node: Node) -> Value:
        parts = [self.full(x, node.kind) for x in node.inputs]
        places = ", ".join(f"{{{k}}}" for k in range(len(parts)))
        form = f"np.concatenate(({places},), {node.params[0]})"
        return self.emit(form, [p.at for p in parts], node.shape, node.kind)

    # -- linear algebra ------------------------------------------------------------------------

    def op_solve(self, node: Node) -> Value:
        at = [self.full(x, "f").at for x in node.inputs]
        return self.emit("np.linalg.solve({0}, {1})", at, node.shape, "f")

    def op_det(self, node: Node) -> Value:
        at = self.full(node.inputs[0], "f").at
        return self.emit("np.linalg.det({0})", (at,), node.shape, "f")

    def op_logdet(self, node: Node) -> Value:
        at = self.full(node.inputs[0], "f").at
        return self.emit("np.linalg.slogdet({0})[1]", (at,), node.shape, "f")

    # -- results -------------------------------------------------------------------------------

    def result(self, node: Node) -> int:
        """The instruction whose array is an output."""
        x = self.as_kind(self.values[node], node.kind)
        if node.ndim and (x.held != node.shape or isinstance(x.at, str)):
            form = f"np.full({self.sizes.of_shape(node.shape)}, {{0}}, {DTYPE_TEXT[node.kind]})"
            x = self.emit(form, (x.at,), node.shape, node.kind)
        elif isinstance(x.at, str):
            x = self.emit(f"np.array({{0}}, {DTYPE_TEXT[node.kind]})", (x.at,), (), node.kind)
        assert isinstance(x.at, int)
        return x.at


#: Calls that cost less than the memory for their result, where it would wait for long.
_CHEAP = ("np.add(", "np.subtract(", "np.multiply(", "np.negative(", "np.square(")
_LONG = 12  # instructions


def _recomputed(
    code: Sequence[Instruction], results: Sequence[int]
) -> tuple[list[Instruction], list[int]]:
    """The same instructions, where 1 + e is done again rather than kept beside e.

    That is: one cheap call on one array that is still there when the result is needed again.
    """
    uses: list[list[int]] = [[] for _ in code]
    for k, i in enumerate(code):
        for x in dict.fromkeys(i.operands):
            if isinstance(x, int):
                uses[x].append(k)
    kept = {*results}
    again: dict[int, list[int]] = {}
    for k, i in enumerate(code):
        arrays = [x for x in i.operands if isinstance(x, int)]
        if k in kept or len(arrays) != 1 or not i.held or not i.form.startswith(_CHEAP):
            continue
        (x,) = arrays
        there = len(code) if code[x].owned == "foreign" else uses[x][-1]
        if code[x].held == i.held:
            late = [b for a, b in pairwise(uses[k]) if b - a > _LONG and b <= there]
            if late:
                again.setdefault(late[0], []).append(k)
    out: list[Instruction] = []
    now: list[int] = []

    def add(i: Instruction) -> int:
        operands = tuple(now[x] if isinstance(x, int) else x for x in i.operands)
        out.append(replace(i, operands=operands))
        return len(out) - 1

    for k, i in enumerate(code):
        for old in again.get(k, ()):
            now[old] = add(code[old])
        now.append(add(i))
    return out, [now[r] for r in results]


def _placed(code: Sequence[Instruction], results: Sequence[int]) -> tuple[list[str], list[str]]:
    """The second pass: the lines, and the texts of the results."""
    buffers = list(range(len(code)))  # the instruction that made the memory
    ours = [i.owned in ("", "view") for i in code]
    for k, i in enumerate(code):
        root = i.operands[0] if i.owned in ("view", "fixed") else k
        if isinstance(root, int) and root != k:
            buffers[k] = buffers[root]
            ours[k] = ours[root] and i.owned == "view"
    end = len(code)
    last = list(range(len(code)))
    for k, i in enumerate(code):
        for x in i.operands:
            if isinstance(x, int):
                last[x] = k
    for r in results:
        last[r] = end
    memory = list(last)  # the last use of the memory, by any of its views
    for k in range(len(code)):
        memory[buffers[k]] = max(memory[buffers[k]], last[k])

    lines: list[str] = []
    places: dict[int, str] = {}
    free: list[str] = []
    count = 0
    for k, i in enumerate(code):
        operands = [places[x] if isinstance(x, int) else x for x in i.operands]
        if i.owned == "foreign":  # a parameter, or a constant
            places[k] = i.form
            continue
        once = (x for x in dict.fromkeys(i.operands) if isinstance(x, int) and last[x] == k)
        dying = [x for x in once if code[x].owned != "foreign"]

        def reusable(x: int | str, k: int = k, i: Instruction = i) -> bool:
            return (
                isinstance(x, int)
                and ours[x]
                and memory[buffers[x]] == k
                and code[x].held == i.held
                and code[x].kind == i.kind
                and i.held != ()
            )

        out, target, keeps = "", None, False
        if i.keeps is not None and reusable(i.operands[i.keeps]):
            target, keeps = places[i.operands[i.keeps]], True  # type: ignore[index]
        elif "{out}" in i.form:
            found = next((x for x in i.operands if reusable(x)), None)
            if found is not None:
                target = places[found]  # type: ignore[index]
                out = f", out={target}"
        if target is None and dying and not i.then:
            target = places[dying[0]]
        if target is None:
            target = free.pop() if free else f"t{count}"
            count += target == f"t{count}"
        places[k] = target
        if not keeps:
            lines.append(f"{target} = {i.form.format(*operands, out=out)}")
        if i.then:
            lines.append(i.then.format(*operands, t=target))
        gone = [places[x] for x in dying if places[x] != target]
        if gone:
            lines.append(f"del {', '.join(gone)}")
            free += gone
    given: list[str] = []
    seen: set[int] = set()
    for r in results:
        view = code[r].owned == "view" and not code[r].whole
        alone = ours[r] and not view and buffers[r] not in seen
        seen.add(buffers[r])
        given.append(f"np.asarray({places[r]})" if alone else f"np.array({places[r]})")
    return lines, given


class Program:
    """A function of values by input name that gives arrays by output name. text : its code."""

    def __init__(
        self,
        function: Callable[..., tuple[np.ndarray, ...]],
        text: str,
        inputs: Mapping[str, Node],
        outputs: Sequence[str],
        axes: Sequence[str],
    ) -> None:
        self.text, self._function = text, function
        self._inputs = {name: node for name, node in inputs.items()}
        self._kinds = [(name, DTYPES[node.kind]) for name, node in inputs.items()]
        self._outputs, self._axes = tuple(outputs), tuple(axes)
        self._sizes: tuple[Any, tuple[int, ...]] = (None, ())

    def __call__(self, values: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """New arrays, each output its own. values : an array for every input.

        Raises UsageError for a missing input, ShapeError for shapes that do not fit.
        """
        try:
            arrays = [np.asarray(values[name], dtype) for name, dtype in self._kinds]
        except KeyError as missing:
            raise UsageError(f"{missing.args[0]} has no value; give one for every input") from None
        shapes = tuple(a.shape for a in arrays)
        known, sizes = self._sizes
        if known != shapes:
            found = bind_sizes(self._inputs, dict(zip(self._inputs, shapes, strict=True)))
            sizes = tuple(found[a] for a in self._axes)
            self._sizes = shapes, sizes
        with np.errstate(all="ignore"):
            results = self._function(*arrays, *sizes)
        return dict(zip(self._outputs, results, strict=True))


def program(
    outputs: Mapping[str, Node],
    inputs: Mapping[str, Node],
    names: Mapping[Node, str] | None = None,
) -> Program:
    """Fast code for nodes: a function of values by name that gives arrays by name.

    outputs : key → node. inputs : place → input node, at least those that the outputs need.
    names : not needed here; taken so that it is called as `source` is.
    Inputs are never written to; the results are new arrays that share nothing. Float64, integers
    and truth values, no warnings for overflow.
    Raises UsageError for an output that needs an input that is not given, or a size no input tells.

    >>> from chainrule.graph.node import Graph
    >>> g = Graph()
    >>> x = g.input("x", (g.axis("n", 2),))
    >>> double = program({"y": g.add(x, x)}, {"x": x})
    >>> double({"x": [1.0, 2.0, 3.0]})["y"]
    array([2., 4., 6.])
    """
    parameters = [f"x{k}" for k in range(len(inputs))]
    axes: dict[str, str] = {}
    for node in inputs.values():
        for size in node.shape:
            if size.name is not None:
                axes.setdefault(size.name, f"s{len(axes)}")
    lowering = _Lowering(dict(zip(inputs.values(), parameters, strict=True)), Sizes(axes))
    for node in reached(outputs.values()):
        if node not in lowering.values:
            lowering.values[node] = lowering.lower(node)
    results = [lowering.result(node) for node in outputs.values()]
    lines, given = _placed(*_recomputed(lowering.code, results))
    body = "".join(f"    {line}\n" for line in lines)
    helpers = "".join(f"{HELPERS[h]}\n\n" for h in lowering.helpers)
    head = f"def program({', '.join([*parameters, *axes.values()])}):\n"
    text = f"{helpers}{head}{body}    return ({', '.join(given)}{',' if given else ''})\n"
    if lowering.helpers:
        lowering.scope["math"] = math
    function = built(text, "program", lowering.scope)
    return Program(function, text, inputs, list(outputs), list(axes))
