"""`python -m tests.benchmarks`: one table of ratios, all measured in this run."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
from collections.abc import Callable, Sequence
from functools import partial

if __name__ == "__main__":  # before NumPy is loaded: threads that wait for each other time nothing
    for library in ("OPENBLAS", "MKL", "OMP", "VECLIB_MAXIMUM", "BLIS"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import numpy as np

from tests.benchmarks import checking, depth, networks
from tests.benchmarks.measure import interleaved, limited, peak, ratio
from tests.benchmarks.networks import Contestant, Problem

SIZES: tuple[tuple[tuple[int, ...], int], ...] = (
    ((1, 6, 7, 2), 100),
    ((64, 128, 64, 10), 128),
    ((784, 128, 64, 10), 128),
    ((784, 512, 512, 10), 256),
    *(((64,) * (depth + 1), 128) for depth in (2, 4, 8, 16, 32)),
)
TINY: tuple[tuple[tuple[int, ...], int], ...] = (((1, 3, 2), 4), ((2, 2, 2, 2), 3))
CHECKED: tuple[tuple[tuple[int, ...], int], ...] = (
    ((64, 128, 64, 10), 128),
    ((784, 128, 64, 10), 128),
    ((1024, 1024, 1024, 10), 256),
)
OTHERS: dict[str, Callable[[Problem], Contestant]] = {
    "gallery": networks.by_gallery,
    "torch": networks.by_torch,
    "JAX": networks.by_jax,
    "autograd": networks.by_autograd,
}
HEAD = (
    *("network", "derive ms", "and run ms", "by hand ms", "noise"),
    *("time ours", *OTHERS, "memory ours", "autograd's"),
)


def checked(contestants: dict[str, Contestant]) -> None:
    """All of them compute the same gradients, else an AssertionError says who does not."""
    wanted = contestants["by hand"]()
    for name, call in contestants.items():
        for place, gradient in call().items():
            np.testing.assert_allclose(
                np.asarray(gradient),
                wanted[place],
                rtol=1e-8,
                atol=1e-12,
                err_msg=f"{name} {place}",
            )


def row(p: Problem, repeats: int) -> tuple[str, ...]:
    """The numbers of one network."""
    derive = networks.derived()[0]
    contestants: dict[str, Contestant] = {
        "by hand": networks.by_hand(p),
        "by hand again": networks.by_hand(p),
        "ours": derive(p)(),
    }
    for name, make in OTHERS.items():
        try:
            contestants[name] = make(p)
        except ImportError:
            continue
    checked(contestants)
    times = interleaved(contestants, repeats)
    base = times["by hand"]
    making = {"derive": lambda: derive(p), "first": lambda: derive(p)()()}
    made = interleaved(making, max(2, repeats // 5))
    memory = {name: peak(contestants[name]) for name in contestants if name not in ("torch", "JAX")}

    def against(name: str) -> str:
        if name not in times:
            return "–"
        middle, spread = ratio(times[name], base)
        return f"{middle:.2f} ± {spread:.2f}"

    def more(name: str) -> str:
        return f"{memory[name] / memory['by hand']:.2f}" if name in memory else "–"

    alike = f"{p.widths[0]} wide, {p.layers} layers" if len(set(p.widths)) == 1 else ""
    return (
        f"{alike or '-'.join(map(str, p.widths))}, N = {p.samples}",
        f"{1000 * statistics.median(made['derive']):.1f}",
        f"{1000 * statistics.median(made['first']):.1f}",
        f"{1000 * statistics.median(base):.3f}",
        against("by hand again"),
        against("ours"),
        *(against(name) for name in OTHERS),
        more("ours"),
        more("autograd"),
    )


def printed(rows: Sequence[Sequence[str]]) -> str:
    """A table in columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for cells in rows:
        first, *rest = (c.rjust(w) for c, w in zip(cells, widths, strict=True))
        lines.append("  ".join([first.strip().ljust(widths[0]), *rest]).rstrip())
    return "\n".join(lines)


def whole_checks(p: Problem, repeats: int) -> list[tuple[str, ...]]:
    """Rows: a contestant, its whole work in passes and in seconds, and what was not done of it."""
    made: dict[str, checking.Check] = {}
    missing: dict[str, str] = {}
    for name, make in checking.CONTESTANTS.items():
        try:
            made[name] = make(p)
            made[name].call()
        except Exception as why:  # theirs may fail in any way, and the table goes on
            made.pop(name, None)
            missing[name] = f"{type(why).__name__}: {' '.join(str(why).split())}"[:80]
    times = interleaved({name: c.call for name, c in made.items()}, repeats)
    unit = next(iter(times.values()))
    rows = []
    for name in checking.CONTESTANTS:
        if name in missing:
            rows.append((name, "–", "–", "", f"ABSENT ({missing[name]})"))
            continue
        share = made[name].share
        middle, spread = ratio(times[name], unit)
        seconds = statistics.median(times[name]) / share
        note = f"measured on {share:.2%} of it, and scaled" if share < 1 else ""
        passes = (f"{v / share:,.{1 if v / share < 100 else 0}f}" for v in (middle, spread))
        rows.append((name, *passes, f"{seconds:.4g}", note))
    return rows


def checks(repeats: int, tiny: bool) -> None:
    """Prints the tables of whole checks, and of depth."""
    for widths, samples in TINY if tiny else CHECKED:
        p = Problem(widths, samples)
        title = f"{'-'.join(map(str, widths))}, N = {samples}"
        print(printed([(title, "passes", "±", "seconds", ""), *whole_checks(p, repeats)]), "\n")
    layers, blocks = (2, 2) if tiny else (12, 8)
    runs: dict[str, Callable[[], tuple[float, str]]] = {
        "the page's six Jacobians, a new process": depth.cold,
        f"{layers} layers, all widths different": partial(depth.deep, layers),
        f"{blocks} residual blocks": partial(depth.residual, blocks),
    }
    rows = [("first verdict, proof included", "seconds", "findings")]
    for name, run in runs.items():
        taken = [run() for _ in range(1 if tiny else 3)]
        rows.append((name, f"{statistics.median(t for t, _ in taken):.2f}", taken[0][1]))
    print(printed(rows))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints; 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--repeats", type=int, default=41, help="turns of each contestant")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds for sympy.diff; 0: none")
    parser.add_argument("--check", action="store_true", help="whole checks, beside those of others")
    parser.add_argument("--tiny", action="store_true", help="tiny sizes, to see that it runs")
    given = parser.parse_args(arguments)
    sizes, repeats = (TINY, 2) if given.tiny else (SIZES, given.repeats)

    threads = os.environ.get("OMP_NUM_THREADS", "any number of")
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, threads: {threads}")
    if given.check:
        print(
            "a whole check of all gradients, in forward and backward passes by hand; all turns of"
        )
        print("all contestants interleaved, medians; ± half the distance of the quartiles\n")
        checks(2 if given.tiny else min(repeats, 7), given.tiny)
        return 0
    print(f"derived by: {networks.derived()[1]}")
    print("derive: tracing and all gradients; and run: also lowered, and evaluated once")
    print("time and memory: as multiples of the forward and backward pass by hand; ± half the")
    print("distance of the quartiles; noise: by hand against itself; –: not installed, or not seen")
    print()
    rows = [HEAD, *(row(Problem(*size), repeats) for size in sizes)]
    print(printed(rows))
    if given.limit and not given.tiny:
        p = Problem((1, 6, 7, 2), 1)
        seconds = limited(partial(networks.sympy_seconds, p), given.limit)
        told = f"more than {given.limit:.0f} s" if seconds is None else f"{seconds:.1f} s"
        print(f"\nsympy.diff on components, 1-6-7-2, N = 1: {told}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
