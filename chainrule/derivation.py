"""A derivative and the way to it: frozen data. Derives nothing and prints no page.

`Derivation` holds the blocks (output × input), each a Jacobian with its shape, and the steps that
a careful person writes down. Imports nothing of chainrule but `errors`; its methods `check`,
`evaluate` and `lower` reach the rooms that do the work when they are called, not before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import sympy as sp

from chainrule.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import ArrayLike

    from chainrule.verdict import Verdict

Shape = tuple[int, ...]


def show_shape(shape: Shape) -> str:
    """A shape as it is read: ``(2×3)``, ``scalar``.

    >>> show_shape((2, 3)), show_shape(())
    ('(2×3)', 'scalar')
    """
    return f"({'×'.join(str(n) for n in shape)})" if shape else "scalar"


@dataclass(frozen=True)
class Line:
    """One line of a step: LaTeX for pages, text for a terminal, and a remark in words."""

    latex: str
    text: str
    note: str = ""


@dataclass(frozen=True)
class Step:
    """One step of a derivation, as a careful person writes it down.

    kind : definitions, partials, product, paths, substitution, simplification, conditions,
        second route, remark.
    title : a few words. says : a sentence. lines : the formulas.
    """

    kind: str
    title: str
    says: str = ""
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Block:
    """∂output/∂input as a Jacobian: one row for each entry of the output, one column for each
    entry of the input (row-major where they are matrices). Numerator layout.

    matrix : the Jacobian in the inputs. raw : the same, in intermediate variables, as the chain
        rule gives it.
    output_shape, input_shape : () for a scalar, (n,) for a vector, (m, n) for a matrix.
    """

    output: str
    input: str
    matrix: sp.ImmutableDenseMatrix
    raw: sp.ImmutableDenseMatrix
    output_shape: Shape = ()
    input_shape: Shape = ()

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the Jacobian."""
        return (int(self.matrix.rows), int(self.matrix.cols))

    @property
    def result(self) -> sp.Expr | sp.ImmutableDenseMatrix:
        """The derivative in the input's own shape where the output is a scalar, else the
        Jacobian; an expression where both are scalars."""
        if self.output_shape == () and self.input_shape == ():
            return self.matrix[0, 0]
        if self.output_shape == () and len(self.input_shape) == 2:
            return sp.ImmutableDenseMatrix(*self.input_shape, list(self.matrix))
        return self.matrix

    @property
    def gradient(self) -> sp.ImmutableDenseMatrix:
        """The column J^T."""
        return self.matrix.T

    @property
    def name(self) -> str:
        """``df/dt`` for one scalar input of one scalar, else ``∂f/∂x``."""
        return f"∂{self.output}/∂{self.input}"


@dataclass(frozen=True, eq=False)
class Derivation:
    """A derivative with the way to it. Made by `chainrule.derive`; frozen, equal only to itself.

    of, wrt : the names of outputs and inputs, in order.
    blocks : (output, input) → its derivative: a `Block` of a formula, a `CodeBlock` of code.
    steps : what a careful person writes down.
    """

    of: tuple[str, ...]
    wrt: tuple[str, ...]
    blocks: Mapping[tuple[str, str], Any]
    steps: tuple[Step, ...]

    @property
    def source(self) -> str:
        """NumPy that computes it, where it is the derivative of code; else empty."""
        return ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "blocks", MappingProxyType(dict(self.blocks)))

    @property
    def name(self) -> str:
        """``∂f/∂x``, of all outputs and all inputs."""
        group = [
            names[0] if len(names) == 1 else f"({', '.join(names)})"
            for names in (self.of, self.wrt)
        ]
        return f"∂{group[0]}/∂{group[1]}"

    @property
    def only(self) -> Any:
        """The one block of a derivation of one output by one input."""
        if len(self.blocks) != 1:
            raise UsageError(
                f"{self.name} has {len(self.blocks)} blocks; say which, as in d[{self.wrt[0]!r}]"
            )
        return next(iter(self.blocks.values()))

    def __getitem__(self, key: str | tuple[str, str]) -> Any:
        """The block of an input (one output), or of (output, input)."""
        pair = (self.of[0], key) if isinstance(key, str) and len(self.of) == 1 else key
        if pair not in self.blocks:
            known = ", ".join(repr(i if len(self.of) == 1 else (o, i)) for o, i in self.blocks)
            raise UsageError(f"{self.name} has no block {key!r}; it has {known}")
        return self.blocks[pair]  # type: ignore[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.blocks.values())

    def check(self, claimed: Any) -> Verdict:
        """Whether `claimed` is the derivative: as `chainrule.check(self, claimed)`."""
        from chainrule.corridor import check

        this: Any = self
        verdict: Verdict = check(this, claimed)
        return verdict

    def __str__(self) -> str:
        out: list[str] = []
        for number, step in enumerate(self.steps, 1):
            out.append(f"{number}. {step.title}")
            if step.says:
                out.append(f"   {step.says}")
            for line in step.lines:
                text = line.text.replace("\n", "\n     ")
                note = line.note if line.note.startswith("(") else f"({line.note})"
                out.append(f"     {text}" + (f"   {note}" if line.note else ""))
        return "\n".join(out)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """In a notebook: every step, typeset."""
        parts: list[str] = []
        for number, step in enumerate(self.steps, 1):
            parts.append(f"**{number}. {step.title}**" + (f" {step.says}" if step.says else ""))
            parts += [
                f"$$\\displaystyle {line.latex}$$" + (f" {line.note}" if line.note else "")
                for line in step.lines
            ]
        return {"text/plain": str(self), "text/markdown": "\n\n".join(parts)}


@dataclass(frozen=True, eq=False)
class FormulaDerivation(Derivation):
    """The derivative of formulas.

    factors : the Jacobians whose product the derivative is, left to right, where the graph is a
        chain of levels; else ().
    conditions : SymPy relations in the inputs, under which all of it holds.
    parameters : names of free variables that are not differentiated by.
    symbols : name → its SymPy value (a symbol, a column of symbols or a matrix of them), for the
        free variables and for the intermediate ones.
    local : defined name → its value in the symbols of others, each after those that it uses.
    closed : defined name → its value in the free variables alone, where that stays readable.
    undefined : names of undefined functions.

    >>> import chainrule as cr
    >>> d = cr.derive({"f": "5*x", "x": "1 - u", "u": "t**2"}, of="f", wrt="t")
    >>> d.result
    -10*t
    >>> [factor.shape for factor in d.factors]
    [(1, 1), (1, 1), (1, 1)]
    """

    blocks: Mapping[tuple[str, str], Block]
    factors: tuple[sp.ImmutableDenseMatrix, ...]
    conditions: tuple[sp.Basic, ...]
    parameters: tuple[str, ...]
    symbols: Mapping[str, sp.Expr | sp.ImmutableDenseMatrix]
    local: Mapping[str, sp.Expr | sp.ImmutableDenseMatrix]
    closed: Mapping[str, sp.Expr | sp.ImmutableDenseMatrix]
    undefined: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("blocks", "symbols", "local", "closed"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __reduce__(self) -> tuple[Any, ...]:
        values = [getattr(self, name) for name in self.__dataclass_fields__]
        return FormulaDerivation, tuple(dict(v) if isinstance(v, Mapping) else v for v in values)

    @property
    def name(self) -> str:
        """``df/dt``; ``∂f/∂(x, y)`` with several inputs."""
        if len(self.of) == 1 and len(self.wrt) == 1:
            block = next(iter(self.blocks.values()))
            total = block.input_shape == () and not self.parameters
            return f"d{block.output}/d{block.input}" if total else block.name
        return super().name

    @property
    def jacobian(self) -> sp.ImmutableDenseMatrix:
        """All outputs (rows) by all inputs (columns), numerator layout."""
        rows = [sp.Matrix.hstack(*(self.blocks[o, i].matrix for i in self.wrt)) for o in self.of]
        return sp.ImmutableDenseMatrix(sp.Matrix.vstack(*rows))

    @property
    def gradient(self) -> sp.ImmutableDenseMatrix:
        """The column J^T."""
        return self.jacobian.T

    @property
    def result(self) -> sp.Expr | sp.ImmutableDenseMatrix:
        """The derivative: an expression for one scalar by one scalar, else a matrix."""
        return self.only.result if len(self.blocks) == 1 else self.jacobian

    @property
    def latex(self) -> str:
        """The result as LaTeX, without its left side."""
        from chainrule.typeset import latex, letters

        return latex(self.result, letters(self.symbols))

    def evaluate(self, **values: ArrayLike) -> np.ndarray | float:
        """The derivative at a point, correctly rounded to float64.

        values : one keyword for each free variable, in its shape; a float stands for exactly the
            number it is, a Fraction or a SymPy rational likewise.

        Returns a float where `result` is an expression, else an array of the result's shape.
        Raises UsageError for a missing or unknown name or a wrong shape; DefinitionError where
        the derivative is not defined at the point.
        """
        from chainrule.values.evaluate import evaluate

        return evaluate(self, values)

    def lower(self) -> Callable[..., np.ndarray]:
        """The derivative as a NumPy function of its free variables, by keyword (`lambdify`)."""
        from chainrule.graph.lower import lower_derivation

        return lower_derivation(self)

    def __repr__(self) -> str:
        return f"<Derivation {self.name} = {self.result}>"
