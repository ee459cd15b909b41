"""Times and memory, so that ratios mean something: interleaved repeats, medians, noise beside."""

from __future__ import annotations

import gc
import multiprocessing
import statistics
import time
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def interleaved(
    contestants: Mapping[str, Callable[[], Any]], repeats: int, seconds: float = 0.003
) -> dict[str, list[float]]:
    """Seconds a call of each, `repeats` times, in turn; short calls are timed several at once."""
    counts = {}
    for name, call in contestants.items():
        call()
        start = time.perf_counter()
        call()
        counts[name] = max(1, round(seconds / max(time.perf_counter() - start, 1e-7)))
    times: dict[str, list[float]] = {name: [] for name in contestants}
    order = list(contestants)
    gc.collect()
    gc.disable()
    try:
        for turn in range(repeats):
            for name in order if turn % 2 else reversed(order):
                call, count = contestants[name], counts[name]
                start = time.perf_counter()
                for _ in range(count):
                    call()
                times[name].append((time.perf_counter() - start) / count)
    finally:
        gc.enable()
    return times


def ratio(times: Sequence[float], base: Sequence[float]) -> tuple[float, float]:
    """The median of the ratios of one turn each, and half the distance of their quartiles."""
    ratios = [a / b for a, b in zip(times, base, strict=True)]
    if len(ratios) < 4:
        return statistics.median(ratios), (max(ratios) - min(ratios)) / 2
    low, _, high = statistics.quantiles(ratios, n=4)
    return statistics.median(ratios), (high - low) / 2


def peak(call: Callable[[], Any]) -> int:
    """The most bytes that a call holds at once, its result included; NumPy reports its arrays."""
    call()
    gc.collect()
    tracemalloc.start()
    try:
        result = call()
        most = tracemalloc.get_traced_memory()[1]
        del result
    finally:
        tracemalloc.stop()
    return most


def _told(pipe: Any, call: Callable[[], float]) -> None:
    pipe.send(call())


def limited(call: Callable[[], float], limit: float) -> float | None:
    """What a call gives in a process of its own; None if it does not end under the limit."""
    here, there = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=_told, args=(there, call))
    process.start()
    try:
        return float(here.recv()) if here.poll(limit) else None
    finally:
        process.terminate()
        process.join()
