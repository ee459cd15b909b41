"""Derivatives of random graphs against torch and SymPy: `python -m tests.differential`.

Draws graphs over all primitives and functions until so many partial derivatives were compared:
adjoints of every node, Jacobians, tangents and Hessian-vector products against torch, a share of
the gradients against `sympy.diff` of explicit components. Prints counts for each operation and the
disagreements; the exit code is 1 if there is one, or if an operation was never drawn.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from engines import exact, run_sympy, run_torch
from random_graphs import Drawn, draw

from chainrule.graph.derivative.adjoint import jacobian, reverse
from chainrule.graph.derivative.tangent import forward, hvp
from chainrule.graph.node import DEFINED, PRIMITIVES, Node, reached
from chainrule.values.float64 import evaluate

OPS = (*PRIMITIVES, *DEFINED)
#: Of the largest number that meets in a comparison; float64 has 2.2e-16.
SHARP = 1e-10


@dataclass
class Disagreement:
    """Two numbers that should be one. what : which derivative; engine : who says otherwise."""

    what: str
    engine: str
    ours: Any
    theirs: Any
    graph: list[Node]

    def __str__(self) -> str:
        nodes = "\n".join(f"    {n!r} {n.params if n.op == 'const' else ''}" for n in self.graph)
        numbers = f"  ours {self.ours}\n  theirs {self.theirs}"
        return f"{self.what} against {self.engine}:\n{numbers}\n{nodes}"


@dataclass
class Tally:
    """What was compared. partials : by operation, and by engine and kind of derivative."""

    by_op: Counter[str] = field(default_factory=Counter)
    by_kind: Counter[str] = field(default_factory=Counter)
    graphs: int = 0
    total: int = 0
    wrong: list[Disagreement] = field(default_factory=list)

    def compare(
        self, what: str, engine: str, ours: Any, theirs: Any, graph: Iterable[Node]
    ) -> None:
        """One array of partial derivatives; its scale is its largest entry, or 1."""
        ours, theirs, graph = np.asarray(ours), np.asarray(theirs), list(graph)
        self.total += theirs.size
        self.by_kind[f"{engine}: {what}"] += theirs.size
        for op in sorted({n.op for n in graph}):
            self.by_op[op] += theirs.size
        scale = max(1.0, float(np.max(np.abs(theirs), initial=0.0)))
        if ours.shape != theirs.shape or not (np.abs(ours - theirs) <= SHARP * scale).all():
            self.wrong.append(Disagreement(what, engine, ours, theirs, graph))


def plain(tensor: Any, shape: tuple[int, ...]) -> np.ndarray:
    """torch's derivative as an array; None is zero."""
    return np.zeros(shape) if tensor is None else tensor.detach().numpy(force=True)


def against_torch(d: Drawn, output: Node, tally: Tally) -> None:
    """Adjoints of all nodes, the Jacobian, a tangent and Hessian-vector products."""
    import torch

    g, graph = d.g, list(reached([output]))
    inputs = [n for n in d.inputs if n in graph]
    if not inputs:
        return
    tensors = {n.params[0]: d.values[n].clone().requires_grad_() for n in inputs}
    known = run_torch([output], tensors, d.env)
    weights = torch.tensor(d.random_array(output.number_shape))
    w = g.input("w", output.shape)
    total = g.contract([range(output.ndim)] * 2, (), w, output)
    loss = (weights * known[output]).sum()
    vs = [g.input(f"v{k}", x.shape) for k, x in enumerate(inputs)]
    given = {n.params[0]: np.asarray(d.values[n]) for n in inputs}
    given["w"] = weights.numpy()
    directions = [d.random_array(v.number_shape) for v in vs]
    given.update({v.params[0]: a for v, a in zip(vs, directions, strict=True)})
    adjoints = reverse(total, inputs).of
    small = np.prod(output.number_shape) * max(np.prod(x.number_shape) for x in inputs) <= 64
    jacobians = [jacobian(output, x) for x in inputs] if small else []
    dot = forward([output], dict(zip(inputs, vs, strict=True)))[0]
    products = hvp(total, inputs, vs)
    asked = [n for n in graph if n in adjoints and n.kind == "f"]
    outs = [*(adjoints[n] for n in asked), *jacobians, *products, *([dot] if dot else [])]
    values = iter(evaluate(outs, given, d.env))

    live = [n for n in asked if known[n].requires_grad]
    if loss.requires_grad:
        theirs = torch.autograd.grad(
            loss, [known[n] for n in live], create_graph=True, allow_unused=True
        )
    else:
        theirs = tuple(None for _ in live)
    found = dict(zip(live, theirs, strict=True))
    for n in asked:
        tally.compare("adjoints", "torch", next(values), plain(found.get(n), n.number_shape), graph)
    for x, _ in zip(inputs, jacobians, strict=False):
        rows = []
        for entry in known[output].reshape(-1):
            row = None
            if entry.requires_grad:
                row = torch.autograd.grad(
                    entry, tensors[x.params[0]], retain_graph=True, allow_unused=True
                )[0]
            rows.append(plain(row, x.number_shape))
        shape = (*output.number_shape, *x.number_shape)
        full = np.array(rows).reshape(shape)
        tally.compare("Jacobians", "torch", next(values), full, graph)
    leaves = [tensors[x.params[0]] for x in inputs]
    seconds = _hessian_products(leaves, directions, [found.get(x) for x in inputs])
    for t, x in zip(seconds, inputs, strict=True):
        tally.compare(
            "Hessian-vector products", "torch", next(values), plain(t, x.number_shape), graph
        )
    t = plain(_tangent(known[output], leaves, directions), output.number_shape)
    tally.compare("tangents", "torch", next(values) if dot else np.zeros(t.shape), t, graph)


def _hessian_products(leaves: list[Any], directions: list[Any], gradients: list[Any]) -> list[Any]:
    import torch

    pairs = [(t, v) for t, v in zip(gradients, directions, strict=True) if t is not None]
    pairs = [(t, v) for t, v in pairs if t.requires_grad]
    if not pairs:
        return [None for _ in leaves]
    inner = sum((t * torch.tensor(v)).sum() for t, v in pairs)
    return list(torch.autograd.grad(inner, leaves, allow_unused=True, retain_graph=True))


def _tangent(output: Any, xs: list[Any], directions: list[Any]) -> Any:
    """J·v by two passes back: the derivative of Jᵀu with respect to u."""
    import torch

    u = torch.zeros_like(output, requires_grad=True)
    if not output.requires_grad:
        return None
    back = torch.autograd.grad(output, xs, u, create_graph=True, allow_unused=True)
    inner = [
        (b * torch.tensor(v)).sum() for b, v in zip(back, directions, strict=True) if b is not None
    ]
    total = sum(i for i in inner if i.requires_grad)
    if not isinstance(total, torch.Tensor):
        return None
    return torch.autograd.grad(total, u, allow_unused=True)[0]


def against_sympy(d: Drawn, output: Node, tally: Tally, most: int = 120) -> bool:
    """The gradient of one component by `sympy.diff`; False where its formula is too long."""
    import sympy

    graph = list(reached([output]))
    inputs = [n for n in d.inputs if n in graph]
    entries = int(np.prod(output.number_shape))
    if not inputs or not entries or len(graph) > 40:
        return False
    symbols, point = {}, {}
    for n in inputs:
        value = np.asarray(d.values[n])
        names = [sympy.Symbol(f"{n.params[0]}_{k}", real=True) for k in range(value.size)]
        array = np.empty(value.size, dtype=object)
        array[:] = names
        symbols[n.params[0]] = array.reshape(value.shape)
        point.update(zip(names, map(exact, value.reshape(-1).tolist()), strict=True))
    at = {n: d.at(n) for n in graph}
    entry = d.rnd.randrange(entries)
    f = run_sympy(output, symbols, d.env, at).reshape(-1)[entry]
    if not isinstance(f, sympy.Expr) or f.count_ops() > most:
        return False
    seed = np.zeros(output.number_shape)
    seed.reshape(-1)[entry] = 1.0
    w = d.g.input("w", output.shape)
    adjoints = reverse(d.g.contract([range(output.ndim)] * 2, (), w, output), inputs).of
    given = {n.params[0]: np.asarray(d.values[n]) for n in inputs} | {"w": seed}
    ours = evaluate([adjoints[n] for n in inputs], given, d.env)
    for n, mine in zip(inputs, ours, strict=True):
        names = list(symbols[n.params[0]].reshape(-1))
        slopes = [sympy.diff(f, name) for name in names]
        compute = sympy.lambdify(list(point), slopes, "mpmath", cse=True)
        theirs = [float(v) for v in compute(*map(_mpf, point.values()))]
        tally.compare("gradients", "SymPy", mine.reshape(-1), np.array(theirs), graph)
    return True


def _mpf(value: Any) -> Any:
    import mpmath

    return mpmath.mpf(int(value.p)) / int(value.q)


def graphs(seed: int, ops: tuple[str, ...] = OPS) -> Iterator[tuple[Drawn, Node]]:
    """Graphs without end, each from its own number."""
    for k in range(sys.maxsize):
        rnd = random.Random(f"{seed}/{k}")
        d, output, _ = draw(rnd, ops, rnd.randint(1, 7))
        yield d, output


def compare(partials: int, seed: int, share: float = 0.15) -> Tally:
    """Draws and compares until so many partial derivatives are done. share : also to SymPy."""
    tally = Tally()
    for d, output in graphs(seed):
        if tally.total >= partials:
            return tally
        tally.graphs += 1
        against_torch(d, output, tally)
        if d.rnd.random() < share:
            against_sympy(d, output, tally)
    return tally


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--partials", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    start = time.perf_counter()
    tally = compare(given.partials, given.seed)
    rows = sorted(tally.by_op.items(), key=lambda row: (-row[1], row[0]))
    for name, count in [*tally.by_kind.most_common(), ("", 0), *rows]:
        print(f"{name:34} {count:>9,}" if name else "")
    never = sorted(set(OPS) - tally.by_op.keys())
    seconds = time.perf_counter() - start
    print(f"\nnever drawn: {', '.join(never) or 'none'}")
    for wrong in tally.wrong[:10]:
        print(f"\n{wrong}")
    print(
        f"\n{tally.total:,} partial derivatives of {tally.graphs:,} graphs in {seconds:.0f} s: "
        f"{len(tally.wrong)} disagreements"
    )
    return 1 if tally.wrong or never else 0


if __name__ == "__main__":
    sys.exit(main())
