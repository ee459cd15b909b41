"""The network 1-n1-n2-2 with its six Jacobians, in the style of the page: code as people write it.

The weights are module globals, every Jacobian runs the network again and repeats the lines of the
one above it, and σ′ is the textbook formula. All of that is on purpose: this module is an object
under test, code as it stands. `network` is how one would write it.

Known, and kept: `d_sigma` is right as a formula, and overflows in float64 for z below about −709.8,
where exp(−z) is inf and inf/inf is nan (from −354.9 on its square is inf, and the result 0 in
place of 6.7e-155 and less); `cost` divides by x.size, the number of samples only
because x has one row.

Source: the page's section "backpropagation practice".
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# The parameters: W1 (n1 × 1), b1 (n1 × 1), W2 (n2 × n1), b2 (n2 × 1), W3 (2 × n2), b3 (2 × 1).
W1: Array
W2: Array
W3: Array
b1: Array
b2: Array
b3: Array


def sigma(z: Array) -> Array:
    """The sigmoid, σ(z) = 1/(1 + exp(−z)), entry by entry.

    >>> float(sigma(np.array(0.0)))
    0.5
    """
    return 1 / (1 + np.exp(-z))


def d_sigma(z: Array) -> Any:
    """Its derivative, σ′(z) = exp(−z)/(exp(−z) + 1)², entry by entry; nan for z below −709.8.

    >>> float(d_sigma(np.array(0.0)))
    0.25
    """
    return np.exp(-z) / (np.exp(-z) + 1) ** 2


def reset_network(n1: int = 6, n2: int = 7, random: np.random.Generator | None = None) -> None:
    """Draw new weights and biases, and forget the old ones.

    n1, n2 : the widths of the two hidden layers.
    random : what draws them; None takes a new generator, with other numbers each time.

    >>> reset_network(n1=3, random=np.random.default_rng(1))
    >>> [v.shape for v in network_function(np.zeros((1, 5)))]
    [(1, 5), (3, 5), (3, 5), (7, 5), (7, 5), (2, 5), (2, 5)]
    >>> reset_network(random=np.random.default_rng(0))
    """
    global W1, W2, W3, b1, b2, b3
    random = np.random.default_rng() if random is None else random
    W1 = random.standard_normal((n1, 1))
    W2 = random.standard_normal((n2, n1))
    W3 = random.standard_normal((2, n2))
    b1 = random.standard_normal((n1, 1))
    b2 = random.standard_normal((n2, 1))
    b3 = random.standard_normal((2, 1))


def network_function(a0: Array) -> tuple[Array, Array, Array, Array, Array, Array, Array]:
    """All activations and weighted sums for the inputs a0 (1 × N): a0, z1, a1, z2, a2, z3, a3.

    >>> [v.shape for v in network_function(np.zeros((1, 5)))][-1]
    (2, 5)
    """
    z1 = W1 @ a0 + b1
    a1 = sigma(z1)
    z2 = W2 @ a1 + b2
    a2 = sigma(z2)
    z3 = W3 @ a2 + b3
    a3 = sigma(z3)
    return a0, z1, a1, z2, a2, z3, a3


def cost(x: Array, y: Array) -> Any:
    """The squared error per sample, C = ‖a3 − y‖²/N, for x (1 × N) and y (2 × N)."""
    return np.linalg.norm(network_function(x)[-1] - y) ** 2 / x.size


def J_W3(x: Array, y: Array) -> Any:
    """∂C/∂W3 (2 × n2) = ∂C/∂a3 · ∂a3/∂z3 · ∂z3/∂W3."""
    _a0, _z1, _a1, _z2, a2, z3, a3 = network_function(x)
    J = 2 * (a3 - y) / x.size
    J = J * d_sigma(z3)
    J = J @ a2.T
    return J


def J_b3(x: Array, y: Array) -> Any:
    """∂C/∂b3 (2 × 1): as for W3, but ∂z3/∂b3 = 1, so only the sum over the samples is left."""
    _a0, _z1, _a1, _z2, _a2, z3, a3 = network_function(x)
    J = 2 * (a3 - y) / x.size
    J = J * d_sigma(z3)
    J = np.sum(J, axis=1, keepdims=True)
    return J


def J_W2(x: Array, y: Array) -> Any:
    """∂C/∂W2 (n2 × n1) = ∂C/∂a3 · (∂a3/∂a2) · ∂a2/∂z2 · ∂z2/∂W2."""
    _a0, _z1, a1, z2, _a2, z3, a3 = network_function(x)
    J = 2 * (a3 - y) / x.size
    # ∂a3/∂a2 = σ′(z3) W3
    J = J * d_sigma(z3)
    J = (J.T @ W3).T
    J = J * d_sigma(z2)
    J = J @ a1.T
    return J


def J_b2(x: Array, y: Array) -> Any:
    """∂C/∂b2 (n2 × 1) = ∂C/∂a3 · (∂a3/∂a2) · ∂a2/∂z2, summed over the samples."""
    _a0, _z1, _a1, z2, _a2, z3, a3 = network_function(x)
    J = 2 * (a3 - y) / x.size
    J = J * d_sigma(z3)
    J = (J.T @ W3).T
    J = J * d_sigma(z2)
    J = np.sum(J, axis=1, keepdims=True)
    return J


def J_W1(x: Array, y: Array) -> Any:
    """∂C/∂W1 (n1 × 1) = ∂C/∂a3 · (∂a3/∂a2 · ∂a2/∂a1) · ∂a1/∂z1 · ∂z1/∂W1."""
    a0, z1, _a1, z2, _a2, z3, a3 = network_function(x)
    J = 2 * (a3 - y) / x.size
    J = J * d_sigma(z3)
    J = (J.T @ W3).T
    # ∂a2/∂a1 = σ′(z2) W2
    J = J * d_sigma(z2)
    J = (J.T @ W2).T
    J = J * d_sigma(z1)
    J = J @ a0.T
    return J


def J_b1(x: Array, y: Array) -> Any:
    """∂C/∂b1 (n1 × 1) = ∂C/∂a3 · (∂a3/∂a2 · ∂a2/∂a1) · ∂a1/∂z1, summed over the samples."""
    _a0, z1, _a1, z2, _a2, z3, a3 = network_function(x)
    J = 2 * (a3 - y) / x.size
    J = J * d_sigma(z3)
    J = (J.T @ W3).T
    J = J * d_sigma(z2)
    J = (J.T @ W2).T
    J = J * d_sigma(z1)
    J = np.sum(J, axis=1, keepdims=True)
    return J


# So that the functions above work at once, and alike on every import.
reset_network(random=np.random.default_rng(0))
