"""Whole checks of a network's gradients, ours and others', as calls that can be timed in turn.

The code under check is the same for all: `cost` and `gradients`, NumPy by hand. What only compares
needs the model written a second time, in a framework's words; what takes differences does not.
A contestant is a call, and the part of the whole work that the call does: slow ones do a share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import chainrule as cr
from tests.benchmarks import networks
from tests.benchmarks.networks import Problem, cost


@dataclass(frozen=True)
class Check:
    """A call that raises AssertionError for a wrong gradient. share : of the work it stands for."""

    call: Callable[[], Any]
    share: float = 1.0
    slow: bool = False


def gradients(x: Any, y: Any, Ws: Any, bs: Any) -> tuple[Any, ...]:
    """The backward pass as a person writes it: each exp once, σ′ = a(1 − a)."""
    a = [x]
    for W, b in zip(Ws, bs, strict=True):
        a.append(1 / (1 + np.exp(-(W @ a[-1] + b))))
    back = 2 * (a[-1] - y) / x.shape[1]
    dWs, dbs = [], []
    for k in reversed(range(len(Ws))):
        delta = back * a[k + 1] * (1 - a[k + 1])
        dWs.append(delta @ a[k].T)
        dbs.append(np.sum(delta, axis=1, keepdims=True))
        if k:
            back = Ws[k].T @ delta
    return (*dWs[::-1], *dbs[::-1])


def places(p: Problem) -> tuple[str, ...]:
    """What `gradients` returns, in its order."""
    ks = range(p.layers)
    return (*(f"Ws[{k}]" for k in ks), *(f"bs[{k}]" for k in ks))


def point(p: Problem) -> dict[str, Any]:
    Ws, bs = p.lists
    return {"x": p.values["x"], "y": p.values["y"], "Ws": Ws, "bs": bs}


def claim(p: Problem) -> cr.Claim:
    return cr.Claim(cost, gradients, wrt=places(p))


def first(p: Problem) -> Check:
    """The first verdict: derivation, proof, points, and the float64 code."""

    def call() -> None:
        verdict = claim(p).check(at=point(p))
        assert verdict.ok and verdict.status == "proved", str(verdict)

    return Check(call)


def again(p: Problem) -> Check:
    """The same claim at another point: what was proved is kept."""
    one, at = claim(p), point(p)
    one.check(at=at)
    moved = [{**at, "x": at["x"] + step} for step in (0.25, 0.5)]
    count = iter(range(10**9))

    def call() -> None:
        verdict = one.check(at=moved[next(count) % 2])
        assert verdict.ok and verdict.status == "proved", str(verdict)

    return Check(call)


def by_hand(p: Problem) -> Check:
    """The unit: one forward and one backward pass."""
    at = point(p)
    return Check(lambda: gradients(**at))


def _compared(make: Callable[[Problem], networks.Contestant], p: Problem) -> Check:
    theirs, at = make(p), point(p)
    keys = [f"{n}{k}" for n in "Wb" for k in range(1, p.layers + 1)]

    def call() -> None:
        found = theirs()
        for key, mine in zip(keys, gradients(**at), strict=True):
            assert np.allclose(mine, np.asarray(found[key]), rtol=1e-8, atol=1e-12), key

    return Check(call)


def in_torch(p: Problem) -> Check:
    return _compared(networks.by_torch, p)


def in_jax(p: Problem) -> Check:
    return _compared(networks.by_jax, p)


def in_autograd(p: Problem) -> Check:
    return _compared(networks.by_autograd, p)


def _flat(p: Problem) -> tuple[np.ndarray, Callable[[np.ndarray], dict[str, Any]]]:
    """All parameters in one vector, and back."""
    Ws, bs = p.lists
    shapes = [v.shape for v in (*Ws, *bs)]
    ends = np.cumsum([int(np.prod(s)) for s in shapes])

    def held(v: np.ndarray) -> dict[str, Any]:
        parts = [c.reshape(s) for c, s in zip(np.split(v, ends[:-1]), shapes, strict=True)]
        return {**point(p), "Ws": parts[: p.layers], "bs": parts[p.layers :]}

    return np.concatenate([v.reshape(-1) for v in (*Ws, *bs)]), held


def _one_vector(p: Problem) -> tuple[Any, Any, np.ndarray]:
    start, held = _flat(p)

    def value(v: np.ndarray) -> float:
        return float(cost(**held(v)))

    def slope(v: np.ndarray) -> np.ndarray:
        return np.concatenate([g.reshape(-1) for g in gradients(**held(v))])

    return value, slope, start


def by_scipy(p: Problem) -> Check:
    """`scipy.optimize.check_grad` in one random direction: a number for a person to judge."""
    from scipy.optimize import check_grad

    value, slope, start = _one_vector(p)
    return Check(lambda: check_grad(value, slope, start, direction="random", rng=0))


def differences(p: Problem, entries: int = 24) -> Check:
    """Central differences of every parameter; a share of them."""
    value, slope, start = _one_vector(p)

    def call() -> None:
        derivative = slope(start)
        for k in np.linspace(0, start.size - 1, entries).astype(int):
            step = np.zeros_like(start)
            step[k] = 1e-5
            told = (value(start + step) - value(start - step)) / 2e-5
            assert abs(told - derivative[k]) <= 1e-5 + 1e-3 * abs(told)

    return Check(call, min(1.0, entries / start.size), slow=True)


def _torch_function(p: Problem) -> tuple[Any, Any]:
    """The NumPy code as a function of torch's, of one vector; and the vector."""
    import torch

    value, slope, start = _one_vector(p)

    class Cost(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, v: Any) -> Any:
            ctx.save_for_backward(v)
            return torch.tensor(value(v.detach().numpy()), dtype=torch.float64)

        @staticmethod
        def backward(ctx: Any, *seed: Any) -> Any:
            (v,) = ctx.saved_tensors
            return seed[0] * torch.from_numpy(slope(v.detach().numpy()))

    return Cost.apply, torch.tensor(start, requires_grad=True)


def torch_fast(p: Problem) -> Check:
    """torch's `gradcheck(fast_mode=True)` of the NumPy code."""
    import torch

    function, start = _torch_function(p)
    return Check(
        lambda: torch.autograd.gradcheck(
            function, (start,), fast_mode=True, atol=1e-4, rtol=1e-2, nondet_tol=1e-9
        )
    )


def torch_slow(p: Problem, entries: int = 24) -> Check:
    """torch's `gradcheck`, every parameter; a share of them, the others held."""
    import torch

    function, start = _torch_function(p)
    entries = min(entries, start.numel())
    rest = start.detach()

    def some(part: Any) -> Any:
        return function(torch.cat([part, rest[entries:]]))

    part = rest[:entries].clone().requires_grad_()
    return Check(
        lambda: torch.autograd.gradcheck(some, (part,), atol=1e-4, rtol=1e-2, nondet_tol=1e-9),
        entries / start.numel(),
        slow=True,
    )


def by_jax(p: Problem) -> Check:
    """`jax.test_util.check_grads`, reverse mode, first order, of the NumPy code by callbacks."""
    import jax
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)
    value, slope, start = _one_vector(p)
    scalar = jax.ShapeDtypeStruct((), np.float64)
    vector = jax.ShapeDtypeStruct(start.shape, np.float64)

    @jax.custom_vjp
    def function(v: Any) -> Any:
        return jax.pure_callback(lambda a: np.float64(value(np.asarray(a))), scalar, v)

    def backward(v: Any, seed: Any) -> Any:
        return (seed * jax.pure_callback(lambda a: slope(np.asarray(a)), vector, v),)

    function.defvjp(lambda v: (function(v), v), backward)
    return Check(
        lambda: check_grads(function, (start,), order=1, modes=["rev"], atol=1e-3, rtol=1e-3)
    )


def by_autograd(p: Problem) -> Check:
    """HIPS `check_grads`, reverse mode, first order, of the NumPy code as a primitive."""
    from autograd.extend import defvjp, primitive
    from autograd.test_util import check_grads

    value, slope, start = _one_vector(p)
    function = primitive(value)
    defvjp(function, lambda answer, v: lambda seed: seed * slope(np.asarray(v)))
    return Check(lambda: check_grads(function, modes=["rev"], order=1)(start))


def _openmdao(p: Problem, directional: bool, entries: int) -> Check:
    import io

    import openmdao.api as om

    value, slope, start = _one_vector(p)
    free = start.size if directional else min(entries, start.size)

    class Cost(om.ExplicitComponent):  # type: ignore[misc]
        def setup(self) -> None:
            self.add_input("v", val=start[:free])
            self.add_output("cost", val=0.0)
            self.declare_partials("cost", "v")
            if directional:
                self.set_check_partial_options("v", directional=True)

        def whole(self, v: np.ndarray) -> np.ndarray:
            return np.concatenate([v, start[free:]])

        def compute(self, inputs: Any, outputs: Any) -> None:
            outputs["cost"] = value(self.whole(inputs["v"]))

        def compute_partials(self, inputs: Any, partials: Any) -> None:
            partials["cost", "v"] = slope(self.whole(inputs["v"]))[:free]

    problem = om.Problem(reports=False)
    problem.model.add_subsystem("net", Cost())
    problem.setup(force_alloc_complex=False)
    problem.run_model()
    return Check(
        lambda: problem.check_partials(out_stream=io.StringIO()),
        free / start.size,
        slow=not directional,
    )


def openmdao_directional(p: Problem) -> Check:
    """OpenMDAO's `check_partials` in one random direction."""
    return _openmdao(p, True, 0)


def openmdao(p: Problem, entries: int = 24) -> Check:
    """OpenMDAO's `check_partials` of every parameter; a share of them, the others held."""
    return _openmdao(p, False, entries)


#: name → how it is made for a problem, or why it is not there.
CONTESTANTS: Mapping[str, Callable[[Problem], Check]] = {
    "by hand, forward and backward": by_hand,
    "chainrule, first verdict": first,
    "chainrule, same claim, new point": again,
    "rewritten in torch, compared": in_torch,
    "rewritten in JAX, compared": in_jax,
    "rewritten in HIPS autograd, compared": in_autograd,
    "scipy check_grad, one direction": by_scipy,
    "OpenMDAO check_partials, one direction": openmdao_directional,
    "torch gradcheck, fast": torch_fast,
    "HIPS check_grads": by_autograd,
    "JAX check_grads": by_jax,
    "torch gradcheck, slow": torch_slow,
    "OpenMDAO check_partials": openmdao,
    "central differences": differences,
}
