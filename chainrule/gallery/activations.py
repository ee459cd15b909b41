"""Activations and their slopes, written to hold for every finite float64.

Two rules shape the formulas below.

* Nothing overflows: `exp` only ever sees −|z| or min(z, 0), so that all that can happen is an
  underflow to 0, which is right.
* Where it can be had there is no branch and no comparison, so that the same lines run on object
  arrays: NumPy calls the elements' own `.exp()`, `.tanh()`, `.log1p()`, `.expm1()`, `abs()`.
  Exact numbers (balls, jets) have those, while their comparisons may well refuse to answer. Only
  relu and leaky relu compare, because they *are* a comparison. min and max with 0 are therefore
  (z ∓ |z|)/2, halved first: z − |z| would overflow for z below −9e307.

The exact GELU is not here: it needs erf, which NumPy does not have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Activation:
    """A function σ of one real number, applied entry by entry, and its derivative.

    name : its key in `ACTIVATIONS`.
    value : z ↦ σ(z), any shape.
    slope : z ↦ σ′(z), the same shape; at a kink, the slope on the left.
    formula : σ(z) as text, the plain formula of the textbooks (which may overflow in float64).

    >>> tanh = ACTIVATIONS["tanh"]
    >>> float(tanh.value(np.array(0.0))), float(tanh.slope(np.array(0.0)))
    (0.0, 1.0)
    """

    name: str
    value: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    formula: str


def _positive_part(z: Array) -> Array:
    # max(z, 0) without a comparison; exact, because halving and doubling are.
    return 0.5 * z + 0.5 * np.abs(z)


def _negative_part(z: Array) -> Array:
    # min(z, 0), likewise.
    return 0.5 * z - 0.5 * np.abs(z)


def _logistic(z: Array) -> Array:
    # σ(z) to a few ulp of itself, also where it is tiny: exp(min(z, 0)) is 1 on the right and
    # exp(z) on the left, the two usual branches in one line. (1 + tanh(z/2))/2 would do without
    # |z|, but is 0 below z ≈ −37.
    return np.exp(_negative_part(z)) / (1.0 + np.exp(-np.abs(z)))


def _sigmoid_slope(z: Array) -> Array:
    # Not s(1 − s), which is 0 at z = 40 where the truth is 4.2e-18, and not exp(−z)/(exp(−z)+1)²,
    # which is inf/inf at z = −800. σ′ is even, so −|z| may stand for −z.
    e = np.exp(-np.abs(z))
    return e / (1.0 + e) ** 2


def _tanh(z: Array) -> Array:
    return np.tanh(z)


def _tanh_slope(z: Array) -> Array:
    # sech²z = (2e/(1 + e²))², e = exp(−|z|). Not 1 − tanh², which cancels; not 1/cosh², which
    # overflows; and not exp(−2|z|), in which 2|z| may overflow.
    e = np.exp(-np.abs(z))
    return (2.0 * e / (1.0 + e * e)) ** 2


def _relu(z: Array) -> Array:
    return np.maximum(z, 0.0)


def _relu_slope(z: Array) -> Array:
    return np.where(z > 0, 1.0, 0.0)


def _leaky_relu(z: Array) -> Array:
    return np.maximum(z, 0.01 * z)


def _leaky_relu_slope(z: Array) -> Array:
    return np.where(z > 0, 1.0, 0.01)


def _softplus(z: Array) -> Array:
    # log(1 + exp(z)) = max(z, 0) + log(1 + exp(−|z|)); log1p keeps the tail on the left.
    return _positive_part(z) + np.log1p(np.exp(-np.abs(z)))


def _swish(z: Array) -> Array:
    return z * _logistic(z)


def _swish_slope(z: Array) -> Array:
    slope: Array = _logistic(z) + z * _sigmoid_slope(z)
    return slope


def _elu(z: Array) -> Array:
    # z on the right, exp(z) − 1 on the left; expm1 keeps what is near 0.
    return _positive_part(z) + np.expm1(_negative_part(z))


def _elu_slope(z: Array) -> Array:
    # 1 on the right and exp(z) on the left is exp(min(z, 0)): ELU with α = 1 has no kink.
    return np.exp(_negative_part(z))


def _arctan(z: Array) -> Array:
    return np.arctan(z)


def _arctan_slope(z: Array) -> Array:
    # 1/(1 + z²) overflows beyond 1e154. Divide by (1 + |z|)² above and below, with
    # u = 1/(1 + |z|): then u + |z|u = 1, and the denominator stays between 1/2 and 1.
    u = 1.0 / (1.0 + np.abs(z))
    return u**2 / (u**2 + (z * u) ** 2)


def _softsign(z: Array) -> Array:
    return z / (1.0 + np.abs(z))


def _softsign_slope(z: Array) -> Array:
    # Divide first: the square of 1 + |z| would overflow.
    return (1.0 / (1.0 + np.abs(z))) ** 2


def _identity(z: Array) -> Array:
    # A new array, as from all the others: who changes a must not change z.
    return 1.0 * z


def _identity_slope(z: Array) -> Array:
    return np.ones_like(z)


ACTIVATIONS: Mapping[str, Activation] = MappingProxyType(
    {
        row.name: row
        for row in (
            Activation("sigmoid", _logistic, _sigmoid_slope, "1/(1 + exp(-z))"),
            Activation("tanh", _tanh, _tanh_slope, "tanh(z)"),
            Activation("relu", _relu, _relu_slope, "max(z, 0)"),
            Activation("leaky_relu", _leaky_relu, _leaky_relu_slope, "max(z, z/100)"),
            Activation("softplus", _softplus, _logistic, "log(1 + exp(z))"),
            Activation("swish", _swish, _swish_slope, "z/(1 + exp(-z))"),
            Activation("elu", _elu, _elu_slope, "max(z, 0) + exp(-max(-z, 0)) - 1"),
            Activation("arctan", _arctan, _arctan_slope, "atan(z)"),
            Activation("softsign", _softsign, _softsign_slope, "z/(1 + abs(z))"),
            Activation("identity", _identity, _identity_slope, "z"),
        )
    }
)
