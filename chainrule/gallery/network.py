"""The dense network of any widths and depth, and its gradients, in plain NumPy.

Columns are samples. With a_0 = x, layer l = 1 … L computes

    z_l = W_l a_{l−1} + b_l        (n_l × N) = (n_l × n_{l−1})(n_{l−1} × N) + (n_l × 1)
    a_l = σ(z_l)                   (n_l × N), entry by entry

Parameters are two lists, Ws = [W_1, …, W_L] and bs = [b_1, …, b_L]. No function here changes what
it is given.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .activations import Activation

Array = NDArray[Any]


def parameters(widths: Sequence[int], rng: np.random.Generator) -> tuple[list[Array], list[Array]]:
    """Weights and biases for the given widths, all drawn from the standard normal distribution.

    widths : n_0, n_1, …, n_L, the input first; L ≥ 1.
    rng : what draws them; the same generator state gives the same parameters.

    Returns Ws, bs with W_l: n_l × n_{l−1} and b_l: n_l × 1.
    Raises ValueError if there are fewer than two widths or one is not positive.

    Source: reset_network of the page, for any widths.

    >>> Ws, bs = parameters([1, 6, 7, 2], np.random.default_rng(0))
    >>> [W.shape for W in Ws], [b.shape for b in bs]
    ([(6, 1), (7, 6), (2, 7)], [(6, 1), (7, 1), (2, 1)])
    """
    ns = [operator.index(n) for n in widths]
    if len(ns) < 2:
        raise ValueError(
            f"widths = {ns} has {len(ns)} entries: give at least two, the input's and the output's"
        )
    if min(ns) < 1:
        raise ValueError(f"widths = {ns} has an entry below 1: give every layer at least 1 neuron")
    Ws: list[Array] = [rng.standard_normal((n, m)) for m, n in pairwise(ns)]
    bs: list[Array] = [rng.standard_normal((n, 1)) for n in ns[1:]]
    return Ws, bs


def forward(
    x: Array, Ws: Sequence[Array], bs: Sequence[Array], activation: Activation
) -> tuple[list[Array], list[Array]]:
    """Everything that the network computes on the way from x to its output.

    x : n_0 × N.  Ws, bs : W_l n_l × n_{l−1}, b_l n_l × 1.

    Returns zs = [z_1, …, z_L] and activations = [a_0, a_1, …, a_L], with a_0 = x itself.
    Raises ValueError if the shapes do not fit.

    Source: network_function of the page, for any depth.

    >>> from chainrule.gallery.activations import ACTIVATIONS
    >>> Ws, bs = parameters([1, 6, 7, 2], np.random.default_rng(0))
    >>> zs, activations = forward(np.ones((1, 5)), Ws, bs, ACTIVATIONS["sigmoid"])
    >>> [z.shape for z in zs], len(activations)
    ([(6, 5), (7, 5), (2, 5)], 4)
    """
    _fit(x, Ws, bs)
    zs: list[Array] = []
    activations: list[Array] = [x]
    for W, b in zip(Ws, bs, strict=True):
        zs.append(W @ activations[-1] + b)
        activations.append(activation.value(zs[-1]))
    return zs, activations


def cost(
    x: Array, y: Array, Ws: Sequence[Array], bs: Sequence[Array], activation: Activation
) -> Any:
    """The squared error of the output, averaged over the samples: C = ‖a_L − y‖² / N.

    x : n_0 × N.  y : n_L × N.  Ws, bs : W_l n_l × n_{l−1}, b_l n_l × 1.

    Returns C, a scalar. Raises ValueError if the shapes do not fit.

    Source: cost of the page. It divides by x.size, which is N only while x has one row.

    >>> from chainrule.gallery.activations import ACTIVATIONS
    >>> W, b = np.array([[2.0]]), np.array([[1.0]])
    >>> x, y = np.array([[0.0, 1.0]]), np.array([[0.0, 0.0]])
    >>> float(cost(x, y, [W], [b], ACTIVATIONS["identity"]))     # (1² + 3²) / 2
    5.0
    """
    _, activations = forward(x, Ws, bs, activation)
    _fit_target(y, activations[-1])
    return np.sum((activations[-1] - y) ** 2) / x.shape[1]


def gradients(
    x: Array, y: Array, Ws: Sequence[Array], bs: Sequence[Array], activation: Activation
) -> tuple[list[Array], list[Array]]:
    """∂C/∂W_l and ∂C/∂b_l of `cost`, by hand: the chain rule from the output to the input.

    δ_L = 2 (a_L − y)/N ⊙ σ′(z_L),   δ_l = (W_{l+1}ᵀ δ_{l+1}) ⊙ σ′(z_l)        (n_l × N)
    ∂C/∂W_l = δ_l a_{l−1}ᵀ,   ∂C/∂b_l = Σ_k δ_l[:, k]

    x : n_0 × N.  y : n_L × N.  Ws, bs : W_l n_l × n_{l−1}, b_l n_l × 1.

    Returns dWs, dbs, each entry in the shape of its parameter.
    Raises ValueError if the shapes do not fit.

    Source: J_W1 … J_b3 of the page, for any depth and in one pass.

    >>> from chainrule.gallery.activations import ACTIVATIONS
    >>> W, b = np.array([[2.0]]), np.array([[1.0]])
    >>> x, y = np.array([[0.0, 1.0]]), np.array([[0.0, 0.0]])
    >>> dWs, dbs = gradients(x, y, [W], [b], ACTIVATIONS["identity"])
    >>> dWs[0].tolist(), dbs[0].tolist()
    ([[3.0]], [[4.0]])
    """
    zs, activations = forward(x, Ws, bs, activation)
    _fit_target(y, activations[-1])
    dWs: list[Array] = []
    dbs: list[Array] = []
    back = 2 * (activations[-1] - y) / x.shape[1]  # ∂C/∂a_L
    for layer in reversed(range(len(Ws))):
        delta = back * activation.slope(zs[layer])  # ∂C/∂z
        dWs.append(delta @ activations[layer].T)
        dbs.append(np.sum(delta, axis=1, keepdims=True))
        back = Ws[layer].T @ delta  # ∂C/∂a of the layer before
    return dWs[::-1], dbs[::-1]


def descend(
    x: Array,
    y: Array,
    Ws: Sequence[Array],
    bs: Sequence[Array],
    activation: Activation,
    rate: float,
    iterations: int,
    record_every: int = 100,
) -> tuple[list[Array], list[Array], list[tuple[int, float]]]:
    """Plain gradient descent: every parameter steps against its gradient, all at the same time.

    W_l ← W_l − rate · ∂C/∂W_l,   b_l ← b_l − rate · ∂C/∂b_l

    x : n_0 × N.  y : n_L × N.  Ws, bs : where to start; they are left as they are.
    rate : the step per unit of gradient (the page calls it aggression, and takes 7).
    iterations : how many steps, ≥ 0.
    record_every : note the cost each so many steps, ≥ 1.

    Returns Ws, bs, history: the parameters after the last step, and pairs (iteration, cost) for
    iteration 0, record_every, 2 record_every, …, and for the last one.
    Raises ValueError if the shapes or the counts make no sense.

    Source: plot_training of the page, less the plot. There W2 steps along a gradient taken after
    W1 has moved; here all gradients are taken at one point.

    >>> from chainrule.gallery.activations import ACTIVATIONS
    >>> Ws, bs = parameters([1, 3, 1], np.random.default_rng(0))
    >>> x = np.linspace(0, 1, 8).reshape(1, 8)
    >>> *_, history = descend(x, x**2, Ws, bs, ACTIVATIONS["sigmoid"], 1.0, 25, record_every=10)
    >>> [iteration for iteration, _ in history], history[-1][1] < history[0][1]
    ([0, 10, 20, 25], True)
    """
    if operator.index(iterations) < 0:
        raise ValueError(f"iterations = {iterations} is negative: give 0 or more")
    if operator.index(record_every) < 1:
        raise ValueError(f"record_every = {record_every} is below 1: give 1 to record every step")
    Ws, bs = list(Ws), list(bs)
    history: list[tuple[int, float]] = []
    for iteration in range(iterations + 1):
        if iteration % record_every == 0 or iteration == iterations:
            history.append((iteration, float(cost(x, y, Ws, bs, activation))))
        if iteration < iterations:
            dWs, dbs = gradients(x, y, Ws, bs, activation)
            Ws = [W - rate * dW for W, dW in zip(Ws, dWs, strict=True)]
            bs = [b - rate * db for b, db in zip(bs, dbs, strict=True)]
    return Ws, bs, history


def _fit(x: Array, Ws: Sequence[Array], bs: Sequence[Array]) -> None:
    # NumPy would broadcast some of these silently, e.g. a bias of shape (n,) over N = n samples.
    if len(Ws) != len(bs) or len(Ws) == 0:
        raise ValueError(
            f"there are {len(Ws)} weight matrices and {len(bs)} biases: "
            "give one of each for every layer, and at least one layer"
        )
    if x.ndim != 2 or x.shape[1] == 0:
        raise ValueError(
            f"x has shape {x.shape}: give it the shape (n0, N), one column for each of N ≥ 1 "
            "samples (one sample v is v.reshape(-1, 1))"
        )
    n = x.shape[0]
    for layer, (W, b) in enumerate(zip(Ws, bs, strict=True), start=1):
        if W.ndim != 2 or W.shape[1] != n:
            turned = W.ndim == 2 and W.shape[0] == n
            raise ValueError(
                f"W{layer} has shape {W.shape}, but it multiplies an array of {n} rows: give it "
                f"the shape (n{layer}, {n})" + (f"; W{layer}.T would fit" if turned else "")
            )
        n = W.shape[0]
        if b.shape != (n, 1):
            raise ValueError(
                f"b{layer} has shape {b.shape}, but W{layer} has {n} rows: give it the shape "
                f"({n}, 1)"
            )


def _fit_target(y: Array, output: Array) -> None:
    if y.shape != output.shape:
        raise ValueError(
            f"y has shape {y.shape}, but the network's output has shape {output.shape}: give "
            "both the same, one column per sample"
        )
