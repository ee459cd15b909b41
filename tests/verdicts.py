"""False proofs and false refutations, looked for: `python tests/verdicts.py --verdicts 100000`.

Random graphs are derived; a claim is the derivative rewritten by true laws, or with a near miss
planted (`rewritings`). The rungs are asked directly: the normal form for every size, the signature
at these sizes, and balls at two precisions. Who is right is decided by torch: autograd of the graph
against the claim, in float64, at points where a change in the last place of the inputs moves
neither by 1e-14 of the largest entry, and at other sizes. A refutation where torch sees no
difference above 1e-12 is decided by SymPy on components, in 40 digits; where that fails the balls
are believed, and it is counted.

A share goes through the whole `check`, as NumPy source. Prints counts; the exit code is 1 on a
false proof or a false refutation. `--only GRAPH` repeats one graph.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from engines import exact, run_sympy, run_torch
from random_graphs import Drawn, draw
from rewritings import MISSES, TRUE, rewritten

from chainrule.errors import ChainruleError
from chainrule.evidence.signature import signature
from chainrule.graph.derivative.adjoint import reverse
from chainrule.graph.lowering.source import source
from chainrule.graph.node import DEFINED, PRIMITIVES, Node, reached
from chainrule.proof import prove_all
from chainrule.values.ball import precision
from chainrule.values.certified import holed
from chainrule.values.entries import first_hole

OPS = (*PRIMITIVES, *DEFINED)
MOST = 40  # nodes of a derivative: long ones cost most of the time and show no more
#: Term products of a proof: of most graphs, and of one in eight; less is only more "undecided".
BUDGET, AMPLE = 600, 10_000
BITS = (160, 320)
SWITCHES = ("select", "less", "equal", "reduce_max", "floor", "abs", "sign", "maximum", "minimum")
SAME, CALM = 1e-12, 1e-14  # of the largest entry
SMALL = 1e-3  # of the largest number met on the way: a derivative that is 0 is not its rounding
Point = dict[str, np.ndarray]


@dataclass
class Claim:
    """A node said to be a derivative. how : the rules by which it was written."""

    node: Node
    how: str
    planted: bool
    here: bool | None = None
    everywhere: bool | None = None
    proved: bool = False
    signed: bool = False
    refuted: Point | None = None


@dataclass
class Tally:
    """What came of it. wrong : enough to repeat it."""

    by: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    graphs: int = 0
    claims: int = 0
    checks: int = 0
    ties: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


# -- who is right ----------------------------------------------------------------------------------


def torch_values(
    loss: Node, x: Node, claims: Sequence[Node], at: Point, sizes: Mapping[str, int]
) -> tuple[np.ndarray, list[np.ndarray], float]:
    """torch's derivative of the loss, what it makes of the claims, and the largest number met."""
    import torch

    tensors = {n: torch.tensor(v, requires_grad=n == x.params[0]) for n, v in at.items()}
    value = run_torch([loss], tensors, sizes)[loss]
    shape = at[x.params[0]].shape
    found = None
    if value.requires_grad:
        (found,) = torch.autograd.grad(value, tensors[x.params[0]], allow_unused=True)
    truth = np.zeros(shape) if found is None else found.numpy(force=True)
    if not np.isfinite(value.detach().numpy()).all():
        truth = np.full(shape, np.nan)
    with torch.no_grad():
        known = run_torch(claims, {n: t.detach() for n, t in tensors.items()}, sizes)
        values = [np.asarray(known[c].numpy(force=True), float) for c in claims]
        met = max(
            float(v.abs().max()) for v in known.values() if v.numel() and v.dtype.is_floating_point
        )
    return truth, values, met


def judged(
    loss: Node, x: Node, claims: Sequence[Node], points: Sequence[Point], sizes: Mapping[str, int]
) -> list[bool | None]:
    """Whether each claim is the derivative as far as torch sees; None if it cannot be told."""
    apart, alike = [False] * len(claims), [0] * len(claims)
    for k, at in enumerate(points):
        noise = np.random.default_rng(k)
        near = {n: v * (1 + 2.0**-52 * noise.choice([-1, 1], v.shape)) for n, v in at.items()}
        try:
            truth, values, met = torch_values(loss, x, claims, at, sizes)
            other, moved, _ = torch_values(loss, x, claims, near, sizes)
        except (RuntimeError, TypeError, ValueError, IndexError, ZeroDivisionError):
            continue
        scale = max(float(np.max(np.abs(truth), initial=0.0)), SMALL * met)
        if not np.isfinite(truth).all() or not truth.size or scale > 1e100:
            continue
        if np.max(np.abs(truth - other)) > CALM * scale:
            continue
        for i, (value, again) in enumerate(zip(values, moved, strict=True)):
            size = max(scale, 1e-200)
            if value.shape != truth.shape or not np.isfinite(value).all():
                continue
            if np.max(np.abs(value - again)) > CALM * max(size, float(np.max(np.abs(value)))):
                continue
            apart[i] |= bool(np.max(np.abs(value - truth)) > SAME * size)
            alike[i] += 1
    return [False if a else True if n else None for a, n in zip(apart, alike, strict=True)]


def by_sympy(derived: Node, claim: Node, at: Point, sizes: Mapping[str, int]) -> bool | None:
    """Whether two nodes differ at a point, in 40 digits; None if SymPy cannot say."""
    import sympy

    symbols = {}
    for name, value in at.items():
        array = np.empty(value.size, dtype=object)
        array[:] = [exact(v) for v in value.reshape(-1).tolist()]
        symbols[name] = array.reshape(value.shape)
    try:
        import torch

        tensors = {n: torch.tensor(v) for n, v in at.items()}
        numbers = run_torch([derived, claim], tensors, sizes)
        floats = {n: np.asarray(v) for n, v in numbers.items()}
        a, b = (run_sympy(n, symbols, sizes, floats).reshape(-1) for n in (derived, claim))
        gaps = [sympy.N(p - q, 40, maxn=400) for p, q in zip(a, b, strict=True)]
        return any(bool(abs(g) > sympy.Float("1e-30")) for g in gaps)
    except Exception:  # it may fail at anything
        return None


# -- the rungs -------------------------------------------------------------------------------------


def prove(derived: Node, claims: Sequence[Claim], sizes: Mapping[str, int], seed: str) -> None:
    """The normal form and the signature."""
    budget = BUDGET if random.Random(seed).randrange(8) else AMPLE
    switches = any(n.op in SWITCHES for n in reached([derived, *(c.node for c in claims)]))
    for apart in (False, True) if switches else (False,):
        left = [c for c in claims if not c.proved]
        pairs = [(derived, c.node) for c in left]
        for c, p in zip(left, prove_all(pairs, apart=apart, budget=budget), strict=True):
            c.proved = p.equal
        left = [c for c in claims if not c.signed]
        pairs = [(derived, c.node) for c in left]
        for c, t in zip(left, signature(pairs, sizes, seed=seed, apart=apart), strict=True):
            c.signed = t.equal


def refute(derived: Node, claims: Sequence[Claim], at: Point, sizes: Mapping[str, int]) -> None:
    """Claims whose enclosures are disjoint from the derived ones, at both precisions."""
    apart: list[Any] = [True] * len(claims)
    for bits in BITS:
        with precision(bits):
            try:
                truth, *found = holed([derived, *(c.node for c in claims)], at, sizes)
            except ChainruleError:
                return
            if first_hole(truth) is not None:
                return
            for k, array in enumerate(found):
                if first_hole(array) is not None:
                    apart[k] = False
                    continue
                differ = [not a.overlaps(b) for a, b in zip(truth.flat, array.flat, strict=True)]
                apart[k] = apart[k] & np.array(differ, dtype=bool)
    for c, gap in zip(claims, apart, strict=True):
        if np.any(gap) and c.refuted is None:
            c.refuted = at


# -- drawing ---------------------------------------------------------------------------------------


def points(d: Drawn, inputs: Sequence[Node], sizes: Mapping[str, int], same: bool) -> list[Point]:
    """Near the point of the drawing, where it is defined, and anywhere."""
    shapes = {n.params[0]: tuple(s.at(sizes) for s in n.shape) for n in inputs}
    free = [{n: d.random_array(s) for n, s in shapes.items()} for _ in range(3)]
    if not same:
        return free
    base = {n.params[0]: np.array(d.values[n]) if n in d.values else None for n in inputs}
    base = {n: d.random_array(shapes[n]) if v is None else v for n, v in base.items()}
    near = {n: np.round(v * (1 + d.noise.uniform(-0.02, 0.02, v.shape)) * 2**15) / 2**15
            for n, v in base.items()}  # fmt: skip
    return [base, near, {n: -v for n, v in base.items()}, *free]


def other_sizes(d: Drawn) -> dict[str, int] | None:
    """Other sizes of the axes that are free; None if none is."""
    g = d.g
    free = [a for a in d.env if a not in g.axes]
    return (
        {a: n + 1 + d.rnd.randrange(2) if a in free else n for a, n in d.env.items()}
        if free
        else None
    )


def claims_of(derived: Node, rnd: random.Random, each: int) -> list[Claim]:
    """The derivative written in other ways, and near misses of it."""
    found: dict[Node, Claim] = {}
    for k in range(2 * each):
        node, how, planted = derived, [], k % 2 == 1
        for _ in range(rnd.choice([1, 1, 2, 3])):
            new = rewritten(node, TRUE, rnd)
            if new is not None:
                how.append(new[0])
                node = new[1]
        if planted:
            new = rewritten(node if rnd.random() < 0.5 else derived, MISSES, rnd)
            if new is None:
                continue
            how.append(new[0])
            node = new[1]
        if node is not derived and how:
            found.setdefault(node, Claim(node, " + ".join(how), planted))
    return list(found.values())


def one_graph(k: int, seed: int, each: int, share: float, folder: Path, tally: Tally) -> None:
    """All that is asked of one graph."""
    rnd = random.Random(f"{seed}/{k}")
    d, output, _ = draw(rnd, OPS, rnd.randint(1, 4), empty=False)
    graph = list(reached([output]))
    inputs = [n for n in d.inputs if n in graph]
    if not inputs or not np.prod(output.number_shape):
        return
    weights = d.g.input("w", output.shape)
    loss = d.g.contract([range(output.ndim)] * 2, (), weights, output)
    x = rnd.choice(inputs)
    derived = reverse(loss, [x]).of[x]
    if len(list(reached([derived]))) > MOST:
        return
    try:
        claims = claims_of(derived, rnd, each)
    except ChainruleError:
        return
    if not claims:
        return
    tally.graphs += 1
    d.env = {**d.env}
    nodes = [c.node for c in claims]
    every = [*inputs, weights]
    here = points(d, every, d.env, True)
    for c, told in zip(claims, judged(loss, x, nodes, here, d.env), strict=True):
        c.here = c.everywhere = told
    elsewhere = other_sizes(d)
    if elsewhere:
        try:
            there = points(d, every, elsewhere, False)
            for c, told in zip(claims, judged(loss, x, nodes, there, elsewhere), strict=True):
                c.everywhere = False if told is False else c.everywhere
        except (ChainruleError, ValueError, IndexError):
            pass
    prove(derived, claims, d.env, f"{seed}/{k}")
    for at in here[:3]:
        refute(derived, claims, at, d.env)
    for c in claims:
        record(c, derived, d, f"--seed {seed} --only {k}: {c.how}", tally)
    if rnd.random() < share:
        chosen = rnd.choice(claims)
        whole_check(chosen, loss, x, every, here[0], folder, f"claim_{seed}_{k}", tally)


def record(c: Claim, derived: Node, d: Drawn, label: str, tally: Tally) -> None:
    """Counts one claim's answers, and says which of them are false."""
    tally.claims += 1
    for rule in c.how.split(" + "):
        tally.rules[rule] += 1
    truth = c.here
    if c.refuted is not None and truth is not False:
        differ = by_sympy(derived, c.node, c.refuted, d.env)
        tally.ties["SymPy" if differ is not None else "balls"] += 1
        if differ is not None:
            truth = not differ
        elif c.planted:
            truth = False
    said = [s for s, is_so in (("normal form", c.proved), ("signature", c.signed)) if is_so]
    answer = "proved" if said else "refuted" if c.refuted is not None else "undecided"
    kind = {True: "true", False: "false", None: "untold"}[truth]
    tally.by[f"{kind}: {answer}"] += 1
    for name in said:
        tally.by[f"{kind}: by the {name}"] += 1
    if c.refuted is not None and truth is True:
        tally.wrong.append(f"FALSE REFUTATION {label} at {c.refuted}")
    if c.refuted is not None and not c.planted and truth is not True:
        tally.wrong.append(f"REFUTED, and only rewritten: {label} at {c.refuted}")
    if c.signed and truth is False:
        tally.wrong.append(f"FALSE PROOF by the signature: {label}")
    if c.proved and (truth is False or c.everywhere is False):
        tally.wrong.append(f"FALSE PROOF by the normal form: {label}")
    if said and c.refuted is not None:
        tally.wrong.append(f"PROVED AND REFUTED {label} at {c.refuted}")
    if not c.planted and c.here is False:
        tally.wrong.append(f"torch says that a true rewriting is none: {label}")


# -- the whole check -------------------------------------------------------------------------------


def whole_check(
    c: Claim,
    loss: Node,
    x: Node,
    inputs: Sequence[Node],
    at: Point,
    folder: Path,
    name: str,
    tally: Tally,
) -> None:
    """The claim as NumPy source, through `check`."""
    import chainrule as cr

    named = {n.params[0]: n for n in inputs}
    try:
        texts = [
            source({"loss": loss}, named, {}, "forward"),
            source({x.params[0]: c.node}, named, {}, "backward"),
        ]
    except ChainruleError:
        tally.by["check: no source"] += 1
        return
    functions = []
    for text, function in zip(texts, ("forward", "backward"), strict=True):
        path = folder / f"{name}_{function}.py"
        path.write_text(text)
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        functions.append(getattr(module, function))
    point = {n: v if v.ndim else float(v) for n, v in at.items()}
    verdict = cr.check(*functions, at=point, wrt=(x.params[0],), mode="gradient")
    tally.checks += 1
    kind = {True: "true", False: "false", None: "untold"}[c.here]
    tally.by[f"check, {kind}: {verdict.status}"] += 1
    witness = verdict.worst.witness
    inner = witness is None or witness.where == "interior"
    label = f"check of {name}: {c.how}: {verdict.worst.reason}"
    if verdict.status == "proved" and c.here is False:
        tally.wrong.append(f"FALSE PROOF {label}")
    if verdict.status == "refuted" and not c.planted and inner:
        tally.wrong.append(f"FALSE REFUTATION {label}\n{verdict}")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--verdicts", type=int, default=2000)
    parser.add_argument("--each", type=int, default=8, help="claims of either kind for one graph")
    parser.add_argument("--whole", type=int, default=0, help="of them through the whole check")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="the number of the one graph")
    given = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    tally, start, k, told = Tally(), time.perf_counter(), given.only or 0, 0.0
    share = 2.2 * given.each * given.whole / max(1, given.verdicts)
    with tempfile.TemporaryDirectory() as name, np.errstate(all="ignore"):
        while tally.claims < given.verdicts:
            left = tally.checks < given.whole
            one_graph(k, given.seed, given.each, share if left else 0.0, Path(name), tally)
            k += 1
            if given.only is not None:
                break
            if time.perf_counter() - told > 60:
                told = time.perf_counter()
                done = f"{tally.claims:,} claims, {len(tally.wrong)} wrong, graph {k}"
                print(f"  {done} …", file=sys.stderr, flush=True)
    for kind, count in sorted(tally.by.items()):
        print(f"  {kind:44} {count:>8,}")
    print("  rules: " + ", ".join(f"{rule} {n:,}" for rule, n in tally.rules.most_common()))
    ties = ", ".join(f"{n:,} by {who}" for who, n in tally.ties.items()) or "none"
    print(f"  ties that torch left: {ties}")
    for line in tally.wrong[:20]:
        print(f"\n{line}")
    print(
        f"\n{tally.claims:,} claims of {tally.graphs:,} random graphs, {tally.checks:,} of them "
        f"through the whole check, {time.perf_counter() - start:.0f} s: {len(tally.wrong)} wrong"
    )
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
