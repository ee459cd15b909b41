"""The sigmoid network of any widths: by hand in NumPy, derived, and in the frameworks' words.

Every contestant is a function without arguments that gives {place: gradient}; all of them compute
the same numbers, which the table checks before it times anything.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

import chainrule
from chainrule.gallery import network as gallery
from chainrule.gallery.activations import ACTIVATIONS
from chainrule.graph.derivative.adjoint import reverse
from chainrule.graph.lowering.source import program
from chainrule.graph.node import Graph, Node
from chainrule.graph.sizes import Size

Gradients = dict[str, Any]
Contestant = Callable[[], Gradients]


class Problem:
    """A network's widths and its values. values : x, y, W1, b1, …, by place."""

    def __init__(self, widths: tuple[int, ...], samples: int) -> None:
        self.widths, self.samples = widths, samples
        rng = np.random.default_rng(0)
        self.values = {
            "x": rng.standard_normal((widths[0], samples)),
            "y": rng.uniform(size=(widths[-1], samples)),
        }
        for k, (m, n) in enumerate(pairwise(widths), start=1):
            self.values[f"W{k}"] = rng.standard_normal((n, m)) / np.sqrt(m)
            self.values[f"b{k}"] = rng.standard_normal((n, 1))
        self.places = tuple(self.values)[2:]
        self.layers = len(widths) - 1

    @property
    def lists(self) -> tuple[list[Any], list[Any]]:
        """The weights and the biases."""
        ks = range(1, len(self.widths))
        return [self.values[f"W{k}"] for k in ks], [self.values[f"b{k}"] for k in ks]

    def named(self, dWs: list[Any], dbs: list[Any]) -> Gradients:
        """Two lists of gradients, by place."""
        pairs = zip(dWs, dbs, strict=True)
        both = [(f"W{k}", f"b{k}", W, b) for k, (W, b) in enumerate(pairs, start=1)]
        return {name: g for W, b, dW, db in both for name, g in ((W, dW), (b, db))}


def cost(x: Any, y: Any, Ws: Any, bs: Any) -> Any:
    """The model as a person writes it: the function that is traced and derived."""
    a = x
    for W, b in zip(Ws, bs, strict=True):
        z = W @ a + b
        a = 1 / (1 + np.exp(-z))
    return np.sum((a - y) ** 2) / x.shape[1]


# -- by hand ---------------------------------------------------------------------------------------


def by_hand(p: Problem) -> Contestant:
    """Forward and backward pass as a careful person writes them: each exp once, σ′ = a(1 − a)."""
    x, y = p.values["x"], p.values["y"]
    Ws, bs = p.lists

    def gradients() -> Gradients:
        a = [x]
        for W, b in zip(Ws, bs, strict=True):
            a.append(1 / (1 + np.exp(-(W @ a[-1] + b))))
        back = 2 * (a[-1] - y) / x.shape[1]
        dWs, dbs = [], []
        for k in reversed(range(p.layers)):
            delta = back * a[k + 1] * (1 - a[k + 1])
            dWs.append(delta @ a[k].T)
            dbs.append(np.sum(delta, axis=1, keepdims=True))
            if k:
                back = Ws[k].T @ delta
        return p.named(dWs[::-1], dbs[::-1])

    return gradients


def by_gallery(p: Problem) -> Contestant:
    """`chainrule.gallery.network.gradients`, whose σ never overflows."""
    sigmoid = ACTIVATIONS["sigmoid"]
    return lambda: p.named(*gallery.gradients(p.values["x"], p.values["y"], *p.lists, sigmoid))


# -- derived ---------------------------------------------------------------------------------------


def by_graph(p: Problem) -> tuple[dict[str, Node], dict[str, Node]]:
    """The graph of `cost`, written down by hand, and all gradients: (outputs, inputs)."""
    g = Graph({f"n{k}": n for k, n in enumerate(p.widths)} | {"N": p.samples})
    n = [g.axis(f"n{k}", size) for k, size in enumerate(p.widths)]
    N = g.axis("N", p.samples)
    inputs = {"x": g.input("x", (n[0], N)), "y": g.input("y", (n[-1], N))}
    a, one = inputs["x"], g.number(1)
    for k in range(1, len(n)):
        W = inputs[f"W{k}"] = g.input(f"W{k}", (n[k], n[k - 1]))
        b = inputs[f"b{k}"] = g.input(f"b{k}", (n[k], Size.of(1)))
        z = g.add(g.einsum("ij,jk->ik", W, a), b)
        a = g.div(one, g.add(one, g.call("exp", g.neg(z))))
    square = g.sum(g.power(g.sub(a, inputs["y"]), 2), [0, 1])
    of = reverse(g.div(square, g.sized(N)), [inputs[place] for place in p.places]).of
    return {place: of[inputs[place]] for place in p.places}, inputs


Lowering = Callable[[], Contestant]


def graph_derived(p: Problem) -> Lowering:
    """Derives the graph that was written by hand; what it gives lowers the gradients."""
    outputs, inputs = by_graph(p)

    def lowered() -> Contestant:
        run = program(outputs, inputs)
        return lambda: run(p.values)

    return lowered


def code_derived(p: Problem) -> Lowering:
    """Traces and derives `cost` as it stands; what it gives lowers the gradients."""
    Ws, bs = p.lists
    names = {f"{place[0]}s[{int(place[1:]) - 1}]": place for place in p.places}
    at: dict[str, Any] = {"x": p.values["x"], "y": p.values["y"], "Ws": Ws, "bs": bs}
    derivation: Any = chainrule.derive(cost, at=at, wrt=tuple(names))  # type: ignore[call-overload]
    values = {**{name: p.values[place] for name, place in names.items()}, **at}

    def lowered() -> Contestant:
        run = derivation.lower()

        def gradients() -> Gradients:
            found = run(values)
            return {place: found[name] for name, place in names.items()}

        return gradients

    return lowered


@cache
def derived() -> tuple[Callable[[Problem], Lowering], str]:
    """How gradients are derived here, and in words: from the code, if that is possible."""
    try:
        code_derived(Problem((1, 2), 3))()()
    except (chainrule.ChainruleError, ImportError, TypeError, AttributeError) as why:
        return graph_derived, f"a graph written by hand (chainrule.derive: {why})"
    return code_derived, "chainrule.derive of the NumPy function as it stands"


# -- others ----------------------------------------------------------------------------------------


def by_torch(p: Problem) -> Contestant:
    """torch.autograd, float64 on the CPU. Raises ImportError where it is not installed."""
    import torch

    if os.environ.get("OMP_NUM_THREADS") == "1":
        torch.set_num_threads(1)
    t = {k: torch.tensor(v, requires_grad=k not in "xy") for k, v in p.values.items()}
    parameters = [t[place] for place in p.places]

    def gradients() -> Gradients:
        a = t["x"]
        for k in range(1, p.layers + 1):
            a = 1 / (1 + torch.exp(-(t[f"W{k}"] @ a + t[f"b{k}"])))
        value = torch.sum((a - t["y"]) ** 2) / p.samples
        return dict(zip(p.places, torch.autograd.grad(value, parameters), strict=True))

    return gradients


def by_jax(p: Problem) -> Contestant:
    """jax.jit(jax.grad), float64 on the CPU. Raises ImportError where it is not installed."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def model(t: Any) -> Any:
        a = t["x"]
        for k in range(1, p.layers + 1):
            a = 1 / (1 + jnp.exp(-(t[f"W{k}"] @ a + t[f"b{k}"])))
        return jnp.sum((a - t["y"]) ** 2) / p.samples

    compiled = jax.jit(jax.grad(model))
    values = {k: jnp.asarray(v) for k, v in p.values.items()}

    def gradients() -> Gradients:
        found = jax.block_until_ready(compiled(values))
        return {place: found[place] for place in p.places}

    return gradients


def by_autograd(p: Problem) -> Contestant:
    """HIPS autograd. Raises ImportError where it is not installed."""
    import autograd
    import autograd.numpy as anp

    def model(parameters: Any) -> Any:
        a = p.values["x"]
        for k in range(1, p.layers + 1):
            a = 1 / (1 + anp.exp(-(anp.dot(parameters[f"W{k}"], a) + parameters[f"b{k}"])))
        return anp.sum((a - p.values["y"]) ** 2) / p.samples

    slope = autograd.grad(model)
    parameters = {place: p.values[place] for place in p.places}
    return lambda: dict(slope(parameters))


def sympy_seconds(p: Problem) -> float:
    """How long SymPy takes to differentiate the explicit components of the cost, once for each."""
    import time

    import sympy as sp

    shapes = {name: v.shape for name, v in p.values.items()}
    t: dict[str, Any] = {
        name: sp.Matrix(*shape, lambda i, j, name=name: sp.Symbol(f"{name}[{i},{j}]", real=True))
        for name, shape in shapes.items()
    }
    start = time.perf_counter()
    a = t["x"]
    for k in range(1, p.layers + 1):
        z = t[f"W{k}"] * a + sp.Matrix.hstack(*[t[f"b{k}"]] * p.samples)
        a = z.applyfunc(lambda v: 1 / (1 + sp.exp(-v)))
    value = sum(v**2 for v in a - t["y"]) / p.samples
    for place in p.places:
        for symbol in t[place]:
            sp.diff(value, symbol)
    return time.perf_counter() - start
