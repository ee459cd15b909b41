"""What is claimed: two sides that should be the same derivative, entry by entry. Decides nothing.

The derived side is a `FormulaDerivation`. The claimed side is a formula (`FormulaClaim`) or a NumPy
function of the derivation's variables (`CodeClaim`). Code on both sides is in `claim.pair`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp

from chainrule.derivation import Block, FormulaDerivation, Shape, show_shape
from chainrule.errors import UsageError
from chainrule.formulas.definitions import claimed_value, entries, replacements, shape_of
from chainrule.typeset import text


@dataclass(frozen=True)
class FormulaClaim:
    """A formula said to be ∂output/∂input.

    entries : the claimed entries in the order of the Jacobian's, row by row; () if the shape is
        wrong.
    shape : the claimed shape. layout : in words, where it is not the Jacobian's own.
    defined : under which the claim, as written, is defined.
    """

    name: str
    derivation: FormulaDerivation
    block: Block
    entries: tuple[sp.Expr, ...]
    shape: Shape
    layout: str
    defined: tuple[sp.Basic, ...]

    @property
    def derived(self) -> tuple[sp.Expr, ...]:
        """The derived entries, in intermediate variables."""
        return tuple(self.block.raw)

    @property
    def closing(self) -> dict[sp.Symbol, sp.Expr]:
        """Symbols of intermediate names → their values in the free variables."""
        return replacements(self.derivation.symbols, self.derivation.closed)


@dataclass(frozen=True)
class CodeClaim:
    """A function said to compute one or several blocks.

    blocks : key in the returned mapping (None where the value itself is returned) → block.
    arguments : the names of the derivation that it is called with, in order; by_position : how many
        of them by position, the others by keyword.
    """

    name: str
    derivation: FormulaDerivation
    function: Callable[..., Any]
    blocks: Mapping[str | None, Block]
    arguments: tuple[str, ...]
    by_position: int


def accepted_shapes(block: Block) -> dict[Shape, str]:
    """Shapes in which a derivative may be written, each with its entries in Jacobian order."""
    rows, columns = block.shape
    shapes: dict[Shape, str] = {(rows, columns): ""}
    if block.output_shape == ():
        shapes[block.input_shape] = "" if block.input_shape == () else "as the gradient"
        shapes.setdefault((columns,), "as the gradient")
        shapes.setdefault((columns, 1), "as the gradient, the column J^T")
    if block.input_shape == ():
        shapes[block.output_shape] = ""
        shapes.setdefault((rows,), "")
    if block.output_shape == () and block.input_shape == ():
        shapes[()] = ""
    shapes.setdefault((*block.output_shape, *block.input_shape), "")
    return shapes


def wanted_shapes(block: Block) -> str:
    """The shapes that would be right, for messages."""
    return " or ".join(dict.fromkeys(show_shape(s) for s in accepted_shapes(block)))


def formula_claims(derivation: FormulaDerivation, claimed: Any) -> list[FormulaClaim]:
    """One claim for each block that `claimed` speaks of.

    claimed : a formula for the only block; a matrix for the whole Jacobian; or input → formula.
    """
    if isinstance(claimed, Mapping):
        return [_one(derivation, derivation[key], value) for key, value in claimed.items()]
    if len(derivation.blocks) == 1:
        return [_one(derivation, derivation.only, claimed)]
    value, defined = claimed_value(
        claimed, derivation.symbols, derivation.undefined, derivation.name
    )
    jacobian = derivation.jacobian
    cells = entries(value)
    if len(cells) != len(jacobian) or (
        min(jacobian.shape) > 1 and shape_of(value) != jacobian.shape
    ):
        names = ", ".join(repr(i) for i in derivation.wrt)
        raise UsageError(
            f"{derivation.name} has the shape {show_shape(jacobian.shape)}, the claim has "
            f"{len(cells)} entries; give the whole Jacobian, or a mapping with the keys {names}"
        )
    whole = sp.ImmutableDenseMatrix(*jacobian.shape, cells)
    claims, row = [], 0
    for o in derivation.of:
        column = 0
        for i in derivation.wrt:
            block = derivation.blocks[o, i]
            rows, columns = block.shape
            part = whole[row : row + rows, column : column + columns]
            claims.append(
                FormulaClaim(block.name, derivation, block, tuple(part), block.shape, "", defined)
            )
            column += columns
        row += rows
    return claims


def _one(derivation: FormulaDerivation, block: Block, claimed: Any) -> FormulaClaim:
    name = derivation.name if len(derivation.blocks) == 1 else block.name
    value, defined = claimed_value(claimed, derivation.symbols, derivation.undefined, name)
    shape = shape_of(value)
    accepted = accepted_shapes(block)
    cells = entries(value)
    if len(shape) == 1 and shape not in accepted and (shape[0], 1) in accepted:
        shape = (shape[0], 1)
    fits = shape in accepted and len(cells) == len(block.matrix)
    return FormulaClaim(
        name,
        derivation,
        block,
        tuple(cells) if fits else (),
        shape,
        accepted.get(shape, ""),
        defined,
    )


def shown(claim: FormulaClaim) -> str:
    """The right formula as text, for a correction."""
    return text(claim.block.result)


def code_claim(derivation: FormulaDerivation, function: Any) -> CodeClaim:
    """A function against a derivation; its argument names say what it is called with."""
    if isinstance(function, Mapping):
        raise UsageError("give one function at a time here")
    name = getattr(function, "__name__", type(function).__name__)
    names, by_position = _calling(derivation, function, name)
    blocks: dict[str | None, Block]
    if len(derivation.blocks) == 1:
        blocks = {None: derivation.only}
    elif len(derivation.of) == 1:
        blocks = {i: derivation[i] for i in derivation.wrt}
    else:
        raise UsageError(f"{derivation.name} has several outputs; check them one at a time")
    return CodeClaim(name, derivation, function, blocks, names, by_position)


def _calling(
    derivation: FormulaDerivation, function: Any, name: str
) -> tuple[tuple[str, ...], int]:
    """The variables that a function is called with, and how many of them by position.

    A parameter with a default that is no variable is left alone; what stands behind it goes by
    keyword. One parameter of any name takes the one free variable.
    """
    free = (*derivation.wrt, *derivation.parameters)
    known = tuple(derivation.symbols)
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return free, len(free)
    kinds = {p.kind for p in parameters}
    takes = [
        p
        for p in parameters
        if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        and (p.default is p.empty or p.name in known)
    ]
    if not takes and inspect.Parameter.VAR_POSITIONAL in kinds:
        return free, len(free)
    if not takes and inspect.Parameter.VAR_KEYWORD in kinds:
        return free, 0
    leading = 0
    while leading < len(takes) and takes[leading] is parameters[leading]:
        if takes[leading].kind is inspect.Parameter.KEYWORD_ONLY:
            break
        leading += 1
    if len(takes) == len(free) == leading == 1 and takes[0].name not in known:
        return free, 1
    stray = [p.name for p in takes if p.name not in known]
    stray += [p.name for p in takes[leading:] if p.kind is p.POSITIONAL_ONLY]
    if stray:
        raise UsageError(
            f"{name}({', '.join(p.name for p in parameters)}): the argument "
            f"{stray[0]!r} is no variable of {derivation.name}; "
            f"name its arguments after {', '.join(known)}"
        )
    return tuple(p.name for p in takes), leading
