"""A dense network's gradients as products of SymPy's local Jacobians.

    ∂C/∂W⁽ˡ⁾ = Σ over samples  ∂C/∂a⁽ᴸ⁾ · ∂a⁽ᴸ⁾/∂z⁽ᴸ⁾ · ∂z⁽ᴸ⁾/∂a⁽ᴸ⁻¹⁾ ⋯ ∂z⁽ˡ⁾/∂W⁽ˡ⁾

Each local Jacobian is derived once for its shape by `derive`, explicit entry by entry; they are
evaluated at a sample (in balls, or lambdified in float64) and multiplied as matrices. Components of
the whole network are never written out: that takes minutes. Shares nothing with the gallery.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import flint
import numpy as np
import sympy as sp
from flint import arb

from chainrule.derivation import FormulaDerivation
from chainrule.errors import ShapeError
from chainrule.formulas import derive
from chainrule.formulas.definitions import entries
from chainrule.graph.lower import lower
from chainrule.values.ball import exact
from chainrule.values.enclose import enclose


@lru_cache(maxsize=512)
def linear(m: int, n: int) -> FormulaDerivation:
    """z = W a + b, W (m×n): ∂z/∂W (m×mn), ∂z/∂a (m×n), ∂z/∂b (m×m)."""
    return derive(
        {"z": "W @ a + b"}, of="z", wrt=("W", "a", "b"), shapes={"W": (m, n), "a": n, "b": m}
    )


@lru_cache(maxsize=512)
def activation(formula: str, m: int) -> FormulaDerivation:
    """a = σ(z) entry by entry, σ given as a formula in z: ∂a/∂z (m×m), diagonal."""
    return derive({"a": formula}, of="a", wrt="z", shapes={"z": m})


@lru_cache(maxsize=512)
def cost(m: int) -> FormulaDerivation:
    """C_k = ‖a − y‖²/N for one sample: ∂C_k/∂a (1×m)."""
    return derive({"C": "sum((a - y)**2)/N"}, of="C", wrt="a", shapes={"a": m, "y": m})


@lru_cache(maxsize=1024)
def _lowered(derivation: FormulaDerivation, key: tuple[str, str]) -> Any:
    """A block of local values, and the symbols that it takes, in order."""
    names = (*derivation.wrt, *derivation.parameters)
    symbols = [s for n in names for s in entries(derivation.symbols[n])]
    return lower(list(derivation.blocks[key].matrix), symbols), symbols


@dataclass(frozen=True)
class Gradients:
    """name ("W1", "b1", …) → entries, in the parameter's shape."""

    exact: Mapping[str, np.ndarray]  # of arb
    shapes: Mapping[str, tuple[int, int]]

    def floats(self, name: str) -> np.ndarray:
        """The nearest float64 values."""
        return np.array([float(v.mid()) for v in self.exact[name].flat]).reshape(self.shapes[name])


class Network:
    """The derived side: widths n_0 … n_L, an activation as a formula in z."""

    def __init__(self, widths: Sequence[int], formula: str) -> None:
        self.widths = tuple(widths)
        self.formula = formula

    @cached_property
    def depth(self) -> int:
        return len(self.widths) - 1

    def names(self) -> list[str]:
        """W1 … WL, b1 … bL."""
        return [f"{k}{layer}" for k in "Wb" for layer in range(1, self.depth + 1)]

    def shapes(self) -> dict[str, tuple[int, int]]:
        """Parameter name → its shape."""
        out: dict[str, tuple[int, int]] = {}
        for layer in range(1, self.depth + 1):
            out[f"W{layer}"] = (self.widths[layer], self.widths[layer - 1])
            out[f"b{layer}"] = (self.widths[layer], 1)
        return out

    def gradients(
        self,
        x: np.ndarray,
        y: np.ndarray,
        Ws: Sequence[np.ndarray],
        bs: Sequence[np.ndarray],
        ulps: int = 0,
    ) -> Gradients:
        """Certified gradients at exact float64 inputs, at the precision in force.

        x : n_0 × N. y : n_L × N. Ws : n_l × n_{l−1}. bs : n_l × 1.
        ulps : how many units in the last place each input may be off, either way.
        """
        self._fit(x, y, Ws, bs)
        weights = [_balls(W, ulps) for W in Ws]
        biases = [_balls(b, ulps) for b in bs]
        samples = x.shape[1]
        total: dict[str, flint.arb_mat] = {}
        for k in range(samples):
            columns = _balls(x[:, k : k + 1], ulps), _balls(y[:, k : k + 1], ulps)
            for name, row in self._sample(*columns, weights, biases, samples).items():
                total[name] = total[name] + row if name in total else row
        shapes = self.shapes()
        return Gradients(
            {
                n: np.array([*total[n].entries(), None], dtype=object)[:-1].reshape(shape)
                for n, shape in shapes.items()
            },
            shapes,
        )

    def _sample(
        self,
        a: list[arb],
        y: list[arb],
        weights: list[list[arb]],
        biases: list[list[arb]],
        samples: int,
    ) -> dict[str, Any]:
        """The rows ∂C_k/∂W, ∂C_k/∂b of one sample."""
        layers = []
        for layer in range(1, self.depth + 1):
            m, n = self.widths[layer], self.widths[layer - 1]
            step = linear(m, n)
            at = _bind(step, {"W": weights[layer - 1], "a": a, "b": biases[layer - 1]})
            z = [enclose(e, at) for e in entries(step.local["z"])]
            squash = activation(self.formula, m)
            at_z = _bind(squash, {"z": z})
            layers.append((step, at, squash, at_z))
            a = [enclose(e, at_z) for e in entries(squash.local["a"])]
        last = cost(self.widths[-1])
        at_cost = _bind(last, {"a": a, "y": y, "N": [arb(samples)]})
        row = _matrix(last, ("C", "a"), at_cost)
        out: dict[str, Any] = {}
        for layer in range(self.depth, 0, -1):
            step, at, squash, at_z = layers[layer - 1]
            row = row * _matrix(squash, ("a", "z"), at_z)
            out[f"W{layer}"] = row * _matrix(step, ("z", "W"), at)
            out[f"b{layer}"] = row * _matrix(step, ("z", "b"), at)
            row = row * _matrix(step, ("z", "a"), at)
        return out

    def lambdified(
        self, x: np.ndarray, y: np.ndarray, Ws: Sequence[np.ndarray], bs: Sequence[np.ndarray]
    ) -> dict[str, np.ndarray]:
        """The same product in float64, from lambdified local Jacobians."""
        self._fit(x, y, Ws, bs)
        samples = x.shape[1]
        out = {name: np.zeros(shape) for name, shape in self.shapes().items()}
        for k in range(samples):
            a = x[:, k]
            rows = []
            for layer in range(1, self.depth + 1):
                W, b = Ws[layer - 1], bs[layer - 1][:, 0]
                z = W @ a + b
                rows.append((W, a, b, z))
                a = _values(activation(self.formula, len(z)), "a", z)
            adjoint = _numbers(cost(len(a)), ("C", "a"), a, y[:, k], [samples])
            for layer in range(self.depth, 0, -1):
                W, before, b, z = rows[layer - 1]
                adjoint = adjoint @ _numbers(activation(self.formula, len(z)), ("a", "z"), z)
                step = linear(*W.shape)
                given = (W.reshape(-1), before, b)
                out[f"W{layer}"] += (adjoint @ _numbers(step, ("z", "W"), *given)).reshape(W.shape)
                out[f"b{layer}"] += (adjoint @ _numbers(step, ("z", "b"), *given)).reshape(-1, 1)
                adjoint = adjoint @ _numbers(step, ("z", "a"), *given)
        return out

    def _fit(
        self, x: np.ndarray, y: np.ndarray, Ws: Sequence[np.ndarray], bs: Sequence[np.ndarray]
    ) -> None:
        wanted = self.shapes()
        given = {f"W{k}": W for k, W in enumerate(Ws, 1)} | {
            f"b{k}": b for k, b in enumerate(bs, 1)
        }
        given |= {"x": x, "y": y}
        wanted |= {"x": (self.widths[0], x.shape[-1]), "y": (self.widths[-1], x.shape[-1])}
        for name, shape in wanted.items():
            if name not in given or given[name].shape != shape:
                got = given[name].shape if name in given else "nothing"
                raise ShapeError(f"{name} must have the shape {shape} and has {got}")


def _balls(a: Any, ulps: int = 0) -> list[arb]:
    values = np.asarray(a, dtype=float).reshape(-1).tolist()
    return [arb(exact(v).mid(), ulps * math.ulp(v)) if ulps else exact(v) for v in values]


def _bind(derivation: FormulaDerivation, values: Mapping[str, list[arb]]) -> dict[sp.Symbol, arb]:
    return {
        s: v
        for name, given in values.items()
        if name in derivation.symbols
        for s, v in zip(entries(derivation.symbols[name]), given, strict=True)
    }


def _matrix(
    derivation: FormulaDerivation, key: tuple[str, str], at: Mapping[sp.Symbol, arb]
) -> Any:
    """A local Jacobian in balls."""
    matrix = derivation.blocks[key].matrix
    zero = arb(0)
    cells = [zero if e == 0 else enclose(e, at) for e in matrix]
    return flint.arb_mat(matrix.rows, matrix.cols, cells)


def _numbers(derivation: FormulaDerivation, key: tuple[str, str], *given: Any) -> np.ndarray:
    """A local Jacobian in float64; the values in the order of the derivation's variables."""
    function, _ = _lowered(derivation, key)
    values = function(*np.concatenate([np.asarray(g, dtype=float).reshape(-1) for g in given]))
    return np.array(values).reshape(derivation.blocks[key].matrix.shape)


@lru_cache(maxsize=512)
def _lowered_local(derivation: FormulaDerivation, name: str) -> Any:
    symbols = [s for n in derivation.wrt for s in entries(derivation.symbols[n])]
    return lower(entries(derivation.local[name]), symbols)


def _values(derivation: FormulaDerivation, name: str, given: np.ndarray) -> np.ndarray:
    return np.array(_lowered_local(derivation, name)(*given))
