"""From a NumPy function to its derivative: trace, reverse mode, and how it is shown.

What is costly (formulas, source, steps) is made when it is asked for. Evaluating a derivative away
from the path of its trace is refused, never silently wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.code.trace.audit import off_path
from chainrule.code.trace.places import Prepared, canonical, written
from chainrule.code.trace.record import Trace
from chainrule.code.trace.run import traced_and_prepared
from chainrule.derivation import Derivation, Line, Step
from chainrule.errors import TraceError, UsageError
from chainrule.graph.derivative.adjoint import Adjoints, Unit, hessian, jacobian, reverse
from chainrule.graph.derivative.tangent import hvp
from chainrule.graph.lowering.source import program, source
from chainrule.graph.node import Node, bind_sizes
from chainrule.graph.notation.notation import FormulaLine, Notation
from chainrule.graph.notation.steps import definitions, steps
from chainrule.graph.notation.terms import Name
from chainrule.graph.sizes import show

__all__ = ["CodeBlock", "CodeDerivation", "derive_code"]


class CodeBlock:
    """∂output/∂input of a function: a gradient in the input's shape where the output is a scalar,
    else the Jacobian in the shape output + input.

    output, input : names. node : the derivative in the trace's graph.
    """

    def __init__(self, derivation: CodeDerivation, output: str, input: str, node: Node) -> None:
        self.derivation, self.output, self.input, self.node = derivation, output, input, node

    @property
    def name(self) -> str:
        """``∂cost/∂W1``."""
        return f"∂{self.output}/∂{self.input}"

    @property
    def shape(self) -> str:
        """Its shape in the names of the axes: ``(n1×n0)``."""
        return show(self.node.shape)

    @property
    def formula(self) -> str:
        """The derivative as a person writes it, in the user's names; long parts have names of
        their own, which are explained behind "where"."""
        first, *parts = self.derivation.notation.lines(self.node, Name(self.name, ""))
        where = "; ".join(f"{x.left_text} = {x.right_text}" for x in parts)
        return first.right_text + (f", where {where}" if where else "")

    @property
    def latex(self) -> str:
        """The same in LaTeX."""
        return self.derivation.notation.latex(self.node)

    @property
    def source(self) -> str:
        """A NumPy function that computes it, to be pasted."""
        d = self.derivation
        return source({self.input: self.node}, d.trace.inputs, d.shown_names, f"d_{d.of[0]}")

    def lower(self) -> Callable[..., np.ndarray]:
        """The derivative as a function of the inputs: a mapping, or keywords."""
        run = self.derivation.runner({"": self.node})
        return lambda values=None, /, **named: run(values, **named)[""]

    def evaluate(self, values: Mapping[str, Any] | None = None, /, **named: Any) -> np.ndarray:
        """Its value at a point, in float64; inputs left out are those of the trace's point."""
        return self.lower()({**self.derivation.point, **(values or {}), **named})

    def to_sympy(self, shapes: Mapping[str, tuple[int, ...]] | None = None) -> Any:
        """Explicit components in SymPy, for small shapes.

        shapes : input → shape; those of the trace if left out.
        """
        from chainrule.graph.lowering.components import to_sympy

        trace = self.derivation.trace
        sizes = dict(trace.sizes)
        if shapes is not None:
            here = {n: node.number_shape for n, node in trace.inputs.items()}
            sizes = bind_sizes(trace.inputs, {**here, **{k: tuple(v) for k, v in shapes.items()}})
        return to_sympy(self.node, sizes)

    def __repr__(self) -> str:
        return f"<CodeBlock {self.name} {self.shape}>"


class CodeDerivation(Derivation):
    """The derivative of a function's code.

    trace : the function as a graph. blocks : (output, input) → `CodeBlock`.
    """

    def __init__(
        self, trace: Trace, prepared: Prepared, of: tuple[str, ...], wrt: tuple[str, ...]
    ) -> None:
        put = object.__setattr__
        put(self, "trace", trace)
        put(self, "prepared", prepared)
        put(self, "of", of)
        put(self, "wrt", wrt)
        put(self, "_outputs", dict(zip(of, trace.outputs.values(), strict=True)))

    trace: Trace
    prepared: Prepared
    _outputs: dict[str, Node]

    @cached_property
    def adjoints(self) -> dict[str, Adjoints]:
        """Scalar output → the adjoint of every node between it and the inputs."""
        units = tuple(
            Unit(c.name.lstrip("_") or c.name, tuple(n for _, n in c.arguments), c.result)
            for c in self.trace.calls
            if c.arguments
        )
        return {
            name: reverse(node, units=units)
            for name, node in self._outputs.items()
            if not node.shape
        }

    @cached_property
    def blocks(self) -> Mapping[tuple[str, str], CodeBlock]:
        """(output, input) → its derivative."""
        made: dict[tuple[str, str], CodeBlock] = {}
        for name, output in self._outputs.items():
            for wrt in self.wrt:
                x = self.trace.inputs[wrt]
                if output.shape:
                    node = jacobian(output, x)
                else:
                    node = self.adjoints[name].of.get(x) or x.graph.full(0, x.shape)
                made[name, wrt] = CodeBlock(self, name, wrt, node)
        return made

    def adjoint(self, name: str, version: int = -1) -> CodeBlock:
        """∂output/∂(an intermediate value) by the user's name for it, such as "z3".

        Names of one value (a copy, the same expression once more) share it, through all uses.
        version : which of several values that bore the name; the last one by default.
        """
        named = list(
            dict.fromkeys(e.node for e in self.trace.events if e.name == name and e.kind != "store")
        )
        if name in self.trace.inputs:
            named = [self.trace.inputs[name]]
        if not named:
            known = ", ".join(dict.fromkeys(self.trace.names.values()))
            raise UsageError(f"{self.trace.function} names nothing {name!r}; it names {known}")
        if len(self.adjoints) != 1:
            raise UsageError(f"adjoints are kept for one scalar output, not for {self.of}")
        node = named[version]
        through = node.op == "put" or (node.op == "index" and node.inputs[0].op == "put")
        if through or node in self._written_to:
            raise UsageError(
                f"{name} is written entry by entry, and what reads it is followed to what was "
                "written; no adjoint of it is kept. Ask for those of the values written into it"
            )
        found = next(iter(self.adjoints.values())).of.get(node)
        if found is None:
            found = node.graph.full(0, node.shape)
        return CodeBlock(self, self.of[0], name, found)

    @cached_property
    def _written_to(self) -> set[Node]:
        """The values of arrays before entries of them were written."""
        found: set[Node] = set()
        for event in self.trace.events:
            node = event.node
            while event.kind == "store" and node.op in ("put", "put_at") and node not in found:
                found.add(node)
                node = node.inputs[0]
                if node.op not in ("put", "put_at"):
                    found.add(node)
        return found

    def hessian(self, x: str, y: str | None = None) -> CodeBlock:
        """∂²output/∂x∂y of the scalar output, in the shape x + y; y is x if left out."""
        a, b = self.trace.inputs[canonical(x)], self.trace.inputs[canonical(y or x)]
        return CodeBlock(self, self.of[0], f"{x}∂{y or x}", hessian(self._scalar(), a, b))

    def hvp(
        self, vectors: Mapping[str, Any], values: Mapping[str, Any] | None = None
    ) -> dict[str, np.ndarray]:
        """The Hessian times a vector: input → array of its shape, for the inputs of `vectors`.

        vectors : input → array of its shape. values : the point; that of the trace if left out.
        Costs a few evaluations of the function, whatever the sizes.
        """
        names = tuple(canonical(n) for n in vectors)
        directed = {n: f"direction of {n}" for n in names}  # no place is called so
        if names not in self._hvps:
            xs = [self.trace.inputs[n] for n in names]
            graph = xs[0].graph
            shapes = {n: self.trace.inputs[n].shape for n in names}
            vs = {directed[n]: graph.input(directed[n], shape) for n, shape in shapes.items()}
            made = hvp(self._scalar(), xs, list(vs.values()))
            self._hvps[names] = self.runner(dict(zip(names, made, strict=True)), vs)
        given = zip(directed.values(), vectors.values(), strict=True)
        directions = {name: np.asarray(v, float) for name, v in given}
        found: dict[str, np.ndarray] = self._hvps[names](
            {**self.point, **(values or {}), **directions}
        )
        return found

    def _scalar(self) -> Node:
        node = next(iter(self._outputs.values()))
        if node.shape or len(self._outputs) != 1:
            raise UsageError("second derivatives are taken of one scalar output")
        return node

    @cached_property
    def _hvps(self) -> dict[tuple[str, ...], Any]:
        return {}

    @cached_property
    def notation(self) -> Notation:
        """How its nodes are written."""
        made = next(iter(self.adjoints.values()), None)
        slopes: dict[Node, tuple[str, int, tuple[Node, ...]]] = {}
        functions: dict[Node, tuple[str, tuple[Node, ...]]] = {}
        for (unit, k), node in made.slopes.items() if made is not None else ():
            slopes[node] = (unit.name, k, unit.arguments)
            functions[unit.result] = (unit.name, unit.arguments)
        return Notation(
            self.trace.inputs,
            self.trace.names,
            functions,
            slopes,
            made.of if made is not None else {},
            of=self.of[0],
        )

    @property
    def shown_names(self) -> dict[Node, str]:
        """Node → name, for source: the user's, and d_z3 for adjoints of named nodes."""
        names, ends = dict(self.trace.names), set(self.trace.outputs.values())
        for made in self.adjoints.values():
            for node, name in self.trace.names.items():
                found = made.of.get(node)
                if found is not None and found not in names and node not in ends:
                    if node.op != "input" and found.inputs:
                        names[found] = f"d_{name}"
        return names

    @property
    def source(self) -> str:
        """A NumPy function that computes every derivative, to be pasted."""
        outputs = {self._key(k): b.node for k, b in self.blocks.items()}
        return source(outputs, self.trace.inputs, self.shown_names, f"d_{self.of[0]}")

    def _key(self, pair: tuple[str, str]) -> str:
        return pair[1] if len(self.of) == 1 else f"{pair[0]}/{pair[1]}"

    @property
    def point(self) -> dict[str, Any]:
        """The inputs at the point of the trace."""
        return {n: self.prepared.inputs[n] for n in self.trace.inputs}

    def runner(
        self, outputs: Mapping[str, Node], more: Mapping[str, Node] | None = None
    ) -> Callable[..., dict[str, np.ndarray]]:
        """Fast code for nodes that watches the path: key → node, to a function of the inputs.

        more : further inputs.
        Raises (when it is called) ShapeError for shapes, and TraceError for values, off the path.
        """
        trace = self.trace
        looked = {f"guard {k}": g for k, g in enumerate(trace.guards) if g.node is not None}
        nodes = {k: g.node for k, g in looked.items() if g.node is not None}
        inputs = {**trace.inputs, **(more or {})}
        run = program({**outputs, **nodes}, inputs)
        found_places = {n: self.prepared.inputs[n] for n in self.prepared.found}

        def derivatives(
            values: Mapping[str, Any] | None = None, /, **named: Any
        ) -> dict[str, np.ndarray]:
            values = {**found_places, **(values or {}), **named}
            given = _given(trace.function, inputs, values, self.prepared.arguments)
            sizes = bind_sizes(inputs, {n: np.shape(given[n]) for n in inputs})
            why = off_path(trace, sizes, {})
            if not why:
                try:
                    with np.errstate(all="ignore"):
                        found = run(given)
                except np.linalg.LinAlgError as error:
                    raise TraceError(
                        f"{self.name} holds an inverse, and at this point there is none: {error}"
                    ) from None
                why = off_path(trace, sizes, {g: found.pop(key) for key, g in looked.items()})
            if why:
                raise TraceError(
                    f"{trace.function} takes another path at this point: {why} no longer holds; "
                    "derive it again there"
                )
            return found

        derivatives.__doc__ = f"{self.name} at {', '.join(trace.inputs)}, float64."
        return derivatives

    @cached_property
    def _lowered(self) -> Callable[..., dict[str, np.ndarray]]:
        return self.runner({self._key(k): b.node for k, b in self.blocks.items()})

    def lower(self) -> Callable[..., dict[str, np.ndarray]]:
        """The derivatives as a fast function: name → array, from a mapping of the inputs, or
        keywords. Raises ShapeError for shapes, and TraceError for values, off the trace's path."""
        return self._lowered

    def evaluate(
        self, values: Mapping[str, Any] | None = None, /, **named: Any
    ) -> dict[str, np.ndarray]:
        """The derivatives at a point; inputs that are left out are those of the trace's point."""
        return self.lower()({**self.point, **(values or {}), **named})

    @property
    def conditions(self) -> tuple[str, ...]:
        """What must hold for it to hold: sizes and values that the code looked at, kinks."""
        kinks: list[str] = []
        for made in self.adjoints.values():
            for node, text in made.kinks:
                inputs = [self.notation.text(i) for i in node.inputs]
                where = text.format(*inputs).removeprefix("where ")
                kinks.append(f"not where {where}: a kink")
        return tuple(dict.fromkeys([*(g.text for g in self.trace.guards), *kinks]))

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Definitions, then the walk of the chain rule from the output to each input."""
        output = next(iter(self._outputs.values()))
        said = [_line(x) for x in definitions(self.notation, output)]
        out = [Step("definitions", "What the code computes", lines=tuple(said))]
        shown: set[str] = set()
        walks: list[tuple[str, list[Line]]] = []
        for name in self.wrt:
            block = self.blocks[self.of[0], name]
            if output.shape:
                left = Name(block.name, "")
                lines = [_line(x) for x in self.notation.lines(block.node, left)]
            else:
                lines = [_line(x) for x in steps(self.notation, output, self.trace.inputs[name])]
            walks.append((block.name, lines))
        for title, lines in sorted(walks, key=lambda walk: len(walk[1])):  # the nearest first
            new = tuple(x for x in lines if x.text not in shown)
            shown |= {x.text for x in new}
            out.append(Step("chain rule", title, lines=new))
        if self.conditions:
            where = tuple(Line("", text) for text in self.conditions)
            out.append(Step("conditions", "Where this holds", lines=where))
        return tuple(out)

    def __repr__(self) -> str:
        return f"<Derivation {self.name} of code>"


def _line(x: FormulaLine) -> Line:
    return Line(x.latex, f"{x.left_text} = {x.right_text}", x.shape)


def _given(
    function: str,
    inputs: Mapping[str, Node],
    values: Mapping[str, Any],
    arguments: Mapping[str, Any],
) -> dict[str, Any]:
    """The inputs among values, by their names in any spelling.

    arguments : what the function was traced with; what is no input among them stays as it was.
    """
    out: dict[str, Any] = {}

    def take(key: str, value: Any, kept: Any) -> None:
        """An input, or what holds inputs, or what must be as it was."""
        if key in inputs:
            kind = inputs[key].kind
            out[key] = np.asarray(value, dtype=np.float64 if kind == "f" else None)
        elif isinstance(kept, list | tuple) and _alike(value, kept):
            names = getattr(kept, "_fields", None)
            for k, (v, old) in enumerate(zip(value, kept, strict=True)):
                take(f"{key}.{names[k]}" if names else f"{key}[{k}]", v, old)
        elif isinstance(kept, dict) and _alike(value, kept):
            for k, old in kept.items():
                take(key + written("item", k), value[k], old)
        elif not _same(value, kept):
            raise TraceError(
                f"{function} was followed with {key} = {_short(kept)}, and no path from there to "
                f"{_short(value)} is known; derive it again with that"
            )

    for name, value in values.items():
        key = name if name in inputs else canonical(name)
        if key not in inputs and key not in arguments:
            raise UsageError(f"{function} reads no {name}; its inputs are {', '.join(inputs)}")
        take(key, value, arguments.get(key))
    missing = [n for n in inputs if n not in out]
    if missing:
        raise UsageError(f"{function}: give {', '.join(inputs)}; {missing[0]} is missing")
    return out


def _alike(a: Any, b: Any) -> bool:
    """Whether a container holds as many things, under the same keys."""
    if type(a) is not type(b) or len(a) != len(b):
        return False
    return not isinstance(a, dict) or a.keys() == b.keys()


def _same(a: Any, b: Any) -> bool:
    """Whether two plain arguments are one and the same, or equal."""
    if a is b:
        return True
    try:
        return type(a) is type(b) and bool(np.all(a == b))
    except Exception:  # an equality of the user's
        return False


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"


def derive_code(
    function: Callable[..., Any],
    at: Mapping[str, Any] | None = None,
    wrt: str | Sequence[str] | None = None,
    of: str | Sequence[str] | None = None,
    shapes: Mapping[str, str] | None = None,
) -> CodeDerivation:
    """The derivative of a function's outputs with respect to arrays and floats that it reads.

    at : a point: argument, or place that the function reads, → value.
    wrt : places; every real input if left out. of : keys of outputs, if there are several.
    shapes : names for axes.

    Raises UsageError, ShapeError; TraceError for code that cannot be followed.
    """
    wanted = () if wrt is None else (wrt,) if isinstance(wrt, str) else tuple(wrt)
    trace, prepared = traced_and_prepared(function, at or {}, wanted, shapes)
    inputs = prepared.wrt or tuple(n for n, v in trace.inputs.items() if v.kind == "f")
    for name in inputs:
        if trace.inputs[name].kind != "f":
            raise UsageError(f"{name} holds integers; there is no derivative by them")
    outputs = dict(trace.outputs)
    if of is not None:
        keys = (of,) if isinstance(of, str) else tuple(of)
        known = ", ".join(repr(k) for k in outputs)
        for key in keys:
            if key not in outputs and not (key == trace.function and "" in outputs):
                raise UsageError(f"{trace.function} returns nothing named {key!r}; it has {known}")
        outputs = {k: outputs[k if k in outputs else ""] for k in keys}
    named = {_said(trace, k): v for k, v in outputs.items()}
    if not inputs:
        raise UsageError(f"{trace.function} has no real input to differentiate by; give wrt=")
    if any(v.kind != "f" for v in named.values()):
        named = {k: v for k, v in named.items() if v.kind == "f"}
        if not named:
            raise UsageError(f"{trace.function} returns integers; they have no derivative")
    kept = replace(trace, outputs=named)
    return CodeDerivation(kept, prepared, tuple(named), inputs)


def _said(trace: Trace, key: str) -> str:
    return trace.function if key == "" else key
