"""The graph of a system: who depends on whom, local Jacobians, and their products and sums.

Holds no wording. A Jacobian has one row for each entry of the output and one column for each entry
of the input (numerator layout), so factors stand in the order output ← … ← input.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import sympy as sp

from chainrule.formulas.definitions import System, entries

Matrix: TypeAlias = sp.ImmutableDenseMatrix
MAX_PATHS = 8


@dataclass(frozen=True)
class Factor:
    """∂outputs/∂inputs of one level by the one below, stacked."""

    outputs: tuple[str, ...]
    inputs: tuple[str, ...]
    matrix: Matrix


@dataclass(frozen=True)
class Chain:
    """What the chain rule multiplies and adds.

    reached : every name that the outputs use, each after what it needs.
    active : those among them that lie on a path from an input to an output, both included.
    local : (name, used name) → local Jacobian, for active pairs; one that is all 0 is left out.
    totals : (output, input) → total Jacobian in intermediate variables.
    factors : output first; () where the graph is no chain of levels.
    paths : (output, input) → the paths, output first; None where they are too many to list.
    """

    reached: tuple[str, ...]
    active: tuple[str, ...]
    local: Mapping[tuple[str, str], Matrix]
    totals: Mapping[tuple[str, str], Matrix]
    factors: tuple[Factor, ...]
    paths: Mapping[tuple[str, str], tuple[tuple[str, ...], ...] | None]

    def along(self, path: Sequence[str]) -> Matrix:
        """The product of the local Jacobians along a path."""
        product = self.local[path[0], path[1]]
        for pair in itertools.pairwise(path[1:]):
            product = product * self.local[pair]
        return product

    def parents(self, name: str) -> tuple[str, ...]:
        """The active names that a name uses."""
        return tuple(b for a, b in self.local if a == name)


def follow(
    system: System,
    outputs: Sequence[str],
    inputs: Sequence[str],
    jacobian: Callable[[Sequence[sp.Expr], Sequence[sp.Symbol]], Matrix],
) -> Chain:
    """The chain from `inputs` to `outputs`; `jacobian` differentiates one step."""
    order = [*system.free, *system.values]
    needed = set(outputs)
    for name in reversed(order):
        if name in needed:
            needed |= set(system.needs.get(name, ()))
    reached = tuple(n for n in order if n in needed)
    depends: set[str] = set(inputs) & needed
    local: dict[tuple[str, str], Matrix] = {}
    for name in reached:
        for used in system.needs.get(name, ()):
            if used in depends:
                step = jacobian(entries(system.values[name]), entries(system.symbols[used]))
                if any(e != 0 for e in step):
                    local[name, used] = step
        if any((name, used) in local for used in system.needs.get(name, ())):
            depends.add(name)
    leads: set[str] = set(outputs) & depends
    for name in reversed(reached):
        if name in leads:
            leads |= {used for used in system.needs.get(name, ()) if (name, used) in local}
    active = tuple(n for n in reached if n in leads)
    local = {pair: step for pair, step in local.items() if pair[0] in leads}
    length = {n: len(entries(v)) for n, v in system.symbols.items()}
    totals: dict[tuple[str, str], Matrix] = {}
    for output in outputs:
        adjoint: dict[str, Matrix] = {output: Matrix(sp.eye(length[output]))}
        for name in reversed(active):
            if name not in adjoint:
                continue
            for (a, used), step in local.items():
                if a == name:
                    product = adjoint[name] * step
                    adjoint[used] = adjoint[used] + product if used in adjoint else product
        for i in inputs:
            zero = Matrix(sp.zeros(length[output], length[i]))
            totals[output, i] = adjoint.get(i, zero) if i in depends else zero
    chain = Chain(reached, active, local, totals, (), {})
    paths = {(o, i): _paths(chain, o, i) for o in outputs for i in inputs}
    return Chain(reached, active, local, totals, _levels(chain, outputs, inputs, length), paths)


def _paths(chain: Chain, output: str, target: str) -> tuple[tuple[str, ...], ...] | None:
    counts: dict[str, int] = {target: 1}
    for name in chain.active:
        if name != target:
            counts[name] = sum(counts.get(p, 0) for p in chain.parents(name))
    if counts.get(output, 0) > MAX_PATHS:
        return None
    found: list[tuple[str, ...]] = []
    stack: list[tuple[str, ...]] = [(output,)]
    while stack:
        path = stack.pop()
        if path[-1] == target:
            found += [path] if len(path) > 1 else []
            continue
        stack += [(*path, p) for p in reversed(chain.parents(path[-1])) if counts.get(p)]
    return tuple(found)


def _levels(
    chain: Chain, outputs: Sequence[str], inputs: Sequence[str], length: Mapping[str, int]
) -> tuple[Factor, ...]:
    """The factors of a chain of levels, every edge going one level down; else ()."""
    level = dict.fromkeys(inputs, 0)
    for name in chain.active:
        if name not in level:
            level[name] = 1 + max(level[p] for p in chain.parents(name))
    top = max(level.values())
    layered = (
        top > 0
        and all(i in chain.active for i in inputs)
        and all(level.get(o) == top for o in outputs)
        and sum(k == top for k in level.values()) == len(outputs)
        and all(level[a] == level[b] + 1 for a, b in chain.local)
    )
    if not layered:
        return ()
    factors = []
    for k in range(top, 0, -1):
        above = tuple(outputs) if k == top else tuple(n for n in chain.active if level[n] == k)
        below = tuple(inputs) if k == 1 else tuple(n for n in chain.active if level[n] == k - 1)
        rows = [
            sp.Matrix.hstack(
                *(sp.Matrix(chain.local.get((a, b), sp.zeros(length[a], length[b]))) for b in below)
            )
            for a in above
        ]
        factors.append(Factor(above, below, Matrix(sp.Matrix.vstack(*rows))))
    return tuple(factors)
