"""Seconds for a first verdict with its proof: deep, residual, and the page from a cold start."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import numpy as np

import chainrule as cr
from tests.benchmarks.checking import claim, point
from tests.benchmarks.networks import Problem

#: What a new process does: the lecture's network, its six Jacobians as they stand.
COLD = """
import numpy as np
import chainrule as cr
from chainrule.gallery import lecture
x = np.linspace(0, 1, 9)[None]
y = np.concatenate([np.sin(3 * x), np.cos(2 * x)])
names = ("W1", "b1", "W2", "b2", "W3", "b3")
claimed = {n: getattr(lecture, f"J_{n}") for n in names}
verdict = cr.check(lecture.cost, claimed, at={"x": x, "y": y})
shapes = {f.scope.shapes.split(":")[0] for f in verdict.findings.values()}
print(len(verdict.findings), verdict.status, ", ".join(sorted(shapes)))
"""


def residual_cost(x: Any, y: Any, Ws: Any, Vs: Any) -> Any:
    """Blocks a + V tanh(W a)."""
    a = x
    for W, V in zip(Ws, Vs, strict=True):
        a = a + V @ np.tanh(W @ a)
    return np.sum((a - y) ** 2) / x.shape[1]


def residual_gradients(x: Any, y: Any, Ws: Any, Vs: Any) -> tuple[Any, ...]:
    """By hand: what comes through the block, and what comes past it."""
    a, t = [x], []
    for W, V in zip(Ws, Vs, strict=True):
        t.append(np.tanh(W @ a[-1]))
        a.append(a[-1] + V @ t[-1])
    d = 2 * (a[-1] - y) / x.shape[1]
    dWs, dVs = [], []
    for k in reversed(range(len(Ws))):
        dVs.append(d @ t[k].T)
        inner = (Vs[k].T @ d) * (1 - t[k] ** 2)
        dWs.append(inner @ a[k].T)
        d = d + Ws[k].T @ inner
    return (*dWs[::-1], *dVs[::-1])


def _timed(one: cr.Claim, at: dict[str, Any]) -> tuple[float, str]:
    start = time.perf_counter()
    verdict = one.check(at=at)
    seconds = time.perf_counter() - start
    shapes = {f.scope.shapes.split(":")[0] for f in verdict.findings.values()}
    return seconds, f"{len(verdict.findings)} {verdict.status}, {', '.join(sorted(shapes))}"


def deep(layers: int) -> tuple[float, str]:
    """Sigmoid layers, all widths different."""
    p = Problem(tuple(range(3, layers + 4)), 5)
    return _timed(claim(p), point(p))


def residual(blocks: int) -> tuple[float, str]:
    rng = np.random.default_rng(0)
    Ws = [rng.standard_normal((5, 4)) / 2 for _ in range(blocks)]
    Vs = [rng.standard_normal((4, 5)) / 2 for _ in range(blocks)]
    names = (*(f"Ws[{k}]" for k in range(blocks)), *(f"Vs[{k}]" for k in range(blocks)))
    at = {"x": rng.standard_normal((4, 7)), "y": rng.standard_normal((4, 7)), "Ws": Ws, "Vs": Vs}
    return _timed(cr.Claim(residual_cost, residual_gradients, wrt=names), at)


def cold() -> tuple[float, str]:
    """A new process: imports, derivation, proof, printing."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", COLD], capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    return seconds, done.stdout.strip() or done.stderr.strip().splitlines()[-1]
