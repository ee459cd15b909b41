"""Right backward passes must never be alarmed at: `python tests/accuracy.py --checks 10000`.

Networks are written in ways drawn at random (`written`), each checked at many points: widths and
numbers of samples 1 … 128, inputs 1e-3 … 1e3, weights random, trained a little, or saturated. A
false alarm is a verdict that is not ok, a formula that is neither proved nor agrees, a loss of
digits at the point that is not there, or an error beyond the bound that was told. The truth is the
same mathematics in stable forms in long doubles. Code that really overflows or really loses digits
is no false alarm, and is counted apart.

With `--planted 500` one entry of a result is wrong by 1e-10 of the largest: it must be refuted
where the code is traced, and must not pass where it cannot be followed.

Prints counts; the exit code is 1 on a false alarm or a miss. `--only WAY` repeats one way.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from written import Way, drawn, text

import chainrule as cr

REGIMES = ("random", "random", "trained", "saturated")
#: Points of one way: where its proof is kept, and where each check begins anew.
KEPT, ANEW = 50, 2
LONGEST, FEW = 128, 8
#: Of the largest entry: rounding of the long doubles themselves, and of the float64 constants.
TRUTH = 1e-14 if np.finfo(np.longdouble).eps > 1e-18 else 2e-16

Point = dict[str, Any]


@dataclass
class Code:
    """A way's module, loaded from a file, so that its source is there to be read."""

    way: Way
    source: str
    folder: Path
    name: str
    forward: Callable[..., Any] = field(init=False)
    backward: Callable[..., Any] = field(init=False)

    def __post_init__(self) -> None:
        path = self.folder / f"{self.name}.py"
        path.write_text(self.source)
        spec = importlib.util.spec_from_file_location(self.name, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        self.forward, self.backward = module.forward, module.backward

    def results(self, point: Point) -> dict[str, np.ndarray]:
        """Place → what backward returns."""
        with np.errstate(all="ignore"):
            found = self.backward(**point)
        if isinstance(found, dict):
            return {p: np.asarray(found[p]) for p in self.way.places}
        found = found if isinstance(found, (tuple, list)) else (found,)
        return dict(zip(self.way.places, map(np.asarray, found), strict=True))


def held(way: Way, x: Any, y: Any, Ws: Sequence[Any], bs: Sequence[Any]) -> Point:
    """The arguments of both passes."""
    if way.holder == "lists":
        return {"x": x, "y": y, "Ws": list(Ws), "bs": list(bs)}
    both = {
        f"{n}{k}": v
        for k, pair in enumerate(zip(Ws, bs, strict=True), 1)
        for n, v in zip("Wb", pair, strict=True)
    }
    return {"x": x, "y": y, "P": both} if way.holder == "dict" else {"x": x, "y": y, **both}


def long(point: Any) -> Any:
    """The same numbers as long doubles."""
    if isinstance(point, dict):
        return {k: long(v) for k, v in point.items()}
    return [long(v) for v in point] if isinstance(point, list) else point.astype(np.longdouble)


def sizes(rng: np.random.Generator, way: Way) -> list[int]:
    """Widths, and the number of samples last; small ones as often as large ones.

    A loop over samples is checked at few of them: each is a node, and each size a proof anew.
    """
    found = [round(2 ** rng.uniform(0, np.log2(LONGEST))) for _ in range(way.depth + 2)]
    return [*found[:-1], min(found[-1], FEW)] if way.unrolled else found


def point(
    way: Way, rng: np.random.Generator, shape: Sequence[int], regime: str, code: Code
) -> Point:
    """Inputs 1e-3 … 1e3, and weights of a regime."""
    *widths, N = shape
    columns = way.layout == "columns"
    x = rng.standard_normal((N, widths[0])) * 10.0 ** rng.uniform(-3, 3)
    if way.loss == "entropy":
        y = np.eye(widths[-1])[rng.integers(0, widths[-1], N)]
    else:
        y = rng.uniform(size=(N, widths[-1]))
    size = 10.0 ** rng.uniform(0.5, 2) if regime == "saturated" else 1.0
    Ws, bs = [], []
    for m, n in pairwise(widths):
        W = size * rng.standard_normal((m, n)) / np.sqrt(m)
        Ws.append(W if way.layout == "rows" else np.ascontiguousarray(W.T))
        b = rng.standard_normal(n)
        bs.append(b[:, None].copy() if columns else b)
    if columns:
        x, y = np.ascontiguousarray(x.T), np.ascontiguousarray(y.T)
    if regime == "trained":
        for _ in range(10):
            slopes = list(code.results(held(way, x, y, Ws, bs)).values())
            if not all(np.isfinite(s).all() for s in slopes):
                break
            longest = max(1e-30, *(float(np.abs(s).max()) for s in slopes))
            Ws = [W - 0.05 / longest * s for W, s in zip(Ws, slopes[::2], strict=True)]
            bs = [b - 0.05 / longest * s for b, s in zip(bs, slopes[1::2], strict=True)]
    return held(way, x, y, Ws, bs)


def claim(way: Way, code: Code) -> cr.Claim:
    options: dict[str, Any] = {"wrt": way.places}
    if way.loss == "entropy":
        options["domains"] = {"y": cr.one_hot(axis=0 if way.layout == "columns" else 1)}
    return cr.Claim(code.forward, code.backward, **options)


def quick(finding: Any) -> bool:
    """Whether it stands on what an earlier check proved."""
    return any(e.rung == "rounding" and "scale" in e.figures for e in finding.evidence)


def off(code: np.ndarray, truth: np.ndarray) -> float:
    """The largest error, of the largest entry."""
    scale = float(np.max(np.abs(truth), initial=0.0))
    gap = float(np.max(np.abs(code - truth), initial=0.0))
    return gap / scale if scale else (np.inf if gap else 0.0)


def alarm(finding: Any, code: np.ndarray, forward: float, truth: np.ndarray) -> tuple[str, str]:
    """(what it counts as, what is wrong with it if it is an alarm)."""
    real = np.isfinite(truth).all() and np.abs(truth).max(initial=0.0) < np.finfo(float).max
    if not np.isfinite(code).all() or not np.isfinite(forward) or not real:
        passes = finding.ok and real and np.isfinite(forward)
        return ("alarm", "it returns nan or inf here, and is ok") if passes else ("overflows", "")
    if finding.status not in ("proved", "agrees") or not finding.ok:
        return "alarm", f"{finding.status}, ok = {finding.ok}: {finding.reason}"
    report, error = finding.code, off(code, truth)
    kind = finding.status
    if report is None:
        return f"{kind}, code not judged", ""
    if report.status == "accurate" or "at your point" not in report.summary:
        bound = [e.figures for e in finding.evidence if e.rung == "rounding"]
        if (
            quick(finding)
            and error * bound[0]["scale"] > bound[0]["bound"] + TRUTH * bound[0]["scale"]
        ):
            return "alarm", f"told off by {report.worst:.1e} at most, and is by {error:.1e}"
        where = "" if report.status == "accurate" else f", {report.status} elsewhere"
        return f"{kind}{where}", ""
    if report.worst is not None and error < report.worst / 2 - TRUTH:
        return "alarm", f"{report.summary}; but the error is {error:.1e}"
    return f"{kind}, {report.status} here", ""


@dataclass
class Tally:
    """What came of it. by : kind of outcome → checks. alarms : enough to repeat them."""

    by: Counter[str] = field(default_factory=Counter)
    ways: Counter[str] = field(default_factory=Counter)
    checks: int = 0
    quick: int = 0
    seconds: float = 0.0
    alarms: list[str] = field(default_factory=list)


def checked(
    code: Code, reference: Code, one: cr.Claim, at: Point, label: str, tally: Tally
) -> bool:
    """One check of all gradients of a way; whether it was a quick one."""
    start = time.perf_counter()
    verdict = one.check(at=at)
    tally.seconds += time.perf_counter() - start
    tally.checks += 1
    results, truths = code.results(at), reference.results(long(at))
    with np.errstate(all="ignore"):
        forward = float(code.forward(**at))
    outcomes = {}
    for place, result in results.items():
        finding = verdict.findings.get(place)
        if finding is None:
            outcomes["alarm"] = f"{place}: no finding, but {', '.join(verdict.findings)}"
            continue
        kind, why = alarm(finding, result, forward, truths[place])
        outcomes[kind] = f"{place}: {why}"
    for key in verdict.findings.keys() - results.keys():
        outcomes["alarm"] = f"{key}: {verdict.findings[key].reason}"
    order = ("alarm", "overflows", "here", "elsewhere", "not judged", "agrees", "proved")
    kind = min(outcomes, key=lambda k: next(i for i, o in enumerate(order) if o in k))
    tally.by[kind] += 1
    if kind == "alarm":
        tally.alarms.append(f"{label}: {outcomes[kind]}")
    fast = all(quick(f) for f in verdict.findings.values())
    tally.quick += fast
    return fast


def ways(seed: int, only: int | None) -> Iterator[tuple[int, Way]]:
    k = only or 0
    while True:
        yield k, drawn(random.Random(f"{seed}/{k}"))
        if only is not None:
            return
        k += 1


def run(checks: int, seed: int, only: int | None, folder: Path) -> Tally:
    """So many checks of right code."""
    tally, shown = Tally(), time.perf_counter()
    for k, way in ways(seed, only):
        code = Code(way, text(way), folder, f"way_{seed}_{k}")
        reference = Code(way.stable, text(way.stable), folder, f"stable_{seed}_{k}")
        one, rng = claim(way, code), np.random.default_rng([seed, k])
        tally.ways[f"{way.layout}, {way.activation}, {way.loss}"] += 1
        shape, first, fast, slow = sizes(rng, way), True, 0, 0
        for n in range(KEPT):
            if tally.checks >= checks:
                return tally
            if n % 3 == 1 and not (slow > 2 and not fast):  # other sizes, unless a proof has one
                shape = sizes(rng, way)
            regime = REGIMES[rng.integers(len(REGIMES))]
            at = point(way, rng, shape, regime, reference)
            label = f"--seed {seed} --only {k}, point {n} ({regime}, {'-'.join(map(str, shape))})"
            was = checked(code, reference, one, at, label, tally)
            fast, slow = fast + was, slow + (not was and not first)
            first = False
            if slow >= ANEW and slow > fast:  # nothing is kept of it: the others take its points
                break
            if time.perf_counter() - shown > 30:
                shown = time.perf_counter()
                print(f"  {tally.checks:,} checks, way {k} …", file=sys.stderr, flush=True)
    return tally


def planted(checks: int, seed: int, only: int | None, folder: Path) -> Tally:
    """So many checks of code with one entry wrong by 1e-10 of the largest, traced or opaque."""
    tally = Tally()
    for k, way in ways(seed + 1, only):
        if tally.checks >= checks:
            break
        rng = np.random.default_rng([seed + 1, k])
        reference = Code(way.stable, text(way.stable), folder, f"stable_{seed + 1}_{k}")
        regime = REGIMES[rng.integers(len(REGIMES))]
        at = point(way, rng, [min(s, 24) for s in sizes(rng, way)], regime, reference)
        right = Code(way, text(way), folder, f"right_{seed + 1}_{k}").results(at)
        number = int(rng.integers(len(way.places)))
        place = way.places[number]
        if not np.isfinite(right[place]).all() or not right[place].any():
            tally.by["overflows, or all zero"] += 1
            continue
        entry = ", ".join(str(rng.integers(n)) for n in right[place].shape)
        for opaque in (False, True):
            source = text(way, number, entry, opaque)
            code = Code(way, source, folder, f"planted_{seed + 1}_{k}_{opaque}")
            start = time.perf_counter()
            finding = claim(way, code).check(at=at).findings.get(place)
            tally.seconds += time.perf_counter() - start
            tally.checks += 1
            followed = "no finding" if finding is None else finding.scope.followed
            status = "" if finding is None else finding.status
            tally.by[f"{followed}: {status}"] += 1
            passed = status in ("", "proved", "agrees")
            if passed or (followed == "traced" and status != "refuted"):
                why = "" if finding is None else f"{finding.reason}; code: {finding.code}"
                tally.alarms.append(
                    f"--seed {seed} --planted-way {k} ({regime}, opaque {opaque}) "
                    f"{place}[{entry}]: {followed}, {status}: {why}"
                )
    return tally


def shown(tally: Tally, what: str) -> None:
    for kind, count in tally.by.most_common():
        print(f"  {kind:44} {count:>7,}")
    for line in tally.alarms[:20]:
        print(f"\n{what}: {line}")
    print()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--checks", type=int, default=1000)
    parser.add_argument("--planted", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="the number of the one way to check")
    parser.add_argument("--planted-way", type=int, help="the same, of those with an error")
    given = parser.parse_args(arguments)
    failed = False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.checks and given.planted_way is None:
            tally = run(given.checks, given.seed, given.only, folder)
            shown(tally, "FALSE ALARM")
            print(
                f"{tally.checks:,} checks of right code, {sum(tally.ways.values())} ways "
                f"({len(tally.ways)} kinds of network), {tally.quick:,} of them quick, "
                f"{tally.seconds:.0f} s in checks: {len(tally.alarms)} false alarms"
            )
            failed |= bool(tally.alarms)
        if given.planted or given.planted_way is not None:
            tally = planted(given.planted or 2, given.seed, given.planted_way, folder)
            shown(tally, "MISSED")
            print(
                f"{tally.checks:,} checks of code with one entry wrong by 1e-10 of the largest, "
                f"{tally.seconds:.0f} s in checks: {len(tally.alarms)} missed"
            )
            failed |= bool(tally.alarms)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
